"""What a listener's answers, likes and skips alike, say of songs they have not been shown.

The terms take a song that was never shown for a faint no, and a skip for a little more than that. Here only what was
shown counts, and a skip as much as a like. Whether a listener likes song t is taken for

    y_t ~ Bernoulli(sigmoid(a_t + w_t . x)),    x ~ N(0, I),

x being where the listener's taste departs from everybody's; a and w are learned from the listeners
(`factors.logistic`). From the answers given, x is the most probable one (the mode of Bayesian logistic regression,
Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, section 3.4), found by Newton's method; an answer
counts as often as it is sure (`Given.sureness`). So a skip says the more, the less it was to be expected: one of a
popular song, or of one the likes spoke for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import expit

from recommender.engine.arrays import (
    AnyArray,
    BoolArray,
    FloatArray,
    IntArray,
    Sparse,
    as_float32,
    as_int32,
    top_rows,
    weighted_gram,
)
from recommender.engine.config import AnswersConfig, EngineConfig
from recommender.engine.data import Feedback, FeedbackKind, Interactions
from recommender.engine.factors.logistic import fit_log_odds
from recommender.engine.listener import Listener, decay
from recommender.engine.observations import column_counts, weight_matrix
from recommender.engine.terms.collaborative import CollaborativeTerm

REFUSALS = (FeedbackKind.SKIP, FeedbackKind.DISLIKE)
NEWTON_STEPS, LEAST_MOVE, LEAST_GAIN = 20, 1e-3, 1e-6


@dataclass(frozen=True, eq=False)
class Given:
    """A listener's answers.

    rows: int32[m], distinct, increasing; liked: bool[m], else refused; sureness: float64[m] in 0..1, 1 for a fresh like
    or skip, 0 excluded.
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
    """known: int32[m], increasing rows of the songs of which something is said; offset: float32[m], a of each;
    loadings: float32[m, d], w of each.
    """

    known: IntArray
    offset: FloatArray
    loadings: FloatArray

    @classmethod
    def fit(
        cls,
        interactions: Interactions,
        collaborative: CollaborativeTerm,
        config: EngineConfig,
        rng: np.random.Generator,
    ) -> Self | None:
        """Learn from the listeners and their factors; None while there are too few to learn a ranking from.

        Of many listeners a sample, of many songs the most liked. Nothing of a listener is kept but what they add to the
        sums of the songs they like.
        """
        settings = config.answers
        weights = weight_matrix(interactions, collaborative.n_tracks)
        weights = weights[np.diff(weights.indptr) > 0]
        too_few = weights.shape[0] < max(config.ranking.min_listeners, config.term_min_listeners)
        if too_few or not settings.weight:
            return None
        if weights.shape[0] > settings.listeners:
            weights = weights[np.sort(rng.choice(weights.shape[0], settings.listeners, replace=False))]
        likes = sp.csr_array(weights > 0).astype(np.float32)
        counts = column_counts(likes)
        known = np.sort(top_rows(counts, settings.songs, counts >= settings.min_listeners))
        if not len(known):
            return None
        likes = sp.csr_array(likes[:, known])
        start = _slopes(likes, collaborative.listener_factors(weights), settings)
        return cls(known, *fit_log_odds(likes, start, settings.deviation, settings.rounds))

    def expected(self, rows: IntArray, given: Given) -> FloatArray:
        """Expected answers to `rows`, float32[len(rows)], 0 where nothing is said; O(m d^2 + d^3) for m answers."""
        told = self._places(given.rows)
        heard = told >= 0
        taste = _most_probable(
            self.loadings[told[heard]], self.offset[told[heard]], given.liked[heard], given.sureness[heard]
        )
        place = self._places(rows)
        asked = place >= 0
        log_odds = np.full(len(rows), -np.inf)
        log_odds[asked] = self.offset[place[asked]] + self.loadings[place[asked]] @ taste
        return as_float32(expit(log_odds))

    def knows(self, rows: IntArray) -> BoolArray:
        """Of which of `rows` something is said: bool[len(rows)]."""
        return self._places(rows) >= 0

    def moved(self, old_rows: IntArray) -> Self:
        """The same for a catalogue whose tracks had the rows `old_rows` (int32[n], -1: new) here."""
        place = self._places(old_rows)
        kept = np.flatnonzero(place >= 0)
        return type(self)(as_int32(kept), self.offset[place[kept]], self.loadings[place[kept]])

    def arrays(self) -> Mapping[str, AnyArray]:
        """What has to be stored."""
        return {"known": self.known, "offset": self.offset, "loadings": self.loadings}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """The inverse of `arrays`, without copying. Raises KeyError if one is missing."""
        return cls(as_int32(arrays["known"]), as_float32(arrays["offset"]), as_float32(arrays["loadings"]))

    def _places(self, rows: IntArray) -> IntArray:
        """Places of `rows` in `known`, -1 where nothing is said."""
        place = np.searchsorted(self.known, rows)
        found = place < len(self.known)
        found[found] = self.known[place[found]] == rows[found]
        return as_int32(np.where(found, place, -1))


def _most_probable(
    loadings: FloatArray, offset: FloatArray, liked: BoolArray, sureness: NDArray[np.float64]
) -> NDArray[np.float64]:
    """x of a listener who gave m answers to songs of these a and w, float64[d]."""

    def plausibility(taste: NDArray[np.float64]) -> float:
        log_odds = offset + loadings @ taste
        return float(sureness @ (liked * log_odds - np.logaddexp(0.0, log_odds)) - 0.5 * taste @ taste)

    taste = np.zeros(loadings.shape[1])
    reached = plausibility(taste)
    for _step in range(NEWTON_STEPS):
        chance = expit(offset + loadings @ taste)
        slope = loadings.T @ (sureness * (liked - chance)) - taste
        curve = np.eye(len(taste)) + weighted_gram(loadings, as_float32(sureness * chance * (1.0 - chance)))
        move = np.linalg.solve(curve, slope)
        # A whole step may lead beyond the top.
        while (gained := plausibility(taste + move) - reached) < 0.0 and np.abs(move).max() > LEAST_MOVE:
            move *= 0.5
        if gained <= LEAST_GAIN:
            break
        taste, reached = taste + move, reached + gained
    return taste


def adjustment(answers: Answers, rows: IntArray, given: Given, spread: float, config: AnswersConfig) -> FloatArray:
    """What the answers add to the scores of candidates `rows`, float32[c]: expected answers, standardised.

    rows: best first. In `spread`s of the scores, and the more refusals there are: without any, what the terms have
    learned from likes is all there is to say, and nothing is added. Of songs hardly anybody likes nothing is said,
    little of the others where the best candidates are such.
    """
    added = np.zeros(len(rows), dtype=np.float32)
    refusals = given.refusals
    if not refusals or not len(rows):
        return added
    heard = answers.knows(rows)
    expected = answers.expected(rows[heard], given)
    deviation = float(expected.std(dtype=np.float64)) if len(expected) else 0.0
    if deviation < 1e-9:
        return added
    weight = config.weight * spread * refusals / (refusals + config.half_refusals) * heard[: config.best].mean() ** 2
    added[heard] = (expected - expected.mean()) * np.float32(weight / deviation)
    return added


def _slopes(likes: Sparse, factors: FloatArray, config: AnswersConfig) -> FloatArray:
    """By how much likes of each song rise with x, float32[m, d]: their ridge regression on the listeners' factors.

    Turned to its principal directions. likes: listeners x m, ones; factors: float32[listeners, f].
    """
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
