from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize

from recommender.engine import Feedback, FeedbackKind, Interactions, Model, Request, load_model, recommend, save_model
from recommender.engine.answers import Answers, Given, adjustment
from recommender.engine.choose import ADJUSTMENTS, pool_of
from recommender.engine.config import AnswersConfig, EngineConfig
from recommender.engine.listener import Listener
from recommender.engine.model import fit_model
from recommender.engine.recommend import rank_for
from recommender.engine.terms.collaborative import CollaborativeTerm
from recommender.engine.update import update_model
from recommender.tests.engine.build import feedback_of, random_catalogue
from recommender.tests.engine.test_ranking import clustered

LIKE, SKIP, DISLIKE = FeedbackKind.LIKE, FeedbackKind.SKIP, FeedbackKind.DISLIKE
CONFIG = EngineConfig()


def given(liked: list[int], refused: list[int]) -> Given:
    rows = np.array([*liked, *refused], dtype=np.int32)
    return Given(rows, np.arange(len(rows)) < len(liked), np.ones(len(rows)))


@pytest.fixture(scope="module")
def fitted() -> Model:
    catalogue, interactions = clustered()
    return fit_model(catalogue, interactions, CONFIG, np.random.default_rng(0))


def test_a_model_without_answers_adds_nothing(fitted: Model) -> None:
    feedback = feedback_of((0, LIKE, 1, 0), (21, SKIP, 1, 0))
    for model, adds in ((fitted, True), (replace(fitted, answers=None), False)):
        listener, ranked = rank_for(model, feedback, Request(k=8))
        assert bool(pool_of(model, ranked, feedback, listener).added["answers"].any()) is adds


def test_expected_answers_are_those_of_the_most_probable_taste() -> None:
    rng = np.random.default_rng(0)
    offset, loadings = rng.standard_normal(5).astype(np.float32), rng.standard_normal((5, 3)).astype(np.float32)
    answers = Answers(np.array([1, 2, 4, 6, 7], np.int32), offset, loadings)
    # Of song 3 nothing is known, so that the answer to it says nothing.
    told = Given(np.array([2, 3, 7], np.int32), np.array([True, False, False]), np.array([1.0, 1.0, 0.25]))

    def improbability(taste: NDArray[np.float64]) -> float:
        liked, refused = (float(offset[place] + loadings[place] @ taste) for place in (1, 4))
        return float(np.log1p(np.exp(-liked)) + 0.25 * np.log1p(np.exp(refused)) + 0.5 * taste @ taste)

    taste = minimize(improbability, np.zeros(3), tol=1e-9).x
    wanted = np.array([0, 1, 4, 6, 9], dtype=np.int32)
    expected = [0.0, *(1.0 / (1.0 + np.exp(-(offset + loadings @ taste))))[[0, 2, 3]], 0.0]
    np.testing.assert_allclose(answers.expected(wanted, told), expected, rtol=1e-3, atol=1e-5)


def test_answers_that_no_taste_explains_still_lead_to_one() -> None:
    """Loadings so large that a whole Newton step from the middle leads far beyond the solution."""
    answers = Answers(np.arange(4, dtype=np.int32), np.full(4, -9.0, np.float32), np.full((4, 1), 30.0, np.float32))
    taste_of_a_like = answers.expected(np.array([3], np.int32), given([0, 1, 2], []))
    assert 0.99 < float(taste_of_a_like[0]) <= 1.0
    mixed = answers.expected(np.array([3], np.int32), given([0], [1, 2]))
    assert float(mixed[0]) == pytest.approx(1 / 3, abs=0.02)


def test_songs_that_few_like_are_left_out_and_of_many_the_most_liked_are_taken(fitted: Model) -> None:
    catalogue, interactions = clustered()
    likes = np.bincount(interactions.row, minlength=catalogue.n_tracks)
    assert fitted.answers is not None
    assert fitted.answers.known.tolist() == np.flatnonzero(likes >= 3).tolist()
    few = replace(CONFIG, answers=AnswersConfig(songs=7, listeners=40))
    small = fit_model(catalogue, interactions, few, np.random.default_rng(0)).answers
    assert small is not None
    assert len(small.known) == 7
    assert np.isfinite(small.loadings).all()
    nobody = replace(CONFIG, answers=AnswersConfig(min_listeners=1000))
    assert fit_model(catalogue, interactions, nobody, np.random.default_rng(0)).answers is None


