"""What goes into the engine: the catalogue, all listeners' interactions, and one listener's feedback.

Everything is indexed by *row* (position of a track in the catalogue), artist index and genre index; the caller's own
ids travel along in `track_ids`, `artist_ids` and `genre_ids`. Objects check their arrays once, on construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recommender.engine.arrays import AnyArray, BoolArray, FloatArray, IdArray, IntArray, as_int32
from recommender.engine.errors import InvalidDataError

UNKNOWN = -1
NO_REGION = -1


def _require(condition: bool | np.bool_, message: str) -> None:
    if not condition:
        raise InvalidDataError(message)


def _check_array(name: str, array: NDArray[np.generic], dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    # Every request comes by here several times: words only where something is wrong.
    if not isinstance(array, np.ndarray):
        raise InvalidDataError(f"{name}: expected a numpy array, got {type(array).__name__}")
    if array.dtype != dtype:
        raise InvalidDataError(f"{name}: expected dtype {np.dtype(dtype)}, got {array.dtype}")
    if array.shape != shape:
        raise InvalidDataError(f"{name}: expected shape {shape}, got {array.shape}")


def check_range(name: str, array: NDArray[np.integer], low: int, high: int) -> None:
    """Raise InvalidDataError, naming `name`, unless all values lie in low..high-1."""
    if array.size:
        found = int(array.min()), int(array.max())
        _require(low <= found[0] and found[1] < high, f"{name}: {found[0]}..{found[1]} outside {low}..{high - 1}")


def _check_csr(name: str, indptr: IntArray, indices: IntArray, n_rows: int, n_columns: int) -> None:
    _check_array(f"{name}_indptr", indptr, np.int32, (n_rows + 1,))
    _require(indptr[0] == 0, f"{name}_indptr: must start with 0")
    _require(bool(np.all(np.diff(indptr) >= 0)), f"{name}_indptr: must not decrease")
    _check_array(f"{name}_indices", indices, np.int32, (int(indptr[-1]),))
    check_range(f"{name}_indices", indices, 0, n_columns)


def _check_ids(name: str, ids: IdArray) -> None:
    _require(isinstance(ids, np.ndarray) and ids.ndim == 1, f"{name}: expected a one-dimensional numpy array")
    _check_array(name, ids, np.int64, (len(ids),))
    _require(bool(np.all(np.diff(ids) > 0)), f"{name}: must be strictly increasing")


def _lookup(ids: IdArray, wanted: ArrayLike) -> IntArray:
    asked = np.atleast_1d(np.asarray(wanted, dtype=np.int64))
    if not len(ids):
        return np.full(asked.shape, UNKNOWN, dtype=np.int32)
    position = np.minimum(np.searchsorted(ids, asked), len(ids) - 1)
    return np.where(ids[position] == asked, position, UNKNOWN).astype(np.int32)


def _no_int32() -> IntArray:
    return np.empty(0, dtype=np.int32)


def _no_float32() -> FloatArray:
    return np.empty(0, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All tracks, n of them, as arrays. Raises InvalidDataError naming the first array that does not fit.

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
    year: IntArray = field(default_factory=_no_int32)

    def __post_init__(self) -> None:
        if not len(self.year):
            object.__setattr__(self, "year", np.full(self.n_tracks, UNKNOWN, dtype=np.int32))
        for name in ("track_ids", "artist_ids", "genre_ids"):
            _check_ids(name, getattr(self, name))
        n = self.n_tracks
        _check_csr("artist", self.artist_indptr, self.artist_indices, n, self.n_artists)
        _check_csr("genre", self.genre_indptr, self.genre_indices, n, self.n_genres)
        _check_array("features", self.features, np.float32, (n, len(self.feature_columns)))
        _require(len(set(self.feature_columns)) == len(self.feature_columns), "feature_columns: names must differ")
        for name in ("features_estimated", "explicit", "active"):
            _check_array(name, getattr(self, name), np.bool_, (n,))
        _check_array("popularity", self.popularity, np.float32, (n,))
        known = self.popularity[~np.isnan(self.popularity)]
        _require(bool(np.all((known >= 0) & (known <= 100))), "popularity: known values must lie in 0..100")
        for name, low in (("recording", 0), ("album", UNKNOWN)):
            _check_array(name, getattr(self, name), np.int32, (n,))
            check_range(name, getattr(self, name), low, n)
        _check_array("year", self.year, np.int32, (n,))

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
        """Rows of the caller's track ids, -1 where the catalogue does not have one."""
        return _lookup(self.track_ids, track_ids)

    def artists_of(self, artist_ids: ArrayLike) -> IntArray:
        """Artist indices of the caller's artist ids, -1 for unknown ones."""
        return _lookup(self.artist_ids, artist_ids)

    def genres_of(self, genre_ids: ArrayLike) -> IntArray:
        """Genre indices of the caller's genre ids, -1 for unknown ones."""
        return _lookup(self.genre_ids, genre_ids)

    def artists_at(self, row: int) -> IntArray:
        """Artist indices credited on one track, in order."""
        return self.artist_indices[self.artist_indptr[row] : self.artist_indptr[row + 1]]

    def arrays(self) -> dict[str, AnyArray]:
        """All arrays by field name (everything except `feature_columns`)."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "feature_columns"}


@dataclass(frozen=True, eq=False)
class Interactions:
    """What all listeners did, for the shared part of a model; m observations by `len(region)` listeners.

    listener: int32[m]; row: int32[m]; weight: float32[m], positive = liked or heard (for instance the number of plays),
    negative = disliked; region: int32[number of listeners], -1 = unknown. Raises InvalidDataError.
    """

    listener: IntArray
    row: IntArray
    weight: FloatArray
    region: IntArray

    def __post_init__(self) -> None:
        _require(isinstance(self.listener, np.ndarray), "listener: expected a numpy array")
        m = len(self.listener)
        _check_array("listener", self.listener, np.int32, (m,))
        _check_array("row", self.row, np.int32, (m,))
        _check_array("weight", self.weight, np.float32, (m,))
        _require(bool(np.all(np.isfinite(self.weight))), "weight: must be finite")
        _check_array("region", self.region, np.int32, (len(self.region),))
        check_range("listener", self.listener, 0, len(self.region))
        check_range("row", self.row, 0, np.iinfo(np.int32).max)

    @classmethod
    def empty(cls) -> Self:
        """No listener has done anything yet."""
        none = np.empty(0, dtype=np.int32)
        return cls(listener=none, row=none, weight=np.empty(0, dtype=np.float32), region=none)

    @property
    def n_listeners(self) -> int:
        return len(self.region)

    def check_against(self, catalogue: Catalogue) -> None:
        """Raise InvalidDataError if a row lies outside `catalogue`."""
        check_range("row", self.row, 0, catalogue.n_tracks)

    def of_listeners(self, keep: BoolArray) -> Interactions:
        """The observations of the listeners flagged in `keep` (bool[n_listeners]), renumbered from 0."""
        number = np.cumsum(keep, dtype=np.int32) - np.int32(1)
        kept = keep[self.listener]
        return Interactions(
            listener=as_int32(number[self.listener[kept]]),
            row=self.row[kept],
            weight=self.weight[kept],
            region=self.region[keep],
        )


class FeedbackKind(IntEnum):
    """What a listener did with a track. The numbers are stored nowhere; names are the keys of the configuration."""

    LIKE = 0
    DISLIKE = 1
    COMPLETED = 2
    PLAY = 3
    SKIP = 4


@dataclass(frozen=True, eq=False)
class Adjustments:
    """How much single artists, genres and audio features of a listener's taste count. Raises InvalidDataError.

    artists, genres: distinct int32 indices, with artist_factors and genre_factors, float32 of the same length, >= 0
    (1 = as learned, 0 = not at all). features: likewise, factors by the name of the feature column.
    """

    artists: IntArray = field(default_factory=_no_int32)
    artist_factors: FloatArray = field(default_factory=_no_float32)
    genres: IntArray = field(default_factory=_no_int32)
    genre_factors: FloatArray = field(default_factory=_no_float32)
    features: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("artist", "genre"):
            indices, factors = getattr(self, f"{name}s"), getattr(self, f"{name}_factors")
            _check_array(f"{name}s", indices, np.int32, (len(indices),))
            _check_array(f"{name}_factors", factors, np.float32, (len(indices),))
            _require(len(np.unique(indices)) == len(indices), f"{name}s: must be distinct")
            _require(bool(np.all(np.isfinite(factors) & (factors >= 0))), f"{name}_factors: must be finite and >= 0")
        _require(all(0.0 <= factor < np.inf for factor in self.features.values()), "features: must be finite and >= 0")

    @property
    def is_empty(self) -> bool:
        """Whether everything counts as learned."""
        return not (len(self.artists) or len(self.genres) or self.features)

    def check_against(self, catalogue: Catalogue) -> None:
        """Raise InvalidDataError if an artist, genre or feature lies outside `catalogue`."""
        check_range("adjusted artists", self.artists, 0, catalogue.n_artists)
        check_range("adjusted genres", self.genres, 0, catalogue.n_genres)
        unknown = set(self.features) - set(catalogue.feature_columns)
        _require(not unknown, f"adjusted features: unknown {', '.join(sorted(unknown))}")


NO_ADJUSTMENTS = Adjustments()


@dataclass(frozen=True, eq=False)
class Feedback:
    """What one listener did and said, m observations. Raises InvalidDataError.

    rows: int32[m]; kind: int32[m] of FeedbackKind; count: float32[m], how often (>= 1); age_days: float32[m], since the
    last time (>= 0). genres, artists: stated favourites, int32 indices. region: code as in Interactions, -1 = unknown.
    adjustments: how much single artists, genres and features count.
    """

    rows: IntArray = field(default_factory=_no_int32)
    kind: IntArray = field(default_factory=_no_int32)
    count: FloatArray = field(default_factory=_no_float32)
    age_days: FloatArray = field(default_factory=_no_float32)
    genres: IntArray = field(default_factory=_no_int32)
    artists: IntArray = field(default_factory=_no_int32)
    region: int = NO_REGION
    adjustments: Adjustments = NO_ADJUSTMENTS

    def __post_init__(self) -> None:
        m = len(self.rows)
        _check_array("rows", self.rows, np.int32, (m,))
        _check_array("kind", self.kind, np.int32, (m,))
        check_range("kind", self.kind, 0, len(FeedbackKind))
        for name, low in (("count", 1.0), ("age_days", 0.0)):
            values = getattr(self, name)
            _check_array(name, values, np.float32, (m,))
            _require(bool(np.all(np.isfinite(values) & (values >= low))), f"{name}: must be finite and >= {low:g}")
        _check_array("genres", self.genres, np.int32, (len(self.genres),))
        _check_array("artists", self.artists, np.int32, (len(self.artists),))

    @classmethod
    def likes(cls, rows: ArrayLike, region: int = NO_REGION) -> Self:
        """Feedback of a listener who has just liked `rows` and done nothing else."""
        liked = as_int32(rows)
        return cls(
            rows=liked,
            kind=np.full(len(liked), FeedbackKind.LIKE, dtype=np.int32),
            count=np.ones(len(liked), dtype=np.float32),
            age_days=np.zeros(len(liked), dtype=np.float32),
            region=region,
        )

    def check_against(self, catalogue: Catalogue) -> None:
        """Raise InvalidDataError if a row, artist or genre lies outside `catalogue`."""
        check_range("rows", self.rows, 0, catalogue.n_tracks)
        check_range("artists", self.artists, 0, catalogue.n_artists)
        check_range("genres", self.genres, 0, catalogue.n_genres)
        self.adjustments.check_against(catalogue)
