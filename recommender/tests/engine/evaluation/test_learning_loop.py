from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from recommender.engine import EngineConfig, Interactions, InvalidDataError, fit_model
from recommender.engine.data.arrays import FloatArray, IntArray
from recommender.engine.evaluation.learning_loop.answer_model import AnsweringListener
from recommender.engine.evaluation.learning_loop.curves import LearningCurve, learning_curves
from recommender.engine.evaluation.learning_loop.playing import (
    LearningPolicy,
    LoopListener,
    LoopPlan,
    LoopRecord,
    Site,
    best_likes,
    play_loop,
)
from recommender.engine.evaluation.learning_loop.policies import learning_policies
from recommender.engine.evaluation.learning_loop.sites import SitePlan, answering_sites, listed_sites
from recommender.engine.evaluation.rated import Ratings
from recommender.engine.evaluation.simulation import Policy, Session, SimulatedPage
from recommender.engine.evaluation.split import Split
from recommender.engine.model import Model
from recommender.tests.engine.build import random_catalogue

N_TRACKS = 8
PLAN = LoopPlan(rounds=3, songs=2, retrain_every=2)


def rows(*members: int) -> IntArray:
    return np.array(members, dtype=np.int32)


def listener(start: IntArray, liked: IntArray, chance: float = 0.5, known: IntArray | None = None) -> LoopListener:
    """Likes the songs of `liked`, with that chance, dislikes song 7, and passes over the others."""
    everything = np.arange(N_TRACKS)
    likes = np.isin(everything, liked)
    chances: FloatArray = np.where(likes, chance, 0.0).astype(np.float32)
    answers = AnsweringListener(np.isin(everything, start if known is None else known), likes, everything == 7, chances)
    return LoopListener(start, answers)


@dataclass
class InOrder:
    """Shows the songs from `first` on; what it was retrained on stays in `logs`."""

    first: int = 0
    logs: list[Interactions] = field(default_factory=list)

    def retrained(self, log: Interactions, rng: np.random.Generator) -> Policy:
        self.logs.append(log)
        return self

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> SimulatedPage:
        order = np.roll(np.arange(N_TRACKS), -self.first)
        return SimulatedPage.plain(order[~np.isin(order, session.seen)][:k].astype(np.int32))


@pytest.fixture
def site() -> Site:
    first = listener(rows(0), rows(0, 1, 4), known=rows(0, 4))
    return Site([first, listener(rows(), rows(2, 3), chance=1.0)], Interactions.empty(), N_TRACKS)


