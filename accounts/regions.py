"""Regions a listener can be in: ISO 3166-1 alpha-2 codes with English names."""

from functools import cache
from importlib.resources import files


@cache
def region_choices() -> list[tuple[str, str]]:
    """Return ``(code, name)`` for every ISO 3166-1 country, ordered by name.

    The list comes from the IANA time zone database package, so that none is kept here.
    """
    text = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    rows = (line.split("\t", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return sorted(((code, name) for code, name in rows), key=lambda row: row[1].casefold())
