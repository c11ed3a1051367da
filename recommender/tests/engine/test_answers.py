from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from recommender.engine import (
    Catalogue,
    EngineConfig,
    Feedback,
    FeedbackKind,
    Interactions,
    Model,
    Request,
    load_model,
    recommend,
    save_model,
)
from recommender.engine.answers import Answers
from recommender.engine.choose import ADJUSTMENTS
from recommender.engine.config import AnswersConfig
from recommender.engine.factors.logistic import Belief
from recommender.engine.listener import Listener
from recommender.engine.model import fit_model
from recommender.engine.page import allowed_rows
from recommender.engine.ranking.ranked import ANSWERS
from recommender.engine.recommend import rank_for
from recommender.engine.update import update_model
from recommender.tests.engine.build import feedback_of, make_catalogue
from recommender.tests.engine.test_ranking import clustered

LIKE, SKIP, DISLIKE = FeedbackKind.LIKE, FeedbackKind.SKIP, FeedbackKind.DISLIKE
CONFIG = EngineConfig()
NOBODYS = 120
ALL = np.arange(122, dtype=np.int32)


def listener(*signals: tuple[int, FeedbackKind]) -> Listener:
    return Listener.from_feedback(feedback_of(*((row, kind, 1, 0) for row, kind in signals)), CONFIG)


def likes(*rows: int) -> Listener:
    return listener(*((row, LIKE) for row in rows))


def chances(answers: Answers, who: Listener, silence: float = 1.0) -> NDArray[np.float32]:
    return answers.chances(ALL, who, silence)


def with_unheard() -> Catalogue:
    """The songs of `clustered`, one more by the artist of song 3, and one by somebody of whom nothing was heard."""
    return make_catalogue([*([row] for row in range(NOBODYS)), [3], [NOBODYS]])


@pytest.fixture(scope="module")
def answers() -> Answers:
    found = Answers.fit(with_unheard(), clustered()[1], CONFIG)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def fitted() -> Model:
    catalogue, interactions = clustered()
    return fit_model(catalogue, interactions, CONFIG, np.random.default_rng(0))


def known(offset: list[float], loadings: NDArray[np.float64], place: list[int], heard: int) -> Answers:
    """Answers of so many heard songs, whose lines are the first; `place` has the line of each track."""
    table = np.column_stack([loadings, offset]).astype(np.float32)
    directions = loadings.shape[1]
    return Answers(table, np.array(place, np.int32), heard, Belief(np.full(directions, -1.0), 2.0 * np.eye(directions)))


class TestChances:
    def test_are_those_of_the_most_probable_taste(self) -> None:
        rng = np.random.default_rng(0)
        offset, loadings = rng.standard_normal(4), rng.standard_normal((4, 3))
        answers = known(offset.tolist(), loadings, [0, 1, 3, 2], heard=4)
        who = Listener.from_feedback(feedback_of((1, LIKE, 1, 0), (3, SKIP, 1, 60)), CONFIG)

        def improbability(taste: NDArray[np.float64]) -> float:
            liked, refused = offset[1] + loadings[1] @ taste, offset[2] + loadings[2] @ taste
            # Half of the silence, which asks for a precision of 2; two half-lives leave a quarter of the skip.
            prior = 0.5 * taste.sum() + 0.5 * 1.5 * taste @ taste
            return float(np.log1p(np.exp(-liked)) + 0.25 * np.log1p(np.exp(refused)) + prior)

        taste = minimize(improbability, np.zeros(3), tol=1e-10).x
        wanted = expit(offset + loadings @ taste)[[0, 1, 3, 2]]
        np.testing.assert_allclose(answers.chances(np.arange(4, dtype=np.int32), who, 0.5), wanted, rtol=1e-3)

    def test_a_like_raises_the_songs_of_its_listeners(self, answers: Answers) -> None:
        moved = np.log(chances(answers, likes(0, 1)) / chances(answers, likes()))
        assert np.median(moved[2:20]) > moved[20:NOBODYS].max()
        assert moved[2:20].min() > np.quantile(moved[20:NOBODYS], 0.95)

    def test_a_skip_takes_down_what_goes_with_it_and_a_like_brings_it_up(self, answers: Answers) -> None:
        # Listeners of `clustered` like songs 0..19, 20..39, ... together.
        first = chances(answers, listener((0, LIKE), (21, SKIP)), silence=0.0)
        assert first[5] > first[25]
        second = chances(answers, listener((21, LIKE), (0, SKIP)), silence=0.0)
        assert second[25] > second[5]

    def test_a_skip_counts_as_much_as_a_dislike(self, answers: Answers) -> None:
        skipped, disliked = (chances(answers, listener((0, kind))) for kind in (SKIP, DISLIKE))
        np.testing.assert_array_equal(skipped, disliked)

    def test_follow_how_many_like_a_song(self, answers: Answers) -> None:
        counts = np.bincount(clustered()[1].row, minlength=NOBODYS)
        assert np.corrcoef(np.log(chances(answers, likes())[:NOBODYS]), np.log(counts))[0, 1] > 0.8

    def test_a_song_nobody_has_heard_goes_with_its_artist(self, answers: Answers) -> None:
        assert not answers.knows(ALL[NOBODYS:]).any()
        assert answers.knows(ALL[:NOBODYS]).all()
        before, after = chances(answers, likes()), chances(answers, likes(0, 1))
        assert after[NOBODYS] > before[NOBODYS]
        assert after[NOBODYS + 1] == before[NOBODYS + 1]
        assert before[NOBODYS] < before[3]


