"""`collaborative`: what listeners like you like; matrix factorisation, the listener folded in at request time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from recommender.engine.arrays import AnyArray, FloatArray, IntArray, Sparse, as_float32, csr
from recommender.engine.config import EngineConfig, FactorConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.factors import content_factors, dense_content, factorise, fold_in, regularisation
from recommender.engine.listener import Listener
from recommender.engine.observations import column_counts, weight_matrix
from recommender.engine.terms.audio import scale_features
from recommender.engine.terms.base import Cause, Progress, track_causes
from recommender.engine.terms.genre import genre_profiles


class CollaborativeTerm:
    """score[t] = x . y_t, the listener's factors against the track's (Hu, Koren & Volinsky 2008).

    A like is preference 1, a dislike -1, a skip about 0, each with the confidence of its weight. Tracks that nobody has
    heard have factors predicted from their artists, or from genres and sound (see `content_factors`).
    """

    name: ClassVar[str] = "collaborative"
    heavy_tailed: ClassVar[bool] = False
    needs_listeners: ClassVar[bool] = True

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> None:
        self._factors = as_float32(arrays["factors"])
        self._gram = as_float32(arrays["gram"])
        self._mean_length = as_float32(arrays["mean_length"])
        self._config = config.factors

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        weights = weight_matrix(interactions, catalogue.n_tracks)
        if np.count_nonzero(np.diff(weights.indptr)) < config.term_min_listeners:
            nothing = {"factors": (catalogue.n_tracks, 0), "gram": (0, 0), "mean_length": (1,)}
            return cls({name: np.ones(shape, np.float32) for name, shape in nothing.items()}, catalogue, config)
        progress("factors", 0.0)
        credited = track_credits(catalogue)
        counts = column_counts(weights)
        heard = counts > 0
        fitted = factorise(weights[:, heard], credited[heard], config.factors, rng)
        progress("factors of unheard songs", 0.8)
        factors = np.zeros((catalogue.n_tracks, config.factors.factors), dtype=np.float32)
        factors[heard] = fitted.items
        arrays = {
            "factors": _with_unheard(factors, counts, catalogue, credited, config),
            "gram": fitted.gram,
            "mean_length": np.array([fitted.mean_length], dtype=np.float32),
        }
        progress("factors", 1.0)
        return cls(arrays, catalogue, config)

    def score(self, listener: Listener) -> FloatArray:
        return np.asarray(self._factors @ self._listener_factors(listener).sum(axis=0), dtype=np.float32)

    def explain(self, listener: Listener, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        return track_causes(listener.rows, self._factors[rows] @ self._listener_factors(listener).T, limit)

    def vectors(self, rows: IntArray) -> FloatArray:
        """Factors of some tracks, float32[len(rows), f]; f is 0 where nothing could be fitted."""
        return self._factors[rows]

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"factors": self._factors, "gram": self._gram, "mean_length": self._mean_length}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> Self:
        return cls(arrays, catalogue, config)

    def _listener_factors(self, listener: Listener) -> FloatArray:
        """What each of the listener's songs adds to the listener's factors, float32[m, f]."""
        factors = self._factors[listener.rows]
        if not factors.size:
            return factors
        length = np.abs(listener.weights).sum(keepdims=True)
        strength = regularisation(length, self._config, float(self._mean_length[0]))
        return fold_in(factors, listener.weights, self._gram, self._config.alpha, float(strength[0]))


def track_credits(catalogue: Catalogue) -> Sparse:
    """Tracks x artists, 1 where credited."""
    ones = np.ones(len(catalogue.artist_indices), dtype=np.float32)
    return csr(ones, catalogue.artist_indices, catalogue.artist_indptr, catalogue.n_artists)


def _with_unheard(
    factors: FloatArray, counts: FloatArray, catalogue: Catalogue, credited: Sparse, config: EngineConfig
) -> FloatArray:
    settings: FactorConfig = config.factors
    sound = scale_features(catalogue.features, catalogue.feature_columns)
    content = dense_content(genre_profiles(catalogue, config), sound, settings.content_genres)
    return content_factors(factors, counts, credited, content, settings.artist_prior, settings.content_ridge)