def test_factors_of_all_listeners_are_those_of_each(fitted: Model) -> None:
    term = fitted.terms["collaborative"]
    assert isinstance(term, CollaborativeTerm)
    some = [Feedback.likes([0, 3, 5]), Feedback.likes([21]), feedback_of((30, LIKE, 1, 0), (2, DISLIKE, 1, 0))]
    matrix = np.zeros((3, fitted.catalogue.n_tracks), dtype=np.float32)
    for line, feedback in zip(matrix, some, strict=True):
        listener = fitted.listener(feedback)
        line[listener.rows] = listener.weights
    together = term.listener_factors(sp.csr_array(matrix))
    for line, feedback in zip(together, some, strict=True):
        np.testing.assert_allclose(line, term.direction(fitted.listener(feedback)), rtol=1e-3, atol=1e-4)


def test_a_skip_takes_down_what_goes_with_it_and_a_like_brings_it_up(fitted: Model) -> None:
    # Listeners of `clustered` like songs 0..19, 20..39, ... together.
    answers = fitted.answers
    assert answers is not None
    rows = np.array([5, 25], dtype=np.int32)
    first = answers.expected(rows, given([0], [21]))
    assert first[0] > first[1]
    second = answers.expected(rows, given([21], [0]))
    assert second[1] > second[0]


def test_without_refusals_nothing_is_added(fitted: Model) -> None:
    assert fitted.answers is not None
    rows = np.arange(10, dtype=np.int32)
    assert not adjustment(fitted.answers, rows, given([0], []), 1.0, CONFIG.answers).any()
    assert not adjustment(fitted.answers, rows[:0], given([0], [21]), 1.0, CONFIG.answers).any()


def test_the_adjustment_is_standardised_and_grows_with_refusals(fitted: Model) -> None:
    assert fitted.answers is not None
    rows = np.arange(40, 60, dtype=np.int32)
    settings = AnswersConfig(weight=2.0, half_refusals=3.0)
    added = adjustment(fitted.answers, rows, given([0, 1], [21, 41, 61]), 0.5, settings)
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


def test_an_incremental_update_keeps_what_answers_say(fitted: Model) -> None:
    catalogue, interactions = clustered()
    updated = update_model(fitted, catalogue, interactions, np.random.default_rng(0)).answers
    assert updated is not None
    assert fitted.answers is not None
    for name, array in fitted.answers.arrays().items():
        np.testing.assert_array_equal(updated.arrays()[name], array)
    without = replace(fitted, answers=None)
    assert update_model(without, catalogue, interactions, np.random.default_rng(0)).answers is None


def test_where_no_song_is_left_nothing_is_said(fitted: Model) -> None:
    assert fitted.answers is not None
    gone = fitted.answers.moved(np.full(3, -1, dtype=np.int32))
    assert not adjustment(gone, np.arange(3, dtype=np.int32), given([0], [1]), 1.0, CONFIG.answers).any()
    assert gone.expected(np.arange(3, dtype=np.int32), given([0], [1])).tolist() == [0.0] * 3


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


def test_is_stored_and_a_model_without_opens(fitted: Model, tmp_path: Path) -> None:
    save_model(fitted, tmp_path / "with")
    opened = load_model(tmp_path / "with", verify=True).answers
    assert opened is not None
    assert fitted.answers is not None
    for name, array in fitted.answers.arrays().items():
        np.testing.assert_array_equal(opened.arrays()[name], array)
    save_model(replace(fitted, answers=None), tmp_path / "without")
    assert load_model(tmp_path / "without").answers is None


def test_moves_with_the_rows() -> None:
    answers = Answers(np.array([0, 2], np.int32), np.array([-0.1, -0.2], np.float32), np.eye(2, dtype=np.float32))
    moved = answers.moved(np.array([2, -1, 1, 0], dtype=np.int32))
    assert moved.known.tolist() == [0, 3]
    assert moved.offset.tolist() == pytest.approx([-0.2, -0.1])
    assert moved.loadings.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_too_few_listeners_say_nothing() -> None:
    catalogue = random_catalogue()
    few = Interactions(
        np.array([0, 1], np.int32), np.array([0, 1], np.int32), np.ones(2, np.float32), np.full(2, -1, np.int32)
    )
    assert fit_model(catalogue, few, CONFIG, np.random.default_rng(0)).answers is None


def test_of_songs_nobody_likes_nothing_is_said() -> None:
    answers = Answers(np.array([0, 1, 2], np.int32), np.zeros(3, np.float32), np.eye(3, dtype=np.float32)[[0, 0, 1]])
    settings = AnswersConfig(weight=1.0, half_refusals=0.0)
    added = adjustment(answers, np.array([1, 7, 2, 8], np.int32), given([], [0]), 1.0, settings)
    assert added[[1, 3]].tolist() == [0.0, 0.0]
    # Half of the candidates are known, squared.
    assert added[[0, 2]] == pytest.approx([-0.25, 0.25], rel=1e-5)