def test_what_is_earned_round_by_round(site: Site) -> None:
    (record,) = play_loop({"it": InOrder()}, [site], PLAN)["it"]
    # The first is shown 1 2 | 3 4 | 5 6 and likes 1 and 4, which is known; the second 0 1 | 2 3 | 4 5.
    assert record.likes.tolist() == [[1.0, 1.0, 0.0], [0.0, 2.0, 0.0]]
    assert record.new_likes.tolist() == [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    assert not record.dislikes.any()
    # At best both liked songs come at once: 2 * 0.5 for the first, 2 for the second.
    assert record.regret.tolist() == [[0.5, -0.5, 0.0], [2.0, -2.0, 0.0]]
    assert record.songs_shown.tolist() == [3 / 8, 5 / 8, 7 / 8]


def test_who_shows_the_best_first_regrets_nothing() -> None:
    site = Site([listener(rows(), rows(2, 3), chance=0.75)], Interactions.empty(), N_TRACKS)
    (record,) = play_loop({"it": InOrder(first=2)}, [site], PLAN)["it"]
    assert record.regret.tolist() == [[0.0, 0.0, 0.0]]
    assert best_likes(site.listeners[0], PLAN).tolist() == [1.5, 0.0, 0.0]


def test_a_fit_reads_what_was_there_before_and_all_answers_so_far() -> None:
    before = Interactions(rows(0), rows(6), np.ones(1, np.float32), rows(-1))
    policy = InOrder(first=7)
    site = Site([listener(rows(1), rows(1, 2))], before, N_TRACKS)
    play_loop({"it": policy}, [site], PLAN)
    first, later = policy.logs
    assert (first.listener.tolist(), first.row.tolist(), first.weight.tolist()) == ([0, 1], [6, 1], [1.0, 1.0])
    # Shown were 7 0 | 2 3: a like of 2, skips of 0 and 3, a dislike of 7; weighed as the site weighs them.
    signal = EngineConfig().feedback.signal
    assert later.listener.tolist() == [0, 1, 1, 1, 1, 1]
    assert later.row.tolist() == [6, 1, 2, 0, 3, 7]
    expected = [1.0, signal["like"], signal["like"], signal["skip"], signal["skip"], signal["dislike"]]
    assert later.weight.tolist() == pytest.approx(expected)
    assert later.region.tolist() == [-1, -1]


def test_a_song_must_not_come_twice(site: Site) -> None:
    class Stubborn(InOrder):
        def __call__(self, session: Session, k: int, rng: np.random.Generator) -> SimulatedPage:
            return SimulatedPage.plain(rows(5, 6))

    with pytest.raises(ValueError, match="showed a song twice"):
        play_loop({"it": Stubborn()}, [site], PLAN)


@pytest.mark.parametrize("name", ["rounds", "songs", "retrain_every"])
def test_a_loop_has_an_extent(name: str) -> None:
    with pytest.raises(InvalidDataError, match=f"{name}: must be at least 1, is 0"):
        LoopPlan(**{name: 0})
    with pytest.raises(InvalidDataError, match="sites: must be at least 1, is 0"):
        SitePlan(sites=0)


# --- policies --------------------------------------------------------------------------------------------------------
def real_policies(fits: list[int]) -> tuple[Mapping[str, LearningPolicy], list[Site]]:
    catalogue = random_catalogue()
    rng = np.random.default_rng(1)

    def fit(log: Interactions, rng: np.random.Generator) -> Model:
        fits.append(len(log.row))
        return fit_model(catalogue, log, EngineConfig(), rng)

    listeners = []
    for _listener in range(6):
        chance = rng.random(catalogue.n_tracks).astype(np.float32)
        liked, none = rng.random(catalogue.n_tracks) < chance, np.zeros(catalogue.n_tracks, dtype=np.bool_)
        start = np.flatnonzero(liked)[:2].astype(np.int32)
        listeners.append(LoopListener(start, AnsweringListener(none, liked, none, chance)))
    sites = [Site(part, Interactions.empty(), catalogue.n_tracks) for part in (listeners[:3], listeners[3:])]
    return learning_policies(catalogue, fit, [0.0, 0.3, 1.0]), sites


def test_policies_share_the_first_fit_and_learn_from_their_own_pages() -> None:
    fits: list[int] = []
    policies, sites = real_policies(fits)
    assert list(policies) == ["greedy", "explore@0.3", "explore@1", "popularity", "random"]
    records = play_loop(policies, sites, LoopPlan(rounds=3, retrain_every=2))
    # On each site one fit of six likes, and one of each dial after two pages of ten songs for three listeners.
    assert fits == [6, 66, 66, 66] * 2
    assert len({record.likes.tobytes() for of_sites in records.values() for record in of_sites}) == 10


def test_the_figures_do_not_depend_on_the_number_of_processes() -> None:
    plan = LoopPlan(rounds=2, retrain_every=1)
    alone, together = (play_loop(*real_policies([]), plan, jobs=jobs) for jobs in (1, 2))
    assert list(alone) == list(together)
    for name, of_sites in alone.items():
        for site_alone, same in zip(of_sites, together[name], strict=True):
            assert site_alone.likes.tolist() == same.likes.tolist()
            assert site_alone.regret.tolist() == same.regret.tolist()


# --- sites -----------------------------------------------------------------------------------------------------------
def split_of(*lists: IntArray) -> Split:
    zero = np.zeros(2, dtype=np.int32)
    return Split(Interactions(zero, rows(0, 1), np.ones(2, np.float32), zero[:1]), lists)


def test_listeners_with_a_list_like_it_and_know_nothing_else() -> None:
    split = split_of(rows(4, 2, 6), rows(1), rows(5, 3))
    sites = listed_sites(split, N_TRACKS, SitePlan(start=1, sites=2), np.random.default_rng(1))
    (first,), (second,) = (list(site.listeners) for site in sites)
    assert {int(first.start[0]), int(second.start[0])} == {4, 5}
    by_start = {int(each.start[0]): each for each in (first, second)}
    assert np.flatnonzero(by_start[4].answers.liked).tolist() == [2, 4, 6]
    assert by_start[4].answers.chance.tolist() == by_start[4].answers.liked.tolist()
    assert [site.before.n_listeners for site in sites] == [0, 0]
    established = SitePlan(start=1, sites=5, listeners=1, is_established=True)
    (only,) = listed_sites(split, N_TRACKS, established, np.random.default_rng(1))
    assert (len(only.listeners), only.before.n_listeners) == (1, 1)


def test_people_start_from_liked_songs_that_they_know() -> None:
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(40, dtype=np.int32), 20)
    row = np.concatenate([rng.permutation(30)[:20] for _person in range(40)]).astype(np.int32)
    weight = np.where(rng.random(len(row)) < 0.5, 1.0, -1.0).astype(np.float32)
    is_test = np.arange(40) >= 25
    ratings = Ratings(person, row, weight, known=row < 15, is_test=is_test)
    plan = SitePlan(start=2, sites=2)
    sites, check = answering_sites(ratings, 30, plan, np.random.default_rng(2))
    everyone = [each for site in sites for each in site.listeners]
    assert 10 <= len(everyone) <= 15
    assert check.people == 15
    for each in everyone:
        assert len(set(each.start.tolist())) == 2
        assert (each.answers.liked & each.answers.known)[each.start].all()
    again, _check = answering_sites(ratings, 30, plan, np.random.default_rng(2))
    assert [each.start.tolist() for site in again for each in site.listeners] == [
        each.start.tolist() for each in everyone
    ]
    whole, _check = answering_sites(ratings, 30, SitePlan(is_established=True), np.random.default_rng(2))
    assert whole[0].before.n_listeners == 25


