"""`popularity`: liked by many, in your region first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data import NO_REGION, Catalogue, Interactions
from recommender.engine.data.arrays import AnyArray, FloatArray, IntArray, as_float32, as_int32
from recommender.engine.data.checks import check_array
from recommender.engine.data.interaction_matrix import liked_pairs
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.terms.base import Cause, LinearTerm, Progress, TermsConfig, Weight, Wording, gettext_noop

DOUBLING = 10.0
"""Points of the catalogue's popularity that stand for twice the listeners."""
PSEUDO_COUNT_BOUNDS = (0.5, 50.0)
"""Bounds of the pseudo-count with which play counts are shrunk towards the catalogue's figure."""


class PopularityTerm(LinearTerm):
    """Logarithm of the estimated share of listeners who like the track.

    The catalogue's figure gives the expected count (twice the listeners every DOUBLING points), and the
    observed count moves it: gamma-Poisson shrinkage, rate = expected * (count + a) / (expected + a), with the
    pseudo-count a from the method of moments (Casella 1985, "An Introduction to Empirical Bayes Data Analysis"). A
    region's rate is its own counts shrunk towards the global rate with the weight of `region_shrinkage` listeners.
    """

    name: ClassVar[str] = "popularity"
    label: ClassVar[str] = gettext_noop("Popularity")
    wording: ClassVar[Wording | None] = {}
    default_weight: ClassVar[Weight] = (0.5, 0.1, 0.1, 0.1, 0.1)
    similar_weight: ClassVar[float] = 0.1
    sqrt_transform: ClassVar[bool] = False
    is_collaborative: ClassVar[bool] = False

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> None:
        self._catalogue = as_float32(arrays["catalogue"])
        self._listeners = as_float32(arrays["listeners"])
        self._regions = as_int32(arrays["regions"])
        self._regional = as_float32(arrays["regional"])
        n = catalogue.n_tracks
        check_array("popularity.catalogue", self._catalogue, np.float32, (n,))
        check_array("popularity.listeners", self._listeners, np.float32, (n,))
        check_array("popularity.regional", self._regional, np.float32, (len(self._regions), n))

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        progress("popularity", 0.0)
        prior = _prior_share(catalogue.popularity, DOUBLING)
        listener, row = liked_pairs(interactions)
        counts = np.bincount(row, minlength=catalogue.n_tracks)
        lift = _lift(counts, prior * len(row), PSEUDO_COUNT_BOUNDS)
        rate = prior * lift
        per_listener = len(row) / max(interactions.n_listeners, 1)
        regions = _known_regions(interactions.region, config.region_min_listeners)
        rows_by_region = [row[interactions.region[listener] == region] for region in regions]
        regional = [_regional_lift(rows, rate, per_listener, config.region_shrinkage) for rows in rows_by_region]
        progress("popularity", 1.0)
        arrays = {
            "catalogue": np.log(prior * catalogue.n_tracks).astype(np.float32),
            "listeners": np.log(lift).astype(np.float32),
            "regions": regions,
            "regional": np.reshape(np.array(regional, dtype=np.float32), (len(regions), catalogue.n_tracks)),
        }
        return cls(arrays, catalogue, config)

    def score_all(self, listener: ListenerProfile) -> FloatArray:
        total = self._catalogue + self._listeners
        index = self._region_index(listener)
        if index is not None:
            total += self._regional[index]
        return total

    def user_vector(self, listener: ListenerProfile) -> FloatArray:
        direction = np.zeros(1 + len(self._regions), dtype=np.float32)
        direction[0] = 1.0
        index = self._region_index(listener)
        if index is not None:
            direction[1 + index] = 1.0
        return direction

    def item_vectors(self, rows: IntArray) -> FloatArray:
        everywhere = self._catalogue[rows] + self._listeners[rows]
        return np.concatenate([everywhere[:, None], self._regional[:, rows].T], axis=1)

    def projection(self, limit: int) -> FloatArray:
        # The index over-fetches, which makes up for the part of the region.
        return np.eye(1 + len(self._regions), 1, dtype=np.float32)

    def user_archetypes(self) -> list[ListenerProfile]:
        return [ListenerProfile.anonymous(region) for region in (NO_REGION, *map(int, self._regions))]

    def explain(self, listener: ListenerProfile, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        index = self._region_index(listener)
        causes = []
        for row in rows:
            row_causes = [
                Cause("catalogue", -1, float(self._catalogue[row])),
                Cause("listeners", -1, float(self._listeners[row])),
            ]
            if index is not None:
                row_causes.append(Cause("region", listener.region, float(self._regional[index, row])))
            if limit is not None:
                raised = [cause for cause in row_causes if cause.value > 0]
                row_causes = sorted(raised, key=lambda cause: -cause.value)[:limit]
            causes.append(row_causes)
        return causes

    def arrays(self) -> Mapping[str, AnyArray]:
        return {
            "catalogue": self._catalogue,
            "listeners": self._listeners,
            "regions": self._regions,
            "regional": self._regional,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> Self:
        return cls(arrays, catalogue, config)

    def _region_index(self, listener: ListenerProfile) -> int | None:
        matches = np.flatnonzero(self._regions == listener.region)
        return int(matches[0]) if len(matches) else None


Shares: TypeAlias = NDArray[np.float64]


def _prior_share(popularity: FloatArray, doubling: float) -> Shares:
    """Return the expected share of all likes by the catalogue's figure: float64[n], sum 1; unknown = mean figure."""
    known = popularity[~np.isnan(popularity)]
    figure = np.nan_to_num(popularity.astype(np.float64), nan=float(known.mean()) if known.size else 0.0)
    share: Shares = np.exp2(figure / doubling)
    return share / share.sum() if share.size else share


def _lift(counts: NDArray[np.int64], expected: Shares, bounds: tuple[float, float]) -> Shares:
    """Return (count + a) / (expected + a), where 1 / a is the variance of the lift by the method of moments."""
    excess = float(((counts - expected) ** 2 - expected).sum())
    spread = excess / max(float((expected**2).sum()), 1e-12)
    pseudo = float(np.clip(1.0 / spread if spread > 0 else np.inf, *bounds))
    lift: Shares = (counts + pseudo) / (expected + pseudo)
    return lift


def _known_regions(region: IntArray, at_least: int) -> IntArray:
    codes, sizes = np.unique(region[region != NO_REGION], return_counts=True)
    return codes[sizes >= at_least].astype(np.int32)


def _regional_lift(rows: IntArray, rate: Shares, per_listener: float, shrinkage: float) -> Shares:
    """Return the log of a region's rate over the global one, shrunk as if `shrinkage` more listeners followed it."""
    normal = rate / rate.sum()
    pseudo = max(shrinkage * per_listener, 1.0)
    counts = np.bincount(rows, minlength=len(rate))
    share = (counts + pseudo * normal) / (len(rows) + pseudo)
    lift: Shares = np.log(share / normal)
    return lift
