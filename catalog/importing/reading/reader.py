"""Reading a catalogue file into checked rows, without a database.

The file is taken in blocks of whole lines, which :mod:`catalog.importing.reading.blocks` splits into fields. Then each
column is parsed as a whole, through a memory of what its texts mean.

pandas is not used: its parser cannot tell a row that is too short from one that ends in empty fields, and importing it
takes longer than reading most files.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import IO, NamedTuple

from django.utils.translation import gettext as _

from catalog.features import FEATURE_NAMES
from catalog.identity.commas import number_of_ids
from catalog.importing.reading.artists import ArtistSplitter
from catalog.importing.reading.blocks import BlockSplitter
from catalog.importing.reading.dialect import UTF_8, Dialect, DialectError, encoding_of, read_dialect
from catalog.importing.reading.layout import DURATION_FIELDS, Layout, LayoutError
from catalog.importing.reading.profile import make_layout, with_row_per_artist
from catalog.importing.reading.source import BrokenSourceError, Source, SourceError, open_source
from catalog.importing.reading.splitting import (
    Lines,
    Neighbours,
    is_header,
    is_known,
    joined_names,
    of_width,
    quietly_split,
    unknowable,
    without_headers,
)
from catalog.importing.reading.values import BadValue, Column, parsers

# 1 MiB is about 6,500 rows: enough for large batches, little enough for a small machine and for others who wait to
# write.
CHUNK_BYTES = 1 << 20
# Sample size: this many rows from the beginning of a file, and as many from the rest of its first chunk.
SAMPLE_ROWS = 500


class SongRow(NamedTuple):
    """One row, checked. ``None``, "" and () mean unknown.

    ``features`` holds one value per name of :data:`catalog.features.FEATURE_NAMES`; ``line`` is the number of the
    row's first line in the unpacked file, the header being line 1; ``spotify_id`` is "" where the file knows
    none, and then there are artists, unless it has no column for ids at all.
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
    """A rejected row: its line, the reason, and its text in the file."""

    line: int
    reason: str
    row: str


class Flaw(NamedTuple):
    """A value that cannot be read and is taken as unknown: the row's line, the field, and the reason."""

    line: int
    field: str
    reason: str


class Chunk(NamedTuple):
    """The rows of a stretch of the file, and ``position``: the bytes of the stored file read so far."""

    rows: list[SongRow]
    rejects: list[Reject]
    flaws: list[Flaw]
    position: int


_MISSING = {"spotify_id": "", "artists": (), "album": "", "preview_url": "", "isrc": "", "genres": ()}
# A row whose value of one of these cannot be read is left out; any other value is taken as unknown.
_NEEDED = frozenset({"spotify_id", "title", "artists"})
_MOSTLY_UNIQUE = frozenset({"spotify_id", "title", "preview_url", "isrc"})
_PLAIN_FIELDS = SongRow._fields[1:-1]


