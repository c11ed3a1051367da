"""Intervals that hold at all times."""

import math

import numpy as np
import pytest

from recommender.engine.errors import InvalidDataError
from recommender.engine.evaluation.sequential import (
    ListenerTotals,
    always_valid_p,
    half_width,
    rate_difference,
    rate_interval,
    uneven_p,
)


def totals(sums: list[float], units: list[float], *, is_share: bool = True) -> ListenerTotals:
    return ListenerTotals(np.array(sums, dtype=float), np.array(units, dtype=float), is_share)


def test_the_rate_is_a_ratio_of_sums_and_its_variance_comes_from_the_listeners() -> None:
    arm = totals([1.0, 3.0, 0.0], [10.0, 10.0, 0.0])
    assert (arm.rate, arm.listeners) == (0.2, 2)
    # Residuals -1 and 1, over 20 songs, of two listeners.
    assert arm.variance == pytest.approx(2.0 / 400.0 * 2.0)


def test_more_songs_of_the_same_listeners_do_not_count_as_more_listeners() -> None:
    few = totals([0.0, 5.0] * 20, [5.0, 5.0] * 20)
    many = totals([0.0, 50.0] * 20, [50.0, 50.0] * 20)
    assert many.variance == pytest.approx(few.variance)


def test_an_arm_without_a_like_is_not_certain_to_have_none() -> None:
    result = rate_interval(totals([0.0] * 30, [10.0] * 30))
    assert (result.interval.mean, result.interval.low) == (0.0, 0.0)
    assert 0.005 < result.interval.high < 0.05


def test_the_interval_ends_where_the_test_begins_to_reject() -> None:
    for variance in (1e-5, 1e-3, 0.1):
        edge = half_width(variance)
        assert always_valid_p(edge, variance) == pytest.approx(0.05)
        assert always_valid_p(1.1 * edge, variance) < 0.05 < always_valid_p(0.9 * edge, variance)


def test_nothing_is_concluded_of_few_listeners() -> None:
    assert not rate_difference(totals([9.0] * 19, [10.0] * 19), totals([1.0] * 30, [10.0] * 30)).is_higher
    assert rate_difference(totals([9.0] * 20, [10.0] * 20), totals([1.0] * 30, [10.0] * 30)).is_higher
    nobody = rate_difference(totals([], []), totals([], []))
    assert (nobody.is_enough, nobody.p_value, nobody.interval.high) == (False, 1.0, math.inf)


def test_a_loss_smaller_than_allowed_is_no_loss() -> None:
    control, arm = totals([5.0] * 400, [10.0] * 400), totals([4.0] * 400, [10.0] * 400)
    assert rate_difference(arm, control).is_lower
    assert rate_difference(arm, control, retained=0.9).is_lower
    assert not rate_difference(arm, control, retained=0.7).is_lower


def test_a_split_is_uneven_only_where_it_is_broken() -> None:
    assert uneven_p([500, 510]) == 1.0
    assert uneven_p([500, 700]) < 0.001
    assert uneven_p([0, 0]) == pytest.approx(1.0)


@pytest.mark.parametrize(("sums", "units"), [([1.0], [1.0, 2.0]), ([math.nan], [1.0]), ([1.0], [-1.0])])
def test_wrong_totals_are_refused(sums: list[float], units: list[float]) -> None:
    with pytest.raises(InvalidDataError):
        totals(sums, units)
