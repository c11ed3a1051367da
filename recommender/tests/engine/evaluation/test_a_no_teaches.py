"""A no teaches no: who also says what they dislike or skip is recommended no worse than who tells their likes alone.

Judged on songs drawn at random, where it is worth nothing to know which songs people choose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.engine import EngineConfig, Feedback, FeedbackKind, Model, TermsConfig
from recommender.engine.data.arrays import FloatArray
from recommender.engine.evaluation.rated import RatingQuery, Ratings, RatingScorer, RatingTally, rating_queries
from recommender.engine.evaluation.split import Reveal
from recommender.engine.fit import fit_model
from recommender.engine.fitting import FactorConfig
from recommender.engine.fitting.implicit_negatives import PreferenceConfig
from recommender.engine.rank import rank
from recommender.engine.ranking.config import BlendConfig, RankingConfig
from recommender.engine.terms.preference import PreferenceTerm
from recommender.tests.engine.people import World, learned_from

AMOUNTS = ("1", "2", "5", "10", "20")
HARMLESS = 0.003
"""By so much the mean AUC may fall short of that of likes alone."""
HEARD = ("popularity", "collaborative", "item_to_item", "preference")
"""The other terms have nothing to say of songs that only listeners link."""
CONFIG = EngineConfig(
    terms=TermsConfig(factors=FactorConfig(factors=16), preference=PreferenceConfig(n_factors=4, n_iterations=5)),
    ranking=RankingConfig(candidates=150, queries=200, trees=30, min_leaf=20),
    blend=BlendConfig(
        term_weights={name: weights for name, weights in BlendConfig().term_weights.items() if name in HEARD}
    ),
)
CHOOSING, SHOWN = World(people=450, songs=300), World(people=450, songs=150)


@dataclass(frozen=True, eq=False)
class Judged:
    """What dislikes and skips add to the likes alone, person by person: AUC by amount, float64[people] each; silence:
    as the model has learned it.
    """

    dislikes: Mapping[str, NDArray[np.float64]]
    skips: Mapping[str, NDArray[np.float64]]
    silence: float


def judge(world: World, answered: Ratings) -> Judged:
    model = fit_model(world.catalogue(), learned_from(answered), CONFIG, np.random.default_rng(0))
    scorers = {"likes": likes_alone(model)}
    scorers |= {no.name: told_all(model, no) for no in (FeedbackKind.DISLIKE, FeedbackKind.SKIP)}
    tally, order = RatingTally(), np.random.default_rng(1).permutation(len(answered.row))
    assert answered.is_test is not None
    for amount in AMOUNTS:
        tally.add(scorers, amount, rating_queries(answered, order, answered.is_test, Reveal(amount)))
    auc = {(line.reveal, line.scorer): line.auc for line in tally.measured(AMOUNTS)}
    gains = [
        {amount: auc[amount, no.name] - auc[amount, "likes"] for amount in AMOUNTS}
        for no in (FeedbackKind.DISLIKE, FeedbackKind.SKIP)
    ]
    preference = model.terms["preference"]
    assert isinstance(preference, PreferenceTerm)
    return Judged(gains[0], gains[1], preference.implicit_negative_weight)


def harm(gains: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Amounts at which the mean gain is a loss of more than HARMLESS by two standard errors, with the mean."""
    highest = {amount: gain.mean() + 2.0 * gain.std() / np.sqrt(len(gain)) for amount, gain in gains.items()}
    return {amount: float(gains[amount].mean()) for amount, bound in highest.items() if bound < -HARMLESS}


def ranking(model: Model, question: RatingQuery, feedback: Feedback) -> FloatArray:
    allowed = np.ones(model.catalogue.n_tracks, dtype=np.bool_)
    allowed[question.revealed] = False
    return rank(model, model.listener(feedback), allowed).total[question.ranked]


def likes_alone(model: Model) -> RatingScorer:
    return lambda question: ranking(model, question, question.likes)


def told_all(model: Model, no: FeedbackKind) -> RatingScorer:
    """The model that hears of every answer, of what was not liked as `no`."""

    def score(question: RatingQuery) -> FloatArray:
        kind = np.where(question.weight > 0, FeedbackKind.LIKE, no).astype(np.int32)
        return ranking(model, question, replace(question.feedback, kind=kind))

    return score


@pytest.fixture(scope="module")
def choosing() -> Judged:
    """People who choose what they answer: well-known songs and songs to their taste before others."""
    return judge(CHOOSING, CHOOSING.chosen(2))


@pytest.fixture(scope="module")
def shown() -> Judged:
    """People who answer what was put before them."""
    return judge(SHOWN, SHOWN.shown(1))


def test_a_dislike_does_no_harm_among_people_who_choose(choosing: Judged) -> None:
    assert choosing.silence == 1.0
    means = {amount: float(gain.mean()) for amount, gain in choosing.dislikes.items()}
    assert min(means.values()) > -HARMLESS, means


def test_a_skip_does_no_harm_among_people_who_choose(choosing: Judged) -> None:
    assert harm(choosing.skips) == {}


@pytest.mark.parametrize("no", ["dislikes", "skips"])
def test_a_no_teaches_among_people_who_are_shown_songs(shown: Judged, no: str) -> None:
    assert shown.silence < 1.0
    means = {amount: float(gain.mean()) for amount, gain in getattr(shown, no).items()}
    assert min(means.values()) > 0.0
    assert min(means[amount] for amount in AMOUNTS[2:]) > 0.01
