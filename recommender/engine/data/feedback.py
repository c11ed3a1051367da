"""The feedback of one listener."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from recommender.engine.data.arrays import FloatArray, IntArray, as_int32
from recommender.engine.data.catalogue import Catalogue
from recommender.engine.data.checks import check_array, check_range, no_float32, no_int32, require
from recommender.engine.data.interactions import NO_REGION


class FeedbackKind(IntEnum):
    """What a listener did with a track. The numbers are not stored; the names are keys of the configuration."""

    LIKE = 0
    DISLIKE = 1
    COMPLETED = 2
    PLAY = 3
    SKIP = 4


@dataclass(frozen=True, eq=False)
class Adjustments:
    """Factors that a listener chose for single artists, genres and audio features. Raise InvalidDataError.

    artists, genres: distinct int32 indices, with artist_factors and genre_factors, float32 of the same length, >= 0
    (1 = as learned, 0 = not at all). features: likewise, factors by the name of the feature column.
    """

    artists: IntArray = field(default_factory=no_int32)
    artist_factors: FloatArray = field(default_factory=no_float32)
    genres: IntArray = field(default_factory=no_int32)
    genre_factors: FloatArray = field(default_factory=no_float32)
    features: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("artist", "genre"):
            indices, factors = getattr(self, f"{name}s"), getattr(self, f"{name}_factors")
            check_array(f"{name}s", indices, np.int32, (len(indices),))
            check_array(f"{name}_factors", factors, np.float32, (len(indices),))
            require(len(np.unique(indices)) == len(indices), f"{name}s: must be distinct")
            require(bool(np.all(np.isfinite(factors) & (factors >= 0))), f"{name}_factors: must be finite and >= 0")
        require(all(0.0 <= factor < np.inf for factor in self.features.values()), "features: must be finite and >= 0")

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is adjusted."""
        return not (len(self.artists) or len(self.genres) or self.features)

    def check_against(self, catalogue: Catalogue) -> None:
        """Raise InvalidDataError if an artist, genre or feature lies outside `catalogue`."""
        check_range("adjusted artists", self.artists, 0, catalogue.n_artists)
        check_range("adjusted genres", self.genres, 0, catalogue.n_genres)
        unknown = set(self.features) - set(catalogue.feature_columns)
        require(not unknown, f"adjusted features: unknown {', '.join(sorted(unknown))}")


NO_ADJUSTMENTS = Adjustments()


@dataclass(frozen=True, eq=False)
class Feedback:
    """The feedback of one listener, m observations. Raise InvalidDataError.

    rows: int32[m]; kind: int32[m] of FeedbackKind; count: float32[m], how often (>= 1); age_days: float32[m], since the
    last time (>= 0). genres, artists: stated favourites, int32 indices. region: code as in Interactions, -1 = unknown.
    adjustments: how much single artists, genres and features count.
    """

    rows: IntArray = field(default_factory=no_int32)
    kind: IntArray = field(default_factory=no_int32)
    count: FloatArray = field(default_factory=no_float32)
    age_days: FloatArray = field(default_factory=no_float32)
    genres: IntArray = field(default_factory=no_int32)
    artists: IntArray = field(default_factory=no_int32)
    region: int = NO_REGION
    adjustments: Adjustments = NO_ADJUSTMENTS

    def __post_init__(self) -> None:
        m = len(self.rows)
        check_array("rows", self.rows, np.int32, (m,))
        check_array("kind", self.kind, np.int32, (m,))
        check_range("kind", self.kind, 0, len(FeedbackKind))
        for name, low in (("count", 1.0), ("age_days", 0.0)):
            values = getattr(self, name)
            check_array(name, values, np.float32, (m,))
            require(bool(np.all(np.isfinite(values) & (values >= low))), f"{name}: must be finite and >= {low:g}")
        check_array("genres", self.genres, np.int32, (len(self.genres),))
        check_array("artists", self.artists, np.int32, (len(self.artists),))

    @classmethod
    def likes(cls, rows: ArrayLike, region: int = NO_REGION) -> Self:
        """Return feedback that consists of fresh likes of `rows`."""
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
