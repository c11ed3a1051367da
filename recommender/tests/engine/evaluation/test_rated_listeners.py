from __future__ import annotations

import numpy as np
import pytest

from recommender.engine.data.arrays import IntArray
from recommender.engine.evaluation.low_rank_gaussian import BINARY, LowRankGaussian
from recommender.engine.evaluation.rated import Ratings
from recommender.engine.evaluation.rated_listeners import RatingReactions, rating_listeners
from recommender.engine.evaluation.simulation import Plan, SimulatedListener

N_PEOPLE, N_TRACKS, N_ANSWERED = 60, 40, 20


def rows(*members: int) -> IntArray:
    return np.array(members, dtype=np.int32)


@pytest.fixture
def answered() -> Ratings:
    """Each person has answered 20 of the first 39 songs and likes the even or the odd ones; nobody knows song 39."""
    rng = np.random.default_rng(1)
    row = np.concatenate([rng.permutation(N_TRACKS - 1)[:N_ANSWERED] for _person in range(N_PEOPLE)]).astype(np.int32)
    listener = np.repeat(np.arange(N_PEOPLE, dtype=np.int32), N_ANSWERED)
    return Ratings(listener, row, np.where(row % 2 == listener % 2, 1.0, -1.0).astype(np.float32))


def listeners_of(answered: Ratings, plan: Plan, dislike_share: float = 0.3, seed: int = 0) -> list[SimulatedListener]:
    is_test = np.arange(N_PEOPLE) < 10
    return rating_listeners(answered, is_test, N_TRACKS, plan, dislike_share, np.random.default_rng(seed))


def flat_model(chance: float) -> LowRankGaussian:
    return LowRankGaussian(np.full(5000, chance), np.zeros((5000, 4)), BINARY)


def test_answered_songs_get_the_real_answer_and_the_start_is_liked(answered: Ratings) -> None:
    listeners = listeners_of(answered, Plan(start=3))
    assert len(listeners) == 10
    for person, listener in enumerate(listeners):
        own = answered.row[answered.listener == person]
        assert listener.react(own).liked.tolist() == (own % 2 == person % 2).tolist()
        assert len(set(listener.start.tolist())) == 3
        assert set(listener.start.tolist()) <= set(own[own % 2 == person % 2].tolist())


def test_other_songs_follow_the_taste(answered: Ratings) -> None:
    right = []
    for person, listener in enumerate(listeners_of(answered, Plan())):
        others = np.setdiff1d(np.arange(N_TRACKS - 1), answered.row[answered.listener == person]).astype(np.int32)
        right.append(listener.react(others).liked == (others % 2 == person % 2))
    # Songs are liked by half of the people, so that who knows no taste is right about half of them.
    assert np.concatenate(right).mean() > 0.75


def test_a_reaction_is_the_same_in_any_page_and_order(answered: Ratings) -> None:
    (listener, *_), (again, *_) = listeners_of(answered, Plan()), listeners_of(answered, Plan())
    page = np.arange(N_TRACKS, dtype=np.int32)
    whole, turned = listener.react(page), again.react(page[::-1])
    assert whole.liked.tolist() == turned.liked[::-1].tolist()
    assert whole.disliked.tolist() == turned.disliked[::-1].tolist()
    single = [listener.react(rows(row)).liked[0] for row in page.tolist()]
    assert whole.liked.tolist() == single


def test_another_seed_draws_other_reactions(answered: Ratings) -> None:
    page = np.arange(N_TRACKS, dtype=np.int32)
    first, other = (
        [listener.react(page).liked.tolist() for listener in listeners_of(answered, Plan(seed=seed), seed=seed)]
        for seed in (0, 1)
    )
    assert first != other


def test_chances_and_the_share_of_dislikes_are_met() -> None:
    none = np.empty(0, dtype=np.int32)
    react = RatingReactions(flat_model(0.4), np.zeros(4), none, np.empty(0, dtype=np.bool_), 0.25, (0, 1))
    liked, disliked = react(np.arange(5000, dtype=np.int32))
    assert not (liked & disliked).any()
    # Three standard errors.
    assert liked.mean() == pytest.approx(0.4, abs=0.021)
    assert disliked[~liked].mean() == pytest.approx(0.25, abs=0.024)


@pytest.mark.parametrize(("share", "expected"), [(0.0, [False, False]), (1.0, [True, False])])
def test_noes_are_all_skipped_or_all_disliked(share: float, expected: list[bool]) -> None:
    react = RatingReactions(flat_model(0.0), np.zeros(4), rows(7), np.array([True]), share, (0, 1))
    liked, disliked = react(rows(3, 7))
    assert liked.tolist() == [False, True]
    assert disliked.tolist() == expected


def test_an_empty_page_gets_no_reaction() -> None:
    react = RatingReactions(flat_model(0.5), np.zeros(4), rows(7), np.array([True]), 0.3, (0, 1))
    assert [len(part) for part in react(rows())] == [0, 0]


def test_who_has_not_liked_enough_is_left_out(answered: Ratings) -> None:
    likes = np.bincount(answered.listener[answered.weight > 0], minlength=N_PEOPLE)[:10]
    start = int(np.median(likes)) + 1
    listeners = listeners_of(answered, Plan(start=start))
    assert 0 < len(listeners) < 10
    assert len(listeners) == int((likes >= start).sum())
    assert {len(listener.start) for listener in listeners} == {start}
    assert len(listeners_of(answered, Plan(start=0, listeners=4))) == 4


def test_drawn_tastes_spread_about_what_is_expected(answered: Ratings) -> None:
    loadings = np.random.default_rng(2).normal(0.0, 0.3, (N_TRACKS, 4))
    model, values = LowRankGaussian(np.full(N_TRACKS, 0.5), loadings, BINARY), np.ones(3, dtype=np.float32)
    rng, answered_rows = np.random.default_rng(3), rows(0, 1, 2)
    tastes = np.array([model.draw_taste(answered_rows, values, rng) for _draw in range(4000)])
    expected = model.score(answered_rows, values)
    assert 0.5 + loadings @ tastes.mean(axis=0) == pytest.approx(expected, abs=0.03)
    precision = np.eye(4) + loadings[:3].T @ loadings[:3] / BINARY.noise
    assert np.cov(tastes.T) == pytest.approx(np.linalg.inv(precision), abs=0.07)
    assert model.chances(rows(5), np.full(4, 100.0)).tolist() in ([0.0], [1.0])
