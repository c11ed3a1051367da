"""Listeners and songs from files, for measuring without a database (``evaluate``, ``simulate``)."""

import csv
import math
from array import array
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.identity.compilers import COMPILER_KEYS
from catalog.identity.text import artist_key, recording_key
from catalog.importing.reading.reader import Chunk, SongRow, read_catalogue
from catalog.importing.reading.source import Source, SourceError, open_source
from catalog.importing.reading.values import parse_id
from catalog.importing.writing.merge import merge_rows
from recommender.adapters.catalogue import SongColumns, build_catalogue
from recommender.engine import NO_REGION, UNKNOWN, Catalogue, EngineConfig, FloatArray, IdArray, IntArray, Interactions

_BLOCK_BYTES = 1 << 20
_REQUIRED = ("listener", "track_id")


class InputError(Exception):
    """A file cannot be used; the message is one line and names the file, and the line where there is one."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """The data of an evaluation.

    ``catalogue.track_ids`` are 1, 2, ... in the order of the file, as a database would number them; ``track_ids`` holds
    the file's own ids by row. A weight of ``interactions`` is 1 for one play and grows with each doubling of the plays
    (``FeedbackConfig.repeat_gain``, up to ``max_row_weight``); ``plays`` are the plays themselves, float32[m], in the
    same order. ``notes`` say in plain words what was read and what was left out.
    """

    catalogue: Catalogue
    interactions: Interactions
    notes: tuple[str, ...]
    track_ids: tuple[str, ...]
    plays: FloatArray


def read_inputs(
    interactions_path: str | Path, catalogue_path: str | Path, config: EngineConfig | None = None
) -> Inputs:
    """Read interactions (``listener,track_id[,plays]``) and any catalogue that ``import_tracks`` reads.

    Tracks that the catalogue does not have are left out and counted, and so are listeners with nothing left.

    Raises:
        InputError: a file cannot be used, a row of the interactions is wrong, or nothing is left to measure on.
    """
    played = _read_interactions(interactions_path)
    songs, notes = read_songs(catalogue_path)
    catalogue = catalogue_of(songs)
    rows_by_track = rows_by_id(songs, catalogue_path, interactions_path)
    interactions, plays, left_out = _known(played, rows_by_track, config or EngineConfig())
    if not len(interactions.row):
        raise InputError(f"{interactions_path}: none of its tracks are in {catalogue_path}")
    track_ids = tuple(song.spotify_id for song in songs)
    return Inputs(catalogue, interactions, (*notes, *left_out), track_ids, plays)


# --- interactions --------------------------------------------------------------------------------------------------
def _read_interactions(path: str | Path) -> pd.DataFrame:
    """Return one line per row of the file: ``listener``, numbered as they appear, ``track_id`` and ``plays``."""
    try:
        with open_source(path) as source:
            played = pd.DataFrame(_rows(source), columns=["listener", "track_id", "plays"])
    except SourceError as error:
        raise InputError(str(error)) from error
    if played.empty:
        raise InputError(f"{path}: has a header but no rows")
    played["listener"] = pd.factorize(played["listener"])[0]
    return played


def _rows(source: Source) -> Iterator[tuple[str, str, float]]:
    """Yield listener, track and plays of each row; without a column for plays each row is one play.

    Raises:
        InputError: no usable columns, or a row that is wrong.
    """
    lines = csv_lines(source)
    columns = _columns(next(lines, (1, []))[1], source.name)
    for number, fields in lines:
        yield _row(fields, columns, f"{source.name}, line {number}")


def csv_lines(source: Source) -> Iterator[tuple[int, list[str]]]:
    """Yield number and fields of each line that is not empty, the header first.

    Raises:
        InputError: a line is no CSV, or no text.
    """
    reader = csv.reader(_lines(source))
    try:
        for fields in reader:
            if fields:
                yield reader.line_num, fields
    except csv.Error as error:
        raise InputError(f"{source.name}, line {reader.line_num}: {error}") from error


def _lines(source: Source) -> Iterator[str]:
    number = 0
    for block in source.blocks(_BLOCK_BYTES):
        for line in block.splitlines(keepends=True):
            number += 1
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{source.name}, line {number}: isn't UTF-8 text. Save it as UTF-8 and try again."
                ) from error


def _columns(header: Sequence[str], name: str) -> dict[str, int]:
    names = [heading.strip().lower() for heading in header]
    for wanted in _REQUIRED:
        if wanted not in names:
            raise InputError(
                f"{name}, line 1: the column {wanted!r} is missing. Expected listener,track_id[,plays], found {names}."
            )
    return {wanted: names.index(wanted) for wanted in (*_REQUIRED, "plays") if wanted in names}


def _row(fields: Sequence[str], columns: Mapping[str, int], where: str) -> tuple[str, str, float]:
    if len(fields) <= max(columns.values()):
        raise InputError(f"{where}: has only {len(fields)} fields, fewer than there are columns")
    listener, track = (fields[columns[name]].strip() for name in _REQUIRED)
    for name, value in zip(_REQUIRED, (listener, track), strict=True):
        if not value:
            raise InputError(f"{where}: {name} is empty")
    return listener, track, _positive(fields[columns["plays"]], where) if "plays" in columns else 1.0


def _positive(text: str, where: str) -> float:
    try:
        plays = float(text)
    except ValueError:
        plays = math.nan
    if not (math.isfinite(plays) and plays > 0):
        raise InputError(f"{where}: plays: {text!r} must be a positive number")
    return plays


def plain_id(text: str) -> str:
    """Return the id as the catalogue's reader would; a text that is none stays, and is unknown there."""
    try:
        return parse_id(text)
    except ValueError:
        return text


