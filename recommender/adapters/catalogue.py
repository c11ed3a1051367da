"""The catalogue as the engine's arrays, from the database or from columns read elsewhere."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from catalog.features import FEATURE_NAMES
from catalog.identity.compilers import COMPILER_KEYS
from catalog.identity.text import fold
from catalog.models import Artist, Genre, Track, TrackArtist
from recommender.engine import UNKNOWN, Catalogue, FloatArray, IdArray, IntArray

_CHUNK = 20_000


def catalogue_state() -> dict[str, Any]:
    """Return figures that change whenever data that the engine reads changes in the catalogue; three cheap queries."""
    ids = (Count("id"), Min("id"), Max("id"))
    songs = Track.objects.aggregate(*ids, Max("updated_at"), active=Count("id", filter=Q(is_active=True)))
    credited = TrackArtist.objects.aggregate(*ids, Sum("artist_id"))
    tagged = Track.genres.through.objects.aggregate(*ids, Sum("genre_id"))
    return {"songs": songs, "credits": credited, "genres": tagged}


def compiler_ids() -> list[int]:
    """Return the ids of placeholder artists such as "Various Artists", to which the engine assigns no songs."""
    return list(Artist.objects.filter(key__in=COMPILER_KEYS).values_list("pk", flat=True))


def load_catalogue() -> Catalogue:
    """Read the operator's catalogue, hidden songs too (flagged, so that an operator can show them again).

    Songs that only came through Spotify are not among them, and features that Spotify gave are unknown: its terms
    forbid fitting a model on either. `load_part` reads what a single request needs of such songs.

    Rows are ordered by track id; artists and genres by their own ids. Memory: some 150 bytes a song while it is read.
    """
    songs = SongColumns()
    for chunk in _chunks(_track_rows(Track.objects.exclude(origin=Track.Origin.SPOTIFY))):
        _add_rows(songs, [_without_spotify_features(row) for row in chunk])
    track_ids = np.array(songs.ids, dtype=np.int64)
    artist_ids = np.fromiter(Artist.objects.order_by("pk").values_list("pk", flat=True).iterator(), dtype=np.int64)
    genre_ids = np.fromiter(Genre.objects.order_by("pk").values_list("pk", flat=True).iterator(), dtype=np.int64)
    artists = _links(_pairs(_credits()), track_ids, artist_ids)
    genres = _links(_pairs(_tags()), track_ids, genre_ids)
    return build_catalogue(songs, artist_ids=artist_ids, artists=artists, genre_ids=genre_ids, genres=genres)


def load_part(tracks: QuerySet[Track]) -> Catalogue:
    """Return a catalogue of a few songs as `load_catalogue` does; four queries."""
    songs = SongColumns()
    _add_rows(songs, list(_track_rows(tracks)))
    track_ids = np.array(songs.ids, dtype=np.int64)
    credit_pairs = _pairs(_credits().filter(track_id__in=songs.ids))
    tag_pairs = _pairs(_tags().filter(track_id__in=songs.ids))
    artist_ids, genre_ids = np.unique(credit_pairs[:, 1]), np.unique(tag_pairs[:, 1])
    return build_catalogue(
        songs,
        artist_ids=artist_ids,
        artists=_links(credit_pairs, track_ids, artist_ids),
        genre_ids=genre_ids,
        genres=_links(tag_pairs, track_ids, genre_ids),
    )


def build_catalogue(
    songs: "SongColumns",
    *,
    artist_ids: IdArray,
    artists: tuple[IntArray, IntArray],
    genre_ids: IdArray,
    genres: tuple[IntArray, IntArray],
) -> Catalogue:
    """Return the engine's catalogue of ``songs``, whatever their source.

    ``artists`` and ``genres`` are CSR ``(indptr, indices)`` over the songs: places in ``artist_ids``, in order of
    credit, and in ``genre_ids``. Songs of one ``recording_key`` are versions of one recording; an album is known by its
    folded name and the first artist.
    """
    return Catalogue(
        track_ids=np.array(songs.ids, dtype=np.int64),
        artist_ids=artist_ids,
        genre_ids=genre_ids,
        artist_indptr=artists[0],
        artist_indices=artists[1],
        genre_indptr=genres[0],
        genre_indices=genres[1],
        features=songs.feature_matrix(),
        feature_columns=FEATURE_NAMES,
        features_estimated=np.array(songs.estimated, dtype=np.bool_),
        popularity=np.array(songs.popularity, dtype=np.float32),
        recording=group_numbers(songs.recordings),
        album=_albums(songs.albums, _first_of_each(*artists)),
        explicit=np.array(songs.explicit, dtype=np.bool_),
        active=np.array(songs.active, dtype=np.bool_),
        year=np.array(songs.years, dtype=np.int32),
    )


def group_numbers(keys: Iterable[Any]) -> IntArray:
    """Return int32[n]: equal numbers for equal keys, counted from 0 in the order of their first appearance."""
    numbers: dict[Any, int] = {}
    return np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), dtype=np.int32)


def feature_row(features: Mapping[str, float]) -> list[float]:
    """Return the values of one song in the order of ``FEATURE_NAMES``, NaN where unknown."""
    return [features.get(name, np.nan) for name in FEATURE_NAMES]


class SongColumns:
    """Columns of songs, ids increasing, filled piece by piece so that the rows themselves need not stay.

    ``popularity``: NaN where unknown; ``recordings``: recording keys; ``albums``: names, "" where unknown;
    ``years``: of release, ``UNKNOWN`` where unknown.
    """

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.popularity: list[float] = []
        self.recordings: list[str] = []
        self.albums: list[str] = []
        self.explicit: list[bool] = []
        self.active: list[bool] = []
        self.estimated: list[bool] = []
        self.years: list[int] = []
        self._features: list[FloatArray] = []

    def add_features(self, rows: Sequence[Sequence[float | None]]) -> None:
        """Append audio features in the order of ``FEATURE_NAMES``, NaN or ``None`` where unknown."""
        self._features.append(np.array(rows, dtype=np.float32).reshape(-1, len(FEATURE_NAMES)))

    def feature_matrix(self) -> FloatArray:
        """Return float32[n, number of features]."""
        if not self._features:
            return np.empty((0, len(FEATURE_NAMES)), dtype=np.float32)
        return np.concatenate(self._features)


def _add_rows(songs: SongColumns, chunk: list[tuple[Any, ...]]) -> None:
    """Append rows of ``_track_rows``."""
    for pk, popularity, recording, album, explicit, is_active, origin, year, _features in chunk:
        songs.ids.append(pk)
        songs.popularity.append(np.nan if popularity is None else popularity)
        songs.recordings.append(recording)
        songs.albums.append(album)
        songs.explicit.append(bool(explicit))
        songs.active.append(is_active)
        songs.estimated.append(origin == Track.FeaturesOrigin.ESTIMATED)
        songs.years.append(UNKNOWN if year is None else year)
    songs.add_features([feature_row(row[-1]) for row in chunk])


def _without_spotify_features(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*row[:-1], {}) if row[6] == Track.FeaturesOrigin.SPOTIFY else row


def _track_rows(tracks: QuerySet[Track]) -> Iterator[tuple[Any, ...]]:
    fields = ("pk", "popularity", "recording_key", "album", "explicit", "is_active", "features_origin", "release_year")
    return iter(tracks.order_by("pk").values_list(*fields, "features").iterator(chunk_size=_CHUNK))


def _chunks(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _credits() -> QuerySet[TrackArtist, tuple[int, int]]:
    """Return the ids of songs and their artists, in order of credit."""
    # Songs that share only "Various Artists" have nothing in common.
    credited = TrackArtist.objects.exclude(artist_id__in=compiler_ids())
    return credited.order_by("track_id", "position").values_list("track_id", "artist_id")


def _tags() -> QuerySet[Any, tuple[int, int]]:
    """Return the ids of songs and their genres."""
    tagged: QuerySet[Any, tuple[int, int]] = Track.genres.through.objects.order_by("track_id", "genre_id").values_list(
        "track_id", "genre_id"
    )
    return tagged


def _pairs(rows: QuerySet[Any, tuple[int, int]]) -> IdArray:
    """Read pairs of ids, piece by piece: int64[m, 2]."""
    flat = np.fromiter((value for pair in rows.iterator(chunk_size=_CHUNK) for value in pair), dtype=np.int64)
    return flat.reshape(-1, 2)


def _links(pairs: IdArray, track_ids: IdArray, other_ids: IdArray) -> tuple[IntArray, IntArray]:
    """Return CSR ``(indptr, indices)`` of (track id, other id) pairs ordered by track id."""
    tracks, others = pairs.T
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
