"""How often an experiment that is looked at every day calls a difference that isn't there, and how soon one that is.

A/A: listeners of the simulation (`manage.py simulate`) play sessions with the model's pages. In each run some of them
come on days of their own, again and again, and are parted into two arms that are served alike. Every day the always-
valid test looks at the like rate; the first day on which it calls a difference counts as a false alarm. Beside it two
tests that are made for one look: the z-test that takes every song for a case of its own, and the one clustered by
listener. Then the same with a true difference: listeners whose like rates vary as much, around 20 % and 25 %.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import django
import numpy as np
from numpy.typing import NDArray

from recommender.engine import EngineConfig, fit_model
from recommender.engine.evaluation import (
    DISLIKE_SHARE,
    MIN_LISTENERS,
    ListenerTotals,
    Plan,
    interactions_of,
    likes_by_round,
    model_policies,
    people_by_fit,
    rate_difference,
    rating_listeners,
)

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SPOTIFY_REC_SHARED_DATA", ROOT.parent / "shared" / "data"))
DAYS, SONGS, ROUNDS = 28, 10, 12
DIAL, LIKE_FROM = 0.3, 3.0
Z_95 = 1.959963985
Values: TypeAlias = NDArray[np.float64]
Test: TypeAlias = Callable[[ListenerTotals, ListenerTotals], bool]


@dataclass(frozen=True, eq=False)
class Log:
    """What each listener had been shown and had liked by the end of each day: float64[listeners, days] both."""

    likes: Values
    songs: Values

    @classmethod
    def of(cls, per_visit: Values, rng: np.random.Generator, days: int = DAYS) -> Log:
        """Return the log of listeners whose visits earn `per_visit` likes, float64[listeners, rounds], in order.

        Each comes first on some day of the first half, and then on each day with a chance of their own.
        """
        listeners, rounds = per_visit.shape
        first = rng.integers(0, days // 2, size=(listeners, 1))
        chance = rng.beta(1.0, 2.0, size=(listeners, 1))
        day = np.arange(days)
        comes = (day == first) | ((day > first) & (rng.random((listeners, days)) < chance))
        done = np.minimum(comes.cumsum(axis=1), rounds)
        earned = np.concatenate([np.zeros((listeners, 1)), per_visit.cumsum(axis=1)], axis=1)
        return cls(np.take_along_axis(earned, done, axis=1), done.astype(np.float64) * SONGS)

    def on(self, day: int, of: NDArray[np.bool_]) -> ListenerTotals:
        """Return what the listeners `of` an arm had done by the end of a day."""
        return ListenerTotals(self.likes[of, day], self.songs[of, day])


def always_valid(arm: ListenerTotals, control: ListenerTotals) -> bool:
    """Return whether the site's own test calls a difference."""
    result = rate_difference(arm, control)
    return result.is_higher or result.is_lower


def naive(arm: ListenerTotals, control: ListenerTotals) -> bool:
    """Return whether the z-test of two shares does, with every song a case of its own."""
    total = float(arm.units.sum() + control.units.sum())
    share = float(arm.sums.sum() + control.sums.sum()) / total
    error = math.sqrt(share * (1 - share) * (1 / float(arm.units.sum()) + 1 / float(control.units.sum())))
    return abs(arm.rate - control.rate) > Z_95 * error > 0


def clustered(arm: ListenerTotals, control: ListenerTotals) -> bool:
    """Return whether the z-test clustered by listener does."""
    return abs(arm.rate - control.rate) > Z_95 * math.sqrt(arm.variance + control.variance)


Draw: TypeAlias = Callable[[np.random.Generator], tuple[Log, NDArray[np.bool_]]]
"""The log of one run, and which listeners are in the arm: bool[listeners]."""

TESTS: Mapping[str, Test] = {"always valid": always_valid, "z-test by song": naive, "z-test by listener": clustered}


def first_call(log: Log, is_arm: NDArray[np.bool_], test: Test, looks: range = range(DAYS)) -> int | None:
    """Return the first day on which a test calls a difference, or None."""
    for day in looks:
        arm, control = log.on(day, is_arm), log.on(day, ~is_arm)
        if min(arm.listeners, control.listeners) >= MIN_LISTENERS and test(arm, control):
            return day
    return None


def calls(draw: Draw, runs: int, seed: int) -> dict[str, list[int]]:
    """Return the days of each test's first calls when looked at daily, and of the last test's at the end alone."""
    days: dict[str, list[int]] = {name: [] for name in (*TESTS, "by listener, one look")}
    for rng in np.random.default_rng(seed).spawn(runs):
        log, is_arm = draw(rng)
        for name, test in TESTS.items():
            if (day := first_call(log, is_arm, test)) is not None:
                days[name].append(day)
        if first_call(log, is_arm, clustered, range(DAYS - 1, DAYS)) is not None:
            days["by listener, one look"].append(DAYS - 1)
    return days