# --- curves ----------------------------------------------------------------------------------------------------------
def record(*likes: list[float]) -> LoopRecord:
    values = np.array(likes)
    return LoopRecord(values, values / 2.0, values * 0.0, 2.0 - values, np.linspace(0.2, 0.4, values.shape[1]))


def test_curves_add_up_and_are_compared_listener_by_listener() -> None:
    records = {
        "greedy": [record([1.0, 1.0, 1.0]), record([2.0, 2.0, 2.0])],
        "explore@1": [record([0.0, 1.0, 3.0]), record([1.0, 2.0, 4.0])],
    }
    greedy, explore = learning_curves(records, "greedy", 0)
    assert [each.mean for each in greedy.likes] == [1.5, 1.5, 1.5]
    assert [each.mean for each in greedy.total_likes] == [1.5, 3.0, 4.5]
    assert [each.mean for each in greedy.total_new_likes] == [0.75, 1.5, 2.25]
    assert [each.mean for each in greedy.total_regret] == [0.5, 1.0, 1.5]
    assert greedy.songs_shown == pytest.approx((0.2, 0.3, 0.4))
    assert greedy.ahead is None
    assert greedy.pays_from is None
    assert explore.ahead is not None
    # Both listeners are as far behind and ahead: the interval of the difference is its mean.
    assert [(each.low, each.mean, each.high) for each in explore.ahead] == [(v, v, v) for v in (-1.0, -1.0, 1.0)]
    assert explore.pays_from == 3


@pytest.mark.parametrize(
    ("likes", "expected"),
    [([1.0, 1.0, 1.0], 1), ([2.0, 0.0, 1.0], 1), ([2.0, -1.0, 2.0], 3), ([2.0, 1.0, -1.0], None)],
)
def test_exploring_has_paid_where_it_is_never_behind_again(likes: list[float], expected: int | None) -> None:
    curves: tuple[LearningCurve, ...] = learning_curves(
        {"greedy": [record([1.0, 1.0, 1.0])], "explore@1": [record(likes)]}, "greedy", 0
    )
    assert curves[1].pays_from == expected
