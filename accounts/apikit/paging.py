"""Cursor paging: each response has the cursor of the next page, a signed text that programs send back unchanged."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import Field

from accounts.apikit.problems import refuse_values

DEFAULT_SIZE = 30
MAX_SIZE = 100
Row = TypeVar("Row", bound=Model)


class Ids(Protocol):
    """A list of ids, or a query that reads only the part that is asked for."""

    def __getitem__(self, part: slice, /) -> Iterable[int]: ...


class CursorQuery(Schema):
    """Which page to return."""

    cursor: str | None = Field(
        None,
        max_length=500,
        description="`next` from the previous page. Leave out for the first page.",
        examples=["eJyLNjaIBQACYQEG:1vP0aB:c0Ffee"],
    )


class PageQuery(CursorQuery):
    """Which page to return, and its size."""

    size: int = Field(DEFAULT_SIZE, ge=1, le=MAX_SIZE, description="Items per page.")


def write_cursor(name: str, values: list[Any]) -> str:
    """Return the cursor of ``place`` (JSON values and times) in the list ``name``."""
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return signing.dumps(plain, salt=f"api.cursor.{name}", compress=True)


def read_cursor(name: str, cursor: str) -> list[Any]:
    """Return the place that ``write_cursor`` wrote; a 422 for any other text."""
    try:
        values: list[Any] = signing.loads(cursor, salt=f"api.cursor.{name}")
    except (signing.BadSignature, ValueError) as error:
        message = _("Not a cursor of this list. Pass `next` unchanged.")
        raise refuse_values(("query.cursor", message)) from error
    return values


def newest_page(rows: QuerySet[Row], *, name: str, by: str, page: PageQuery) -> tuple[list[Row], str | None]:
    """Return one page of ``rows``, newest first by the time ``by`` and then by id, and the cursor of the next.

    The cursor names the last row, so that rows added or removed meanwhile cause no duplicates or gaps.
    """
    if page.cursor:
        text, last_id = read_cursor(name, page.cursor)
        at = datetime.fromisoformat(text)
        rows = rows.filter(Q(**{f"{by}__lt": at}) | Q(**{by: at, "id__lt": last_id}))
    items = list(rows.order_by(f"-{by}", "-id")[: page.size + 1])
    if len(items) <= page.size:
        return items, None
    last = items[page.size - 1]
    return items[: page.size], write_cursor(name, [getattr(last, by), last.pk])


def ranked_page(ids: Ids, *, name: str, page: PageQuery) -> tuple[list[int], str | None]:
    """Return one page of a ranked list (or of a lazy one, such as a query's), and the cursor of the next."""
    start: int = read_cursor(name, page.cursor)[0] if page.cursor else 0
    items = list(ids[start : start + page.size + 1])
    more = write_cursor(name, [start + page.size]) if len(items) > page.size else None
    return items[: page.size], more