def alike(per_visit: Values, listeners: int) -> Draw:
    """Return a draw of listeners, in arms that are served alike."""

    def draw(rng: np.random.Generator) -> tuple[Log, NDArray[np.bool_]]:
        chosen = rng.permutation(len(per_visit))[:listeners]
        return Log.of(per_visit[chosen], rng), rng.random(len(chosen)) < 0.5

    return draw


def different(rates: tuple[float, float], concentration: float, listeners: int) -> Draw:
    """Return a draw of listeners whose like rates are Beta around the first rate, or in the arm around the second."""

    def draw(rng: np.random.Generator) -> tuple[Log, NDArray[np.bool_]]:
        is_arm = rng.random(listeners) < 0.5
        mean = np.where(is_arm, rates[1], rates[0])
        own = rng.beta(mean * concentration, (1 - mean) * concentration)
        return Log.of(rng.binomial(SONGS, own[:, None], (listeners, ROUNDS)).astype(np.float64), rng), is_arm

    return draw


def concentration_of(per_visit: Values) -> float:
    """Return a + b of the Beta distribution of the listeners' like rates, by its moments without the binomial noise."""
    trials = per_visit.shape[1] * SONGS
    rates = per_visit.sum(axis=1) / trials
    mean = float(rates.mean())
    between = max(float(rates.var(ddof=1)) - mean * (1 - mean) / trials, 1e-6)
    return float(mean * (1 - mean) / between - 1.0)


def simulated_visits(policy: str, jobs: int, seed: int = 0) -> Values:
    """Return the likes of each simulated listener in each round on a policy's pages, float64[listeners, rounds].

    Each half of the people plays with a model fitted on the other half.
    """
    # It reads files in the operator's language, for which Django has to be set up.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spotify_rec.settings")
    django.setup()
    from recommender.adapters.rated_files import read_answers

    inputs = read_answers(DATA / "rated-at-random.csv", DATA / "rated-at-random-songs.csv", LIKE_FROM)
    split_rng, *fold_rngs = np.random.default_rng(seed).spawn(3)
    plan = Plan(start=1, rounds=ROUNDS, songs=SONGS, seed=seed)
    visits = []
    for is_test, rng in zip(people_by_fit(inputs.answered, split_rng, folds=2), fold_rngs, strict=True):
        n_tracks = inputs.catalogue.n_tracks
        people = rating_listeners(inputs.answered, is_test, n_tracks, plan, DISLIKE_SHARE, rng)
        model = fit_model(inputs.catalogue, interactions_of(inputs.answered, ~is_test), EngineConfig(), rng)
        chosen = model_policies(model, (), DIAL)[policy]
        visits.append(likes_by_round(chosen, people, plan, jobs=jobs))
    return np.concatenate(visits).astype(np.float64)


def row(name: str, days: Mapping[str, list[int]], runs: int) -> str:
    """Return a line of the table: how many of the runs each test called, and the median day."""
    cells = [
        f"{len(called) / runs:.1%}" + (f" (day {int(np.median(called)) + 1})" if called else "")
        for called in days.values()
    ]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--listeners", type=int, default=300, help="of each run")
    parser.add_argument("--policy", choices=("explore", "greedy", "popularity"), default="explore")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    runs, listeners = arguments.runs, arguments.listeners
    per_visit = simulated_visits(arguments.policy, arguments.jobs)
    concentration = concentration_of(per_visit)
    print(f"{len(per_visit)} simulated listeners like {per_visit.mean() / SONGS:.1%}; a + b = {concentration:.1f}")
    print(f"| {runs} runs of {DAYS} days, {listeners} listeners | {' | '.join((*TESTS, 'by listener, one look'))} |")
    print("|---" * (len(TESTS) + 2) + "|")
    print(row("A/A, simulated", calls(alike(per_visit, listeners), runs, 1), runs), flush=True)
    print(row("A/A, 20 %", calls(different((0.2, 0.2), concentration, listeners), runs, 2), runs), flush=True)
    for number in (listeners, 2 * listeners, 4 * listeners):
        figures = calls(different((0.2, 0.25), concentration, number), runs, 3)
        print(row(f"20 % against 25 %, {number} listeners", figures, runs), flush=True)


if __name__ == "__main__":
    main()
