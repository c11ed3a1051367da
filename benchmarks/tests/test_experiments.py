"""Looking every day at arms that are served alike, and at others."""

from benchmarks.accuracy.experiments import DAYS, calls, different

RUNS = 60


def test_looking_every_day_calls_few_differences_that_are_not_there() -> None:
    days = calls(different((0.2, 0.2), 4.0, 200), RUNS, seed=1)
    assert len(days["always valid"]) <= 0.05 * RUNS
    assert len(days["z-test by listener"]) > 0.1 * RUNS
    assert len(days["z-test by song"]) > 0.4 * RUNS


def test_a_great_difference_is_seen_before_the_end() -> None:
    days = calls(different((0.2, 0.4), 10.0, 200), 10, seed=2)["always valid"]
    assert len(days) == 10
    assert max(days) < DAYS - 1
