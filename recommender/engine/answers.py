"""What a listener's answers, likes and skips alike, say of songs they have not been shown.

The terms take a song that was never shown for a faint no, and a skip for a little more than that. Here only what was
shown counts, and a skip as much as a like. Whether a listener likes song t is taken for

    y_t = p_t + b_t . x + noise,    x ~ N(0, I),    noise of variance n p_t (1 - p_t) + m,

with p_t the share of the listeners who like it, x where the listener's taste departs from everybody's, and n and m the
`noise` and `least_noise` of AnswersConfig, the noise divided by how sure an answer is (`Given.sureness`). Given answers
y_S (1 liked, 0 not; N_S the diagonal of their noise, B_S their b as rows) the best linear prediction of the others is
that of Bayesian linear regression (Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, equation 2.11):

    E[y_t] = p_t + b_t . (I + B_S' N_S^-1 B_S)^-1 B_S' N_S^-1 (y_S - p_S).

So a skip says the more, the less it was to be expected: one of a popular song, or of one the likes spoke for. b is a
ridge regression of the training listeners' likes on their factors, turned to its principal directions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.engine.arrays import AnyArray, BoolArray, FloatArray, IntArray, Sparse, as_float32, as_int32
from recommender.engine.config import AnswersConfig, EngineConfig
from recommender.engine.data import Feedback, FeedbackKind, Interactions
from recommender.engine.listener import Listener, decay
from recommender.engine.observations import column_counts, weight_matrix
from recommender.engine.terms.collaborative import CollaborativeTerm

REFUSALS = (FeedbackKind.SKIP, FeedbackKind.DISLIKE)


@dataclass(frozen=True, eq=False)
class Given:
    """A listener's answers.

    rows: int32[m], distinct, increasing; liked: bool[m], else refused; sureness: float64[m] in 0..1, 1 for a fresh like
    or skip, 0 excluded; the noise of an answer is divided by it.
    """

    rows: IntArray
    liked: BoolArray
    sureness: NDArray[np.float64]

    @classmethod
    def of(cls, listener: Listener, feedback: Feedback, config: EngineConfig) -> Self:
        """What the listener's signals sum up to, song by song: a like with its weight, a refusal with its age.

        Only of the songs that the taste is made of: with more than `EngineConfig.max_songs` liked, skips drop out.
        """
        refused = np.flatnonzero(np.isin(feedback.kind, REFUSALS))
        refused = refused[np.isin(feedback.rows[refused], listener.rows)]
        left = decay(feedback.kind[refused], feedback.age_days[refused], config)
        fresh = np.zeros(len(listener.rows))
        np.maximum.at(fresh, np.searchsorted(listener.rows, feedback.rows[refused]), left)
        liked = listener.weights > 0
        sureness = np.where(liked, np.minimum(listener.weights, 1.0), fresh)
        told = (sureness > 1e-6) & (listener.weights != 0)
        return cls(listener.rows[told], liked[told], sureness[told])

    @property
    def refusals(self) -> float:
        """How many refusals there are, old ones in part."""
        return float(self.sureness[~self.liked].sum())


@dataclass(frozen=True, eq=False)
class Answers:
    """heard: int32[m], increasing rows of the songs somebody likes; share: float32[m], p of each; loadings:
    float32[m, d], b of each. Of all other songs both are 0.
    """

    heard: IntArray
    share: FloatArray
    loadings: FloatArray

    @classmethod
    def fit(cls, interactions: Interactions, collaborative: CollaborativeTerm, config: EngineConfig) -> Self | None:
        """Learn from the listeners and their factors; None while there are too few to learn a ranking from.

        Nothing of a listener is kept but what they add to the sums of the songs they like.
        """
        weights = weight_matrix(interactions, collaborative.n_tracks)
        weights = weights[np.diff(weights.indptr) > 0]
        too_few = weights.shape[0] < max(config.ranking.min_listeners, config.term_min_listeners)
        if too_few or not config.answers.weight:
            return None
        factors = collaborative.listener_factors(weights)
        likes = sp.csr_array(weights > 0).astype(np.float32)
        counts = column_counts(likes)
        heard = as_int32(np.flatnonzero(counts))
        share = as_float32(counts[heard] / likes.shape[0])
        return cls(heard, share, _loadings(sp.csr_array(likes[:, heard]), factors, config.answers))

    def expected(self, rows: IntArray, given: Given, config: AnswersConfig) -> FloatArray:
        """Expected answers to `rows`, float32[len(rows)]; O(m d^2 + d^3) for m answers."""
        share, loadings = (values.astype(np.float64) for values in self._of(given.rows))
        noise = (config.noise * share * (1.0 - share) + config.least_noise) / given.sureness
        told = loadings / noise[:, None]
        taste = np.linalg.solve(np.eye(loadings.shape[1]) + loadings.T @ told, told.T @ (given.liked - share))
        base, own = self._of(rows)
        return as_float32(base + own @ as_float32(taste))

    def knows(self, rows: IntArray) -> BoolArray:
        """Which of `rows` somebody likes: bool[len(rows)]."""
        return self._places(rows) >= 0

    def moved(self, old_rows: IntArray) -> Self:
        """The same for a catalogue whose tracks had the rows `old_rows` (int32[n], -1: new) here."""
        place = self._places(old_rows)
        heard = np.flatnonzero(place >= 0)
        return type(self)(as_int32(heard), self.share[place[heard]], self.loadings[place[heard]])

    def arrays(self) -> Mapping[str, AnyArray]:
        """What has to be stored."""
        return {"heard": self.heard, "share": self.share, "loadings": self.loadings}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """The inverse of `arrays`, without copying. Raises KeyError if one is missing."""
        return cls(as_int32(arrays["heard"]), as_float32(arrays["share"]), as_float32(arrays["loadings"]))

    def _places(self, rows: IntArray) -> IntArray:
        """Places of `rows` in `heard`, -1 where nobody likes them."""
        place = np.searchsorted(self.heard, rows)
        known = place < len(self.heard)
        known[known] = self.heard[place[known]] == rows[known]
        return as_int32(np.where(known, place, -1))

    def _of(self, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """p and b of `rows`: float32[len(rows)] and float32[len(rows), d]."""
        place = self._places(rows)
        known = place >= 0
        share = np.zeros(len(rows), dtype=np.float32)
        loadings = np.zeros((len(rows), self.loadings.shape[1]), dtype=np.float32)
        share[known], loadings[known] = self.share[place[known]], self.loadings[place[known]]
        return share, loadings


def adjustment(
    answers: Answers | None, rows: IntArray, given: Given, spread: float, config: AnswersConfig
) -> FloatArray:
    """What the answers add to the scores of candidates `rows`, float32[c]: expected answers, standardised.

    rows: best first. In `spread`s of the scores, and the more refusals there are: without any, what the terms have
    learned from likes is all there is to say, and nothing is added. Of songs nobody likes nothing is said, little of
    the others where the best candidates are such.
    """
    added = np.zeros(len(rows), dtype=np.float32)
    refusals = given.refusals
    if answers is None or not refusals or not len(rows):
        return added
    heard = answers.knows(rows)
    expected = answers.expected(rows[heard], given, config)
    deviation = float(expected.std(dtype=np.float64)) if len(expected) else 0.0
    if deviation < 1e-9:
        return added
    weight = config.weight * spread * refusals / (refusals + config.half_refusals) * heard[: config.best].mean() ** 2
    added[heard] = (expected - expected.mean()) * np.float32(weight / deviation)
    return added


def _loadings(likes: Sparse, factors: FloatArray, config: AnswersConfig) -> FloatArray:
    """b of each song, float32[m, d]. likes: listeners x m, ones; factors: float32[listeners, f]."""
    away = factors - factors.mean(axis=0)
    gram = (away.T @ away).astype(np.float64)
    ridge = config.ridge * np.trace(gram) / len(gram) * np.eye(len(gram)) + 1e-9 * np.eye(len(gram))
    # Of the unit normal x that away = root x, so that b = root' times the regression's coefficients.
    root = np.linalg.cholesky((gram + ridge) / len(factors))
    turn = np.linalg.solve(gram + ridge, root)
    sums = as_float32(likes.T @ away)
    products = turn.T @ (sums.T @ sums).astype(np.float64) @ turn
    principal = np.linalg.eigh(products)[1][:, ::-1][:, : config.directions]
    return as_float32(sums @ as_float32(turn @ principal))
