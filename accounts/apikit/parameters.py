"""Values in addresses."""

from typing import Annotated

from ninja import Path

MAX_ID = 2**63 - 1
# An id as it may stand in an address; larger numbers would be too much for the database.
RowId = Annotated[int, Path(..., ge=1, le=MAX_ID, examples=[12])]
