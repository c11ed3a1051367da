from __future__ import annotations

import numpy as np
import pytest

from recommender.engine.data.statistics import roc_auc
from recommender.engine.evaluation.metrics import (
    bootstrap_interval,
    ndcg_at_k,
    novelty_at_k,
    recall_of_hits,
)


def rows(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.array(values, dtype=np.int32)


def test_ndcg_by_hand() -> None:
    gain = 1 / np.log2(2) + 1 / np.log2(4)
    ideal = 1 / np.log2(2) + 1 / np.log2(3) + 1 / np.log2(4)
    assert ndcg_at_k(rows(5, 6, 7), rows(7, 5, 9), 3) == pytest.approx(gain / ideal)


def test_ndcg_of_a_perfect_and_a_useless_ranking() -> None:
    assert ndcg_at_k(rows(1, 2, 3), rows(1, 2), 3) == 1.0
    assert ndcg_at_k(rows(1, 2, 3), rows(4), 3) == 0.0
    assert ndcg_at_k(rows(4), rows(4), 10) == 1.0


def test_recall_is_over_what_fits() -> None:
    hits = np.array([[True, False, True], [True, False, False]])
    assert recall_of_hits(hits, np.array([4, 1]), 2).tolist() == [0.5, 1.0]


def test_no_relevant_rows_are_an_error() -> None:
    with pytest.raises(ValueError, match="no relevant rows"):
        ndcg_at_k(rows(1), rows(), 10)


def test_novelty_is_in_bits() -> None:
    assert novelty_at_k(rows(0, 1, 2), np.array([0.5, 0.25, 0.001]), 2) == pytest.approx(1.5)


def test_bootstrap_covers_the_mean_and_repeats_with_its_seed() -> None:
    values = np.random.default_rng(1).normal(3.0, 1.0, size=400)
    first, second = (bootstrap_interval(values, np.random.default_rng(5)) for _ in range(2))
    assert first == second
    assert first.low < first.mean < first.high
    assert first.high - first.low == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_bootstrap_of_equal_values_has_no_width() -> None:
    interval = bootstrap_interval(np.full(9, 0.25), np.random.default_rng(0))
    assert (interval.low, interval.mean, interval.high) == (0.25, 0.25, 0.25)
    with pytest.raises(ValueError, match="no values"):
        bootstrap_interval(np.empty(0), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("scores", "liked", "expected"),
    [
        ([3, 2, 1], [True, False, False], 1.0),
        ([1, 2, 3], [True, False, False], 0.0),
        ([1, 1, 1], [True, False, True], 0.5),
        # Pairs (4, 3), (4, 2), (2, 3), (2, 2): won, won, lost, even.
        ([4, 3, 2, 2], [True, False, True, False], 2.5 / 4),
    ],
)
def test_area_under_the_curve_by_hand(scores: list[float], liked: list[bool], expected: float) -> None:
    assert roc_auc(np.array(scores, dtype=np.float32), np.array(liked)) == expected


@pytest.mark.parametrize("liked", [[True, True], [False, False], []])
def test_area_under_the_curve_needs_both_kinds(liked: list[bool]) -> None:
    with pytest.raises(ValueError, match="all or none are liked"):
        roc_auc(np.zeros(len(liked), dtype=np.float32), np.array(liked, dtype=np.bool_))
