"""What another policy would have earned on the pages that were logged, judged before it serves.

Every song shown is logged with the probability with which the policy of that day put it on its page. A song is
weighted by how much more often the judged policy would have shown it (`weight`), so that the logged answers speak for
pages that nobody has seen. Songs of a page are judged one by one, given that they were shown: an answer is taken to
depend on the listener, the song and its position, not on its neighbours (the "independent" click model and its
estimator: Li, Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay & Wen 2018, "Offline evaluation of ranking policies with
click models"). How much a position alone earns is estimated and divided out.

Three estimators, all per page: clipped inverse propensity scores (Horvitz & Thompson 1952; clipping: Ionides 2008,
"Truncated importance sampling"), self-normalised (Swaminathan & Joachims 2015, "The self-normalized estimator for
counterfactual learning"), and doubly robust (Dudík, Langford & Li 2011, "Doubly robust policy evaluation and
learning"). Their intervals are percentiles of a bootstrap over listeners, whose songs are no independent draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommender.engine.errors import InvalidDataError
from recommender.engine.evaluation.metrics import Interval
from recommender.engine.evaluation.reward_model import Integers, RewardModel, fit_reward_model, sums_by

Values: TypeAlias = NDArray[np.float64]
EstimatorName: TypeAlias = Literal["ips", "snips", "dr"]
ESTIMATORS: tuple[EstimatorName, ...] = ("ips", "snips", "dr")
DRAWS_AT_ONCE = 50
"""Draws of the bootstrap that are in memory together."""
Doubt: TypeAlias = Literal["listeners", "songs", "overlap", "rewards"]
"""Why a log is not enough: too few listeners, too few effective songs, songs that were never shown, no answers."""


@dataclass(frozen=True)
class OffPolicyConfig:
    """max_weight: weights above are clipped, which trades variance for a bias towards less.

    min_listeners, min_effective_songs, min_overlap, min_rewards: below any of them the log cannot tell. draws, level:
    of the bootstrap. Chosen on one half of the people of `rated-at-random.csv` (benchmarks, off_policy): the smallest
    bounds at which 90 to 98 of 100 intervals at 95 % held the truth.
    """

    max_weight: float = 50.0
    min_listeners: int = 20
    min_effective_songs: float = 100.0
    min_overlap: float = 0.5
    min_rewards: int = 20
    draws: int = 1000
    level: float = 0.95


@dataclass(frozen=True, eq=False)
class LoggedSongs:
    """The n songs that were shown on p pages, in any order.

    page: int[n], 0..p-1; listener: int[n], the same for all songs of a page; position: int[n], 0 = first; reward:
    float64[n] >= 0, such as 1 for a like; propensity: float64[n], the logged probability in ]0, 1]; features:
    float64[n, c], what the reward is predicted from. Raise InvalidDataError.
    """

    page: Integers
    listener: Integers
    position: Integers
    reward: Values
    propensity: Values
    features: Values

    def __post_init__(self) -> None:
        number = len(self.page)
        lengths = {len(self.listener), len(self.position), len(self.reward), len(self.propensity), len(self.features)}
        if lengths != {number}:
            raise InvalidDataError("logged songs: arrays differ in length")
        if number and not (self.propensity.min() > 0.0 and self.propensity.max() <= 1.0):
            raise InvalidDataError("logged songs: a propensity is outside ]0, 1]")
        if number and min(self.page.min(), self.position.min(), self.reward.min()) < 0:
            raise InvalidDataError("logged songs: negative page, position or reward")

    @property
    def n_pages(self) -> int:
        """Return the number of pages."""
        return int(self.page.max()) + 1 if len(self.page) else 0


@dataclass(frozen=True, eq=False)
class TargetPolicy:
    """What a policy would have done on the logged pages.

    propensity: float64[n], the probability with which it would have shown each logged song on that page; page_features:
    float64[p, c], the sum of the features of all songs of a page, each times its probability; page_songs: float64[p],
    the sum of the probabilities, which is the expected length of the page.
    """

    propensity: Values
    page_features: Values
    page_songs: Values


class Estimate(NamedTuple):
    """Rewards per page by each estimator, with how much the log has to say about the policy.

    value: by estimator; effective_songs: (sum w)^2 / sum w^2 (Kish 1965), songs that would say as much if the policy
    itself had shown them; overlap: the mean sum of weights of a page by its expected length, 1 where every song that
    the policy shows had a chance in the log; clipped_share: of the songs; doubts: why it is not enough, if it is not.
    """

    value: dict[EstimatorName, Interval]
    effective_songs: float
    overlap: float
    clipped_share: float
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, eq=False)
class OffPolicyReport:
    """Estimates by policy, and what each differs by from the first, by estimator, on the same draws of listeners."""

    pages: int
    listeners: int
    logged: Interval
    exposure: Values = field(repr=False)
    estimates: dict[str, Estimate]
    differences: dict[str, dict[EstimatorName, Interval]]

    def is_enough(self, *names: str) -> bool:
        """Return whether the log can tell about all of these policies."""
        return all(not self.estimates[name].doubts for name in names)


def evaluate_off_policy(
    log: LoggedSongs,
    targets: Mapping[str, TargetPolicy],
    rng: np.random.Generator,
    config: OffPolicyConfig | None = None,
) -> OffPolicyReport:
    """Estimate what each of the policies would have earned per page. Raise InvalidDataError for an empty log."""
    config = config or OffPolicyConfig()
    if not len(log.page):
        raise InvalidDataError("the log holds no page")
    listeners, owner = np.unique(log.listener, return_inverse=True)
    page_owner = np.zeros(log.n_pages, dtype=np.int64)
    page_owner[log.page] = owner
    model = fit_reward_model(log.features, log.position, log.reward, owner)
    sums = {name: _Sums.of(log, target, model, owner, page_owner, config) for name, target in targets.items()}
    logged = _Logged.of(log, owner, page_owner)
    resampled, logged_draws = _resampled(sums, logged, config.draws, rng)
    whole = np.ones((1, len(listeners)))
    exact = {name: sums_of.values(whole) for name, sums_of in sums.items()}
    doubts = {name: _doubts(log, sums[name], len(listeners), config) for name in targets}
    estimates = {name: sums[name].estimate(exact[name], resampled[name], doubts[name], config) for name in targets}
    baseline = next(iter(targets), None)
    differences = {
        name: {
            estimator: _interval(
                exact[name][estimator] - exact[baseline][estimator],
                resampled[name][estimator] - resampled[baseline][estimator],
                config.level,
            )
            for estimator in ESTIMATORS
        }
        for name in targets
        if baseline is not None and name != baseline
    }
    earned = _interval(logged.values(whole), logged_draws, config.level)
    return OffPolicyReport(log.n_pages, len(listeners), earned, model.exposure, estimates, differences)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums by listener, float64[l] each: of weights, weighted rewards, doubly robust rewards, pages, their lengths."""

    pages: Values
    songs: Values
    weight: Values
    weighted_reward: Values
    direct: Values
    correction: Values
    effective_songs: float
    clipped_share: float

    @classmethod
    def of(
        cls,
        log: LoggedSongs,
        target: TargetPolicy,
        model: RewardModel,
        owner: Integers,
        page_owner: Integers,
        config: OffPolicyConfig,
    ) -> _Sums:
        """Sum what the estimators need, by listener."""
        n_listeners = int(owner.max()) + 1
        raw = target.propensity / log.propensity
        weight = np.minimum(raw, config.max_weight)
        # An answer as it would have been at a position of mean exposure.
        reward = log.reward / model.exposure_at(log.position)
        residual = weight * (reward - model.predict(log.features, owner))
        direct = model.predict(target.page_features, page_owner, target.page_songs)
        square = float(weight @ weight)
        return cls(
            pages=sums_by(page_owner, np.ones(len(page_owner)), n_listeners),
            songs=sums_by(page_owner, target.page_songs, n_listeners),
            weight=sums_by(owner, weight, n_listeners),
            weighted_reward=sums_by(owner, weight * reward, n_listeners),
            direct=sums_by(page_owner, direct, n_listeners),
            correction=sums_by(owner, residual, n_listeners),
            effective_songs=float(weight.sum()) ** 2 / square if square else 0.0,
            clipped_share=float((raw > config.max_weight).mean()),
        )

    @property
    def overlap(self) -> float:
        """Return the sum of weights by the expected number of songs."""
        songs = float(self.songs.sum())
        return float(self.weight.sum()) / songs if songs else 0.0

    def values(self, counts: Values) -> dict[EstimatorName, Values]:
        """Return rewards per page for listeners counted so often (float64[d, l]): float64[d] by estimator."""
        pages, songs, weight = counts @ self.pages, counts @ self.songs, counts @ self.weight
        reward = counts @ self.weighted_reward
        rate = np.divide(reward, weight, out=np.zeros_like(reward), where=weight > 0.0)
        return {
            "ips": reward / pages,
            "snips": rate * songs / pages,
            "dr": (counts @ (self.direct + self.correction)) / pages,
        }

    def estimate(
        self,
        exact: Mapping[EstimatorName, Values],
        resampled: Mapping[EstimatorName, Values],
        doubts: tuple[Doubt, ...],
        config: OffPolicyConfig,
    ) -> Estimate:
        """Return the values with their intervals."""
        value = {name: _interval(exact[name], resampled[name], config.level) for name in ESTIMATORS}
        return Estimate(value, self.effective_songs, self.overlap, self.clipped_share, doubts)


