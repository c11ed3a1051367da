"""Imports a catalogue file into the database."""

import gc
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from django.db import connection, reset_queries
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.duplicates.artists import JoinedArtist, join_artists
from catalog.duplicates.recordings import part_recordings
from catalog.importing.after import songs_came
from catalog.importing.reading.dialect import CYRILLIC, WINDOWS
from catalog.importing.reading.reader import CHUNK_BYTES, CatalogueReader, Chunk, Flaw, Reject, SongRow
from catalog.importing.reading.source import BrokenSourceError, SourceError, open_source
from catalog.importing.writing.merge import ImportState, is_other_song, merge_rows
from catalog.importing.writing.plan import Plan, Rules, StoredSong, make_plan
from catalog.importing.writing.writer import SongWriter, load_songs
from catalog.models import Track
from jobs.races import retry_conflicts

# Number of rejected rows in the report; ``on_reject`` gets all of them.
SHOWN_REJECTS = 100
# Number of lines named for each field with unreadable values.
SHOWN_FLAWS = 3
_FEATURES_ORIGIN = {Track.Origin.DEMO: Track.FeaturesOrigin.DEMO}


@dataclass(frozen=True)
class FlawReport:
    """The values of one field that cannot be read and were taken as unknown: how many, and the first of them."""

    field: str
    values: int
    first: tuple[Flaw, ...]


@dataclass(frozen=True)
class ColumnReport:
    """What of the file's columns was used: ``used`` are headings beside the fields they were read as.

    ``unknown`` are headings that were read but knew nothing in any row; ``notes`` say how values were understood;
    ``flaws``, for each field, which of its values were not.
    """

    used: tuple[tuple[str, str], ...] = ()
    not_used: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    flaws: tuple[FlawReport, ...] = ()


@dataclass
class ImportReport:
    """What an import did, or with ``is_dry_run`` would have done.

    ``rows_read`` counts all rows below the header, ``rows_rejected`` those of them that were left out; the three
    numbers of songs count songs, not rows, and the other rows repeat one of these. ``genres`` is how many different
    genres the accepted rows name, ``columns`` what of the file was read.
    """

    is_dry_run: bool = False
    rows_read: int = 0
    rows_rejected: int = 0
    songs_created: int = 0
    songs_updated: int = 0
    songs_unchanged: int = 0
    genres: int = 0
    seconds: float = 0.0
    rejects: list[Reject] = field(default_factory=list)
    columns: ColumnReport = field(default_factory=ColumnReport)

    @property
    def rows_repeated(self) -> int:
        """How many rows tell of a song that another row of the file tells of, too."""
        songs = self.songs_created + self.songs_updated + self.songs_unchanged
        return max(0, self.rows_read - self.rows_rejected - songs)

    @property
    def is_unchanged(self) -> bool:
        """Whether the catalogue is as it was before."""
        return not self.songs_created and not self.songs_updated


class ImportBrokenError(SourceError):
    """The file broke off half-way; ``report`` tells what was read, and stays, before that."""

    def __init__(self, message: str, report: ImportReport) -> None:
        super().__init__(message)
        self.report = report


