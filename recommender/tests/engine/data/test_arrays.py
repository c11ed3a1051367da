from __future__ import annotations

import numpy as np
import pytest

from recommender.engine.data.arrays import csr, csr_any, csr_slice, keep_largest_per_row, members, sum_by_row, top_rows
from recommender.tests.engine.build import csr_of

LISTS = [[2, 0], [], [1], [0, 1, 2]]


def test_csr_slice_keeps_rows_and_order() -> None:
    indptr, indices = csr_of(LISTS)
    owner, position = csr_slice(indptr, np.array([3, 1, 0], dtype=np.int32))
    assert owner.tolist() == [0, 0, 0, 2, 2]
    assert indices[position].tolist() == [0, 1, 2, 2, 0]


def test_csr_any_tells_which_rows_have_a_flagged_member() -> None:
    indptr, indices = csr_of(LISTS)
    assert csr_any(indptr, indices, np.array([False, True, False])).tolist() == [False, False, True, True]


def test_csr_does_not_copy() -> None:
    indptr, indices = csr_of(LISTS)
    data = np.ones(len(indices), dtype=np.float32)
    matrix = csr(data, indices, indptr, 3)
    assert np.shares_memory(matrix.data, data)
    assert np.shares_memory(matrix.indices, indices)
    assert np.shares_memory(matrix.indptr, indptr)


def test_keep_largest_per_row() -> None:
    indptr, indices = csr_of([[0, 1, 2], [], [1, 2]])
    matrix = csr(np.array([3, 1, 2, 5, 5], dtype=np.float32), indices, indptr, 3)
    assert keep_largest_per_row(matrix, 2).toarray().tolist() == [[3, 0, 2], [0, 0, 0], [0, 5, 5]]
    assert keep_largest_per_row(matrix, 1).toarray().tolist() == [[3, 0, 0], [0, 0, 0], [0, 5, 0]]


@pytest.mark.parametrize(("limit", "expected"), [(0, []), (2, [3, 0]), (4, [3, 0, 4]), (99, [3, 0, 4])])
def test_top_rows_are_sorted_finite_and_break_ties_by_row(limit: int, expected: list[int]) -> None:
    scores = np.array([2, -np.inf, -np.inf, 5, 2], dtype=np.float32)
    assert top_rows(scores, limit).tolist() == expected


@pytest.mark.parametrize("limit", [1, 15, 300, 4000])
@pytest.mark.parametrize("kind", ["normal", "mostly zero", "barred", "constant", "sorted"])
def test_top_rows_of_many_are_those_of_a_full_sort(kind: str, limit: int) -> None:
    scores = np.random.default_rng(4).normal(size=30_000).astype(np.float32)
    if kind == "mostly zero":
        scores = np.where(scores > 2.0, scores, np.float32(0.0))
    elif kind == "barred":
        scores[:29_900] = -np.inf
    elif kind == "constant":
        scores[:] = 3.0
    elif kind == "sorted":
        scores = np.sort(scores)
    rows = np.lexsort((np.arange(30_000), -scores))[:limit]
    assert top_rows(scores, limit).tolist() == rows[np.isfinite(scores[rows])].tolist()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5])
def test_top_rows_among_the_allowed(share: float) -> None:
    rng = np.random.default_rng(5)
    scores, allowed = rng.normal(size=30_000).astype(np.float32), rng.random(30_000) < share
    expected = top_rows(np.where(allowed, scores, -np.inf).astype(np.float32), 200)
    assert top_rows(scores, 200, allowed).tolist() == expected.tolist()


@pytest.mark.parametrize("n", [6, 100], ids=["many of all", "few of all"])
def test_sum_by_row(n: int) -> None:
    rows, values = np.array([4, 0, 4, 2, 0], dtype=np.int32), np.array([1, 2, 3, 4, -7], dtype=np.float32)
    distinct, sums = sum_by_row(rows, values, n)
    assert dict(zip(distinct.tolist(), sums.tolist(), strict=True)) == {0: -5.0, 2: 4.0, 4: 4.0}
    assert distinct.dtype == np.int32
    assert sums.dtype == np.float32
    assert sum_by_row(rows[:0], values[:0], n)[0].tolist() == []


def test_sums_of_nothing_are_left_out_where_the_rows_are_many() -> None:
    rows, values = np.array([1, 0, 1], dtype=np.int32), np.array([2, 3, -2], dtype=np.float32)
    distinct, sums = sum_by_row(rows, values, 3)
    assert distinct.tolist() == [0]
    assert sums.tolist() == [3.0]


def test_members_of_each_group() -> None:
    indptr, places = members(np.array([2, 0, 2, 2], dtype=np.int32), 4)
    assert indptr.tolist() == [0, 1, 1, 4, 4]
    assert places.tolist() == [1, 0, 2, 3]
