from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recommender.engine import Catalogue, Feedback, Interactions, InvalidDataError
from recommender.tests.engine.build import csr_of, make_catalogue


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("track_ids", np.array([5, 5], dtype=np.int64), "track_ids: must be strictly increasing"),
        ("track_ids", np.array([1, 2], dtype=np.int32), "track_ids: expected dtype int64, got int32"),
        ("artist_indices", np.array([0, 9], dtype=np.int32), "artist_indices: 0..9 outside 0..1"),
        ("artist_indptr", np.array([0, 2, 1], dtype=np.int32), "artist_indptr: must not decrease"),
        ("artist_indptr", np.array([0, 1], dtype=np.int32), r"artist_indptr: expected shape \(3,\), got \(2,\)"),
        ("features", np.zeros((2, 3), dtype=np.float32), r"features: expected shape \(2, 8\), got \(2, 3\)"),
        ("popularity", np.array([1, 101], dtype=np.float32), r"popularity: known values must lie in 0\.\.100"),
        ("recording", np.array([0, 2], dtype=np.int32), r"recording: 0\.\.2 outside 0\.\.1"),
        ("album", np.array([-2, 0], dtype=np.int32), r"album: -2\.\.0 outside -1\.\.1"),
        ("active", np.array([True]), r"active: expected shape \(2,\), got \(1,\)"),
        ("explicit", [True, False], "explicit: expected a numpy array, got list"),
    ],
)
def test_catalogue_names_the_array_that_does_not_fit(field: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        make_catalogue([[0], [1]], **{field: value})


def test_catalogue_finds_the_callers_ids() -> None:
    catalogue = make_catalogue([[0], [1], [0, 1]], artist_ids=np.array([4, 8], dtype=np.int64))
    assert catalogue.rows_of([120, 100, 105]).tolist() == [2, 0, -1]
    assert catalogue.artists_of([8, 9]).tolist() == [1, -1]
    assert catalogue.genres_of([1]).tolist() == [-1]
    assert catalogue.artists_at(2).tolist() == [0, 1]


def test_catalogue_arrays_are_enough_to_build_it_again() -> None:
    catalogue = make_catalogue([[0], [1]])
    again = Catalogue(feature_columns=catalogue.feature_columns, **catalogue.arrays())  # type: ignore[arg-type]
    assert again.track_ids is catalogue.track_ids


def test_interactions_keep_only_the_chosen_listeners() -> None:
    interactions = Interactions(
        listener=np.array([0, 1, 2, 2], dtype=np.int32),
        row=np.array([5, 6, 7, 8], dtype=np.int32),
        weight=np.array([1, 2, 3, 4], dtype=np.float32),
        region=np.array([7, 8, 9], dtype=np.int32),
    )
    subset = interactions.of_listeners(np.array([True, False, True]))
    assert subset.listener.tolist() == [0, 1, 1]
    assert subset.row.tolist() == [5, 7, 8]
    assert subset.weight.tolist() == [1, 3, 4]
    assert subset.region.tolist() == [7, 9]


def test_interactions_outside_the_catalogue_are_refused() -> None:
    zero = np.zeros(1, dtype=np.int32)
    interactions = Interactions(listener=zero, row=zero + 2, weight=np.ones(1, np.float32), region=zero)
    interactions.check_against(make_catalogue([[0], [0], [0]]))
    with pytest.raises(InvalidDataError, match=r"row: 2\.\.2 outside 0\.\.1"):
        interactions.check_against(make_catalogue([[0], [0]]))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("kind", np.array([5], dtype=np.int32), r"kind: 5\.\.5 outside 0\.\.4"),
        ("count", np.array([0], dtype=np.float32), "count: must be finite and >= 1"),
        ("age_days", np.array([-1], dtype=np.float32), "age_days: must be finite and >= 0"),
        ("age_days", np.array([np.nan], dtype=np.float32), "age_days: must be finite and >= 0"),
        ("rows", np.array([1, 2], dtype=np.int32), r"kind: expected shape \(2,\), got \(1,\)"),
    ],
)
def test_feedback_names_the_array_that_does_not_fit(field: str, value: object, message: str) -> None:
    likes = Feedback.likes([3])
    arrays = {name: getattr(likes, name) for name in ("rows", "kind", "count", "age_days")}
    with pytest.raises(InvalidDataError, match=message):
        Feedback(**(arrays | {field: value}))


def test_feedback_outside_the_catalogue_is_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"rows: 3\.\.3 outside 0\.\.1"):
        Feedback.likes([3]).check_against(make_catalogue([[0], [0]]))


def test_csr_of_is_what_the_catalogue_expects() -> None:
    indptr, indices = csr_of([[1], [], [0, 1]])
    assert indptr.tolist() == [0, 1, 1, 3]
    assert indices.tolist() == [1, 0, 1]
