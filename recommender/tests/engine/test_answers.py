from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from recommender.engine import Feedback, FeedbackKind, Interactions, Model, Request, recommend
from recommender.engine.answers import Given, adjustment, expected
from recommender.engine.arrays import as_float32
from recommender.engine.choose import ADJUSTMENTS, pool_of
from recommender.engine.config import AnswersConfig, EngineConfig
from recommender.engine.factors.logistic import Belief, most_probable
from recommender.engine.listener import Listener
from recommender.engine.model import fit_model
from recommender.engine.recommend import rank_for
from recommender.engine.terms.logistic import LogisticTerm
from recommender.tests.engine.build import feedback_of, random_catalogue
from recommender.tests.engine.test_ranking import clustered

LIKE, SKIP, DISLIKE = FeedbackKind.LIKE, FeedbackKind.SKIP, FeedbackKind.DISLIKE
CONFIG = EngineConfig()


def given(liked: list[int], refused: list[int]) -> Given:
    rows = np.array([*liked, *refused], dtype=np.int32)
    return Given(rows, np.arange(len(rows)) < len(liked), np.ones(len(rows)))


def logistic_of(model: Model) -> LogisticTerm:
    term = model.terms["logistic"]
    assert isinstance(term, LogisticTerm)
    return term


@pytest.fixture(scope="module")
def fitted() -> Model:
    catalogue, interactions = clustered()
    return fit_model(catalogue, interactions, CONFIG, np.random.default_rng(0))


def test_a_model_without_the_term_adds_nothing(fitted: Model) -> None:
    feedback = feedback_of((0, LIKE, 1, 0), (21, SKIP, 1, 0))
    terms = {name: term for name, term in fitted.terms.items() if name != "logistic"}
    weights = fitted.weights.without(["logistic"])
    for model, adds in ((fitted, True), (replace(fitted, terms=terms, weights=weights, ranker=None), False)):
        listener, ranked = rank_for(model, feedback, Request(k=8))
        assert bool(pool_of(model, ranked, feedback, listener).added["answers"].any()) is adds


def known(offset: list[float], loadings: NDArray[np.float32], place: list[int], heard: int) -> LogisticTerm:
    """A term of so many heard songs, whose lines are the first; `place` has the line of each track."""
    arrays = {
        "table": np.column_stack([loadings, offset]).astype(np.float32),
        "place": np.array(place, np.int32),
        "heard": np.array([heard], np.int32),
        "pull": np.full(loadings.shape[1], -1.0),
        "precision": 2.0 * np.eye(loadings.shape[1]),
    }
    return LogisticTerm.from_arrays(arrays, random_catalogue(), CONFIG)


def test_expected_answers_are_those_of_the_most_probable_taste() -> None:
    rng = np.random.default_rng(0)
    offset, loadings = rng.standard_normal(4), rng.standard_normal((4, 3)).astype(np.float32)
    # Song 2 nobody has heard, so that the answer to it says nothing.
    term = known(offset.tolist(), loadings, [0, 1, 3, 2], heard=3)
    told = Given(np.array([1, 2, 3], np.int32), np.array([True, True, False]), np.array([1.0, 1.0, 0.25]))
    standard = Belief.standard(3)
    taste = most_probable(standard, as_float32(offset[1:3]), loadings[1:3], told.liked[[0, 2]], told.sureness[[0, 2]])
    wanted = expit(offset + loadings @ taste)
    np.testing.assert_allclose(expected(term, np.arange(4, dtype=np.int32), told), wanted[[0, 1, 3, 2]], rtol=1e-4)


def test_a_skip_takes_down_what_goes_with_it_and_a_like_brings_it_up(fitted: Model) -> None:
    # Listeners of `clustered` like songs 0..19, 20..39, ... together.
    rows = np.array([5, 25], dtype=np.int32)
    first = expected(logistic_of(fitted), rows, given([0], [21]))
    assert first[0] > first[1]
    second = expected(logistic_of(fitted), rows, given([21], [0]))
    assert second[1] > second[0]


def test_without_refusals_nothing_is_added(fitted: Model) -> None:
    rows = np.arange(10, dtype=np.int32)
    assert not adjustment(logistic_of(fitted), rows, given([0], []), 1.0, CONFIG.answers).any()
    assert not adjustment(logistic_of(fitted), rows[:0], given([0], [21]), 1.0, CONFIG.answers).any()


