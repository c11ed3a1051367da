"""What `logistic` says, of listeners who like one cluster of songs each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.engine import Catalogue, EngineConfig, FeedbackKind, Interactions
from recommender.engine.listener import Listener
from recommender.engine.terms import no_progress
from recommender.engine.terms.base import Change
from recommender.engine.terms.logistic import LogisticTerm
from recommender.tests.engine.build import feedback_of, make_catalogue
from recommender.tests.engine.test_ranking import clustered

CONFIG = EngineConfig()
ALL = np.arange(122, dtype=np.int32)
NOBODYS = 120


def listener(*signals: tuple[int, FeedbackKind]) -> Listener:
    return Listener.from_feedback(feedback_of(*((row, kind, 1, 0) for row, kind in signals)), CONFIG)


def likes(*rows: int) -> Listener:
    return listener(*((row, FeedbackKind.LIKE) for row in rows))


def fit(catalogue: Catalogue, interactions: Interactions, config: EngineConfig = CONFIG) -> LogisticTerm:
    return LogisticTerm.fit(catalogue, interactions, config, np.random.default_rng(0), no_progress)


def with_unheard() -> Catalogue:
    """The songs of `clustered`, one more by the artist of song 3, and one by nobody anybody knows."""
    return make_catalogue([*([row] for row in range(NOBODYS)), [3], [NOBODYS]])


@pytest.fixture(scope="module")
def term() -> LogisticTerm:
    return fit(with_unheard(), clustered()[1])


def test_a_like_raises_the_songs_of_its_listeners(term: LogisticTerm) -> None:
    moved = term.score(likes(0, 1)) - term.score(likes())
    assert np.median(moved[2:20]) > moved[20:NOBODYS].max()
    assert moved[2:20].min() > np.quantile(moved[20:NOBODYS], 0.95)


def test_the_more_like_a_song_the_likelier_it_is_for_somebody_unknown(term: LogisticTerm) -> None:
    counts = np.bincount(clustered()[1].row, minlength=NOBODYS)
    assert np.corrcoef(term.score(likes())[:NOBODYS], np.log(counts))[0, 1] > 0.8


def test_dislikes_weigh_more_than_skips(term: LogisticTerm) -> None:
    nothing = term.score(likes())[5]
    skipped = term.score(listener((0, FeedbackKind.SKIP)))[5]
    disliked = term.score(listener((0, FeedbackKind.DISLIKE)))[5]
    assert disliked < skipped < nothing


def test_a_song_nobody_has_heard_goes_with_its_artist(term: LogisticTerm) -> None:
    assert not term.knows(ALL[[NOBODYS, NOBODYS + 1]]).any()
    assert term.knows(ALL[:NOBODYS]).all()
    moved = term.score(likes(0, 1)) - term.score(likes())
    assert moved[NOBODYS] > 0.0
    assert moved[NOBODYS + 1] == 0.0
    assert term.score(likes())[NOBODYS] < term.score(likes())[3]


def test_few_songs_are_enough_to_learn_the_directions_from(term: LogisticTerm) -> None:
    few = fit(with_unheard(), clustered()[1], replace(CONFIG, logistic=replace(CONFIG.logistic, songs=60)))
    one, other = few.score(likes(0, 1)), term.score(likes(0, 1))
    assert np.corrcoef(one[:NOBODYS], other[:NOBODYS])[0, 1] > 0.8


def test_says_nothing_while_there_are_too_few_listeners() -> None:
    catalogue, everybody = clustered()
    few = everybody.of_listeners(np.arange(everybody.n_listeners) < CONFIG.ranking.min_listeners - 1)
    silent = fit(catalogue, few)
    assert not silent.score(likes(0, 1)).any()
    assert not silent.knows(ALL[:NOBODYS]).any()
    assert [sum(cause.value for cause in line) for line in silent.explain(likes(0), ALL[:2])] == [0.0, 0.0]


def test_causes_are_the_songs_and_what_all_listeners_do(term: LogisticTerm) -> None:
    who = listener((0, FeedbackKind.LIKE), (21, FeedbackKind.DISLIKE))
    [line] = term.explain(who, np.array([5], dtype=np.int32))
    by_cause = {(cause.kind, cause.index): cause.value for cause in line}
    assert set(by_cause) == {("track", 0), ("track", 21), ("listeners", -1)}
    assert by_cause["track", 0] > 0.0
    assert sum(by_cause.values()) == pytest.approx(float(term.score(who)[5]), abs=1e-4)
    [strongest] = term.explain(who, np.array([5], dtype=np.int32), 1)
    assert [(cause.kind, cause.index) for cause in strongest] == [("track", 0)]


def test_an_update_learns_from_the_new_listeners(term: LogisticTerm) -> None:
    catalogue, interactions = with_unheard(), clustered()[1]
    more = Interactions(
        np.append(interactions.listener, np.int32(0)),
        np.append(interactions.row, np.int32(NOBODYS + 1)),
        np.append(interactions.weight, np.float32(1.0)),
        interactions.region,
    )
    change = Change(ALL, np.zeros(len(ALL), dtype=np.bool_))
    updated = term.updated(change, catalogue, more, CONFIG, np.random.default_rng(0))
    assert updated.knows(ALL[[NOBODYS + 1]]).all()