def import_tracks(  # noqa: PLR0913
    *,
    source: str | Path | IO[bytes],
    name: str | None = None,
    limit: int | None = None,
    is_dry_run: bool = False,
    origin: Track.Origin = Track.Origin.CSV,
    max_bytes: int | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    on_reject: Callable[[Reject], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    mapping: Mapping[str, str] | None = None,
) -> ImportReport:
    """Create and update songs from a catalogue file, one transaction per chunk.

    Songs are known by Spotify id; in a file without ids, by title, artists and, where they are known, album or length.
    A second import of the same file changes nothing, so an import that was interrupted is finished by running it again.

    Args:
        source: a path, or a seekable binary file object (an upload).
        name: what messages call the file.
        limit: read at most so many rows.
        is_dry_run: only find out what would happen.
        origin: where new songs are said to come from.
        max_bytes: refuse a file that unpacks to more.
        chunk_bytes: how much of the unpacked file makes a transaction.
        on_reject: called with every row that is left out.
        on_progress: called after each chunk with the bytes of the file read, and all there are.
        mapping: the heading of each field that is not to be found by itself; "" leaves a field out.

    Raises:
        SourceError: the file cannot be used; nothing was written.
        ImportBrokenError: the file broke off half-way, or unpacks to more than ``max_bytes``.
    """
    started = time.perf_counter()
    with _fewer_collections(), _unmapped_database(), open_source(source, name=name, max_bytes=max_bytes) as opened:
        reader = CatalogueReader(opened, chunk_bytes=chunk_bytes, mapping=mapping)
        joined = [] if is_dry_run else join_artists()
        run = _ImportRun(origin, reader, joined, is_dry_run=is_dry_run, on_reject=on_reject)
        try:
            for chunk in reader.chunks(limit):
                run.take(chunk)
                if on_progress is not None:
                    on_progress(chunk.position, opened.size)
        except SourceError as error:
            if not run.report.rows_read and not isinstance(error, BrokenSourceError):
                raise
            outcome = _("Nothing was imported.") if is_dry_run else _("Rows before that were imported.")
            raise ImportBrokenError(f"{error} {outcome}", run.finish(started)) from error
        return run.finish(started)


@contextmanager
def _fewer_collections() -> Iterator[None]:
    """Run the garbage collector less often: a chunk is hundreds of thousands of objects, none of them in a cycle."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 1_000_000), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _unmapped_database() -> Iterator[None]:
    """Make SQLite read without memory mapping meanwhile, because mapped pages count as memory of the process."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA mmap_size").fetchone()
        cursor.execute("PRAGMA mmap_size = 0")
    try:
        yield
    finally:
        # A database in memory has no such setting.
        if before is not None:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA mmap_size = {int(before[0])}")