def read_catalogue(
    path: str | Path | IO[bytes],
    *,
    name: str | None = None,
    limit: int | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    max_bytes: int | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Iterator[Chunk]:
    """Yield the rows of a catalogue file, ``.csv`` or ``.csv.gz``, in chunks.

    Args:
        path: where the file is, or a seekable binary file object.
        name: what messages call the file.
        limit: stop after so many rows, rejected ones counted.
        chunk_bytes: how much of the unpacked file makes a chunk; the rows are the same whatever it is.
        max_bytes: refuse a file that unpacks to more.
        mapping: the heading of each field that is not to be found by itself.

    Raises:
        SourceError: the file cannot be used; before the first chunk, unless it turns out to be broken off
            (:class:`~catalog.importing.reading.source.BrokenSourceError`) or too long half-way.
    """
    with open_source(path, name=name, max_bytes=max_bytes) as source:
        yield from CatalogueReader(source, chunk_bytes=chunk_bytes, mapping=mapping).chunks(limit)


class CatalogueReader:
    """Reads one open file; on creation its header and a sample are read and its artist fields are looked through.

    ``told_apart`` are the names that several of its artists share but for signs
    (:mod:`catalog.importing.writing.names`); ``unknown`` the fields that no row read so far knows;
    ``repeated_headers`` the lines read so far that repeat the header, as in files that were put one behind another.

    Raises:
        SourceError: no usable columns, or no rows.
    """

    def __init__(
        self, source: Source, *, chunk_bytes: int = CHUNK_BYTES, mapping: Mapping[str, str] | None = None
    ) -> None:
        self._source = source
        self._chunk_bytes = chunk_bytes
        self._dialect, self.layout = self._read_layout(mapping)
        self.told_apart: frozenset[int] = frozenset()
        self._neighbours = Neighbours()
        self._late_encoding = UTF_8
        splitter = self._learned_splitter()
        self._columns = {
            field: Column(parser, remembers=field not in _MOSTLY_UNIQUE)
            for field, parser in parsers(self.layout, splitter).items()
        }
        self.unknown = set(self._columns)
        self.repeated_headers: list[int] = []

    @property
    def encoding(self) -> str:
        """How the file writes text."""
        return self._dialect.encoding

    def chunks(self, limit: int | None = None) -> Iterator[Chunk]:
        """Yield the rows from the first on, at most ``limit`` of them (rejected ones counted).

        Raises:
            SourceError: as :func:`read_catalogue`.
        """
        remaining = limit
        splitter = BlockSplitter(self._dialect, self.layout.width)
        for lines, unsplit in splitter.split(self._source.blocks(self._chunk_bytes)):
            rows, refused, flaws = self._parse(lines)
            rejects = [Reject(*row) for row in unsplit]
            chunk = Chunk(rows, sorted(rejects + refused), flaws, self._source.position)
            if remaining is not None:
                chunk = _cut(chunk, remaining)
                remaining -= len(chunk.rows) + len(chunk.rejects)
            yield chunk
            if remaining == 0:
                return

    # --- lines -------------------------------------------------------------------------------------------------------
    def _read_layout(self, mapping: Mapping[str, str] | None) -> tuple[Dialect, Layout]:
        name = self._source.name
        sample = next(self._source.blocks(CHUNK_BYTES), b"")
        try:
            dialect, lines = read_dialect(sample)
            filled = [line for line in lines if line.strip()]
            if not filled:
                raise DialectError(_("has a header but no rows."))
            step = max(1, (len(filled) - SAMPLE_ROWS) // SAMPLE_ROWS)
            rows = self._sample_rows(dialect, [*filled[:SAMPLE_ROWS], *filled[SAMPLE_ROWS::step]])
            layout = make_layout(dialect.headings, rows, mapping)
        except (LayoutError, DialectError) as error:
            raise SourceError(f"{name}: {error}") from error
        return dialect, layout

    def _sample_rows(self, dialect: Dialect, lines: Sequence[str]) -> list[list[str]]:
        """Return the rows of ``lines`` that are whole."""
        rows = (quietly_split(line.rstrip("\r"), dialect) for line in lines)
        width = len(dialect.headings)
        whole = [row[:width] for row in rows if len(row) == width or (len(row) > width and not any(row[width:]))]
        return [row for row in whole if not is_header(row, dialect.headings)]

    # --- values ------------------------------------------------------------------------------------------------------
    def _parse(self, lines: Lines) -> tuple[list[SongRow], list[Reject], list[Flaw]]:
        """Return the rows of ``lines``, those left out, and the values taken as unknown in the others."""
        width = self.layout.width
        rejects: list[Reject] = []
        if any(len(fields) != width for fields in lines.fields):
            lines, refused = of_width(lines, self.layout.headings)
            rejects = [Reject(*row) for row in refused]
        lines, repeated = without_headers(lines, self.layout.headings)
        self.repeated_headers += repeated
        if not lines.fields:
            return [], rejects, []
        texts = list(zip(*lines.fields, strict=True))
        values = self._parsed(texts)
        reasons: dict[int, str] = {}
        flaws: list[tuple[int, str, str]] = []
        for field, column in self._columns.items():
            bad = _taken_as_unknown(field, values[field]) if column.has_bad else []
            if field in _NEEDED:
                reasons = {at: reason for at, _field, reason in bad} | reasons
            else:
                flaws += bad
        if "" in values.get("spotify_id", ()):
            # An id that cannot be read has its reason already.
            ids = texts[self.layout.columns["spotify_id"]]
            reasons = unknowable(ids, values["spotify_id"], values.get("artists")) | reasons
        rows = self._rows(lines.numbers, values)
        if reasons:
            rejects += [Reject(lines.numbers[at], reason, lines.texts[at]) for at, reason in reasons.items()]
            rows = [row for at, row in enumerate(rows) if at not in reasons]
        return rows, rejects, [Flaw(lines.numbers[at], *flaw) for at, *flaw in flaws if at not in reasons]

    def _parsed(self, texts: Sequence[Sequence[str]]) -> dict[str, list[object]]:
        """Return what each field's texts mean, and note which fields know something."""
        values = {}
        for field, column in self._columns.items():
            column.start_chunk()
            values[field] = self._values(field, column, texts)
            if field in self.unknown and any(map(is_known, values[field])):
                self.unknown.discard(field)
        return values

    def _values(self, field: str, column: Column, texts: Sequence[Sequence[str]]) -> list[object]:
        """Return what the texts of one field mean, of all its columns together."""
        values = list(map(column.__getitem__, texts[self.layout.columns[field]]))
        if field != "artists" or not self.layout.more_artists:
            return values
        more = [map(column.__getitem__, texts[other]) for other in self.layout.more_artists]
        return list(map(joined_names, values, *more))

    def _rows(self, numbers: list[int], values: dict[str, list[object]]) -> list[SongRow]:
        duration = next((field for field in DURATION_FIELDS if field in values), "duration_ms")
        sources = [duration if field == "duration_ms" else field for field in _PLAIN_FIELDS]
        plain = [values.get(field) or repeat(_MISSING.get(field)) for field in sources]
        features = zip(*(values.get(name) or repeat(None, len(numbers)) for name in FEATURE_NAMES), strict=True)
        return list(map(SongRow._make, zip(numbers, *plain, features, strict=False)))

    # --- artists -----------------------------------------------------------------------------------------------------
    def _learned_splitter(self) -> ArtistSplitter:
        """Return what parts the artists of a field, after it has seen all of them."""
        splitter = self._new_splitter()
        if "artists" not in self.layout.columns:
            return splitter
        is_valid, is_utf8 = self._learn(splitter)
        if self._dialect.encoding == UTF_8 and not is_valid and not is_utf8:
            # The sample was pure ASCII, and nothing after it is UTF-8.
            self._dialect = replace(self._dialect, encoding=self._late_encoding)
            splitter = self._new_splitter()
            self._learn(splitter)
        self.told_apart = splitter.told_apart()
        if self.layout.has_ids and self._neighbours.name_one_each:
            self.layout = with_row_per_artist(self.layout)
        return splitter

    def _new_splitter(self) -> ArtistSplitter:
        layout = self.layout
        return ArtistSplitter(
            is_plural=layout.has_plural_artists,
            pipes_part=layout.pipes_part_artists,
            may_be_bare=layout.has_artist_lists,
            nothing=layout.nothing,
        )

    def _learn(self, splitter: ArtistSplitter) -> tuple[bool, bool]:
        """Show the splitter every artist field; return whether all is valid UTF-8 and whether anything is.

        Lines that are not rows of their own do not matter here.
        """
        is_valid, is_utf8 = True, False
        # If the file is truncated, reading the rows will report it.
        with suppress(BrokenSourceError):
            for block in self._source.blocks(CHUNK_BYTES):
                try:
                    text = self._dialect.decode(block)
                    is_utf8 = is_utf8 or not text.isascii()
                except UnicodeDecodeError:
                    text = block.decode(errors="replace")
                    self._late_encoding = encoding_of(block)
                    is_valid, is_utf8 = False, is_utf8 or self._late_encoding == UTF_8
                artists, titles, counts = self._artist_fields(text)
                splitter.learn_counts(artists, counts)
                splitter.learn(artists, titles)
        return is_valid, is_utf8

    def _artist_fields(self, block: str) -> tuple[list[str], list[str], list[int]]:
        """Return the artist fields of ``block``, beside titles and number of artists' ids of those with a comma."""
        columns, more, ids = self.layout.columns, self.layout.more_artists, self.layout.artist_ids
        artists, title, song_id = columns["artists"], columns["title"], columns.get("spotify_id", columns["title"])
        heading = self.layout.headings[artists]
        delimiter, last = self._dialect.delimiter, max(artists, title, song_id, ids or 0, *more) + 1
        before: list[str] = []
        texts: list[str] = []
        titles: list[str] = []
        counts: list[int] = []
        for line in block.split("\n"):
            # Few lines contain quotes; the others are split without the csv module.
            fields = quietly_split(line, self._dialect) if '"' in line else line.split(delimiter, last)
            if len(fields) > artists and fields[artists] == heading and is_header(fields[:last], self.layout.headings):
                continue
            if len(fields) >= last:
                if before and fields[song_id] == before[song_id] and fields[title] == before[title]:
                    self._neighbours.note(fields[artists], before[artists])
                before = fields
            if more:
                others = [fields[other] for other in more if len(fields) > other]
                texts += others
                titles += [""] * len(others)
                counts += [0] * len(others)
            if len(fields) > artists:
                texts.append(fields[artists])
                has_comma = "," in fields[artists]
                titles.append(fields[title] if has_comma and len(fields) > title else "")
                is_counted = has_comma and ids is not None and len(fields) > ids
                counts.append(number_of_ids(fields[ids]) if is_counted and ids is not None else 0)
        return texts, titles, counts


def _taken_as_unknown(field: str, values: list[object]) -> list[tuple[int, str, str]]:
    """Replace what cannot be read among ``values``; return place, field and reason of each."""
    flaws = [(at, field, value.reason) for at, value in enumerate(values) if isinstance(value, BadValue)]
    for at, _field, _reason in flaws:
        values[at] = _MISSING.get(field)
    return flaws


def _cut(chunk: Chunk, count: int) -> Chunk:
    """Return the first ``count`` rows of ``chunk``, rejected ones counted."""
    numbers = sorted([row.line for row in chunk.rows] + [reject.line for reject in chunk.rejects])
    if len(numbers) <= count:
        return chunk
    end = numbers[count]
    rows = [row for row in chunk.rows if row.line < end]
    rejects = [reject for reject in chunk.rejects if reject.line < end]
    return Chunk(rows, rejects, [flaw for flaw in chunk.flaws if flaw.line < end], chunk.position)
