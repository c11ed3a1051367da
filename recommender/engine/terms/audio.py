"""`audio`: sounds like your songs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recommender.engine.arrays import AnyArray, FloatArray, IntArray, as_float32, dense_matvec
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.listener import Listener
from recommender.engine.terms.base import Cause, LinearTerm, Progress, track_causes

LOG_SCALED = {"speechiness", "acousticness", "instrumentalness", "liveness"}
"""Shares that pile up near 0; the logarithm spreads them."""
LOG_OFFSET = 0.01
NOMINAL_WEIGHT = 0.5
"""Key, mode and metre matter less for how a song sounds than the continuous features."""
PITCH_CLASSES = 12


class AudioTerm(LinearTerm):
    """Signed mean cosine between a track's scaled features and those of the listener's songs.

    Features are standardised (the skewed ones after a logarithm), the key is a point on a circle, unknown values the
    mean; each track becomes a vector of unit length. Before the cosine the catalogue's mean vector is subtracted from
    the candidate, which does not change the order and puts a track without features exactly at "no opinion". The
    listener's adjustment of a feature is a factor of its part of the product.
    """

    name: ClassVar[str] = "audio"
    heavy_tailed: ClassVar[bool] = False
    needs_listeners: ClassVar[bool] = False

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> None:
        self._vectors = as_float32(arrays["vectors"])
        self._centre = as_float32(arrays["centre"])
        self._known = np.asarray(arrays["known"], dtype=np.float32)
        self._dimensions = dimensions(catalogue.feature_columns)

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        progress("audio vectors", 0.0)
        scaled = scale_features(catalogue.features, catalogue.feature_columns)
        known = ~np.isnan(catalogue.features).all(axis=1)
        length = np.linalg.norm(scaled, axis=1, keepdims=True)
        unit = np.divide(scaled, length, out=np.zeros_like(scaled), where=length > 0)
        # How far an opinion on this track goes: measured features 1, estimated ones less, none 0.
        certainty = np.where(catalogue.features_estimated, config.estimated_features, 1.0) * known
        total = max(float(certainty.sum()), 1.0)
        centre = (unit * certainty[:, None]).sum(axis=0) / total
        vectors = (unit - centre) * certainty[:, None]
        progress("audio vectors", 1.0)
        arrays = {
            "vectors": np.ascontiguousarray(vectors, dtype=np.float32),
            "centre": centre.astype(np.float32),
            "known": certainty.astype(np.float32),
        }
        return cls(arrays, catalogue, config)

    def score(self, listener: Listener) -> FloatArray:
        return dense_matvec(self._vectors, self.direction(listener))

    def direction(self, listener: Listener) -> FloatArray:
        weights, songs = listener.once(self._songs)
        return weights @ songs

    def coordinates(self, rows: IntArray) -> FloatArray:
        return self._vectors[rows]

    def explain(self, listener: Listener, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        weights, songs = listener.once(self._songs)
        return track_causes(listener.rows, (self._vectors[rows] @ songs.T) * weights, limit)

    def vectors(self, rows: IntArray) -> FloatArray:
        """Vectors of some tracks, float32[len(rows), D], 0 where nothing is known."""
        return self._vectors[rows]

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"vectors": self._vectors, "centre": self._centre, "known": self._known}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> Self:
        return cls(arrays, catalogue, config)

    def _songs(self, listener: Listener) -> tuple[FloatArray, FloatArray]:
        """Weights (m,), of absolute sum 1, and certainty-weighted unit vectors (m, D) of the listener's songs, adjusted
        feature by feature.
        """
        songs = self._vectors[listener.rows] + self._known[listener.rows, None] * self._centre
        for name, factor in listener.adjustments.features.items():
            songs[:, self._dimensions == name] *= np.float32(factor)
        total = float(np.abs(listener.weights).sum())
        return listener.weights / np.float32(total or 1.0), songs


def dimensions(columns: tuple[str, ...]) -> NDArray[np.str_]:
    """The feature behind each of the D dimensions of `scale_features`."""
    return np.array([name for name in columns for _ in range(2 if name == "key" else 1)], dtype=np.str_)


def scale_features(features: FloatArray, columns: tuple[str, ...]) -> FloatArray:
    """Raw features float32[n, F] to float32[n, D] on comparable scales; unknown values become 0, the mean."""
    parts = [part for index, name in enumerate(columns) for part in _scaled(features[:, index], name)]
    return np.stack(parts, axis=1) if parts else np.zeros((len(features), 1), dtype=np.float32)


def _scaled(values: FloatArray, name: str) -> list[FloatArray]:
    if name == "key":
        angle = values * np.float32(2 * np.pi / PITCH_CLASSES)
        return [np.nan_to_num(NOMINAL_WEIGHT * wave, nan=0.0) for wave in (np.cos(angle), np.sin(angle))]
    if name in ("mode", "time_signature"):
        return [_standardised(values) * np.float32(NOMINAL_WEIGHT / 2)]
    if name == "duration_ms":
        return [_standardised(np.log(np.maximum(values, 1.0)))]
    if name in LOG_SCALED:
        # A share below 0 is a slip of the source: nothing, rather than no logarithm.
        return [_standardised(np.log(np.maximum(values, 0.0) + LOG_OFFSET))]
    return [_standardised(values)]


def _standardised(values: FloatArray) -> FloatArray:
    """Zero mean and unit deviation over the known values, outliers cut at 4 deviations, unknown 0."""
    known = values[~np.isnan(values)].astype(np.float64)
    if not known.size or known.std() == 0:
        return np.zeros_like(values)
    scaled = (values - np.float32(known.mean())) / np.float32(known.std())
    return as_float32(np.nan_to_num(np.clip(scaled, -4.0, 4.0), nan=0.0))
