"""``docs/api-pages.md`` names every route of the pages, with the calls that do the same or why there is none."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver

from spotify_rec.operation_ids import OPERATION_IDS

TABLE = Path(__file__).parent.parent / "docs" / "api-pages.md"


def routes(resolver: URLResolver | None = None, names: str = "") -> Iterator[str]:
    """Yield the names of all routes but those of the API and of Django admin."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace not in ("admin", "api"):
                yield from routes(entry, f"{names}{entry.namespace}:" if entry.namespace else names)
        elif isinstance(entry, URLPattern) and entry.name:
            yield f"{names}{entry.name}"


def lines() -> list[tuple[list[str], str]]:
    """Return the routes and the cell beside them, line by line."""
    cells = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", TABLE.read_text(), flags=re.MULTILINE)
    return [(left.split(", "), right) for left, right in cells if left != "route"]


def test_every_route_stands_in_the_table_once() -> None:
    listed = [route for names, _cell in lines() for route in names]
    assert sorted(listed) == sorted(set(routes()))


def test_every_call_in_the_table_is_one() -> None:
    calls = {call for _names, cell in lines() if not cell.startswith("none: ") for call in cell.split(", ")}
    assert calls - set(OPERATION_IDS.values()) == set()
    assert len(calls) > 70
