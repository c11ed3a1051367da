"""Shelves of songs the listener knows, and of new releases: which songs, in which order, under which rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recommender.engine import Catalogue, Feedback, FeedbackKind, Model, Request
from recommender.engine.serving.habits import Habits
from recommender.engine.serving.shelves import SHELVES, Shelf, ShelfName, recommend_shelves
from recommender.tests.engine.build import feedback_of, make_catalogue

LIKE, DISLIKE, PLAYED, SKIP = FeedbackKind.LIKE, FeedbackKind.DISLIKE, FeedbackKind.COMPLETED, FeedbackKind.SKIP
SIZES: dict[ShelfName, int] = {"made": 3, **dict.fromkeys(SHELVES[1:], 3)}


def shelves(model: Model, feedback: Feedback, at_most: int | None = None, **request: Any) -> dict[str, Shelf]:
    page = recommend_shelves(model, feedback, Request(**request), SIZES, np.random.default_rng(1), at_most)
    return {shelf.name: shelf for shelf in page.shelves}


def rows_of(shelf: Shelf | None) -> list[int]:
    return [] if shelf is None else [item.row for item in shelf.items]


def picked(name: Any, *events: tuple[int, FeedbackKind, float, float], catalogue: Catalogue | None = None) -> list[int]:
    catalogue = catalogue or make_catalogue([[row] for row in range(20)])
    habits = Habits.of(catalogue, feedback_of(*events))
    numbers = habits.pick(name, 3, np.ones(len(habits.rows), dtype=np.bool_), 2)
    return [int(habits.rows[number]) for number in numbers]


def test_what_is_played_often_and_lately_comes_first() -> None:
    events = [(1, PLAYED, 4, 40), (2, PLAYED, 9, 40), (3, PLAYED, 4, 5), (4, PLAYED, 4, 60)]
    assert picked("again", *events) == [3, 2, 1]


@pytest.mark.parametrize(
    "events",
    [
        [(1, PLAYED, 1, 5)],  # once may be an accident
        [(1, PLAYED, 9, 0.2)],  # it was just playing
        [(1, PLAYED, 9, 91)],  # a memory by now
        [(1, PLAYED, 3, 5), (1, SKIP, 3, 2)],
        [(1, PLAYED, 9, 5), (1, DISLIKE, 1, 2)],
        [(1, LIKE, 1, 5)],  # never played: there is nothing to do again
    ],
)
def test_what_is_not_listened_to_again(events: list[tuple[int, FeedbackKind, float, float]]) -> None:
    assert picked("again", *events) == []


def test_a_like_and_one_play_are_enough() -> None:
    assert picked("again", (1, PLAYED, 1, 5), (1, LIKE, 1, 5)) == [1]


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ([(1, PLAYED, 3, 181), (2, PLAYED, 5, 900)], [2, 1]),
        ([(1, LIKE, 1, 400)], [1]),
        ([(1, LIKE, 1, 400), (1, PLAYED, 1, 100)], []),
        ([(1, LIKE, 1, 100), (1, PLAYED, 9, 400)], []),
        ([(1, PLAYED, 2, 400)], []),
        ([(1, PLAYED, 9, 400), (1, SKIP, 10, 400)], []),
        ([(1, PLAYED, 9, 400), (1, DISLIKE, 1, 300)], []),
    ],
)
def test_a_favourite_is_forgotten_after_half_a_year(
    events: list[tuple[int, FeedbackKind, float, float]], shown: list[int]
) -> None:
    assert picked("forgotten", *events) == shown


def test_versions_of_a_song_are_one_song_and_an_artist_has_two() -> None:
    catalogue = make_catalogue([[0], [0], [0], [0], [1]], recording=np.array([0, 0, 2, 3, 4], dtype=np.int32))
    events = [(0, PLAYED, 1, 5), (1, PLAYED, 8, 70), (2, PLAYED, 4, 5), (3, PLAYED, 3, 5), (4, PLAYED, 2, 5)]
    # Both versions were played nine times together, the last time five days ago.
    assert picked("again", *events, catalogue=catalogue) == [0, 2, 4]


OWN = [(10, PLAYED, 5, 9), (11, PLAYED, 3, 20), (12, PLAYED, 6, 400), (13, LIKE, 1, 300)]


def test_shelves_show_what_the_listener_knows_with_parts_that_add_up(model: Model) -> None:
    shown = shelves(allowing(model), feedback_of(*OWN))
    assert rows_of(shown["again"]) == [10, 11]
    assert rows_of(shown["forgotten"]) == [12, 13]
    assert set(shown["again"].items[0].contributions) == {"plays", "since"}
    for item in (*shown["again"].items, *shown["forgotten"].items):
        assert item.score == sum(item.contributions.values())
        assert (item.reasons, item.propensity, item.explored) == ((), 1.0, False)
    assert {shown[name].policy for name in ("again", "forgotten")} == {"greedy"}


def allowing(model: Model) -> Model:
    """The model, with these songs active, clean and by artists and of names that differ."""
    n = model.catalogue.n_tracks
    explicit, active = model.catalogue.explicit.copy(), model.catalogue.active.copy()
    explicit[10:14], active[10:14] = False, True
    recording = np.arange(n, dtype=np.int32)
    return replace(model, catalogue=replace(model.catalogue, explicit=explicit, active=active, recording=recording))


def test_the_rules_hold_for_songs_that_are_known(model: Model) -> None:
    model, feedback = allowing(model), feedback_of(*OWN)
    artist = model.catalogue.artists_at(10)[:1]
    blocked = shelves(model, feedback, excluded_artists=artist)
    assert 10 not in rows_of(blocked.get("again"))
    excluded = shelves(model, feedback, excluded=np.array([11, 12], dtype=np.int32))
    assert (rows_of(excluded["again"]), rows_of(excluded["forgotten"])) == ([10], [13])
    model.catalogue.explicit[10] = True
    assert rows_of(shelves(model, feedback, explicit_allowed=False)["again"]) == [11]
    model.catalogue.active[11] = False
    assert rows_of(shelves(model, feedback)["again"]) == [10]


def test_new_releases_are_of_liked_artists_and_lately(model: Model) -> None:
    feedback = Feedback.likes([30, 31])
    welcome = {int(artist) for row in (30, 31) for artist in model.catalogue.artists_at(row)}
    assert "fresh" not in shelves(model, feedback)
    year = model.catalogue.year.copy()
    credit = [bool(welcome & set(model.catalogue.artists_at(row).tolist())) for row in range(model.catalogue.n_tracks)]
    year[:] = 2025
    newer = replace(model, catalogue=replace(model.catalogue, year=year))
    shown = rows_of(shelves(newer, feedback, new_since=2025)["fresh"])
    assert shown
    assert all(credit[row] for row in shown)
    assert "fresh" not in shelves(newer, feedback, new_since=2026)
    year[:] = -1  # unknown
    unknown = replace(model, catalogue=replace(model.catalogue, year=year))
    assert "fresh" not in shelves(unknown, feedback, new_since=2025)


def test_no_more_shelves_than_wanted(model: Model) -> None:
    feedback = feedback_of(*OWN, (30, LIKE, 1, 3))
    every = list(shelves(allowing(model), feedback))
    assert list(shelves(allowing(model), feedback, 3)) == every[:3]
    assert len(every) > 3
