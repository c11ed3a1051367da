"""`collaborative`: what listeners like you like; matrix factorisation, the listener folded in at request time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Self

import numpy as np

from recommender.engine.arrays import (
    AnyArray,
    FloatArray,
    IntArray,
    Sparse,
    as_float32,
    as_int32,
    dense_matvec,
    membership,
)
from recommender.engine.config import EngineConfig, FactorConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.factors import (
    Factorisation,
    FoldIn,
    artist_content,
    factorise,
    lines_of_songs,
    refresh,
    regularisation,
    unheard_factors,
)
from recommender.engine.listener import Listener
from recommender.engine.observations import column_counts, weight_matrix
from recommender.engine.terms.audio import scale_features
from recommender.engine.terms.base import Cause, Change, LinearTerm, Progress, no_progress, track_causes
from recommender.engine.terms.genre import genre_profiles

Factoriser = Callable[[Sparse, Sparse, FactorConfig, np.random.Generator], Factorisation]
"""What `factors.factorise` is: (weights, credits, config, rng) to factors."""


class CollaborativeTerm(LinearTerm):
    """score[t] = x . y_t, the listener's factors against the track's (Hu, Koren & Volinsky 2008).

    A like is preference 1, a dislike -1, a skip about 0, each with the confidence of its weight. Tracks that nobody has
    heard share the factors of their first artist (see `unheard_factors`), so that the table is no longer than need be.
    """

    name: ClassVar[str] = "collaborative"
    heavy_tailed: ClassVar[bool] = False
    needs_listeners: ClassVar[bool] = True

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> None:
        self._table = as_float32(arrays["table"])
        self._place = as_int32(arrays["place"])
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
        return cls.fit_with(factorise, catalogue, interactions, config, rng, progress)

    @classmethod
    def fit_with(
        cls,
        factoriser: Factoriser,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        """Fit with a factorisation that is computed wherever `factoriser` has it computed."""
        weights = weight_matrix(interactions, catalogue.n_tracks)
        if np.count_nonzero(np.diff(weights.indptr)) < config.term_min_listeners:
            shapes = {"table": (1, 0), "gram": (0, 0), "mean_length": (1,)}
            nothing = {name: np.ones(shape, np.float32) for name, shape in shapes.items()}
            return cls(nothing | {"place": np.zeros(catalogue.n_tracks, np.int32)}, catalogue, config)
        progress("factors", 0.0)
        counts = column_counts(weights)
        credited = membership(catalogue.artist_indptr, catalogue.artist_indices, catalogue.n_artists)
        fitted = factoriser(weights[:, counts > 0], credited[counts > 0], config.factors, rng)
        progress("factors of unheard songs", 0.8)
        found = cls._of(fitted, counts, catalogue, config)
        progress("factors", 1.0)
        return found

    def updated(
        self,
        change: Change,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
    ) -> Self:
        """Listeners solved anew against the factors there are, then the tracks whose listeners have changed."""
        if not self._table.size:
            return self.fit(catalogue, interactions, config, rng, no_progress)
        weights = weight_matrix(interactions, catalogue.n_tracks)
        counts = column_counts(weights)
        heard, known = counts > 0, change.old_rows >= 0
        start = np.zeros((catalogue.n_tracks, self._table.shape[1]), dtype=np.float32)
        start[known] = self.vectors(change.old_rows[known])
        credited = membership(catalogue.artist_indptr, catalogue.artist_indices, catalogue.n_artists)
        touched = (change.touched | ~known)[heard]
        fitted = refresh(weights[:, heard], credited[heard], start[heard], touched, config.factors)
        return self._of(fitted, counts, catalogue, config)

    @classmethod
    def _of(cls, fitted: Factorisation, counts: FloatArray, catalogue: Catalogue, config: EngineConfig) -> Self:
        table, place = _with_unheard(fitted.items, counts, catalogue, config)
        length = np.array([fitted.mean_length], dtype=np.float32)
        return cls({"table": table, "place": place, "gram": fitted.gram, "mean_length": length}, catalogue, config)

    def score(self, listener: Listener) -> FloatArray:
        return dense_matvec(self._table, self.direction(listener))[self._place]

    def direction(self, listener: Listener) -> FloatArray:
        return listener.once(self._fold_in).factors()

    def coordinates(self, rows: IntArray) -> FloatArray:
        return self.vectors(rows)

    def groups(self) -> IntArray:
        return self._place

    def explain(self, listener: Listener, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        return track_causes(listener.rows, listener.once(self._fold_in).shares(self.vectors(rows)), limit)

    def vectors(self, rows: IntArray) -> FloatArray:
        """Factors of some tracks, float32[len(rows), f]; f is 0 where nothing could be fitted."""
        return self._table[self._place[rows]]

    def vectors_of(self, listener: Listener) -> FloatArray:
        """Factors of the listener's tracks, float32[m, f]."""
        return listener.once(self._vectors_of)

    def _vectors_of(self, listener: Listener) -> FloatArray:
        return self.vectors(listener.rows)

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"table": self._table, "place": self._place, "gram": self._gram, "mean_length": self._mean_length}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> Self:
        return cls(arrays, catalogue, config)

    def _fold_in(self, listener: Listener) -> FoldIn:
        length = np.abs(listener.weights).sum(keepdims=True)
        strength = regularisation(length, self._config, float(self._mean_length[0]))
        factors, alpha = self.vectors_of(listener), self._config.alpha
        return FoldIn.of(factors, listener.weights, self._gram, alpha, float(strength[0]))


def _with_unheard(
    fitted: FloatArray, counts: FloatArray, catalogue: Catalogue, config: EngineConfig
) -> tuple[FloatArray, IntArray]:
    """A table of factors float32[heard + artists of unheard tracks, f], and each track's place in it, int32[n]."""
    first = first_artists(catalogue)
    heard, artists = counts > 0, catalogue.n_artists
    if heard.all():
        return fitted, np.arange(len(fitted), dtype=np.int32)
    sound = scale_features(catalogue.features, catalogue.feature_columns)
    content = artist_content(genre_profiles(catalogue, config), sound, first, artists, config.factors.content_genres)
    unheard = unheard_factors(fitted, counts[heard], first[heard], content, config.factors)
    return lines_of_songs(fitted, heard, unheard * np.float32(config.factors.unheard), first)


def first_artists(catalogue: Catalogue) -> IntArray:
    """The first credited artist of each track, int32[n], -1 where nobody is."""
    first = np.full(catalogue.n_tracks, -1, dtype=np.int32)
    credited = np.diff(catalogue.artist_indptr) > 0
    first[credited] = catalogue.artist_indices[catalogue.artist_indptr[:-1][credited]]
    return first