class _ImportRun:
    """One import: carries counts, the state of its songs and remembered keys from chunk to chunk."""

    def __init__(
        self,
        origin: Track.Origin,
        reader: CatalogueReader,
        joined: Sequence[JoinedArtist],
        *,
        is_dry_run: bool,
        on_reject: Callable[[Reject], None] | None,
    ) -> None:
        self.report = ImportReport(is_dry_run=is_dry_run)
        self._reader = reader
        self._joined = joined
        features_origin = _FEATURES_ORIGIN.get(origin, Track.FeaturesOrigin.CSV)
        self._writer = SongWriter(origin=origin, features_origin=features_origin, told_apart=reader.told_apart)
        self._names = self._writer.names
        self._rules = Rules(features_origin, self._names.key, reader.layout.has_row_per_artist)
        self._state = ImportState()
        self._genres: set[str] = set()
        self._flaws: dict[str, FlawReport] = {}
        self._on_reject = on_reject
        # Only a dry run needs it: songs that it would have created are not found in the database by later chunks.
        self._would_create: set[Hashable] = set()

    def take(self, chunk: Chunk) -> None:
        """Write one chunk and count it."""
        self._note_rejects(chunk.rejects)
        self._note_flaws(chunk.flaws)
        self.report.rows_read += len(chunk.rows) + len(chunk.rejects)
        for genres in {row.genres for row in chunk.rows}:
            self._genres.update(genres)
        plan = self._dry_plan(chunk.rows) if self.report.is_dry_run else self._write(chunk.rows)
        for pk, bits in plan.state_by_pk.items():
            self._state[pk] = bits
        self.report.songs_created += len(plan.created)
        self.report.songs_updated += plan.updated
        self.report.songs_unchanged += plan.unchanged
        # With DEBUG on, Django keeps every statement, which would be gigabytes for a large file.
        reset_queries()

    def finish(self, started: float) -> ImportReport:
        """Separate recordings that share only title and artist, and return the report."""
        if not self.report.is_dry_run and self.report.songs_created + self.report.songs_updated:
            part_recordings()
            songs_came()
        self.report.genres = len(self._genres)
        flaws = tuple(flaw for _field, flaw in sorted(self._flaws.items()))
        self.report.columns = _column_report(self._reader, self._joined, flaws)
        self.report.seconds = time.perf_counter() - started
        return self.report

    def _write(self, rows: Iterable[SongRow]) -> Plan:
        songs = self._merged(rows)

        def write() -> Plan:
            plan = make_plan(*self._compared(songs), self._state, self._rules)
            self._writer.write(plan)
            return plan

        # If another process added some of these songs or artists meanwhile, the retry finds them.
        return retry_conflicts(write, reset=self._writer.forget)

    def _compared(self, songs: dict[Hashable, SongRow]) -> tuple[dict[Hashable, SongRow], dict[Hashable, StoredSong]]:
        """Return ``songs`` beside what the database holds of them.

        A song whose id this run has already seen on quite another song goes without.
        """
        stored = load_songs(songs, self._names)
        strays = {
            key
            for key, song in stored.items()
            if songs[key].spotify_id
            and self._state[song.pk]
            and is_other_song(songs[key], song.values["title"], song.artists)
        }
        if not strays:
            return songs, stored
        songs = self._merged(row._replace(spotify_id="") if key in strays else row for key, row in songs.items())
        return songs, load_songs(songs, self._names)

    def _dry_plan(self, rows: Iterable[SongRow]) -> Plan:
        songs = {key: row for key, row in self._merged(rows).items() if key not in self._would_create}
        songs, stored = self._compared(songs)
        self._would_create.update(songs.keys() - stored.keys())
        return make_plan(songs, stored, self._state, self._rules)

    def _merged(self, rows: Iterable[SongRow]) -> dict[Hashable, SongRow]:
        return merge_rows(rows, self._names.file_key, joins_artists=self._rules.joins_artists)

    def _note_rejects(self, rejects: list[Reject]) -> None:
        self.report.rows_rejected += len(rejects)
        self.report.rejects += rejects[: SHOWN_REJECTS - len(self.report.rejects)]
        if self._on_reject is not None:
            for reject in rejects:
                self._on_reject(reject)

    def _note_flaws(self, flaws: Iterable[Flaw]) -> None:
        for flaw in flaws:
            known = self._flaws.get(flaw.field, FlawReport(flaw.field, 0, ()))
            first = known.first if len(known.first) == SHOWN_FLAWS else (*known.first, flaw)
            self._flaws[flaw.field] = FlawReport(flaw.field, known.values + 1, first)


def _column_report(
    reader: CatalogueReader, joined: Sequence[JoinedArtist], flaws: tuple[FlawReport, ...]
) -> ColumnReport:
    layout = reader.layout
    sentences = [_("the artist %(name)s is %(other)s and was joined with it") % pair._asdict() for pair in joined]
    notes = (*layout.notes, *sentences)
    if reader.repeated_headers:
        text = ngettext(
            "the header is repeated in line %(lines)s, which is no song",
            "the header is repeated in lines %(lines)s, which are no songs",
            len(reader.repeated_headers),
        )
        notes = (*notes, text % {"lines": _listed(reader.repeated_headers)})
    if reader.encoding == WINDOWS:
        notes = (_("the text is Windows-1252, not UTF-8"), *notes)
    elif reader.encoding == CYRILLIC:
        notes = (_("the text is Windows-1251, not UTF-8"), *notes)
    unknown = tuple(heading for heading, name in layout.used if name in reader.unknown)
    return ColumnReport(layout.used, tuple(filter(None, layout.not_used)), unknown, notes, flaws)


def _listed(lines: Sequence[int]) -> str:
    """Return the first of the numbers of ``lines``."""
    return ", ".join([*map(str, lines[:SHOWN_FLAWS]), *(["..."] if len(lines) > SHOWN_FLAWS else [])])
