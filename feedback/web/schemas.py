"""What calls of several rooms take."""

from typing import Annotated

from pydantic import Field

from catalog.schemas import MAX_ID

SongId = Annotated[int, Field(ge=1, le=MAX_ID)]