class TestFit:
    def test_few_songs_are_enough_to_learn_the_directions_from(self, answers: Answers) -> None:
        config = replace(CONFIG, answers=replace(CONFIG.answers, songs=60))
        few = Answers.fit(with_unheard(), clustered()[1], config)
        assert few is not None
        one, other = (np.log(chances(each, likes(0, 1)))[:NOBODYS] for each in (few, answers))
        assert np.corrcoef(one, other)[0, 1] > 0.8

    def test_too_few_listeners_say_nothing(self) -> None:
        catalogue, everybody = clustered()
        few = everybody.of_listeners(np.arange(everybody.n_listeners) < CONFIG.ranking.min_listeners - 1)
        assert Answers.fit(catalogue, few, CONFIG) is None
        enough = everybody.of_listeners(np.arange(everybody.n_listeners) < CONFIG.ranking.min_listeners)
        assert Answers.fit(catalogue, enough, CONFIG) is not None

    def test_can_be_turned_off(self) -> None:
        catalogue, interactions = clustered()
        assert Answers.fit(catalogue, interactions, replace(CONFIG, answers=AnswersConfig(weight=0.0))) is None

    def test_dislikes_of_others_are_no_likes(self) -> None:
        catalogue, interactions = clustered()
        weight = interactions.weight.copy()
        weight[interactions.row == 7] = -1.0
        found = Answers.fit(catalogue, replace(interactions, weight=weight), CONFIG)
        assert found is not None
        assert not found.knows(np.array([7], dtype=np.int32)).any()


class TestPart:
    def test_is_standardised_and_grows_with_refusals(self, answers: Answers) -> None:
        rows = np.arange(40, 60, dtype=np.int32)
        settings = AnswersConfig(weight=2.0, unrefused=0.5, half_refusals=3.0)
        who = listener((0, LIKE), (1, LIKE), (21, SKIP), (41, SKIP), (61, DISLIKE))
        added = answers.part(rows, 0.5, who, settings)
        assert added.mean() == pytest.approx(0.0, abs=1e-6)
        # Half way from 0.5 to 2.
        assert added.std() == pytest.approx(1.25 * 0.5, rel=1e-5)
        alone = answers.part(rows, 0.5, likes(0, 1), settings)
        assert alone.std() == pytest.approx(0.5 * 0.5, rel=1e-5)

    def test_nothing_is_added_for_somebody_unknown_or_to_nothing(self, answers: Answers) -> None:
        assert not answers.part(ALL, 1.0, likes(), CONFIG.answers).any()
        assert not answers.part(ALL[:0], 1.0, likes(0), CONFIG.answers).any()

    def test_of_songs_nobody_likes_nothing_is_said(self) -> None:
        answers = known([0.0, 0.0, 0.0, 0.0], np.eye(3)[[0, 0, 1, 2]], [0, 1, 2, 3, 3], heard=3)
        settings = AnswersConfig(weight=1.0, half_refusals=1e-9)
        added = answers.part(np.array([1, 3, 2, 4], np.int32), 1.0, listener((0, DISLIKE)), settings)
        assert added[[1, 3]].tolist() == [0.0, 0.0]
        # Half of the candidates are known, squared.
        assert added[[0, 2]] == pytest.approx([-0.25, 0.25], rel=1e-5)


