"""Rows split into fields, and why some cannot be."""

import csv
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from catalog.importing.reading.dialect import Dialect
from catalog.importing.reading.lists import parse_list
from catalog.importing.reading.numbers import is_no_value
from catalog.importing.reading.values import BadValue, not_an_id


class Lines(NamedTuple):
    """Rows split into fields, beside their line numbers and their text."""

    numbers: list[int]
    fields: list[list[str]]
    texts: list[str]


def reason(error: Exception) -> str:
    """Return why a row could not be read."""
    if isinstance(error, UnicodeDecodeError):
        values = {"byte": f"0x{error.object[error.start]:02x}", "position": error.start + 1}
        return _("invalid UTF-8: byte %(byte)s at position %(position)d in the row. Save the file as UTF-8.") % values
    if isinstance(error, csv.Error):
        if "field limit" in str(error):
            return _("a field is longer than %(limit)d characters") % {"limit": csv.field_size_limit()}
        return _("an unquoted field contains a carriage return")
    return str(error)


def of_width(lines: Lines, headings: Sequence[str]) -> tuple[Lines, list[tuple[int, str, str]]]:
    """Return the rows with a field for each heading, and line number, reason and text of the others.

    Empty lines are no rows. A trailing delimiter does not start another field, in rows or in the header.
    """
    width = len(headings)
    rows = Lines([], [], [])
    rejects = []
    for number, split, text in zip(*lines, strict=True):
        fields = split
        if len(fields) > width and not any(map(str.strip, fields[width:])):
            fields = fields[:width]
        elif len(fields) == width - 1 and not headings[-1]:
            fields = [*fields, ""]
        if len(fields) == width:
            rows.numbers.append(number)
            rows.fields.append(fields)
            rows.texts.append(text)
        elif fields:
            is_short = len(fields) < width
            pattern = _("too few columns: %(number)d instead of %(width)d")
            pattern = pattern if is_short else _("too many columns: %(number)d instead of %(width)d")
            rejects.append((number, pattern % {"number": len(fields), "width": width}, text))
    return rows, rejects


def is_header(fields: Sequence[str], headings: Sequence[str]) -> bool:
    """Return whether a row repeats the header, or begins as it does where only its beginning was split."""
    if not fields or not headings or _heading(fields[0]) != _heading(headings[0]):
        return False
    return all(_heading(text) == _heading(known) for text, known in zip(fields, headings, strict=False))


def without_headers(lines: Lines, headings: Sequence[str]) -> tuple[Lines, list[int]]:
    """Return the rows that do not repeat the header, and the line numbers of those that do."""
    # The first heading may stand behind a mark of the encoding.
    heading = headings[1].casefold()
    doubtful = [at for at, fields in enumerate(lines.fields) if fields[1].strip().casefold() == heading]
    repeated = {at for at in doubtful if is_header(lines.fields[at], headings)}
    if not repeated:
        return lines, []
    songs = Lines([], [], [])
    for at, (number, fields, text) in enumerate(zip(*lines, strict=True)):
        if at not in repeated:
            songs.numbers.append(number)
            songs.fields.append(fields)
            songs.texts.append(text)
    return songs, [lines.numbers[at] for at in sorted(repeated)]


def _heading(text: str) -> str:
    return " ".join(text.strip('\ufeff"').split()).casefold()


def is_known(value: object) -> bool:
    """Return whether a parsed value says something."""
    return value is not None and value not in ("", ()) and not isinstance(value, BadValue)


def quietly_split(line: str, dialect: Dialect) -> list[str]:
    """Return the fields of ``line``, none where it cannot be split."""
    try:
        return next(dialect.reader([line]), [])
    except csv.Error:
        return []


def joined_names(*fields: Any) -> Any:
    """Return the names of several fields of one row, each once; or the field that cannot be read."""
    bad = next((names for names in fields if isinstance(names, BadValue)), None)
    return bad or tuple(dict.fromkeys(name for names in fields for name in names))


def unknowable(texts: Sequence[str], ids: Sequence[object], artists: Sequence[object] | None) -> dict[int, str]:
    """Return place and reason of each row that has neither an id nor artists to know its song by."""
    return {
        row: _("artists: must not be empty without an ID") if is_no_value(texts[row]) else not_an_id(texts[row])
        for row, song_id in enumerate(ids)
        if song_id == "" and (artists is None or artists[row] == ())
    }


class Neighbours:
    """Statistics over the artist fields of consecutive rows of one song."""

    def __init__(self) -> None:
        self._several = self._others = 0

    def note(self, artist: str, other: str) -> None:
        """Take in the artists of two such rows."""
        are_single = not any(";" in text or parse_list(text) is not None for text in (artist, other))
        if artist and other and artist != other and are_single:
            self._several += 1
        else:
            self._others += 1

    @property
    def name_one_each(self) -> bool:
        """Whether most name one artist each of the song's."""
        return self._several > 0 and self._several >= self._others
