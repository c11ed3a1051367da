from __future__ import annotations

import numpy as np
import pytest

from recommender.engine import Catalogue, EngineConfig, FeedbackKind
from recommender.engine.ranking.exclusions import AllowedTracks, allowed_rows, known_rows
from recommender.engine.serving.constraints import pick_page
from recommender.tests.engine.build import feedback_of, make_catalogue

NONE = np.empty(0, dtype=np.int32)


def descending(n: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.arange(n, 0, -1).astype(np.float32)


def everything(catalogue: Catalogue) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.ones(catalogue.n_tracks, dtype=np.bool_)


def test_known_are_rated_songs_and_those_heard_lately() -> None:
    rest = EngineConfig().page.rest_days_heard
    feedback = feedback_of(
        (0, FeedbackKind.LIKE, 1, 9999),
        (1, FeedbackKind.DISLIKE, 1, 9999),
        (2, FeedbackKind.PLAY, 1, rest - 1),
        (3, FeedbackKind.PLAY, 1, rest),
        (4, FeedbackKind.SKIP, 1, 0),
        (5, FeedbackKind.COMPLETED, 1, rest + 1),
    )
    assert known_rows(feedback, EngineConfig()).tolist() == [0, 1, 2, 4]


def test_inactive_and_explicit_songs() -> None:
    catalogue = make_catalogue([[0]] * 3, active=np.array([True, False, True]), explicit=np.array([True, False, False]))
    assert allowed_rows(catalogue, excluded=NONE).tolist() == [True, False, True]
    assert allowed_rows(catalogue, excluded=NONE, explicit_allowed=False).tolist() == [False, False, True]


def test_a_version_of_an_excluded_song_is_excluded() -> None:
    catalogue = make_catalogue([[0]] * 4, recording=np.array([0, 1, 0, 2], dtype=np.int32))
    assert allowed_rows(catalogue, excluded=np.array([2], dtype=np.int32)).tolist() == [False, True, False, True]


def test_blocked_artists_and_genres() -> None:
    catalogue = make_catalogue([[0], [1], [2, 1], [2]], [[0], [], [], [1, 0]])
    single_row = np.array([1], dtype=np.int32)
    assert AllowedTracks(catalogue, excluded_artists=single_row).mask().tolist() == [True, False, False, True]
    assert AllowedTracks(catalogue, excluded_genres=single_row).mask().tolist() == [True, True, True, False]


def test_at_most_two_songs_of_any_credited_artist() -> None:
    catalogue = make_catalogue([[0], [1, 0], [0], [2, 0], [2], [2], [2]])
    page = pick_page(descending(7), everything(catalogue), catalogue, k=5, max_per_artist=2)
    assert page.tolist() == [0, 1, 4, 5]


def test_an_artist_credited_twice_counts_once() -> None:
    catalogue = make_catalogue([[0, 0], [0], [1]])
    assert pick_page(descending(3), everything(catalogue), catalogue, 3, 2).tolist() == [0, 1, 2]


def test_songs_without_an_artist_are_not_limited() -> None:
    catalogue = make_catalogue([[]] * 4)
    assert pick_page(descending(4), everything(catalogue), catalogue, 4, 1).tolist() == [0, 1, 2, 3]


def test_one_version_of_a_song() -> None:
    catalogue = make_catalogue([[0], [1], [2]], recording=np.array([0, 0, 1], dtype=np.int32))
    assert pick_page(descending(3), everything(catalogue), catalogue, 3, 2).tolist() == [0, 2]


@pytest.mark.parametrize("k", [1, 3, 30])
def test_an_artist_with_most_of_the_catalogue_does_not_hide_the_rest(k: int) -> None:
    # The first 3,000 are by one artist: far more than one round of candidates.
    catalogue = make_catalogue([[0]] * 3000 + [[artist] for artist in range(1, 41)])
    page = pick_page(descending(3040), everything(catalogue), catalogue, k, 2)
    assert page.tolist() == [0, 1, *range(3000, 3040)][:k]


def test_a_short_page_when_there_is_no_more() -> None:
    catalogue = make_catalogue([[0]] * 300)
    assert pick_page(descending(300), everything(catalogue), catalogue, 20, 2).tolist() == [0, 1]
    assert pick_page(descending(300), ~everything(catalogue), catalogue, 20, 2).tolist() == []
    assert pick_page(descending(0), everything(make_catalogue([])), make_catalogue([]), 20, 2).tolist() == []


def test_the_page_is_what_sorting_everything_would_give() -> None:
    rng = np.random.default_rng(2)
    artists = rng.integers(0, 60, size=(900, 2))
    catalogue = make_catalogue(artists.tolist(), recording=rng.integers(0, 500, size=900).astype(np.int32))
    scores = rng.normal(size=900).astype(np.float32)
    page: list[int] = []
    by_artist: dict[int, int] = {}
    recordings: set[np.int32] = set()
    for row in np.argsort(-scores, kind="stable"):
        credited = set(artists[row].tolist())
        has_room = all(by_artist.get(artist, 0) < 2 for artist in credited)
        if len(page) < 50 and has_room and catalogue.recording[row] not in recordings:
            page.append(int(row))
            recordings.add(catalogue.recording[row])
            by_artist |= {artist: by_artist.get(artist, 0) + 1 for artist in credited}
    assert pick_page(scores, everything(catalogue), catalogue, 50, 2).tolist() == page