def _doubts(log: LoggedSongs, sums: _Sums, n_listeners: int, config: OffPolicyConfig) -> tuple[Doubt, ...]:
    doubts: dict[Doubt, bool] = {
        "listeners": n_listeners < config.min_listeners,
        "songs": sums.effective_songs < config.min_effective_songs,
        "overlap": sums.overlap < config.min_overlap,
        "rewards": int(np.count_nonzero(log.reward)) < config.min_rewards,
    }
    return tuple(name for name, is_so in doubts.items() if is_so)


@dataclass(frozen=True, eq=False)
class _Logged:
    """What the logging policy did earn, by listener: rewards and pages, float64[l] each."""

    rewards: Values
    pages: Values

    @classmethod
    def of(cls, log: LoggedSongs, owner: Integers, page_owner: Integers) -> _Logged:
        """Sum rewards and pages by listener."""
        number = int(owner.max()) + 1
        return cls(sums_by(owner, log.reward, number), sums_by(page_owner, np.ones(len(page_owner)), number))

    def values(self, counts: Values) -> Values:
        """Return the rewards per page for listeners counted so often (float64[d, l]): float64[d]."""
        return np.asarray((counts @ self.rewards) / (counts @ self.pages))


def _resampled(
    sums: Mapping[str, _Sums], logged: _Logged, draws: int, rng: np.random.Generator
) -> tuple[dict[str, dict[EstimatorName, Values]], Values]:
    """Return the values of each policy and of the log on `draws` draws of as many listeners, with replacement."""
    number = len(logged.pages)
    blocks: dict[str, list[dict[EstimatorName, Values]]] = {name: [] for name in sums}
    logged_blocks = []
    for start in range(0, draws, DRAWS_AT_ONCE):
        size = min(DRAWS_AT_ONCE, draws - start)
        drawn = rng.integers(number, size=(size, number))
        counts = np.stack([np.bincount(row, minlength=number) for row in drawn]).astype(np.float64)
        logged_blocks.append(logged.values(counts))
        for name, sums_of in sums.items():
            blocks[name].append(sums_of.values(counts))
    values = {
        name: {estimator: np.concatenate([block[estimator] for block in of_policy]) for estimator in ESTIMATORS}
        for name, of_policy in blocks.items()
    }
    return values, np.concatenate(logged_blocks)


def _interval(exact: Values, resampled: Values, level: float) -> Interval:
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(exact[0]), float(low), float(high))
