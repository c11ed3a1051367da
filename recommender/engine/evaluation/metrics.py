"""Quality of ranked lists, one listener at a time, and intervals over listeners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data.arrays import IntArray


def ndcg_at_k(ranked: IntArray, relevant: IntArray, k: int) -> float:
    """Return normalised discounted cumulative gain with binary relevance, 0..1 (Järvelin & Kekäläinen 2002).

    ranked: rows, best first; relevant: distinct rows to be found. The ideal list has min(k, len(relevant)) hits.
    Raise ValueError if nothing is relevant.
    """
    if not len(relevant):
        raise ValueError("no relevant rows")
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    hits = np.isin(ranked[:k], relevant)
    return float((hits * discount[: len(hits)]).sum() / discount[: min(k, len(relevant))].sum())


def ndcg_of_hits(hits: NDArray[np.bool_], relevant: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Return `ndcg_at_k` of many ranked lists at once: float64[lists].

    hits: bool[lists, at least k], whether the track at that place is relevant; relevant: int[lists], how many there are
    to be found, each at least 1.
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)[np.minimum(relevant, k) - 1]
    return np.asarray((hits[:, :k] @ discount) / ideal)


def recall_of_hits(hits: NDArray[np.bool_], relevant: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Return the share of what could be found in k places, hits / min(k, relevant): float64[lists].

    Arguments as in `ndcg_of_hits`.
    """
    return np.asarray(hits[:, :k].sum(axis=1) / np.minimum(relevant, k))


def novelty_at_k(ranked: IntArray, share: NDArray[np.float64], k: int) -> float:
    """Return the mean self-information -log2(share of listeners who know the track), in bits (Vargas & Castells 2011).

    share: float64[n], positive.
    """
    shown = ranked[:k]
    return float(-np.log2(share[shown]).mean()) if len(shown) else 0.0


@dataclass(frozen=True)
class Interval:
    """A mean over listeners and the bounds of its bootstrap interval."""

    mean: float
    low: float
    high: float


def bootstrap_interval(
    values: NDArray[np.float64], rng: np.random.Generator, level: float = 0.95, draws: int = 1000
) -> Interval:
    """Return the percentile bootstrap of the mean over listeners (Efron 1979). Raise ValueError without values."""
    return bootstrap_intervals(values[:, None], rng, level, draws)[0]


def bootstrap_intervals(
    values: NDArray[np.float64], rng: np.random.Generator, level: float = 0.95, draws: int = 1000
) -> list[Interval]:
    """Return `bootstrap_interval` of each column of float64[listeners, c], all on the same draws of listeners."""
    if not len(values):
        raise ValueError("no values")
    number = len(values)
    # How often each listener was drawn, times the values: a third of the time of picking them out.
    drawn = (np.bincount(rng.integers(number, size=number), minlength=number) for _ in range(draws))
    means = np.array([counts @ values for counts in drawn]) / number
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    bounds = zip(values.mean(axis=0), low, high, strict=True)
    return [Interval(float(mean), float(least), float(most)) for mean, least, most in bounds]
