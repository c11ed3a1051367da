"""The choice of songs for a group, on arrays."""

import itertools

import numpy as np
import pytest

from recommender.blends.choosing import choose, for_whom, standardise

ALONE = [[number] for number in range(200)]


def test_scores_are_standardised_for_each_listener_alone() -> None:
    scores = np.array([[1.0, 2.0, 3.0], [1000.0, 2000.0, 3000.0], [7.0, 7.0, 7.0]])
    standard = standardise(scores)
    assert standard[0].tolist() == pytest.approx([-1.2247448, 0.0, 1.2247448])
    assert standard[1].tolist() == pytest.approx(standard[0].tolist())
    assert standard[2].tolist() == [0.0, 0.0, 0.0]


def test_great_favourites_hide_less_which_other_songs_fit() -> None:
    scores = np.array([[10.0, 9.0, *np.linspace(0.0, 1.0, 20)]])
    standard, plain = standardise(scores)[0], (scores[0] - scores.mean()) / scores.std()
    assert standard[0] == standard[1]
    assert np.ptp(standard[2:]) > 1.4 * np.ptp(plain[2:])
    assert (standard.mean(), standard.std()) == (pytest.approx(0.0), pytest.approx(1.0))


def test_the_first_song_is_the_one_whose_least_pleased_listener_is_pleased_most() -> None:
    # The sum says the first song, the largest minimum the third.
    standard = np.array([[3.0, 0.0, 0.9], [0.5, 0.1, 0.8]])
    assert choose(standard, 1, ALONE) == [2]


def test_of_equals_the_larger_sum_wins_and_then_the_earlier_song() -> None:
    standard = np.array([[0.5, 0.5, 0.5], [0.7, 0.9, 0.9]])
    assert choose(standard, 3, ALONE) == [1, 2, 0]


def test_the_next_song_makes_up_to_who_had_least() -> None:
    # By the minimum of each song alone, song 1 would follow song 0; the second listener had less so far.
    assert choose(np.array([[2.0, 0.9, 0.4], [1.0, 0.9, 2.0]]), 2, ALONE) == [0, 2]


@pytest.mark.parametrize("seed", range(10))
def test_the_least_pleased_have_more_than_by_the_sum_and_nearly_the_most_there_is(seed: int) -> None:
    standard = standardise(np.random.default_rng(seed).normal(size=(3, 12)))
    chosen = choose(standard, 4, ALONE)
    by_sum = np.argsort(-standard.sum(axis=0))[:4]
    least = standard[:, chosen].sum(axis=1).min()
    best = max(standard[:, list(four)].sum(axis=1).min() for four in itertools.combinations(range(12), 4))
    assert least >= standard[:, by_sum].sum(axis=1).min()
    assert best - least <= 0.3  # In deviations, over four songs: exchanges of one song don't reach every best list.


def test_an_exchange_mends_what_the_greedy_choice_missed() -> None:
    # Greedy takes song 0, the best alone, and ends at 1.5 for the first listener; 1 and 2 give both 2.
    standard = np.array([[0.9, 2.0, 0.0], [0.9, 0.0, 2.0]])
    assert sorted(choose(standard, 2, ALONE)) == [1, 2]


def test_no_artist_has_more_than_two_songs_featured_ones_neither() -> None:
    standard = np.array([[5.0, 4.0, 3.0, 2.0, 1.0]] * 2)
    assert choose(standard, 5, [[1], [1, 2], [1], [2], [2]]) == [0, 1, 3]


def test_there_are_fewer_songs_where_there_are_no_more() -> None:
    assert choose(np.zeros((2, 3)), 30, ALONE) == [0, 1, 2]
    assert choose(np.zeros((2, 0)), 30, []) == []


@pytest.mark.parametrize(
    ("scores", "listeners"),
    [([0.9, 0.4, 0.5], [0, 2]), ([0.4, -1.0], [0]), ([-1.0, -1.0], [0, 1]), ([2.0, 2.0], [0, 1])],
)
def test_a_song_is_for_whoever_it_fits_and_always_for_somebody(scores: list[float], listeners: list[int]) -> None:
    assert for_whom(scores) == listeners
