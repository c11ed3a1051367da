from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from recommender.engine import FeedbackKind, Interactions, InvalidDataError
from recommender.engine.data.arrays import IntArray
from recommender.engine.evaluation.protocol import listener_share
from recommender.engine.evaluation.simulation import (
    Plan,
    Policy,
    Reaction,
    Session,
    SimulatedListener,
    SimulatedPage,
    SimulationRow,
    listed,
    play,
    simulate,
)
from recommender.engine.evaluation.split import Split

N_TRACKS = 12


def rows(*members: int) -> IntArray:
    return np.array(members, dtype=np.int32)


def split_of(*lists: IntArray) -> Split:
    zero = np.zeros(4, dtype=np.int32)
    training = Interactions(zero, rows(0, 1, 2, 3), np.ones(4, np.float32), zero[:1])
    return Split(training, lists)


@dataclass(frozen=True)
class InOrder:
    """Shows the songs from `first` on that were not shown yet; those below `found` count as explored."""

    first: int = 0
    n_found: int = 0

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> SimulatedPage:
        left = np.setdiff1d(np.arange(self.first, N_TRACKS), session.seen)[:k].astype(np.int32)
        return SimulatedPage(left, left < self.n_found)


def at_random(session: Session, k: int, rng: np.random.Generator) -> SimulatedPage:
    return SimulatedPage.plain(rng.permutation(np.setdiff1d(np.arange(N_TRACKS), session.seen))[:k].astype(np.int32))


def simulate_lists(
    policies: Mapping[str, Policy], split: Split, plan: Plan, jobs: int = 1, alone: Sequence[str] = ()
) -> list[SimulationRow]:
    share = listener_share(split.training, N_TRACKS)
    return simulate(policies, listed(split, plan), share, plan, jobs=jobs, alone=alone)


def alone(policy: InOrder, *lists: IntArray, plan: Plan) -> SimulationRow:
    return simulate_lists({"it": policy}, split_of(*lists), plan)[0]


def test_likes_are_the_songs_of_the_list_round_by_round() -> None:
    row = alone(InOrder(), rows(5, 0, 1, 4), rows(3, 11, 8, 9), plan=Plan(start=1, rounds=3, songs=2))
    # The first sees 0 1 | 2 3 | 4 6 (5 is known) and likes 0 1 4; the second sees 0 1 | 2 4 | 5 6.
    assert row.likes_per_round == (1.0, 0.0, 0.5)
    assert row.likes_total.mean == 1.5
    assert row.like_rate == 3 / 12
    assert row.listeners == 2
    # Shown to anybody: 0 1 2 3 4 5 6.
    assert row.songs_shown_share == 7 / 12


def test_novelty_is_the_mean_surprise_of_what_is_shown() -> None:
    row = alone(InOrder(first=3), rows(0, 3), plan=Plan(start=1, rounds=1, songs=2))
    # One training listener has 0 to 3 and nothing else: (1 + 1) / (1 + 2) know 3, (0 + 1) / 3 know 4.
    assert row.novelty == pytest.approx(-(np.log2(2 / 3) + np.log2(1 / 3)) / 2)


def test_what_exploring_costs_and_finds() -> None:
    row = alone(InOrder(n_found=2), rows(7, 1, 2), plan=Plan(start=1, rounds=2, songs=2))
    assert row.explored_share == 0.5
    assert row.explored_like_rate == 0.5
    assert alone(InOrder(), rows(7, 1), plan=Plan(rounds=1)).explored_like_rate is None


@dataclass(frozen=True)
class Listening:
    """Shows the songs in order, and notes what it is told of: kind by row, before each page."""

    heard: list[dict[int, int]] = field(default_factory=list)

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> SimulatedPage:
        feedback = session.feedback
        self.heard.append(dict(zip(feedback.rows.tolist(), feedback.kind.tolist(), strict=True)))
        return InOrder()(session, k, rng)


