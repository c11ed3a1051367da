"""What a listener's answers, likes and skips alike, say of songs they have not been shown.

The terms take a song that was never shown for a faint no, and a skip for a little more than that. Here only what was
shown counts, and a skip as much as a like. Whether a listener likes song t is taken for

    y_t ~ Bernoulli(sigmoid(a_t + w_t . x)),    x ~ N(0, I),

x being where the listener's taste departs from everybody's; a and w are those of the term `logistic`. From the answers
given, x is the most probable one (`factors.logistic`); an answer counts as often as it is sure (`Given.sureness`). So a
skip says the more, the less it was to be expected: one of a popular song, or of one the likes spoke for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from recommender.engine.arrays import BoolArray, FloatArray, IntArray, as_float32
from recommender.engine.config import AnswersConfig, EngineConfig
from recommender.engine.data import Feedback, FeedbackKind
from recommender.engine.factors.logistic import Belief, most_probable
from recommender.engine.listener import Listener, decay
from recommender.engine.terms.logistic import LogisticTerm

REFUSALS = (FeedbackKind.SKIP, FeedbackKind.DISLIKE)


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


def expected(term: LogisticTerm, rows: IntArray, given: Given) -> FloatArray:
    """Chance that each of `rows` is liked after nothing but these answers, float32[len(rows)]; O(m d^2 + d^3) for m."""
    heard = term.knows(given.rows)
    told, asked = term.coordinates(given.rows[heard]), term.coordinates(rows)
    belief = Belief.standard(told.shape[1] - 1)
    taste = most_probable(belief, told[:, -1], told[:, :-1], given.liked[heard], given.sureness[heard])
    return as_float32(expit(asked[:, -1] + asked[:, :-1] @ taste))


def adjustment(term: LogisticTerm, rows: IntArray, given: Given, spread: float, config: AnswersConfig) -> FloatArray:
    """What the answers add to the scores of candidates `rows`, float32[c]: expected answers, standardised.

    rows: best first. In `spread`s of the scores, and the more refusals there are: without any, what the terms have
    learned from likes is all there is to say, and nothing is added. Of songs hardly anybody likes nothing is said,
    little of the others where the best candidates are such.
    """
    added = np.zeros(len(rows), dtype=np.float32)
    refusals = given.refusals
    if not refusals or not len(rows):
        return added
    heard = term.knows(rows)
    chance = expected(term, rows[heard], given)
    deviation = float(chance.std(dtype=np.float64)) if len(chance) else 0.0
    if deviation < 1e-9:
        return added
    weight = config.weight * spread * refusals / (refusals + config.half_refusals) * heard[: config.best].mean() ** 2
    added[heard] = (chance - chance.mean()) * np.float32(weight / deviation)
    return added
