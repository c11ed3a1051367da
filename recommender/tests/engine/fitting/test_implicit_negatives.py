from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.engine.data.arrays import Sparse
from recommender.engine.data.interaction_matrix import rating_matrix
from recommender.engine.data.statistics import roc_auc
from recommender.engine.evaluation.rated import Ratings
from recommender.engine.fitting.implicit_negatives import PreferenceConfig, _quality, learn_implicit_negative_weight
from recommender.tests.engine.people import World, learned_from

SETTINGS = PreferenceConfig(n_factors=4, n_iterations=5)
WORLD = World(appeal=1.5, fame=1.0)


def answers(answered: Ratings) -> Sparse:
    return rating_matrix(learned_from(answered), WORLD.songs)


def silence(matrix: Sparse, settings: PreferenceConfig = SETTINGS) -> float:
    return learn_implicit_negative_weight(matrix, settings, np.random.default_rng(0))


@pytest.mark.parametrize("seed", [1, 2])
def test_is_a_no_where_people_choose_what_they_answer(seed: int) -> None:
    assert silence(answers(WORLD.chosen(seed))) == 1.0


@pytest.mark.parametrize("seed", [1, 2])
def test_says_next_to_nothing_where_songs_were_put_before_them(seed: int) -> None:
    assert silence(answers(WORLD.shown(seed))) == 0.01


def test_is_a_no_in_lists_whatever_was_put_into_them() -> None:
    lists = answers(WORLD.shown(1))
    lists.data[lists.data < 3] = 0.0
    lists.eliminate_zeros()
    assert silence(lists) == 1.0


def test_so_few_dislikes_that_they_could_be_slips_change_nothing_about_it() -> None:
    shown = answers(WORLD.shown(1))
    noes = np.flatnonzero(shown.data < 3)
    few = shown.copy()
    # One no in a hundred answers is left, then three.
    yeses = shown.nnz - len(noes)
    few.data[noes[round(0.01 * yeses) :]] = 0.0
    few.eliminate_zeros()
    assert silence(few) == 1.0
    some = shown.copy()
    some.data[noes[round(0.03 * yeses) :]] = 0.0
    some.eliminate_zeros()
    refusing = replace(SETTINGS, implicit_negative_weights=(0.5,))
    assert (silence(few, refusing), silence(some, refusing)) == (1.0, 0.5)


def test_of_values_that_rank_alike_the_largest_is_taken() -> None:
    shown = answers(WORLD.shown(1))
    close = replace(SETTINGS, implicit_negative_weights=(0.0101, 0.01, 0.0099))
    assert silence(shown, close) == 0.0101


def test_the_same_seed_finds_the_same() -> None:
    shown = answers(WORLD.shown(3))
    assert silence(shown) == silence(shown)


def test_without_anybody_it_is_a_no() -> None:
    assert silence(answers(WORLD.shown(1))[:0]) == 1.0


def test_who_has_nothing_to_be_held_back_is_not_judged() -> None:
    """One answer cannot be parted, and of two noes there is no like to find."""
    shown = answers(WORLD.shown(1))
    single = shown[:5].copy()
    single.data[:] = 1.0
    assert _quality(shown, single, 0.01, SETTINGS, seed=0) == 0.0


def test_quality_is_the_share_of_pairs_in_order_and_ties_count_half() -> None:
    scores = np.array([3.0, 1.0, 2.0, 1.0, 9.0], dtype=np.float32)
    wanted, judged = np.isin(np.arange(5), [1, 2]), np.arange(5) != 4
    # 1 and 2 against 3 and 1: one pair is won, one is even.
    assert roc_auc(scores[judged], wanted[judged]) == pytest.approx(1.5 / 4)
