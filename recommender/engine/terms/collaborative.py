"""`collaborative`: what listeners like you like; matrix factorisation, the listener folded in at request time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from recommender.engine.data import Catalogue, Interactions
from recommender.engine.data.arrays import (
    AnyArray,
    FloatArray,
    IntArray,
    Sparse,
    as_float32,
    as_int32,
    dense_matvec,
    membership,
    products_at,
)
from recommender.engine.data.checks import check_array, check_range
from recommender.engine.data.interaction_matrix import column_counts, weight_matrix
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.fitting import (
    ARTIST_PRIOR,
    FactorConfig,
    Factorisation,
    FoldIn,
    artist_content,
    cold_item_factors,
    embedding_lookup,
    factorise,
    refresh,
    regularisation,
)
from recommender.engine.terms.audio import scale_features
from recommender.engine.terms.base import (
    MIN_LISTENERS,
    Cause,
    Change,
    LinearTerm,
    Progress,
    TermsConfig,
    Weight,
    Wording,
    gettext_noop,
    no_progress,
)
from recommender.engine.terms.causes import Naming
from recommender.engine.terms.genre import genre_profiles

COLD_SCALE = 0.5
"""Multiplier of the predicted factors of cold items."""
CONTENT_GENRES = 48
"""Commonest genres from which factors of cold items are predicted."""
Factoriser = Callable[[Sparse, Sparse, FactorConfig, np.random.Generator], Factorisation]
"""A function like `fitting.factorise`: (weights, credits, config, rng) to factors."""


class CollaborativeTerm(LinearTerm):
    """score[t] = x . y_t, the listener's factors against the track's (Hu, Koren & Volinsky 2008).

    A like is preference 1, a skip about 0, each with the confidence of its weight. Dislikes are ignored, because tracks
    that share lists with a disliked track are liked more than the average track, not less. Cold tracks share the
    factors of their first artist (see `cold_item_factors`), which keeps the table short.
    """

    name: ClassVar[str] = "collaborative"
    label: ClassVar[str] = gettext_noop("People with your taste")
    wording: ClassVar[Wording | None] = {
        "liked": gettext_noop("Liked by people who like %(title)s"),
        "played": gettext_noop("People who listen to %(title)s like this"),
    }
    default_weight: ClassVar[Weight] = 2.0
    sqrt_transform: ClassVar[bool] = False
    is_collaborative: ClassVar[bool] = True
    uses_implicit_negatives: ClassVar[bool] = True

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> None:
        self._embeddings = as_float32(arrays["table"])
        self._row_index = as_int32(arrays["place"])
        self._gram = as_float32(arrays["gram"])
        self._mean_length = as_float32(arrays["mean_length"])
        self._config = config.factors
        self._naming = Naming(catalogue)
        check_array("collaborative.place", self._row_index, np.int32, (catalogue.n_tracks,))
        check_range("collaborative.place", self._row_index, 0, len(self._embeddings))

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
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
        config: TermsConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        """Fit with another implementation of the factorisation, for instance on a cluster."""
        weights = weight_matrix(interactions, catalogue.n_tracks)
        if np.count_nonzero(np.diff(weights.indptr)) < MIN_LISTENERS:
            shapes = {"table": (1, 0), "gram": (0, 0), "mean_length": (1,)}
            nothing = {name: np.ones(shape, np.float32) for name, shape in shapes.items()}
            return cls(nothing | {"place": np.zeros(catalogue.n_tracks, np.int32)}, catalogue, config)
        progress("factors", 0.0)
        counts = column_counts(weights)
        credited = membership(catalogue.artist_indptr, catalogue.artist_indices, catalogue.n_artists)
        fitted = factoriser(weights[:, counts > 0], credited[counts > 0], config.factors, rng)
        progress("factors of unheard songs", 0.8)
        term = cls._of(fitted, counts, catalogue, config)
        progress("factors", 1.0)
        return term

    def updated(
        self,
        change: Change,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
    ) -> Self:
        """Solve the listeners against the present factors, then the tracks whose listeners have changed."""
        if not self._embeddings.size:
            return self.fit(catalogue, interactions, config, rng, no_progress)
        weights = weight_matrix(interactions, catalogue.n_tracks)
        counts = column_counts(weights)
        heard, known = counts > 0, change.old_rows >= 0
        start = np.zeros((catalogue.n_tracks, self._embeddings.shape[1]), dtype=np.float32)
        start[known] = self.vectors(change.old_rows[known])
        credited = membership(catalogue.artist_indptr, catalogue.artist_indices, catalogue.n_artists)
        touched = (change.touched | ~known)[heard]
        fitted = refresh(weights[:, heard], credited[heard], start[heard], touched, config.factors)
        return self._of(fitted, counts, catalogue, config)

    @classmethod
    def _of(cls, fitted: Factorisation, counts: FloatArray, catalogue: Catalogue, config: TermsConfig) -> Self:
        embeddings, row_index = _with_cold_items(fitted.items, counts, catalogue)
        length = np.array([fitted.mean_length], dtype=np.float32)
        return cls(
            {"table": embeddings, "place": row_index, "gram": fitted.gram, "mean_length": length}, catalogue, config
        )

    def score_all(self, listener: ListenerProfile) -> FloatArray:
        return dense_matvec(self._embeddings, self.user_vector(listener)).take(self._row_index)

    def score_many(self, listeners: Sequence[ListenerProfile]) -> list[FloatArray]:
        return products_at(
            self._embeddings, np.stack([self.user_vector(listener) for listener in listeners]), self._row_index
        )

    def user_vector(self, listener: ListenerProfile) -> FloatArray:
        return listener.without_dislikes().cached(self._fold_in).factors()

    def item_vectors(self, rows: IntArray) -> FloatArray:
        return self.vectors(rows)

    def item_groups(self) -> IntArray:
        return self._row_index

    def explain(self, listener: ListenerProfile, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        heard = listener.without_dislikes()
        contributions = heard.cached(self._fold_in).contributions(self.vectors(rows))
        return self._naming.tracks(listener, heard.rows, rows, contributions, limit)

    def vectors(self, rows: IntArray) -> FloatArray:
        """Return factors of some tracks, float32[len(rows), f]; f is 0 if nothing could be fitted."""
        return self._embeddings[self._row_index[rows]]

    def vectors_of(self, listener: ListenerProfile) -> FloatArray:
        """Return factors of the listener's tracks, float32[m, f]."""
        return listener.cached(self._vectors_of)

    def _vectors_of(self, listener: ListenerProfile) -> FloatArray:
        return self.vectors(listener.rows)

    def arrays(self) -> Mapping[str, AnyArray]:
        return {
            "table": self._embeddings,
            "place": self._row_index,
            "gram": self._gram,
            "mean_length": self._mean_length,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> Self:
        return cls(arrays, catalogue, config)

    def _fold_in(self, listener: ListenerProfile) -> FoldIn:
        length = np.abs(listener.weights).sum(keepdims=True)
        strength = regularisation(length, self._config, float(self._mean_length[0]))
        factors, alpha = self.vectors_of(listener), self._config.alpha
        return FoldIn.of(factors, listener.weights, self._gram, alpha, float(strength[0]))


def _with_cold_items(fitted: FloatArray, counts: FloatArray, catalogue: Catalogue) -> tuple[FloatArray, IntArray]:
    """Return factors float32[warm tracks + artists of cold tracks, f], and the row of each track in them, int32[n]."""
    first = first_artists(catalogue)
    heard, artists = counts > 0, catalogue.n_artists
    if heard.all():
        return fitted, np.arange(len(fitted), dtype=np.int32)
    sound = scale_features(catalogue.features, catalogue.feature_columns)
    content = artist_content(genre_profiles(catalogue), sound, first, artists, CONTENT_GENRES)
    unheard = cold_item_factors(fitted, counts[heard], first[heard], content, ARTIST_PRIOR)
    return embedding_lookup(fitted, heard, unheard * np.float32(COLD_SCALE), first)


def first_artists(catalogue: Catalogue) -> IntArray:
    """Return the first credited artist of each track, int32[n], -1 if there is none."""
    first = np.full(catalogue.n_tracks, -1, dtype=np.int32)
    credited = np.diff(catalogue.artist_indptr) > 0
    first[credited] = catalogue.artist_indices[catalogue.artist_indptr[:-1][credited]]
    return first