def _known(
    played: pd.DataFrame, rows_by_track: Mapping[str, int], config: EngineConfig
) -> tuple[Interactions, FloatArray, list[str]]:
    """Return the rows that the catalogue knows as interactions, their plays, and notes on what was left out."""
    rows = {track_id: rows_by_track.get(plain_id(track_id), UNKNOWN) for track_id in played["track_id"].unique()}
    played = played.assign(row=played["track_id"].map(rows))
    # Two spellings of one id (bare and as an address) are one track.
    pairs = played[played["row"] != UNKNOWN].groupby(["listener", "row"], as_index=False)["plays"].sum()
    listener, listeners = pd.factorize(pairs["listener"])
    plays = pairs["plays"].to_numpy(dtype=np.float64)
    interactions = Interactions(
        listener=listener.astype(np.int32),
        row=pairs["row"].to_numpy(dtype=np.int32),
        weight=graded(plays, config),
        region=np.full(len(listeners), NO_REGION, dtype=np.int32),
    )
    return interactions, plays.astype(np.float32), _notes(played, interactions)


def graded(plays: NDArray[np.float64], config: EngineConfig) -> FloatArray:
    """Return weights of ``plays`` (float64[m], positive): float32[m], 1 for one play, bounded as feedback is.

    By the logarithm, as in Hu, Koren & Volinsky (2008), equation 6; less than one play counts as one.
    """
    weight = 1.0 + config.feedback.repeat_gain * np.log2(np.maximum(plays, 1.0))
    return np.minimum(weight, config.feedback.max_row_weight).astype(np.float32)


def _notes(played: pd.DataFrame, interactions: Interactions) -> list[str]:
    notes = [
        f"interactions: {len(played):,} rows, {len(interactions.row):,} pairs of {interactions.n_listeners:,} "
        f"listeners and {len(np.unique(interactions.row)):,} tracks used"
    ]
    left_out = played.loc[played["row"] == UNKNOWN, ["listener", "track_id"]].drop_duplicates()
    if len(left_out):
        tracks = left_out["track_id"].nunique()
        notes.append(f"skipped: {tracks:,} tracks that aren't in the catalogue, in {len(left_out):,} pairs")
    if nothing_left := played["listener"].nunique() - interactions.n_listeners:
        notes.append(f"skipped: {nothing_left:,} listeners, because none of their tracks are in the catalogue")
    return notes


