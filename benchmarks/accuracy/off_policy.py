"""Off-policy estimates against what really was earned: Open Bandit's logs, and answers to songs shown at random.

Open Bandit (Saito, Aihara, Matsutani & Narita 2020): a fashion shop showed items by a random and by a Thompson policy
at the same time; each policy's clicks are predicted from the other's log. Its rows come in the wheel of ``obp``.

Answers at random (``rated-at-random.csv``): every listener rated about a hundred songs, so that any policy's likes are
known. Invented policies log one page for each of some listeners, and others are judged from these logs: 95 of 100
intervals at 95 % should hold the truth.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recommender.engine.evaluation import OFF_POLICY_ESTIMATORS as ESTIMATORS
from recommender.engine.evaluation import (
    Interval,
    LoggedSongs,
    OffPolicyConfig,
    OffPolicyReport,
    TargetPolicy,
    evaluate_off_policy,
)

Values: TypeAlias = NDArray[np.float64]
CAMPAIGNS = ("all", "men", "women")
PAGE = 10
SAMPLES = 64
"""Pages of which a policy's probabilities are the share, as on the site (`ExploringConfig.n_samples`)."""
EXPOSURE = 1.0 / (1.0 + 0.15 * np.arange(PAGE))
"""How likely an invented listener looks at each position."""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policies", type=int, default=100, help="invented logging policies")
    parser.add_argument("--listeners", type=int, default=150, help="listeners of each log")
    parser.add_argument("--half", type=int, choices=(0, 1), default=1, help="of the people; settings were chosen on 0")
    arguments = parser.parse_args()
    print_open_bandit()
    print_coverage(arguments.policies, arguments.listeners, arguments.half)


def print_open_bandit() -> None:
    """Print what each policy earned, and what the other's log says that it would."""
    package = find_spec("obp")
    if package is None or not package.submodule_search_locations:
        print("Open Bandit: left out, obp is not installed (make bench installs it)")
        return
    folder = Path(package.submodule_search_locations[0]) / "dataset" / "obd"
    heads = [f"{head:>22}" for head in ("clicks per 1,000", *ESTIMATORS)]
    print(f"{'campaign':9}{'policy':8}", *heads, "  ESS  held by")
    for campaign in CAMPAIGNS:
        logs = {policy: read_open_bandit(folder, policy, campaign) for policy in ("random", "bts")}
        for judged, logged in (("bts", "random"), ("random", "bts")):
            report = judge_open_bandit(logs[logged], logs[judged])
            earned, estimate = earned_clicks(logs[judged]), report.estimates["judged"]
            intervals = [earned, *estimate.value.values()]
            held = [name for name, value in estimate.value.items() if value.low <= earned.mean <= value.high]
            cells = [f"{1000 * of.mean:6.2f} [{1000 * of.low:5.2f},{1000 * of.high:6.2f}]" for of in intervals]
            print(f"{campaign:9}{judged:8}", *cells, f"{estimate.effective_songs:5.0f}  {' '.join(held)}")


@dataclass(frozen=True, eq=False)
class BanditLog:
    """item, position: int[n]; click, propensity: float64[n]; items: how many there are to choose from."""

    item: NDArray[np.int64]
    position: NDArray[np.int64]
    click: Values
    propensity: Values
    items: int

    def shares(self) -> Values:
        """Return the share of each item at each position, float64[positions, items]: the mean policy of the log.

        The Thompson policy changed from day to day; the mean of its logged probabilities would count each item by how
        often it was shown, and so twice.
        """
        counts = np.zeros((int(self.position.max()) + 1, self.items))
        np.add.at(counts, (self.position, self.item), 1.0)
        return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def read_open_bandit(folder: Path, policy: str, campaign: str) -> BanditLog:
    """Read one of the six files."""
    rows = pd.read_csv(folder / policy / campaign / f"{campaign}.csv")
    items = len(pd.read_csv(folder / policy / campaign / "item_context.csv"))
    return BanditLog(
        rows["item_id"].to_numpy(),
        rows["position"].to_numpy() - 1,
        rows["click"].to_numpy(dtype=np.float64),
        rows["propensity_score"].to_numpy(),
        items,
    )


def judge_open_bandit(log: BanditLog, judged: BanditLog) -> OffPolicyReport:
    """Return what the mean policy of `judged` would have earned in `log`; each row is a page and a listener."""
    number = np.arange(len(log.item))
    # What is known of an item is which one it is.
    is_item = np.eye(log.items)
    shares = judged.shares()[log.position]
    songs = LoggedSongs(number, number, log.position, log.click, log.propensity, is_item[log.item])
    target = TargetPolicy(shares[number, log.item], shares, shares.sum(axis=1))
    return evaluate_off_policy(songs, {"judged": target}, np.random.default_rng(0))


def earned_clicks(log: BanditLog) -> Interval:
    """Return the mean click of a log with its 95 % interval (normal)."""
    mean, error = float(log.click.mean()), float(log.click.std() / np.sqrt(len(log.click)))
    return Interval(mean, mean - 1.96 * error, mean + 1.96 * error)


@dataclass(frozen=True, eq=False)
class Person:
    """Who rated songs: songs int[n]; is_liked, is_known float64[n]."""

    songs: NDArray[np.int64]
    is_liked: Values
    is_known: Values


Scoring: TypeAlias = Callable[[Person], Values]


