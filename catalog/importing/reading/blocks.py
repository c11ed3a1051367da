"""Splitting the blocks of a catalogue file into the fields of its rows.

Most blocks hold one row per line, and are split by the csv module in one go; a block that does not (a quoted field that
runs over a line end or is never closed, a byte that is no UTF-8, a zero byte) is read line by line, so that an error
affects only its own row.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from django.utils.translation import gettext as _

from catalog.importing.reading.dialect import Dialect
from catalog.importing.reading.splitting import Lines, reason

# A quoted field may contain line ends, but a forgotten quote must not swallow the file.
MAX_ROW_LINES = 20
RejectedLine: TypeAlias = tuple[int, str, str]
"""A row that is left out: its line, the reason, and the row as it stands in the file."""


class BlockSplitter:
    """Splits the blocks of one file, whose rows have ``width`` fields."""

    def __init__(self, dialect: Dialect, width: int) -> None:
        self._dialect = dialect
        self._width = width

    def split(self, blocks: Iterable[bytes]) -> Iterator[tuple[Lines, list[RejectedLine]]]:
        """Yield the rows of each block of whole lines, split into fields, and what could not be split."""
        number = 1
        waiting = b""
        for block in blocks:
            data, waiting = waiting + block, b""
            if number == 1:
                data, number = self._without_header(data), self._dialect.header_line + 1
            plain = self._split_plain(data, number)
            if plain is not None:
                number += len(plain.numbers)
                yield plain, []
                continue
            lines = data.split(b"\n")[:-1]
            parsed, rejects, used = self._split_carefully(lines, number, is_last=False)
            number += used
            waiting = b"".join(line + b"\n" for line in lines[used:])
            yield parsed, rejects
        if waiting:
            parsed, rejects, _used = self._split_carefully(waiting.split(b"\n")[:-1], number, is_last=True)
            yield parsed, rejects

    def _without_header(self, data: bytes) -> bytes:
        line = self._dialect.header_line
        return data.split(b"\n", line)[line]

    def _split_plain(self, data: bytes, number: int) -> Lines | None:
        """Split a block in which every line is a row; ``None`` where one is not."""
        if b"\0" in data:
            return None
        try:
            texts = self._dialect.decode(data).split("\n")
            # The block ends in a line feed, so the last text is empty, and an open field swallows at least that one.
            fields = list(self._dialect.reader(texts))
        except (UnicodeDecodeError, csv.Error):
            return None
        if len(fields) != len(texts):
            return None
        return Lines(list(range(number, number + len(fields) - 1)), fields[:-1], texts[:-1])

    def _split_carefully(
        self, lines: Sequence[bytes], number: int, *, is_last: bool
    ) -> tuple[Lines, list[RejectedLine], int]:
        """Split line by line; return rows, rejects and how many of ``lines`` were used.

        Near the end of a block that is not the last, a row that may go on in the next block is left for it.
        """
        parsed = Lines([], [], [])
        rejects: list[RejectedLine] = []
        at = 0
        while at < len(lines):
            fields, used, reason = self._split_row(lines, at)
            if used == 0 and not is_last and at + MAX_ROW_LINES > len(lines):
                break
            used = used or 1
            encoding = self._dialect.encoding
            text = b"\n".join(lines[at : at + used]).decode(encoding, errors="backslashreplace").rstrip("\r")
            if reason:
                rejects.append((number + at, reason, text))
            else:
                parsed.numbers.append(number + at)
                parsed.fields.append(fields)
                parsed.texts.append(text)
            at += used
        return parsed, rejects, at

    def _split_row(self, lines: Sequence[bytes], at: int) -> tuple[list[str], int, str]:
        """Return fields, number of lines (0: a quoted field is still open after all there is) and reason if bad."""
        try:
            text = self._checked_text(lines[at])
            fields = self._fields([text])
            if fields is not None:
                return fields, 1, ""
            for end in range(at + 1, min(at + MAX_ROW_LINES, len(lines))):
                more = self._checked_text(lines[end])
                alone = self._fields([more])
                if alone is not None and len(alone) == self._width and not self._closes(text, more):
                    # A whole row follows, so the closing quote was forgotten.
                    return [], 1, _open_quote()
                text += "\n" + more
                fields = self._fields([text], is_strict=True)
                if fields is not None:
                    is_row = len(fields) == self._width
                    return fields, end + 1 - at if is_row else 1, "" if is_row else _open_quote()
        except (ValueError, csv.Error) as error:
            return [], 1, reason(error)
        return [], 0, _open_quote()

    def _closes(self, text: str, more: str) -> bool:
        """Return whether the line ``more``, though it could be a row, ends the quoted field that ``text`` opens."""
        if more.count('"') % 2 == 0:
            return False
        try:
            fields = self._fields([text + "\n" + more], is_strict=True)
        except csv.Error:
            return False
        return fields is not None and len(fields) == self._width

    def _fields(self, texts: list[str], *, is_strict: bool = False) -> list[str] | None:
        """Return the fields of one row; ``None`` where a quoted field is still open at its end."""
        # A second, empty row shows whether the first was closed: an open field would swallow it.
        rows = list(self._dialect.reader([*texts, ""]))
        if len(rows) != 2:
            return None
        if is_strict:
            rows = list(self._dialect.reader([*texts, ""], is_strict=True))
        return rows[0]

    def _checked_text(self, line: bytes) -> str:
        """Return a line as text.

        Raises:
            ValueError: invalid UTF-8 or a zero byte.
        """
        if b"\0" in line:
            raise ValueError(_("the row contains a null byte"))
        return self._dialect.decode(line)


def _open_quote() -> str:
    return _("a quoted field has no closing quote")
