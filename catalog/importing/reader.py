"""Reading a catalogue file into checked rows, without a database.

The file is taken in blocks of whole lines. Most blocks hold one row per line, and are split by the csv module in one
go; a block that does not (a quoted field that runs over a line end or is never closed, a byte that is no UTF-8, a zero
byte) is gone through line by line, so that trouble costs the row it is in and nothing else. Each column then is parsed
as a whole, through a memory of what its texts mean.

pandas is not used: its parser cannot tell a row that is too short from one that ends in empty fields, and importing it
takes longer than reading most files.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from typing import IO, NamedTuple

from catalog.features import FEATURE_NAMES
from catalog.importing.artists import ArtistSplitter
from catalog.importing.layout import DURATION_FIELDS, Layout, LayoutError, read_layout
from catalog.importing.source import BrokenSourceError, Source, SourceError, open_source
from catalog.importing.values import BadValue, Column, parsers

# 1 MiB is about 6,500 rows: enough for large batches, little enough for a small machine and for others who wait to
# write.
CHUNK_BYTES = 1 << 20
HEADER_BYTES = 1 << 12
# A quoted field may run over several lines, but not over so many that one forgotten quote eats the file.
MAX_ROW_LINES = 20


class SongRow(NamedTuple):
    """One row, checked. ``None``, "" and () mean unknown.

    ``features`` holds one value per name of :data:`catalog.features.FEATURE_NAMES`; ``line`` is the number of the
    row's first line in the unpacked file, the header being line 1; ``spotify_id`` is "" only where the file has no
    column for it.
    """

    line: int
    spotify_id: str
    title: str
    artists: tuple[str, ...]
    album: str
    popularity: int | None
    duration_ms: int | None
    explicit: bool | None
    release_year: int | None
    preview_url: str
    isrc: str
    genres: tuple[str, ...]
    features: tuple[float | int | None, ...]


class Reject(NamedTuple):
    """A row that is left out: its line, the reason, and the row as it stands in the file."""

    line: int
    reason: str
    row: str


class Chunk(NamedTuple):
    """The rows of a stretch of the file, and ``position``: the bytes of the stored file read so far."""

    rows: list[SongRow]
    rejects: list[Reject]
    position: int


class _Lines(NamedTuple):
    """Rows split into fields, beside their line numbers and their text."""

    numbers: list[int]
    fields: list[list[str]]
    texts: list[str]


_MISSING = {"spotify_id": "", "artists": (), "album": "", "preview_url": "", "isrc": "", "genres": ()}
_MOSTLY_UNIQUE = frozenset({"spotify_id", "title", "preview_url", "isrc"})
_PLAIN_FIELDS = SongRow._fields[1:-1]


def read_catalogue(
    path: str | Path | IO[bytes],
    *,
    name: str | None = None,
    limit: int | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    max_bytes: int | None = None,
) -> Iterator[Chunk]:
    """Yield the rows of a catalogue file, ``.csv`` or ``.csv.gz``, in chunks.

    Args:
        path: where the file is, or a seekable binary file object.
        name: what messages call the file.
        limit: stop after so many rows, rejected ones counted.
        chunk_bytes: how much of the unpacked file makes a chunk; the rows are the same whatever it is.
        max_bytes: refuse a file that unpacks to more.

    Raises:
        SourceError: the file cannot be used; before the first chunk, unless it turns out to be broken off
            (:class:`~catalog.importing.source.BrokenSourceError`) or too long half-way.
    """
    with open_source(path, name=name, max_bytes=max_bytes) as source:
        yield from CatalogueReader(source, chunk_bytes=chunk_bytes).chunks(limit)


class CatalogueReader:
    """Reads one open file; on creation its header is read and its artist fields are looked through.

    Raises:
        SourceError: no usable columns, or no rows.
    """

    def __init__(self, source: Source, *, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._source = source
        self._chunk_bytes = chunk_bytes
        self._header_line = 0
        self.layout = self._read_header()
        splitter = ArtistSplitter(is_plural=self.layout.has_plural_artists)
        self._columns = {
            field: Column(parser, remembers=field not in _MOSTLY_UNIQUE)
            for field, parser in parsers(self.layout, splitter).items()
        }
        if "artists" in self.layout.columns:
            self._learn_artists(splitter)

    def chunks(self, limit: int | None = None) -> Iterator[Chunk]:
        """Yield the rows from the first on, at most ``limit`` of them (rejected ones counted).

        Raises:
            SourceError: as :func:`read_catalogue`.
        """
        remaining = limit
        for lines, rejects in self._split_blocks():
            rows, refused = self._parse(lines)
            chunk = Chunk(rows, sorted(rejects + refused), self._source.position)
            if remaining is not None:
                chunk = _cut(chunk, remaining)
                remaining -= len(chunk.rows) + len(chunk.rejects)
            yield chunk
            if remaining == 0:
                return

    # --- lines -------------------------------------------------------------------------------------------------------
    def _read_header(self) -> Layout:
        name = self._source.name
        has_rows = False
        header = ""
        for number, line in enumerate(self._first_lines(), start=1):
            if header and line.strip():
                has_rows = True
                break
            if not header and line.strip():
                header, self._header_line = _header_text(line, name), number
        try:
            layout = read_layout(header)
        except LayoutError as error:
            raise SourceError(f"{name}: {error}") from error
        if not has_rows:
            raise SourceError(f"{name}: there are no rows below the header")
        return layout

    def _first_lines(self) -> Iterator[bytes]:
        for block in self._source.blocks(HEADER_BYTES):
            yield from block.split(b"\n")[:-1]

    def _split_blocks(self) -> Iterator[tuple[_Lines, list[Reject]]]:
        """Yield the rows of each block, split into fields, and what could not be split."""
        number = 1
        waiting = b""
        for block in self._source.blocks(self._chunk_bytes):
            data, waiting = waiting + block, b""
            if number == 1:
                data, number = self._without_header(data), self._header_line + 1
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
            parsed, rejects, _ = self._split_carefully(waiting.split(b"\n")[:-1], number, is_last=True)
            yield parsed, rejects

    def _without_header(self, data: bytes) -> bytes:
        return data.split(b"\n", self._header_line)[self._header_line]

    def _split_plain(self, data: bytes, number: int) -> _Lines | None:
        """Split a block in which every line is a row; ``None`` where one is not."""
        if b"\0" in data:
            return None
        try:
            texts = data.decode().split("\n")
            # The block ends in a line feed, so the last text is empty. A field left open swallows at least that one.
            fields = list(csv.reader(texts, delimiter=self.layout.delimiter))
        except (UnicodeDecodeError, csv.Error):
            return None
        if len(fields) != len(texts):
            return None
        return _Lines(list(range(number, number + len(fields) - 1)), fields[:-1], texts[:-1])

    def _split_carefully(
        self, lines: Sequence[bytes], number: int, *, is_last: bool
    ) -> tuple[_Lines, list[Reject], int]:
        """Split line by line; return rows, rejects and how many of ``lines`` were used.

        Near the end of a block that is not the last, a row that may go on in the next block is left for it.
        """
        parsed = _Lines([], [], [])
        rejects: list[Reject] = []
        at = 0
        while at < len(lines):
            fields, used, reason = self._split_row(lines, at)
            if used == 0 and not is_last and at + MAX_ROW_LINES > len(lines):
                break
            used = used or 1
            text = b"\n".join(lines[at : at + used]).decode(errors="backslashreplace").rstrip("\r")
            if reason:
                rejects.append(Reject(number + at, reason, text))
            else:
                parsed.numbers.append(number + at)
                parsed.fields.append(fields)
                parsed.texts.append(text)
            at += used
        return parsed, rejects, at

    def _split_row(self, lines: Sequence[bytes], at: int) -> tuple[list[str], int, str]:
        """Return fields, number of lines (0: a quoted field is still open after all there is) and reason if bad."""
        try:
            text = _checked_text(lines[at])
            fields = self._fields([text])
            if fields is not None:
                return fields, 1, ""
            for end in range(at + 1, min(at + MAX_ROW_LINES, len(lines))):
                more = _checked_text(lines[end])
                alone = self._fields([more])
                if alone is not None and len(alone) == self.layout.width:
                    # A whole row follows, so the quote was forgotten and not left open on purpose.
                    return [], 1, "a quoted field is never closed"
                text += "\n" + more
                fields = self._fields([text], is_strict=True)
                if fields is not None:
                    is_row = len(fields) == self.layout.width
                    return fields, end + 1 - at if is_row else 1, "" if is_row else "a quoted field is never closed"
        except (ValueError, csv.Error) as error:
            return [], 1, _reason(error)
        return [], 0, "a quoted field is never closed"

    def _fields(self, texts: list[str], *, is_strict: bool = False) -> list[str] | None:
        """Return the fields of one row; ``None`` where a quoted field is still open at its end."""
        # A second, empty row shows whether the first was closed: an open field would swallow it.
        rows = list(csv.reader([*texts, ""], delimiter=self.layout.delimiter))
        if len(rows) != 2:
            return None
        if is_strict:
            rows = list(csv.reader([*texts, ""], delimiter=self.layout.delimiter, strict=True))
        return rows[0]

    # --- values ------------------------------------------------------------------------------------------------------
    def _parse(self, lines: _Lines) -> tuple[list[SongRow], list[Reject]]:
        """Return the rows of ``lines``, checked, and those that fail a check."""
        width = self.layout.width
        rejects: list[Reject] = []
        if any(len(fields) != width for fields in lines.fields):
            lines, rejects = _of_width(lines, width)
        if not lines.fields:
            return [], rejects
        texts = list(zip(*lines.fields, strict=True))
        values = {}
        reasons: dict[int, str] = {}
        for field, column in self._columns.items():
            column.start_chunk()
            values[field] = list(map(column.__getitem__, texts[self.layout.columns[field]]))
            if column.has_bad:
                for index, value in enumerate(values[field]):
                    if isinstance(value, BadValue):
                        reasons.setdefault(index, value.reason)
        rows = self._rows(lines.numbers, values)
        if reasons:
            rejects += [Reject(lines.numbers[at], reason, lines.texts[at]) for at, reason in reasons.items()]
            rows = [row for at, row in enumerate(rows) if at not in reasons]
        return rows, rejects

    def _rows(self, numbers: list[int], values: dict[str, list[object]]) -> list[SongRow]:
        duration = next((field for field in DURATION_FIELDS if field in values), "duration_ms")
        sources = [duration if field == "duration_ms" else field for field in _PLAIN_FIELDS]
        plain = [values.get(field) or repeat(_MISSING.get(field)) for field in sources]
        features = zip(*(values.get(name) or repeat(None, len(numbers)) for name in FEATURE_NAMES), strict=True)
        return list(map(SongRow._make, zip(numbers, *plain, features, strict=False)))

    # --- artists -----------------------------------------------------------------------------------------------------
    def _learn_artists(self, splitter: ArtistSplitter) -> None:
        """Show the splitter every artist field; lines that are not rows of their own do not matter here."""
        # Where the file breaks off, reading the rows will come upon it and say so.
        with suppress(BrokenSourceError):
            for block in self._source.blocks(CHUNK_BYTES):
                splitter.learn(self._artist_fields(block))

    def _artist_fields(self, block: bytes) -> list[str]:
        place, delimiter = self.layout.columns["artists"], self.layout.delimiter
        texts: list[str] = []
        for line in block.decode(errors="replace").split("\n"):
            # Hardly any line holds quotes, and splitting the others takes no csv module.
            fields = _quietly_split(line, delimiter) if '"' in line else line.split(delimiter, place + 1)
            if len(fields) > place:
                texts.append(fields[place])
        return texts


def _header_text(line: bytes, name: str) -> str:
    """Return the header line as text.

    Raises:
        SourceError: it is not UTF-8, or its lines end in a way that is no longer used.
    """
    try:
        text = line.decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError as error:
        raise SourceError(f"{name}: is not UTF-8 text") from error
    if "\r" in text:
        raise SourceError(f"{name}: its lines end in a bare carriage return; save it with line feeds")
    return text


def _checked_text(line: bytes) -> str:
    """Return a line as text.

    Raises:
        ValueError: invalid UTF-8 or a zero byte.
    """
    if b"\0" in line:
        raise ValueError("the row holds a zero byte")
    return line.decode()


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"invalid UTF-8: byte 0x{error.object[error.start]:02x} at place {error.start + 1} of the row"
    if isinstance(error, csv.Error):
        if "field limit" in str(error):
            return f"a field is longer than {csv.field_size_limit()} characters"
        return "a carriage return stands within an unquoted field"
    return str(error)


def _of_width(lines: _Lines, width: int) -> tuple[_Lines, list[Reject]]:
    """Return the rows of ``width`` fields, and the others as rejects; empty lines are no rows."""
    kept = _Lines([], [], [])
    rejects = []
    for number, fields, text in zip(*lines, strict=True):
        if len(fields) == width:
            kept.numbers.append(number)
            kept.fields.append(fields)
            kept.texts.append(text)
        elif fields:
            how = "few" if len(fields) < width else "many"
            rejects.append(Reject(number, f"too {how} columns: {len(fields)} instead of {width}", text))
    return kept, rejects


def _quietly_split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _cut(chunk: Chunk, count: int) -> Chunk:
    """Return the first ``count`` rows of ``chunk``, rejected ones counted."""
    numbers = sorted([row.line for row in chunk.rows] + [reject.line for reject in chunk.rejects])
    if len(numbers) <= count:
        return chunk
    end = numbers[count]
    rows = [row for row in chunk.rows if row.line < end]
    return Chunk(rows, [reject for reject in chunk.rejects if reject.line < end], chunk.position)
