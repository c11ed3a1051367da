"""Sparse weights against their formulas, written out densely."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recommender.engine.data import Interactions
from recommender.engine.data.interaction_matrix import liked_matrix, weight_matrix, with_short_lists
from recommender.engine.fitting import cooccurrence
from recommender.engine.fitting.cooccurrence import CooccurrenceConfig, neighbours

RNG = np.random.default_rng(6)
LIKED = (RNG.random((30, 12)) < 0.3).astype(np.float32)


@pytest.mark.parametrize("block", [1, 60, 10_000])
def test_neighbours_by_hand(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cooccurrence, "BLOCK_PRODUCTS", block)
    weights = neighbours(
        sp.csr_array(LIKED), CooccurrenceConfig(n_neighbours=12, power=0.4, length_power=0.5, shrinkage=3.0)
    )
    weight = np.maximum(LIKED.sum(axis=1), 1) ** -0.5
    size = weight @ LIKED
    expected = (LIKED.T * weight) @ LIKED / (size[:, None] * size[None, :]) ** 0.4
    rarer = np.minimum(LIKED.sum(axis=0)[:, None], LIKED.sum(axis=0)[None, :])
    expected *= rarer / (rarer + 3.0)
    np.fill_diagonal(expected, 0.0)
    np.testing.assert_allclose(weights.toarray(), expected, rtol=1e-5)


def test_only_the_nearest_are_kept() -> None:
    every = neighbours(sp.csr_array(LIKED), CooccurrenceConfig(n_neighbours=12)).toarray()
    some = neighbours(sp.csr_array(LIKED), CooccurrenceConfig(n_neighbours=3)).toarray()
    assert (np.count_nonzero(some, axis=1) == 3).all()
    for line, whole in zip(some, every, strict=True):
        np.testing.assert_allclose(np.sort(line)[-3:], np.sort(whole)[-3:])


def test_weights_are_signed_sums_of_at_most_one_like() -> None:
    interactions = Interactions(
        np.array([0, 0, 0, 1, 1], dtype=np.int32),
        np.array([2, 2, 0, 1, 1], dtype=np.int32),
        np.array([3, 4, -0.25, 1, -1], dtype=np.float32),
        np.full(2, -1, np.int32),
    )
    assert weight_matrix(interactions, 3).toarray().tolist() == [[-0.25, 0, 1], [0, 0, 0]]
    assert liked_matrix(interactions, 3).toarray().tolist() == [[0, 0, 1], [0, 0, 0]]


def test_long_lists_are_sampled_and_short_ones_kept() -> None:
    matrix = sp.csr_array(np.triu(np.ones((6, 6), dtype=np.float32)))
    short = with_short_lists(matrix, 3, np.random.default_rng(0))
    assert np.diff(short.indptr).tolist() == [3, 3, 3, 3, 2, 1]
    assert (short.toarray() <= matrix.toarray()).all()