def read_people(half: int) -> tuple[list[Person], Values, Values]:
    """Return every second person, the share of likes and the number of answers of each song, float64[songs]."""
    path = Path(os.environ.get("SPOTIFY_REC_SHARED_DATA", "../shared/data")) / "rated-at-random.csv"
    rows = pd.read_csv(path)
    rows = rows[rows["listener"].isin(np.sort(rows["listener"].unique())[half::2])]
    _tracks, song = np.unique(rows["track_id"], return_inverse=True)
    rows = rows.assign(song=song, is_liked=(rows["rating"] >= 3).astype(float), known=rows["known"].astype(float))
    people = [
        Person(of["song"].to_numpy(), of["is_liked"].to_numpy(), of["known"].to_numpy())
        for _listener, of in rows.groupby("listener")
    ]
    by_song = rows.groupby("song")["is_liked"]
    number = by_song.size().to_numpy().astype(np.float64)
    return people, by_song.mean().to_numpy().astype(np.float64), number


def print_coverage(policies: int, listeners: int, half: int) -> None:
    """Print how many intervals hold the true likes per page, and by how much the estimates are off."""
    people, rates, answers = read_people(half)
    trials = [coverage_trial(people, rates, answers, listeners, number) for number in range(policies)]
    conclusive = [trial for trial in trials if trial.is_enough]
    print(f"\n{len(people)} people (half {half}), {policies} invented logging policies, each for {listeners} pages")
    print(f"{len(trials) - len(conclusive)} logs say that they are not enough")
    print(f"{'estimator':10}{'held':>8}{'bias':>8}{'width':>8}")
    for name in ESTIMATORS:
        held = np.mean([trial.is_held[name] for trial in conclusive])
        bias = np.mean([trial.error[name] for trial in conclusive])
        width = np.median([trial.width[name] for trial in conclusive])
        print(f"{name:10}{held:8.1%}{bias:8.1%}{width:8.1%}")


@dataclass(frozen=True)
class Trial:
    """By estimator: whether the interval holds the truth, and error and width of the interval by the truth."""

    is_enough: bool
    is_held: dict[str, bool]
    error: dict[str, float]
    width: dict[str, float]


def coverage_trial(people: list[Person], rates: Values, answers: Values, listeners: int, number: int) -> Trial:
    """Return the trial of one invented logging policy and one invented policy that is judged."""
    rng = np.random.default_rng([7, number])
    logging, judged = invented_policy(rates, rng), invented_policy(rates, rng)
    exposed = float(EXPOSURE.mean())
    likes = [float(probabilities(judged(person), rng, 400) @ person.is_liked) * exposed for person in people]
    truth = float(np.mean(likes))
    drawn = [people[index] for index in rng.integers(len(people), size=listeners)]
    log, target = logged_pages(drawn, logging, judged, answers, rng)
    estimate = evaluate_off_policy(log, {"judged": target}, rng, OffPolicyConfig(draws=500)).estimates["judged"]
    values = estimate.value
    return Trial(
        not estimate.doubts,
        {name: values[name].low <= truth <= values[name].high for name in ESTIMATORS},
        {name: values[name].mean / truth - 1.0 for name in ESTIMATORS},
        {name: (values[name].high - values[name].low) / truth for name in ESTIMATORS},
    )


def invented_policy(rates: Values, rng: np.random.Generator) -> Scoring:
    """Return scores by the songs' likes, by a whim for each song and by what is known, in random shares."""
    by_likes, by_whim, by_known = rng.normal(size=3) * (4.0, 0.7, 0.5)
    whims, temperature = rng.normal(size=len(rates)), rng.uniform(0.8, 2.0)

    def score(person: Person) -> Values:
        liked = by_likes * (rates[person.songs] - rates.mean())
        return np.asarray((liked + by_whim * whims[person.songs] + by_known * person.is_known) / temperature)

    return score


def drawn_pages(scores: Values, rng: np.random.Generator, number: int) -> NDArray[np.int64]:
    """Return pages int[number, PAGE] drawn song by song in proportion to exp(score) (Plackett-Luce)."""
    noisy = scores + rng.gumbel(size=(number, len(scores)))
    return np.argsort(-noisy, axis=1)[:, :PAGE]


def probabilities(scores: Values, rng: np.random.Generator, number: int) -> Values:
    """Return the share of drawn pages that hold each song, float64[n]."""
    pages = drawn_pages(scores, rng, number)
    return np.asarray(np.bincount(pages.ravel(), minlength=len(scores)) / number)


def logged_pages(
    people: list[Person], logging: Scoring, judged: Scoring, answers: Values, rng: np.random.Generator
) -> tuple[LoggedSongs, TargetPolicy]:
    """Return one logged page for each person, and what the judged policy would have done there."""
    songs, targets, features, lengths = [], [], [], []
    for number, person in enumerate(people):
        pages = drawn_pages(logging(person), rng, SAMPLES)
        page = pages[0]
        logged = np.bincount(pages.ravel(), minlength=len(person.songs)) / SAMPLES
        would_show = probabilities(judged(person), rng, SAMPLES)
        known = np.column_stack([np.log1p(answers[person.songs]), person.is_known])
        reward = person.is_liked[page] * (rng.random(PAGE) < EXPOSURE)
        songs.append(np.column_stack([np.full(PAGE, number), np.arange(PAGE), reward, logged[page], known[page]]))
        targets.append(would_show[page])
        features.append(would_show @ known)
        lengths.append(would_show.sum())
    table = np.concatenate(songs)
    page_of = table[:, 0].astype(np.int64)
    log = LoggedSongs(page_of, page_of, table[:, 1].astype(np.int64), table[:, 2], table[:, 3], table[:, 4:])
    return log, TargetPolicy(np.concatenate(targets), np.array(features), np.array(lengths))


if __name__ == "__main__":
    main()
