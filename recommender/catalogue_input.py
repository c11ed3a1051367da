"""The catalogue as the engine's arrays."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
from django.db.models import Count, Max, Min, Q, Sum

from catalog.features import FEATURE_NAMES
from catalog.models import Artist, Genre, Track, TrackArtist
from catalog.text import fold
from recommender.engine import Catalogue
from recommender.engine.arrays import FloatArray, IdArray, IntArray
from recommender.engine.data import UNKNOWN

_CHUNK = 20_000


def catalogue_state() -> dict[str, Any]:
    """Return figures that change when anything in the catalogue does that the engine reads; three cheap queries."""
    ids = (Count("id"), Min("id"), Max("id"))
    songs = Track.objects.aggregate(*ids, Max("updated_at"), active=Count("id", filter=Q(is_active=True)))
    credited = TrackArtist.objects.aggregate(*ids, Sum("artist_id"))
    tagged = Track.genres.through.objects.aggregate(*ids, Sum("genre_id"))
    return {"songs": songs, "credits": credited, "genres": tagged}


def load_catalogue() -> Catalogue:
    """Read the whole catalogue, hidden songs too (flagged, so that an operator can show them again).

    Rows are ordered by track id, artists and genres by theirs. Memory: some 150 bytes a song while it is read.
    """
    columns = _TrackColumns()
    for chunk in _chunks(_track_rows()):
        columns.add(chunk)
    track_ids = np.array(columns.ids, dtype=np.int64)
    artist_ids = np.fromiter(Artist.objects.order_by("pk").values_list("pk", flat=True).iterator(), dtype=np.int64)
    genre_ids = np.fromiter(Genre.objects.order_by("pk").values_list("pk", flat=True).iterator(), dtype=np.int64)
    artist_indptr, artist_indices = _links(
        TrackArtist.objects.order_by("track_id", "position").values_list("track_id", "artist_id"), track_ids, artist_ids
    )
    genre_indptr, genre_indices = _links(
        Track.genres.through.objects.order_by("track_id", "genre_id").values_list("track_id", "genre_id"),
        track_ids,
        genre_ids,
    )
    first_artist = _first_of_each(artist_indptr, artist_indices)
    return Catalogue(
        track_ids=track_ids,
        artist_ids=artist_ids,
        genre_ids=genre_ids,
        artist_indptr=artist_indptr,
        artist_indices=artist_indices,
        genre_indptr=genre_indptr,
        genre_indices=genre_indices,
        features=columns.feature_matrix(),
        feature_columns=FEATURE_NAMES,
        features_estimated=np.array(columns.estimated, dtype=np.bool_),
        popularity=np.array(columns.popularity, dtype=np.float32),
        recording=group_numbers(columns.recordings),
        album=_albums(columns.albums, first_artist),
        explicit=np.array(columns.explicit, dtype=np.bool_),
        active=np.array(columns.active, dtype=np.bool_),
    )


def group_numbers(keys: Iterable[Any]) -> IntArray:
    """Return int32[n]: equal numbers for equal keys, counted from 0 in the order of their first appearance."""
    numbers: dict[Any, int] = {}
    return np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), dtype=np.int32)


def feature_row(features: Mapping[str, float]) -> list[float]:
    """Return the values of one song in the order of ``FEATURE_NAMES``, NaN where unknown."""
    return [features.get(name, np.nan) for name in FEATURE_NAMES]


class _TrackColumns:
    """Columns of the track table, filled chunk by chunk so that the rows themselves need not stay."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.popularity: list[float] = []
        self.recordings: list[str] = []
        self.albums: list[str] = []
        self.explicit: list[bool] = []
        self.active: list[bool] = []
        self.estimated: list[bool] = []
        self._features: list[FloatArray] = []

    def add(self, chunk: list[tuple[Any, ...]]) -> None:
        """Append rows of ``_track_rows``."""
        for pk, popularity, recording, album, explicit, is_active, origin, _features in chunk:
            self.ids.append(pk)
            self.popularity.append(np.nan if popularity is None else popularity)
            self.recordings.append(recording)
            self.albums.append(album)
            self.explicit.append(bool(explicit))
            self.active.append(is_active)
            self.estimated.append(origin == Track.FeaturesOrigin.ESTIMATED)
        self._features.append(np.array([feature_row(row[-1]) for row in chunk], dtype=np.float32))

    def feature_matrix(self) -> FloatArray:
        """Return float32[n, number of features]."""
        if not self._features:
            return np.empty((0, len(FEATURE_NAMES)), dtype=np.float32)
        return np.concatenate(self._features)


def _track_rows() -> Iterator[tuple[Any, ...]]:
    fields = ("pk", "popularity", "recording_key", "album", "explicit", "is_active", "features_origin", "features")
    return iter(Track.objects.order_by("pk").values_list(*fields).iterator(chunk_size=_CHUNK))


def _chunks(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _links(pairs: Any, track_ids: IdArray, other_ids: IdArray) -> tuple[IntArray, IntArray]:
    """Return CSR ``(indptr, indices)`` of (track id, other id) pairs ordered by track id."""
    flat = np.fromiter((value for pair in pairs.iterator(chunk_size=_CHUNK) for value in pair), dtype=np.int64)
    tracks, others = flat[0::2], flat[1::2]
    # A row deleted between the two queries must not shift the others.
    known = np.isin(tracks, track_ids) & np.isin(others, other_ids)
    tracks, others = tracks[known], others[known]
    counts = np.bincount(np.searchsorted(track_ids, tracks), minlength=len(track_ids))
    indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    return indptr, np.searchsorted(other_ids, others).astype(np.int32)


def _first_of_each(indptr: IntArray, indices: IntArray) -> IntArray:
    """Return the first member of each CSR row, ``UNKNOWN`` where it is empty."""
    first = np.full(len(indptr) - 1, UNKNOWN, dtype=np.int32)
    filled = np.flatnonzero(np.diff(indptr) > 0)
    first[filled] = indices[indptr[filled]]
    return first


def _albums(albums: list[str], first_artist: IntArray) -> IntArray:
    """Return a number per release: two artists' albums of one name ("Greatest Hits") are two releases."""
    numbers: dict[tuple[str, int], int] = {}
    releases = np.full(len(albums), UNKNOWN, dtype=np.int32)
    for row, album in enumerate(albums):
        if album:
            releases[row] = numbers.setdefault((fold(album), int(first_artist[row])), len(numbers))
    return releases