class TestRanking:
    def test_contributions_still_sum_to_the_score(self, fitted: Model) -> None:
        feedback = feedback_of((0, LIKE, 1, 0), *((row, SKIP, 1, 0) for row in (21, 41, 42, 61)))
        _listener, ranked = rank_for(fitted, feedback, Request(k=8))
        page = recommend(fitted, feedback, Request(k=8), np.random.default_rng(0))
        assert any(item.contributions[ANSWERS] for item in page.items)
        for item in page.items:
            assert sum(item.contributions.values()) == item.score
            by_terms = item.score - sum(item.contributions.get(name, 0.0) for name in ADJUSTMENTS)
            assert by_terms == pytest.approx(float(ranked.total[item.row]), abs=1e-5)

    def test_what_is_added_is_what_the_score_gains(self, fitted: Model) -> None:
        feedback = feedback_of((0, LIKE, 1, 0), (21, SKIP, 1, 0))
        allowed = allowed_rows(fitted.catalogue, excluded=feedback.rows)
        ranked = fitted.rank(fitted.listener(feedback), allowed)
        plain = replace(fitted, answers=None).rank(fitted.listener(feedback), allowed)
        added = [line[ANSWERS] for line in ranked.contributions(ranked.rows)]
        before = dict(zip(plain.rows.tolist(), plain.scores.tolist(), strict=True))
        gained = [score - before[row] for row, score in zip(ranked.rows.tolist(), ranked.scores.tolist(), strict=True)]
        assert added == pytest.approx(gained, abs=1e-5)
        assert not any(ANSWERS in line for line in plain.contributions(plain.rows))

    def test_skips_alone_change_the_page(self, fitted: Model) -> None:
        """Of a listener without a like the ranker has nothing to say."""
        skips = feedback_of(*((row, SKIP, 1, 0) for row in range(5)))
        allowed = allowed_rows(fitted.catalogue, excluded=skips.rows)
        ranked = fitted.rank(fitted.listener(skips), allowed)
        lines = ranked.contributions(np.array([10, 30], dtype=np.int32))
        assert lines[0][ANSWERS] < lines[1][ANSWERS]
        nobody = fitted.rank(fitted.listener(Feedback()), allowed)
        assert not any(ANSWERS in line for line in nobody.contributions(nobody.rows))

    def test_widening_the_candidates_changes_nothing_for_the_others(self, fitted: Model) -> None:
        feedback = feedback_of((0, LIKE, 1, 0), (21, SKIP, 1, 0))
        ranking = replace(CONFIG.ranking, candidates=30, per_term=1)
        model = replace(fitted, config=replace(CONFIG, ranking=ranking))
        allowed = allowed_rows(model.catalogue, excluded=feedback.rows)
        narrow, wide = (model.rank(model.listener(feedback), allowed, adventure) for adventure in (0.0, 1.0))
        assert len(wide.rows) > len(narrow.rows)
        assert narrow.rows[:5].tolist() == wide.rows[:5].tolist()


class TestStored:
    def test_and_a_model_without_opens(self, fitted: Model, tmp_path: Path) -> None:
        save_model(fitted, tmp_path / "with")
        opened = load_model(tmp_path / "with", verify=True).answers
        assert opened is not None
        assert fitted.answers is not None
        for name, array in fitted.answers.arrays().items():
            np.testing.assert_array_equal(opened.arrays()[name], array)
        save_model(replace(fitted, answers=None), tmp_path / "without")
        assert load_model(tmp_path / "without").answers is None

    def test_an_update_learns_from_the_new_songs(self, fitted: Model) -> None:
        interactions = clustered()[1]
        more = Interactions(
            np.append(interactions.listener, np.int32(0)),
            np.append(interactions.row, np.int32(NOBODYS + 1)),
            np.append(interactions.weight, np.float32(1.0)),
            interactions.region,
        )
        updated = update_model(fitted, with_unheard(), more, np.random.default_rng(0)).answers
        assert updated is not None
        assert updated.knows(ALL[NOBODYS:]).tolist() == [False, True]
        without = replace(fitted, answers=None)
        assert update_model(without, with_unheard(), more, np.random.default_rng(0)).answers is None
