from __future__ import annotations

import numpy as np
import pytest

from recommender.engine import EngineConfig, InvalidDataError
from recommender.engine.serving.impressions import Impressions, cooldown_days, in_cooldown


def shown(*events: tuple[int, int, float]) -> Impressions:
    return Impressions(
        rows=np.array([event[0] for event in events], dtype=np.int32),
        times=np.array([event[1] for event in events], dtype=np.int32),
        days=np.array([event[2] for event in events], dtype=np.float32),
    )


def test_rest_starts_after_some_times_doubles_and_has_a_limit() -> None:
    times = np.array([1, 2, 3, 4, 5, 6, 7, 1000], dtype=np.int32)
    assert cooldown_days(times, limit=3, first=7.0, longest=50.0).tolist() == [0, 0, 7, 14, 28, 50, 50, 50]


def test_a_song_is_back_when_its_rest_is_over() -> None:
    events = shown((1, 2, 0.0), (2, 3, 6.9), (3, 3, 7.0), (4, 4, 13.9), (5, 4, 14.0))
    assert in_cooldown(events, EngineConfig()).tolist() == [False, True, False, True, False]


def test_nothing_shown_nothing_rests() -> None:
    assert in_cooldown(Impressions(), EngineConfig()).tolist() == []


@pytest.mark.parametrize(
    ("name", "rows", "times", "days"),
    [("rows", [-1], [1], [0.0]), ("times", [1], [0], [0.0]), ("days", [1], [1], [-1.0]), ("days", [1], [1], [np.nan])],
)
def test_impossible_values_are_refused(name: str, rows: list[int], times: list[int], days: list[float]) -> None:
    with pytest.raises(InvalidDataError, match=name):
        Impressions(np.array(rows, np.int32), np.array(times, np.int32), np.array(days, np.float32))


def test_arrays_of_another_length_are_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"times: expected int32 of shape \(2,\)"):
        Impressions(np.zeros(2, np.int32), np.ones(1, np.int32), np.zeros(2, np.float32))
