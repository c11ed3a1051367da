"""The catalogue: all tracks with their artists, genres and features.

Everything is indexed by *row* (position of a track in the catalogue), artist index and genre index; the caller's own
ids travel along in `track_ids`, `artist_ids` and `genre_ids`. Objects check their arrays once, on construction.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from recommender.engine.data.arrays import AnyArray, BoolArray, FloatArray, IdArray, IntArray
from recommender.engine.data.checks import check_array, check_csr, check_ids, check_range, no_int32, require

UNKNOWN = -1


def _lookup(ids: IdArray, wanted: ArrayLike) -> IntArray:
    keys = np.atleast_1d(np.asarray(wanted, dtype=np.int64))
    if not len(ids):
        return np.full(keys.shape, UNKNOWN, dtype=np.int32)
    position = np.minimum(np.searchsorted(ids, keys), len(ids) - 1)
    return np.where(ids[position] == keys, position, UNKNOWN).astype(np.int32)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All tracks, n of them, as arrays. Raise InvalidDataError naming the first array that does not fit.

    track_ids, artist_ids, genre_ids: the caller's ids, int64, strictly increasing (looking up is a binary search).
    artist_indptr, artist_indices: CSR, artists of each track in order of credit. genre_*: likewise, in any order.
    features: float32[n, F] in raw units (Spotify's), NaN = unknown; feature_columns: the F names.
    features_estimated: bool[n]. popularity: float32[n], 0..100, NaN = unknown.
    recording: int32[n] in 0..n-1, equal numbers = versions of one song. album: int32[n], equal numbers = same release,
    -1 = unknown. explicit, active: bool[n]. year: int32[n], of release, -1 = unknown; none given = none is known.
    """

    track_ids: IdArray
    artist_ids: IdArray
    genre_ids: IdArray
    artist_indptr: IntArray
    artist_indices: IntArray
    genre_indptr: IntArray
    genre_indices: IntArray
    features: FloatArray
    feature_columns: tuple[str, ...]
    features_estimated: BoolArray
    popularity: FloatArray
    recording: IntArray
    album: IntArray
    explicit: BoolArray
    active: BoolArray
    year: IntArray = field(default_factory=no_int32)

    def __post_init__(self) -> None:
        if not len(self.year):
            object.__setattr__(self, "year", np.full(self.n_tracks, UNKNOWN, dtype=np.int32))
        for name in ("track_ids", "artist_ids", "genre_ids"):
            check_ids(name, getattr(self, name))
        n = self.n_tracks
        check_csr("artist", self.artist_indptr, self.artist_indices, n, self.n_artists)
        check_csr("genre", self.genre_indptr, self.genre_indices, n, self.n_genres)
        check_array("features", self.features, np.float32, (n, len(self.feature_columns)))
        require(len(set(self.feature_columns)) == len(self.feature_columns), "feature_columns: names must differ")
        for name in ("features_estimated", "explicit", "active"):
            check_array(name, getattr(self, name), np.bool_, (n,))
        check_array("popularity", self.popularity, np.float32, (n,))
        known = self.popularity[~np.isnan(self.popularity)]
        require(bool(np.all((known >= 0) & (known <= 100))), "popularity: known values must lie in 0..100")
        for name, low in (("recording", 0), ("album", UNKNOWN)):
            check_array(name, getattr(self, name), np.int32, (n,))
            check_range(name, getattr(self, name), low, n)
        check_array("year", self.year, np.int32, (n,))

    @property
    def n_tracks(self) -> int:
        return len(self.track_ids)

    @property
    def n_artists(self) -> int:
        return len(self.artist_ids)

    @property
    def n_genres(self) -> int:
        return len(self.genre_ids)

    def rows_of(self, track_ids: ArrayLike) -> IntArray:
        """Return the rows of the caller's track ids, -1 for unknown ones."""
        return _lookup(self.track_ids, track_ids)

    def artists_of(self, artist_ids: ArrayLike) -> IntArray:
        """Return the artist indices of the caller's artist ids, -1 for unknown ones."""
        return _lookup(self.artist_ids, artist_ids)

    def genres_of(self, genre_ids: ArrayLike) -> IntArray:
        """Return the genre indices of the caller's genre ids, -1 for unknown ones."""
        return _lookup(self.genre_ids, genre_ids)

    def artists_at(self, row: int) -> IntArray:
        """Return the artist indices credited on one track, in order."""
        return self.artist_indices[self.artist_indptr[row] : self.artist_indptr[row + 1]]

    def arrays(self) -> dict[str, AnyArray]:
        """Return all arrays by field name (everything except `feature_columns`)."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "feature_columns"}