LIKE, SKIP, DISLIKE = FeedbackKind.LIKE, FeedbackKind.SKIP, FeedbackKind.DISLIKE


def test_skips_and_likes_are_fed_back_and_the_start_is_not_shown() -> None:
    policy, plan = Listening(), Plan(start=1, rounds=3, songs=2)
    (listener,) = listed(split_of(rows(0, 1, 4)), plan)
    play(policy, listener, plan, np.random.default_rng(0))
    assert policy.heard == [{0: LIKE}, {0: LIKE, 1: LIKE, 2: SKIP}, {0: LIKE, 1: LIKE, 2: SKIP, 3: SKIP, 4: LIKE}]


def test_dislikes_are_fed_back_and_counted_and_not_shown_again() -> None:
    policy, plan = Listening(), Plan(start=1, rounds=3, songs=2)
    # Likes every third song, dislikes the even ones among the others.
    listener = SimulatedListener(rows(0), lambda page: Reaction(page % 3 == 0, (page % 3 != 0) & (page % 2 == 0)))
    (row,) = simulate({"it": policy}, [listener], np.full(N_TRACKS, 0.5), plan)
    first, second = {1: SKIP, 2: DISLIKE}, {3: LIKE, 4: DISLIKE}
    assert policy.heard == [{0: LIKE}, {0: LIKE} | first, {0: LIKE} | first | second]
    # The third page is 5 and 6.
    assert row.likes_total.mean == 2.0
    assert row.dislikes_total.mean == 2.0
    assert row.like_rate == 2 / 6


def test_a_start_from_nothing() -> None:
    row = alone(InOrder(), rows(0), plan=Plan(start=0, rounds=1, songs=3))
    assert row.likes_total.mean == 1.0


def test_listeners_with_nothing_left_to_be_found_are_left_out() -> None:
    split = split_of(rows(1), rows(2, 3), rows(4, 5, 6), rows(7, 8))
    assert [listener.start.tolist() for listener in listed(split, Plan(start=1))] == [[2], [4], [7]]
    assert [listener.start.tolist() for listener in listed(split, Plan(start=1, listeners=1))] == [[2]]
    assert simulate_lists({"it": InOrder()}, split, Plan(start=3)) == []


def test_every_policy_meets_the_same_listeners_with_the_same_luck_in_any_number_of_processes() -> None:
    lists = [np.random.default_rng(n).permutation(N_TRACKS)[:5].astype(np.int32) for n in range(50)]
    plan = Plan(start=1, rounds=2, songs=2, seed=3)
    first, two, stays = (
        simulate_lists({"a": at_random, "b": at_random}, split_of(*lists), plan, jobs=jobs, alone=here)
        for jobs, here in ((1, ()), (2, ()), (2, ("a", "b")))
    )
    assert first == two == stays
    assert first[0].likes_total == first[1].likes_total
    assert first != simulate_lists({"a": at_random}, split_of(*lists), Plan(1, 2, 2, seed=4))


def test_a_catalogue_that_ends_early_ends_the_pages() -> None:
    row = alone(InOrder(), rows(0, 1), plan=Plan(start=1, rounds=3, songs=10))
    assert row.likes_per_round == (1.0, 0.0, 0.0)
    assert row.songs_shown_share == 11 / 12


def test_a_policy_that_repeats_itself_is_found_out() -> None:
    (listener,) = listed(split_of(rows(0, 1)), Plan())
    with pytest.raises(ValueError, match="twice"):
        play(lambda *_: SimulatedPage.plain(rows(1, 2)), listener, Plan(), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("field", "value"), [("start", -1), ("rounds", 0), ("songs", 0), ("listeners", 0), ("seed", -1)]
)
def test_impossible_plans_are_refused(field: str, value: int) -> None:
    with pytest.raises(InvalidDataError, match=f"{field}: must be at least"):
        Plan(**{field: value})
