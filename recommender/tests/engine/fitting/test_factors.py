"""The solver against the equations it solves, written out densely."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recommender.engine.data.arrays import FloatArray, Sparse
from recommender.engine.fitting import (
    FactorConfig,
    FoldIn,
    artist_content,
    cold_item_factors,
    factorise,
    regularisation,
)
from recommender.engine.fitting.cold_items import artist_means
from recommender.engine.fitting.solver import GramEigen, Observations, solve_rows

RNG = np.random.default_rng(5)
ALPHA = 7.0


def weights_of(rows: list[dict[int, float]], columns: int) -> Sparse:
    matrix = sp.lil_array((len(rows), columns), dtype=np.float32)
    for row, entries in enumerate(rows):
        for column, value in entries.items():
            matrix[row, column] = value
    return sp.csr_array(matrix)


def by_hand(factors: FloatArray, entries: dict[int, float], regularised: float, prior: FloatArray) -> FloatArray:
    confidence, preference = np.ones(len(factors)), np.zeros(len(factors))
    for column, value in entries.items():
        confidence[column] += ALPHA * abs(value)
        preference[column] = 1.0 if value > 0 else max(value, -1.0)
    system = (factors.T * confidence) @ factors + regularised * np.eye(factors.shape[1])
    right = factors.T @ (confidence * preference) + regularised * prior
    return np.asarray(np.linalg.solve(system, right), dtype=np.float32)


@pytest.mark.parametrize("size", [0, 1, 3, 5, 12], ids=lambda size: f"{size} entries")
def test_rows_solve_their_equations(size: int) -> None:
    factors = RNG.normal(size=(20, 4)).astype(np.float32)
    columns = RNG.choice(20, size=size, replace=False)
    entries = {int(column): float(RNG.choice([1.0, 0.25, -0.5, -1.0])) for column in columns}
    prior = RNG.normal(size=(2, 4)).astype(np.float32)
    observed = Observations.of(weights_of([entries, {0: 1.0}], 20), ALPHA)
    solved = solve_rows(observed, GramEigen.of(factors), np.array([2.0, 3.0], dtype=np.float32), prior)
    expected = by_hand(factors, entries, 2.0, prior[0]) if size else prior[0]
    np.testing.assert_allclose(solved[0], expected, rtol=2e-3, atol=2e-4)


def test_a_fold_in_solves_the_row_and_splits_into_what_each_song_does() -> None:
    factors = RNG.normal(size=(20, 4)).astype(np.float32)
    entries = {3: 1.0, 8: -1.0, 11: 0.5, 15: 0.0}
    weights = np.array(list(entries.values()), dtype=np.float32)
    system = FoldIn.of(factors[list(entries)], weights, factors.T @ factors, ALPHA, 2.0)
    heard = {column: value for column, value in entries.items() if value}
    folded = by_hand(factors, heard, 2.0, np.zeros(4, np.float32))
    np.testing.assert_allclose(system.factors(), folded, atol=1e-5)
    shares = system.contributions(factors[:3])
    assert shares.shape == (3, 4)
    np.testing.assert_allclose(shares.sum(axis=1), factors[:3] @ folded, atol=1e-5)
    alone = system.contributions(np.eye(4, dtype=np.float32))
    np.testing.assert_allclose(shares, factors[:3] @ alone, atol=1e-5)
    assert not shares[:, 3].any()


def test_a_fit_finds_the_groups_that_listeners_fall_into() -> None:
    group = np.repeat([0, 1], 20)
    chance = np.random.default_rng(1).random((40, 20))
    liked = (group[:, None] == np.repeat([0, 1], 10)[None, :]) & (chance < 0.6)
    weights = weights_of([dict.fromkeys(np.flatnonzero(line).tolist(), 1.0) for line in liked], 20)
    nobody = weights_of([{} for _ in range(20)], 1)
    config = FactorConfig(factors=4, regularisation=1.0)
    fitted = factorise(weights, nobody, config, np.random.default_rng(0))
    cosine = fitted.items @ fitted.items.T
    length = np.sqrt(np.diag(cosine))
    cosine /= length[:, None] * length[None, :]
    within = np.concatenate([cosine[:10, :10].ravel(), cosine[10:, 10:].ravel()])
    assert within.mean() > 2.5 * np.abs(cosine[:10, 10:]).mean()
    np.testing.assert_allclose(fitted.gram, fitted.items.T @ fitted.items, rtol=1e-5)


def test_regularisation_grows_with_the_square_root_of_the_entries() -> None:
    lengths = np.array([1, 4, 4, 7], dtype=np.float32)
    expected = 8.0 * np.sqrt(lengths / 4.0)
    np.testing.assert_allclose(regularisation(lengths, FactorConfig(regularisation=8.0)), expected, rtol=1e-6)


def test_artist_means_by_hand() -> None:
    factors = np.array([[1.0], [3.0], [9.0]], dtype=np.float32)
    credited = sp.csr_array(np.array([[1, 0], [1, 0], [1, 1]], dtype=np.float32))
    counts = np.array([1, 2, 0], dtype=np.float32)
    # Artist 0: (1 * 1 + 2 * 3) / (3 + 2); artist 1 has only a song that nobody has heard.
    means = artist_means(factors, counts, credited, shrinkage=2.0)
    np.testing.assert_allclose(means[:, 0], [1.4, 1.4, 0.7], rtol=1e-6)


def test_unheard_songs_follow_their_artist_or_their_content() -> None:
    content = np.array([[1, 0], [1, 1], [1, 1], [1, 0.5]], dtype=np.float32)
    factors = np.array([[2.0], [4.0], [10.0]], dtype=np.float32)
    unheard = cold_item_factors(factors, np.ones(3, np.float32), np.array([0, 0, 1], np.int32), content, 0.0, 1e-6)
    # Artists 0 and 1 are known; 2 sounds like 1, and what has no artist lies between the two.
    np.testing.assert_allclose(unheard[:, 0], [3.0, 10.0, 10.0, 6.5], rtol=1e-3)


def test_content_of_an_artist_is_the_mean_of_its_songs() -> None:
    genres = sp.csr_array(np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32))
    sound = np.array([[1.0], [3.0], [5.0]], dtype=np.float32)
    content = artist_content(genres, sound, np.array([0, 0, -1], dtype=np.int32), 2, n_genres=1)
    np.testing.assert_allclose(content, [[1, 2, 5, 1], [1, 0, 0, 0], [1, 5, 25, 0]])
