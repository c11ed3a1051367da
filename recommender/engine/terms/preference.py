"""`preference`: the log-odds of a like, from a listener's likes, dislikes and skips together.

The model of whether a listener likes song t is

    y_t ~ Bernoulli(sigmoid(a_t + w_t . x)),    x ~ N(0, I),

where x is the deviation of the listener's taste from the average; a and w are learned from the answers of all listeners
(`fitting.logistic`), and x is the MAP estimate from the listener's own. A dislike or skip therefore counts more if it
was unexpected. This is the only collaborative term that uses dislikes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import expit

from recommender.engine.data import Catalogue, Interactions
from recommender.engine.data.arrays import (
    AnyArray,
    BoolArray,
    FloatArray,
    IntArray,
    Sparse,
    as_float32,
    as_int32,
    products_at,
    top_rows,
)
from recommender.engine.data.checks import check_array, check_range
from recommender.engine.data.interaction_matrix import column_counts, rating_matrix
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.fitting import artist_item_matrix, embedding_lookup
from recommender.engine.fitting.implicit_negatives import PreferenceConfig, learn_implicit_negative_weight
from recommender.engine.fitting.logistic import fit_item_factors, fit_user_factors
from recommender.engine.fitting.map_estimate import GaussianPrior, map_user_factor
from recommender.engine.fitting.ordinal import YES
from recommender.engine.fitting.rare_items import RatingCounts, closed_form_item_factors
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
from recommender.engine.terms.collaborative import first_artists


class PreferenceTerm(LinearTerm):
    """score[t] = a_t + w_t . x, the log-odds of a like; x: float64[d], the MAP estimate of the listener's user factor.

    At the mode x = P^-1 (h + sum over answers r of s_r (y_r - p_r) w_r), with the prior's precision P and h = P mean
    (`rhs`), the confidence s_r of an answer and the probability p_r of a like. A score is therefore a sum over the
    listener's answers. Tracks without answers share a and w of their first artist.
    """

    name: ClassVar[str] = "preference"
    label: ClassVar[str] = gettext_noop("Your likes, dislikes, plays and skips together")
    wording: ClassVar[Wording | None] = {
        "liked": gettext_noop("Listeners who like %(title)s like this"),
        "played": gettext_noop("Listeners who play %(title)s like this"),
    }
    default_weight: ClassVar[Weight] = 2.0
    sqrt_transform: ClassVar[bool] = False
    is_collaborative: ClassVar[bool] = True

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> None:
        self._embeddings = as_float32(arrays["table"])
        self._row_index = as_int32(arrays["place"])
        self._n_warm, self._implicit_negative_weight = (
            as_int32(arrays["heard"]),
            np.asarray(arrays["silence"], dtype=np.float64),
        )
        rhs, precision = (np.asarray(arrays[name], dtype=np.float64) for name in ("pull", "precision"))
        self._prior = GaussianPrior(rhs, precision)
        self._config = config.preference
        self._naming = Naming(catalogue)
        check_array("preference.place", self._row_index, np.int32, (catalogue.n_tracks,))
        check_range("preference.place", self._row_index, 0, len(self._embeddings))

    @property
    def implicit_negative_weight(self) -> float:
        """Return the weight of an unanswered song as a negative, 0..1."""
        return float(self._implicit_negative_weight[0])

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        """Learn from the answers of all listeners; silent while there are too few of them."""
        return cls._fitted(catalogue, interactions, config, rng, progress, None)

    def updated(
        self,
        change: Change,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
    ) -> Self:
        """Fit again, which is quick; the implicit negative weight stays, because the blend weights depend on it."""
        unrated_weight = self.implicit_negative_weight if self._embeddings.shape[1] > 1 else None
        return self._fitted(catalogue, interactions, config, rng, no_progress, unrated_weight)

    @classmethod
    def _fitted(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
        progress: Progress,
        unrated_weight: float | None,
    ) -> Self:
        settings, answers = config.preference, rating_matrix(interactions, catalogue.n_tracks)
        answers = answers[np.diff(answers.indptr) > 0]
        if answers.shape[0] < max(settings.min_listeners, MIN_LISTENERS):
            return cls(_nothing(catalogue.n_tracks), catalogue, config)
        progress("preferences", 0.0)
        if unrated_weight is None:
            unrated_weight = learn_implicit_negative_weight(answers, settings, rng)
        artist, heard = first_artists(catalogue), column_counts(answers) > 0
        parts = answers[:, heard], artist[heard], catalogue.n_artists
        songs, artists = _songs_and_artists(*parts, unrated_weight, settings, rng)
        prior = GaussianPrior.from_unobserved(songs, unrated_weight)
        embeddings, row_index = embedding_lookup(songs, heard, artists, artist)
        progress("preferences", 1.0)
        arrays: dict[str, AnyArray] = {
            "table": embeddings,
            "place": row_index,
            "heard": np.array([len(songs)], dtype=np.int32),
            "pull": prior.rhs,
            "precision": prior.precision,
            "silence": np.array([unrated_weight]),
        }
        return cls(arrays, catalogue, config)

    def score_all(self, listener: ListenerProfile) -> FloatArray:
        return as_float32(self._embeddings @ self.user_vector(listener))[self._row_index]

    def score_many(self, listeners: Sequence[ListenerProfile]) -> list[FloatArray]:
        return products_at(
            self._embeddings, np.stack([self.user_vector(listener) for listener in listeners]), self._row_index
        )

    def user_vector(self, listener: ListenerProfile) -> FloatArray:
        whole = listener.whole
        # For a listener without answers, popularity is left to other terms.
        return np.append(as_float32(whole.cached(self._taste)), np.float32(len(whole.rows) > 0))

    def item_vectors(self, rows: IntArray) -> FloatArray:
        return self._embeddings[self._row_index[rows]]

    def item_groups(self) -> IntArray:
        return self._row_index

    def knows(self, rows: IntArray) -> BoolArray:
        """Return which of `rows` somebody has answered: bool[len(rows)]."""
        return np.asarray(self._row_index[rows] < self._n_warm[0])

    def explain(self, listener: ListenerProfile, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        whole, songs = listener.whole, self.item_vectors(rows)
        if not len(whole.rows):
            return [[] for _ in rows]
        prior = self._prior_of(whole)
        inverse = np.linalg.inv(prior.precision)
        everybody = songs[:, -1] + songs[:, :-1] @ (inverse @ prior.rhs)
        gradients = self.item_vectors(whole.rows)[:, :-1] * self._surprise(whole)[:, None]
        values = as_float32(songs[:, :-1] @ inverse @ gradients.T)
        causes = self._naming.tracks(whole, whole.rows, rows, values, limit)
        if limit is not None:
            return causes
        return [
            [Cause("listeners", -1, float(value)), *by_song] for value, by_song in zip(everybody, causes, strict=True)
        ]

    def arrays(self) -> Mapping[str, AnyArray]:
        return {
            "table": self._embeddings,
            "place": self._row_index,
            "heard": self._n_warm,
            "pull": self._prior.rhs,
            "precision": self._prior.precision,
            "silence": self._implicit_negative_weight,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> Self:
        return cls(arrays, catalogue, config)

    def _prior_of(self, listener: ListenerProfile) -> GaussianPrior:
        """Return the prior that unanswered songs were not liked.

        It fades with skips, which belong to songs that the site chose rather than the listener.
        """
        likes, settings = float(listener.confidence[listener.weights > 0].sum()), self._config
        faded = self._prior.scaled(settings.half_skips / (listener.skips + settings.half_skips))
        return faded.of_likes(likes, settings.half_likes)

    def _taste(self, listener: ListenerProfile) -> NDArray[np.float64]:
        songs = self.item_vectors(listener.rows)
        return map_user_factor(
            self._prior_of(listener), songs, listener.weights > 0, listener.confidence.astype(np.float64)
        )

    def _surprise(self, listener: ListenerProfile) -> FloatArray:
        """Return the residual s (y - p) of each answer, float32[m]."""
        songs, taste = self.item_vectors(listener.rows), listener.cached(self._taste)
        probability = expit(songs[:, -1] + songs[:, :-1] @ taste)
        return as_float32(listener.confidence * ((listener.weights > 0) - probability))


def _nothing(n_tracks: int) -> dict[str, AnyArray]:
    return {
        "table": np.zeros((1, 1), dtype=np.float32),
        "place": np.zeros(n_tracks, dtype=np.int32),
        "heard": np.zeros(1, dtype=np.int32),
        "pull": np.zeros(0),
        "precision": np.zeros((0, 0)),
        "silence": np.ones(1),
    }


def _songs_and_artists(
    answers: Sparse,
    artist: IntArray,
    n_artists: int,
    unrated_weight: float,
    settings: PreferenceConfig,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return w and a of every song, float32[n, d + 1], and the expectation for a song of each artist, float32[n_artists
    + 1, d + 1], the last row for no artist.

    answers: listeners x n; artist: int32[n], -1 = none. The factors of the anchor items are learned from some of the
    listeners; those of the others follow in closed form from the factors of all listeners who answered them.
    """
    listeners, total = answers.shape[0], column_counts(answers)
    best = np.sort(top_rows(total, settings.n_anchor_items))
    some = np.sort(rng.permutation(listeners)[: settings.max_listeners])
    learned = fit_item_factors(answers[some][:, best], unrated_weight, settings.n_factors, settings.n_iterations)
    user_factors = fit_user_factors(answers[:, best], unrated_weight, learned)
    yes, no = _where(answers, answers.data >= YES), _where(answers, answers.data < YES)
    counts = RatingCounts(column_counts(yes), total, as_float32(yes.T @ user_factors), as_float32(no.T @ user_factors))
    weight = total.sum() + unrated_weight * (listeners * len(total) - total.sum())
    # Half a like more keeps the share above 0 if nothing is liked.
    share = float((counts.likes.sum() + 0.5) / (weight + 1.0))
    credited = artist_item_matrix(artist, n_artists)
    of_artists = RatingCounts(
        *(as_float32(credited @ part) for part in (counts.likes, total, counts.liked_sum, counts.disliked_sum))
    )
    nothing = np.zeros((n_artists + 1, user_factors.shape[1]), dtype=np.float32)
    deviations = learned.deviations
    expected = closed_form_item_factors(of_artists, listeners, unrated_weight, share, deviations, nothing)[:, :-1]
    expected[-1] = 0.0
    zeros = np.zeros(n_artists + 1, dtype=np.float32)
    by_artist = closed_form_item_factors(
        RatingCounts(zeros, zeros, nothing, nothing), listeners, unrated_weight, share, deviations, expected
    )
    songs = closed_form_item_factors(counts, listeners, unrated_weight, share, deviations, expected[artist])
    songs[best] = learned.songs
    return songs, by_artist


def _where(answers: Sparse, chosen: BoolArray) -> Sparse:
    """Return the indicators of the chosen entries, of the shape of `answers`."""
    listener = np.repeat(np.arange(answers.shape[0]), np.diff(answers.indptr))[chosen]
    ones = np.ones(len(listener), dtype=np.float32)
    return sp.csr_array((ones, (listener, answers.indices[chosen])), shape=answers.shape)
