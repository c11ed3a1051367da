from __future__ import annotations

import numpy as np
import pytest

from recommender.engine.data.arrays import FloatArray, IntArray, unit_vectors
from recommender.engine.serving.constraints import pick_page
from recommender.engine.serving.mmr import EMPTY, Mmr, PageConstraints, first_versions, pick_pages, similarities
from recommender.tests.engine.build import make_catalogue


def rules_of(artists: list[list[int]], max_per_artist: int) -> PageConstraints:
    return PageConstraints.of(make_catalogue(artists), np.arange(len(artists), dtype=np.int32), max_per_artist)


def random_case(seed: int, n: int = 80) -> tuple[FloatArray, FloatArray, list[list[int]]]:
    rng = np.random.default_rng(seed)
    artists = [sorted({int(a) for a in rng.integers(0, n // 5, size=rng.integers(1, 4))}) for _ in range(n)]
    return rng.normal(size=n).astype(np.float32), rng.normal(size=(n, 6)).astype(np.float32), artists


def plain_mmr(scores: FloatArray, similarity: FloatArray, weight: float, k: int, artists: list[list[int]]) -> list[int]:
    """The textbook's loop, one candidate at a time, at most two songs of an artist."""
    page: list[int] = []
    for _ in range(k):
        best, best_value = -1, -np.inf
        for candidate in range(len(scores)):
            full = any(sum(artist in artists[chosen] for chosen in page) >= 2 for artist in artists[candidate])
            if candidate in page or full:
                continue
            value = scores[candidate] - weight * max((similarity[chosen, candidate] for chosen in page), default=0.0)
            if value > best_value:
                best, best_value = candidate, float(value)
        page.append(best)
    return page


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weight", [0.0, 0.3, 2.0])
def test_pages_are_those_of_the_plain_loop(seed: int, weight: float) -> None:
    scores, vectors, artists = random_case(seed)
    unit = unit_vectors(vectors)
    similarity = similarities(unit, unit)
    page = pick_pages(scores[None, :], 12, rules_of(artists, 2), Mmr(unit, weight))
    assert page[0].tolist() == plain_mmr(scores, similarity, weight, 12, artists)


def test_without_variety_a_page_is_that_of_the_page_rules() -> None:
    scores, _, artists = random_case(7)
    catalogue = make_catalogue(artists)
    page = pick_pages(scores[None, :], 15, rules_of(artists, 2))
    assert page[0].tolist() == pick_page(scores, np.ones(80, np.bool_), catalogue, 15, 2).tolist()


def test_off_is_the_order_of_the_scores() -> None:
    scores, vectors, artists = random_case(8)
    variety = Mmr(unit_vectors(vectors), 0.0)
    page = pick_pages(scores[None, :], 80, rules_of(artists, 80), variety)
    assert page[0].tolist() == np.argsort(-scores, kind="stable").tolist()


def test_many_pages_at_once_are_the_pages_one_by_one() -> None:
    scores, vectors, artists = random_case(9)
    many = scores + np.random.default_rng(1).normal(size=(20, 80)).astype(np.float32)
    rules, variety = rules_of(artists, 2), Mmr(unit_vectors(vectors), 0.5)
    together = pick_pages(many, 10, rules, variety)
    alone = [pick_pages(line[None, :], 10, rules, variety)[0] for line in many]
    assert together.tolist() == [page.tolist() for page in alone]
    assert len({tuple(page) for page in together.tolist()}) > 10


def test_the_scores_are_left_as_they_are() -> None:
    scores, _, artists = random_case(10)
    before = scores.copy()
    pick_pages(scores[None, :], 5, rules_of(artists, 2))
    assert scores.tolist() == before.tolist()


def test_a_near_copy_gives_way_to_something_else() -> None:
    vectors = np.array([[1, 0], [0.99, 0.1], [0, 1]], dtype=np.float32)
    scores = np.array([[3.0, 2.9, 2.5]], dtype=np.float32)
    unit = unit_vectors(vectors)
    rules = rules_of([[0], [1], [2]], 2)
    assert pick_pages(scores, 3, rules, Mmr(unit, 1.0))[0].tolist() == [0, 2, 1]
    assert pick_pages(scores, 3, rules, Mmr(unit, 0.1))[0].tolist() == [0, 1, 2]


def test_places_stay_empty_where_the_rules_leave_nothing() -> None:
    scores = np.array([[3.0, 2.0, 1.0, -np.inf]], dtype=np.float32)
    page = pick_pages(scores, 4, rules_of([[0], [0], [0], [1]], 2))
    assert page[0].tolist() == [0, 1, EMPTY, EMPTY]
    assert pick_pages(np.empty((1, 0), np.float32), 2, rules_of([], 2)).tolist() == [[EMPTY, EMPTY]]


def test_one_version_of_a_song_the_first() -> None:
    recording = np.array([0, 1, 0, 2, 1], dtype=np.int32)
    rows: IntArray = np.array([4, 2, 0, 3, 1], dtype=np.int32)
    assert rows[first_versions(recording, rows)].tolist() == [4, 2, 3]


def test_unknown_songs_resemble_nothing() -> None:
    unit = unit_vectors(np.array([[0, 0], [3, 4]], dtype=np.float32))
    assert unit.tolist() == [[0.0, 0.0], [pytest.approx(0.6), pytest.approx(0.8)]]
    assert similarities(unit, unit)[0].tolist() == [0.0, 0.0]