def test_the_adjustment_is_standardised_and_grows_with_refusals(fitted: Model) -> None:
    rows = np.arange(40, 60, dtype=np.int32)
    settings = AnswersConfig(weight=2.0, half_refusals=3.0)
    added = adjustment(logistic_of(fitted), rows, given([0, 1], [21, 41, 61]), 0.5, settings)
    assert added.mean() == pytest.approx(0.0, abs=1e-6)
    assert added.std() == pytest.approx(2.0 * 0.5 * 0.5, rel=1e-5)


def test_what_is_given_sums_up_songs_and_ages() -> None:
    feedback = feedback_of(
        (4, SKIP, 1, 30), (2, LIKE, 1, 0), (2, SKIP, 1, 0), (7, DISLIKE, 1, 0), (9, SKIP, 1, 5000), (5, SKIP, 3, 0)
    )
    config = EngineConfig()
    listener = Listener.from_feedback(feedback, config)
    told = Given.of(listener, feedback, config)
    assert told.rows.tolist() == [2, 4, 5, 7]
    assert told.liked.tolist() == [True, False, False, False]
    assert told.sureness[1:] == pytest.approx([0.5, 1.0, 1.0])
    assert told.refusals == pytest.approx(2.5)


def test_what_is_given_is_of_the_songs_the_taste_is_made_of() -> None:
    feedback = feedback_of((4, LIKE, 1, 0), (2, LIKE, 1, 0), (9, SKIP, 1, 0), (1, SKIP, 1, 0), (3, DISLIKE, 1, 0))
    config = EngineConfig(max_songs=3)
    told = Given.of(Listener.from_feedback(feedback, config), feedback, config)
    assert told.rows.tolist() == [2, 3, 4]
    assert told.liked.tolist() == [True, False, True]
    assert told.refusals == pytest.approx(1.0)


def test_contributions_still_sum_to_the_score(fitted: Model) -> None:
    feedback = feedback_of((0, LIKE, 1, 0), *((row, SKIP, 1, 0) for row in (21, 41, 42, 61)))
    listener, ranked = rank_for(fitted, feedback, Request(k=8))
    pool = pool_of(fitted, ranked, feedback, listener)
    added = dict(zip(pool.rows.tolist(), pool.added["answers"].tolist(), strict=True))
    page = recommend(fitted, feedback, Request(k=8), np.random.default_rng(0))
    assert any("answers" in item.contributions for item in page.items)
    for item in page.items:
        assert sum(item.contributions.values()) == item.score
        by_terms = item.score - sum(item.contributions.get(name, 0.0) for name in ADJUSTMENTS)
        assert by_terms == pytest.approx(float(ranked.total[item.row]), abs=1e-5)
        assert item.contributions["answers"] == added[item.row]
    plain = recommend(fitted, Feedback.likes([0]), Request(k=8), np.random.default_rng(0))
    assert not any("answers" in item.contributions for item in plain.items)


def test_too_few_listeners_say_nothing() -> None:
    catalogue = random_catalogue()
    few = Interactions(
        np.array([0, 1], np.int32), np.array([0, 1], np.int32), np.ones(2, np.float32), np.full(2, -1, np.int32)
    )
    term = logistic_of(fit_model(catalogue, few, CONFIG, np.random.default_rng(0)))
    rows = np.arange(3, dtype=np.int32)
    assert not adjustment(term, rows, given([0], [1]), 1.0, CONFIG.answers).any()


def test_of_songs_nobody_likes_nothing_is_said() -> None:
    term = known([0.0, 0.0, 0.0, 0.0], np.eye(3, dtype=np.float32)[[0, 0, 1, 2]], [0, 1, 2, 3, 3], heard=3)
    settings = AnswersConfig(weight=1.0, half_refusals=0.0)
    added = adjustment(term, np.array([1, 3, 2, 4], np.int32), given([], [0]), 1.0, settings)
    assert added[[1, 3]].tolist() == [0.0, 0.0]
    # Half of the candidates are known, squared.
    assert added[[0, 2]] == pytest.approx([-0.25, 0.25], rel=1e-5)
