"""Comparisons of the arms of an experiment that stay valid however often somebody looks.

An arm's rate is a ratio of sums over its listeners: likes over songs shown, say. What one listener does with many
songs is not independent, so the variance comes from the listeners, not from the songs (linearisation of a ratio:
Deng, Knoblich & Lu 2018, "Applying the delta method in metric analytics"). The difference of two arms is tested by the
mixture sequential probability ratio test with a normal prior of standard deviation tau on the true difference (Robbins
1970, "Statistical methods related to the law of the iterated logarithm"; Johari, Koomen, Pekelis & Walsh 2022, "Always
valid inference: continuous monitoring of A/B tests", Operations Research 70), whose inversion is the asymptotic
confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024 ("Time-uniform central limit theory and
asymptotic confidence sequences", Annals of Statistics 52).

Two things hold only approximately. The test is asymptotic, so nothing is concluded below `MIN_LISTENERS` per arm. And
listeners come back, so the figures of two looks share listeners: increments are independent exactly only if all
listeners see equally many songs. `benchmarks.accuracy.experiments` measures how often a true "no difference" is called
one, with listeners who come and go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine.errors import InvalidDataError
from recommender.engine.evaluation.metrics import Interval

LEVEL = 0.05
"""Probability of a false alarm at any time."""
MIN_LISTENERS = 20
"""Listeners per arm below which nothing is concluded."""
TAU = 0.05
"""Standard deviation of the prior on a true difference of shares: five songs in a hundred. Fixed before any look."""


@dataclass(frozen=True, eq=False)
class ListenerTotals:
    """What each listener of an arm did: sums float64[m] over `units` float64[m], such as likes and songs shown.

    Listeners without units are left out. is_share: no sum is larger than its units. Raise InvalidDataError.
    """

    sums: NDArray[np.float64]
    units: NDArray[np.float64]
    is_share: bool = True

    def __post_init__(self) -> None:
        if self.sums.shape != self.units.shape or self.sums.ndim != 1:
            raise InvalidDataError("sums and units: must be lists of the same length")
        if len(self.units) and (self.units.min() < 0 or not np.isfinite(self.sums).all()):
            raise InvalidDataError("sums and units: must be finite, and units 0 or more")

    @property
    def listeners(self) -> int:
        """Return the number of listeners with units."""
        return int(np.count_nonzero(self.units))

    @property
    def rate(self) -> float:
        """Return the sum of the sums over that of the units; 0.0 without units."""
        total = float(self.units.sum())
        return float(self.sums.sum()) / total if total else 0.0

    @property
    def variance(self) -> float:
        """Return the variance of `rate`, clustered by listener; infinite with fewer than two listeners.

        A share varies at least as its songs would if they were independent, with one more of each answer: arms without
        a single like are not certain to have none.
        """
        number, total = self.listeners, float(self.units.sum())
        if number < 2:
            return math.inf
        residuals = self.sums - self.rate * self.units
        clustered = float(residuals @ residuals) / total**2 * number / (number - 1)
        if not self.is_share:
            return clustered
        floor = (float(self.sums.sum()) + 1.0) / (total + 2.0)
        return max(clustered, floor * (1.0 - floor) / total)


@dataclass(frozen=True)
class SequentialResult:
    """A figure or a difference with its always-valid interval.

    p_value: always valid: the chance of ever seeing so much where nothing is is at most this. is_enough: whether both
    arms have MIN_LISTENERS.
    """

    interval: Interval
    p_value: float
    is_enough: bool

    @property
    def is_higher(self) -> bool:
        """Whether the difference is certainly above 0."""
        return self.is_enough and self.interval.low > 0.0

    @property
    def is_lower(self) -> bool:
        """Whether the difference is certainly below 0."""
        return self.is_enough and self.interval.high < 0.0


def half_width(variance: float, *, tau: float = TAU, level: float = LEVEL) -> float:
    """Return half the width of the confidence sequence of an estimate with this variance.

    sqrt(v (v + tau^2) / tau^2 (2 log(1 / level) + log((v + tau^2) / v))): what the mixture test does not reject.
    """
    if variance <= 0.0 or not math.isfinite(variance):
        return 0.0 if variance <= 0.0 else math.inf
    ratio = (variance + tau**2) / variance
    return math.sqrt(variance * (variance + tau**2) / tau**2 * (2.0 * math.log(1.0 / level) + math.log(ratio)))


def always_valid_p(difference: float, variance: float, *, tau: float = TAU) -> float:
    """Return the p-value of the mixture test: 1 over its likelihood ratio, at most 1."""
    if variance <= 0.0 or not math.isfinite(variance):
        return 1.0 if variance > 0.0 or difference == 0.0 else 0.0
    total = variance + tau**2
    log_ratio = 0.5 * math.log(variance / total) + difference**2 * tau**2 / (2.0 * variance * total)
    return min(1.0, math.exp(-log_ratio))


def rate_interval(totals: ListenerTotals, *, tau: float = TAU, level: float = LEVEL) -> SequentialResult:
    """Return an arm's rate with its confidence sequence; a share's stays within 0 and 1."""
    half = half_width(totals.variance, tau=tau, level=level)
    low, high = max(0.0, totals.rate - half), totals.rate + half
    interval = Interval(totals.rate, low, min(1.0, high) if totals.is_share else high)
    return SequentialResult(interval, 1.0, totals.listeners >= MIN_LISTENERS)


def rate_difference(
    arm: ListenerTotals, control: ListenerTotals, *, retained: float = 1.0, tau: float = TAU, level: float = LEVEL
) -> SequentialResult:
    """Return the rate of `arm` less `retained` times that of `control`, with its confidence sequence.

    With `retained` below 1 the difference is below 0 only where the arm loses more than the share 1 - retained.
    """
    difference = arm.rate - retained * control.rate
    variance = arm.variance + retained**2 * control.variance
    half = half_width(variance, tau=tau, level=level)
    is_enough = min(arm.listeners, control.listeners) >= MIN_LISTENERS
    p_value = always_valid_p(difference, variance, tau=tau) if is_enough else 1.0
    return SequentialResult(Interval(difference, difference - half, difference + half), p_value, is_enough)


def uneven_p(counts: Sequence[int], prior_listeners: float = 100.0) -> float:
    """Return the always-valid p-value of equally likely arms having so many listeners; small: the split is broken.

    The Dirichlet mixture test of Lindon & Malek 2022, "Anytime-valid inference for multinomial count data" (NeurIPS),
    with a prior worth `prior_listeners` around equal shares.
    """
    arms, total = len(counts), sum(counts)
    alpha = prior_listeners / arms
    log_ratio = math.lgamma(prior_listeners) - math.lgamma(prior_listeners + total) + total * math.log(arms)
    log_ratio += sum(math.lgamma(alpha + count) - math.lgamma(alpha) for count in counts)
    return min(1.0, math.exp(-log_ratio))