# --- catalogue -----------------------------------------------------------------------------------------------------
def rows_by_id(songs: Sequence[SongRow], path: str | Path, asking: str | Path) -> dict[str, int]:
    """Return the row of each track id.

    Raises:
        InputError: the songs at ``path`` have none, so that nothing of the file ``asking`` can be looked up.
    """
    rows = {song.spotify_id: row for row, song in enumerate(songs) if song.spotify_id}
    if not rows:
        raise InputError(f"{path}: has no track IDs, so it can't be matched with {asking}")
    return rows


def read_songs(path: str | Path) -> tuple[list[SongRow], list[str]]:
    """Return one row per song, and in words how many there are and what was rejected."""
    counts: Counter[str] = Counter()
    first = ""
    chunks: list[SongRow] = []
    try:
        for chunk in read_catalogue(path):
            chunks += chunk.rows
            counts["rows"] += len(chunk.rows) + len(chunk.rejects)
            counts["rejects"] += len(chunk.rejects)
            first = first or _first_reject(chunk)
    except SourceError as error:
        raise InputError(str(error)) from error
    songs = list(merge_rows(chunks).values())
    if not songs:
        raise InputError(f"{path}: none of the rows could be used ({first})")
    notes = [f"catalogue: {counts['rows']:,} rows, {len(songs):,} songs"]
    if counts["rejects"]:
        notes.append(f"rejected: {counts['rejects']:,} rows of the catalogue (the first at {first})")
    return songs, notes


def _first_reject(chunk: Chunk) -> str:
    return f"line {chunk.rejects[0].line}: {chunk.rejects[0].reason}" if chunk.rejects else ""


def catalogue_of(songs: Sequence[SongRow]) -> Catalogue:
    """Return the engine's catalogue of merged rows, grouped as one read from the database after their import."""
    columns = SongColumns()
    columns.ids = list(range(1, len(songs) + 1))
    columns.popularity = [math.nan if song.popularity is None else float(song.popularity) for song in songs]
    columns.recordings = [recording_key(song.title, song.artists[0] if song.artists else "") for song in songs]
    columns.albums = [song.album for song in songs]
    columns.explicit = [bool(song.explicit) for song in songs]
    columns.active = [True] * len(songs)
    columns.estimated = [False] * len(songs)
    columns.years = [UNKNOWN if song.release_year is None else song.release_year for song in songs]
    columns.add_features([song.features for song in songs])
    keys: dict[str, str] = {}
    artists, n_artists = _links([_keys_of(song.artists, keys) for song in songs])
    genres, n_genres = _links([song.genres for song in songs])
    return build_catalogue(
        columns, artist_ids=_ids(n_artists), artists=artists, genre_ids=_ids(n_genres), genres=genres
    )


def _keys_of(names: Iterable[str], keys: dict[str, str]) -> list[str]:
    """Return the artists' keys, remembered in ``keys``: names that differ only in spelling are one artist.

    "Various Artists" and its like are none, as in a catalogue from the database.
    """
    for name in names:
        if name not in keys:
            keys[name] = artist_key(name)
    return [keys[name] for name in names if keys[name] not in COMPILER_KEYS]


def _links(members: Iterable[Iterable[Hashable]]) -> tuple[tuple[IntArray, IntArray], int]:
    """Return CSR ``(indptr, indices)`` of each song's members, each once and in order, and how many there are."""
    numbers: dict[Hashable, int] = {}
    indptr, indices = array("i", [0]), array("i")
    for names in members:
        indices.extend([numbers.setdefault(name, len(numbers)) for name in dict.fromkeys(names)])
        indptr.append(len(indices))
    return (np.array(indptr, dtype=np.int32), np.array(indices, dtype=np.int32)), len(numbers)


def _ids(count: int) -> IdArray:
    return np.arange(1, count + 1, dtype=np.int64)
