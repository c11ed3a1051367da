"""The dialect of a file: encoding, header, delimiter, and quoting."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from catalog.importing.reading.encodings import makes_sense
from catalog.importing.reading.layout import DELIMITERS, candidates

UTF_8 = "utf-8"
WINDOWS = "cp1252"
CYRILLIC = "cp1251"
MAX_HEADER_LINES = 20
_MAX_TITLE_LINES = 5
_CYRILLIC_WORD = re.compile(rb"[\xc0-\xff]{3,}")
_CYRILLIC_ENOUGH = 0.6
# Code points that Windows-1252 lacks: a file with one of them has another encoding.
_NOT_WINDOWS = b"\x81\x8d\x8f\x90\x9d"


class DialectError(ValueError):
    """The file cannot be read as a table; the message says why."""


@dataclass(frozen=True)
class Dialect:
    """How to split a file into rows and fields; ``header_line`` is the number of the last line of its header."""

    delimiter: str
    escape: str | None
    encoding: str
    headings: tuple[str, ...]
    header_line: int

    def reader(self, texts: Sequence[str], *, is_strict: bool = False) -> Iterator[list[str]]:
        """Return the fields of each row of ``texts``."""
        return csv.reader(texts, delimiter=self.delimiter, escapechar=self.escape, strict=is_strict)

    def decode(self, line: bytes) -> str:
        """Return a line as text.

        Raises:
            UnicodeDecodeError: it is not UTF-8, where the file is.
        """
        return line.decode() if self.encoding == UTF_8 else line.decode(self.encoding, "replace")


def read_dialect(sample: bytes) -> tuple[Dialect, list[str]]:
    """Return how the file that begins with ``sample`` (whole lines) is written, and the lines below its header.

    Raises:
        DialectError: there is no header, or lines end in a way that is no longer used.
    """
    encoding = encoding_of(sample)
    lines = sample.decode(encoding, "replace").removeprefix("\ufeff").split("\n")
    start = next((number for number, line in enumerate(lines) if line.strip()), 0)
    announced = None
    text = lines[start].strip()
    if text.lower().startswith("sep=") and len(text) <= 5:
        announced, start = text[4:] or "\t", start + 1
    if start >= len(lines):
        raise DialectError(_("has a header but no rows."))
    if "\r" in lines[start].rstrip("\r"):
        raise DialectError(_("uses old Mac line endings (CR). Save it with Unix or Windows line endings."))
    delimiters = (announced,) if announced else DELIMITERS
    delimiter, headings, end = _found_header(lines, start, delimiters)
    below = lines[end:]
    dialect = Dialect(delimiter, None, encoding, headings, end)
    return (Dialect(delimiter, "\\", encoding, headings, end) if _has_escapes(dialect, below) else dialect), below


def encoding_of(data: bytes) -> str:
    """Return the encoding of text: UTF-8, unless nothing beyond ASCII is valid in it and all is Windows-1252 or 1251.

    Cyrillic letters come in words; the accented letters of Windows-1252 stand between others. What makes no sense in
    either counts as UTF-8, so that its rows are left out and not garbled.
    """
    try:
        data.decode()
    except UnicodeDecodeError:
        if has_utf8(data) or any(sign in data for sign in _NOT_WINDOWS):
            return UTF_8
        letters = sum(byte >= 0xC0 for byte in data)
        in_words = sum(map(len, _CYRILLIC_WORD.findall(data)))
        encoding = CYRILLIC if letters and in_words >= _CYRILLIC_ENOUGH * letters else WINDOWS
        return encoding if makes_sense(data, encoding) else UTF_8
    return UTF_8


def has_utf8(data: bytes) -> bool:
    """Return whether something beyond ASCII in ``data`` is valid UTF-8."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode(errors="ignore")
    return not text.isascii()


def _found_header(lines: Sequence[str], start: int, delimiters: Sequence[str]) -> tuple[str, tuple[str, ...], int]:
    """Return delimiter, headings and the number of lines up to the header's end.

    The header is the first line, unless that is of no use and one of the next few, below a table's title, is.
    """
    first = _best_header(lines, start, delimiters)
    if _is_usable(first[1]):
        return first
    for number in range(start + 1, min(start + _MAX_TITLE_LINES, len(lines))):
        header = _best_header(lines, number, delimiters)
        if _is_usable(header[1]):
            return header
    return first


def _best_header(lines: Sequence[str], start: int, delimiters: Sequence[str]) -> tuple[str, tuple[str, ...], int]:
    options = [(delimiter, *_header(lines, start, delimiter)) for delimiter in delimiters]
    return max(options, key=lambda option: _fitness(option[1]))


def _is_usable(headings: Sequence[str]) -> bool:
    fields = candidates(headings)
    return "title" in fields and bool({"spotify_id", "artists"} & fields.keys())


def _header(lines: Sequence[str], start: int, delimiter: str) -> tuple[tuple[str, ...], int]:
    """Return the headings and the number of lines up to the end of the header, which may run over several."""
    reader = csv.reader((line + "\n" for line in lines[start : start + MAX_HEADER_LINES]), delimiter=delimiter)
    try:
        headings = next(reader, [])
    except csv.Error:
        headings = lines[start].split(delimiter)
        return tuple(heading.strip() for heading in headings), start + 1
    if reader.line_num > 1 and not candidates(headings):
        # A quote that is never closed.
        headings = lines[start].split(delimiter)
        return tuple(heading.strip() for heading in headings), start + 1
    return tuple(" ".join(heading.split()) for heading in headings), start + reader.line_num


def _fitness(headings: Sequence[str]) -> tuple[int, int]:
    return len(candidates(headings)), len(headings)


def _has_escapes(dialect: Dialect, lines: Sequence[str]) -> bool:
    """Return whether quotes within fields are written with a backslash: then more lines parse strictly."""
    quoted = [line for line in lines if '\\"' in line][:200]
    escaped = Dialect(dialect.delimiter, "\\", dialect.encoding, dialect.headings, dialect.header_line)
    return sum(_is_row(escaped, line) for line in quoted) > sum(_is_row(dialect, line) for line in quoted)


def _is_row(dialect: Dialect, line: str) -> bool:
    try:
        rows: Any = list(dialect.reader([line, ""], is_strict=True))
    except csv.Error:
        return False
    return len(rows) == 2 and len(rows[0]) == len(dialect.headings)
