"""Learning curves of policies, with intervals over listeners, and from which round on exploring has paid for itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine.evaluation.learning_loop.playing import LoopRecord
from recommender.engine.evaluation.metrics import Interval, bootstrap_intervals

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class LearningCurve:
    """What one policy earned per listener, by round.

    likes: of each page; total_likes, total_new_likes, total_dislikes, total_regret: summed up to each round;
    songs_shown: share of the catalogue shown to anybody of a site up to each round, mean over the sites. ahead: total
    likes less those of the policy compared with, listener by listener; None for that policy itself.
    """

    policy: str
    likes: tuple[Interval, ...]
    total_likes: tuple[Interval, ...]
    total_new_likes: tuple[Interval, ...]
    total_dislikes: tuple[Interval, ...]
    total_regret: tuple[Interval, ...]
    songs_shown: tuple[float, ...]
    ahead: tuple[Interval, ...] | None

    @property
    def pays_from(self) -> int | None:
        """Return the first round from which on the total likes never are behind; None if they are at the end."""
        if self.ahead is None:
            return None
        behind = [number for number, ahead in enumerate(self.ahead, start=1) if ahead.mean < 0.0]
        first = max(behind, default=0) + 1
        return first if first <= len(self.ahead) else None


def learning_curves(
    records: Mapping[str, Sequence[LoopRecord]], compared_with: str, seed: int
) -> tuple[LearningCurve, ...]:
    """Return the curves of all policies; the listeners of all sites are drawn alike for every policy."""
    baseline = _joined(records[compared_with], "likes")
    return tuple(_curve(name, of_sites, baseline, name == compared_with, seed) for name, of_sites in records.items())


def _curve(name: str, records: Sequence[LoopRecord], baseline: Doubles, is_baseline: bool, seed: int) -> LearningCurve:
    likes = _joined(records, "likes")
    figures = ("likes", "new_likes", "dislikes", "regret")
    totals = [np.cumsum(_joined(records, figure), axis=1) for figure in figures]
    ahead = np.cumsum(likes - baseline, axis=1)
    intervals = bootstrap_intervals(np.concatenate([likes, *totals, ahead], axis=1), np.random.default_rng(seed))
    rounds = likes.shape[1]
    parts = [tuple(intervals[low : low + rounds]) for low in range(0, len(intervals), rounds)]
    return LearningCurve(
        policy=name,
        likes=parts[0],
        total_likes=parts[1],
        total_new_likes=parts[2],
        total_dislikes=parts[3],
        total_regret=parts[4],
        songs_shown=tuple(np.mean([record.songs_shown for record in records], axis=0).tolist()),
        ahead=None if is_baseline else parts[5],
    )


def _joined(records: Sequence[LoopRecord], figure: str) -> Doubles:
    """Return a figure of the listeners of all sites, float64[u, r]."""
    return np.concatenate([getattr(record, figure) for record in records])
