"""What the arms of an experiment have earned so far, from the logged recommendations, with always-valid intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from feedback.plays.models import Play
from feedback.ratings.models import Rating
from recommender.adapters.logged_pages import IS_PAGE, played, rated, with_answer_time
from recommender.engine.evaluation import (
    SEQUENTIAL_LEVEL,
    ListenerTotals,
    SequentialResult,
    rate_difference,
    rate_interval,
    uneven_p,
)
from recommender.models import Experiment, ExperimentArm, Recommendation

MetricName: TypeAlias = Literal["likes", "completions", "skips", "different", "pages"]


class Metric(NamedTuple):
    """A sum per listener over units, how much of a difference is expected, and whether more of it is better."""

    sums: str
    units: str
    tau: float = 0.05
    is_share: bool = True
    is_more_better: bool = True


METRICS: Mapping[MetricName, Metric] = {
    "likes": Metric("likes", "songs"),
    "completions": Metric("completions", "songs"),
    "skips": Metric("skips", "songs", is_more_better=False),
    "different": Metric("different", "songs"),
    "pages": Metric("pages", "listeners", tau=1.0, is_share=False),
}
"""Per song shown: likes, plays to the end, skips, songs not shown to the listener before; pages per listener."""
DECIDING: MetricName = "likes"
"""The metric of the guard rail, fixed before any look."""
UNEVEN = 0.001
"""Below this p-value the listeners are not parted as they should be, and nothing else can be believed."""


@dataclass(frozen=True, eq=False)
class ArmFigures:
    """An arm so far: counts, rates with intervals, and differences from the control (none for the control itself)."""

    arm: ExperimentArm
    listeners: int
    pages: int
    songs: int
    different_songs: int
    rates: Mapping[MetricName, SequentialResult]
    differences: Mapping[MetricName, SequentialResult]
    loss: SequentialResult | None

    @property
    def loses_too_much(self) -> bool:
        """Whether the arm certainly loses more of the control's likes than the experiment allows."""
        return self.loss is not None and self.loss.is_lower

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "arm": self.arm.name,
            "stopped_at": self.arm.stopped_at.isoformat() if self.arm.stopped_at else None,
            "listeners": self.listeners,
            "pages": self.pages,
            "songs": self.songs,
            "different_songs": self.different_songs,
            "percent": round(100 * self.rates[DECIDING].interval.mean, 2),
            "rates": {name: _plain(result) for name, result in self.rates.items()},
            "differences": {name: _plain(result) for name, result in self.differences.items()},
            "loses_too_much": self.loses_too_much,
        }


@dataclass(frozen=True, eq=False)
class ExperimentFigures:
    """All arms ``at`` a time; ``uneven``: the p-value of the listeners being parted evenly."""

    arms: Sequence[ArmFigures]
    uneven: float
    at: datetime

    @property
    def is_uneven(self) -> bool:
        """Whether the arms have so different numbers of listeners that something is broken."""
        return self.uneven < UNEVEN

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        arms = [figures.to_dict() for figures in self.arms]
        return {"at": self.at.isoformat(), "uneven_p": round(self.uneven, 6), "arms": arms}


def figures_of(experiment: Experiment, now: datetime | None = None) -> ExperimentFigures:
    """Return what the experiment's arms have earned; three queries.

    Answers count if they came within a week. Operators are left out, also those who became one later.
    """
    arms = list(experiment.arms.select_related("model_version", "pinned_version"))
    shown = Recommendation.objects.filter(arm__experiment=experiment, is_shown=True, user__is_staff=False).order_by()
    by_arm: dict[int, list[dict[str, int]]] = {arm.pk: [] for arm in arms}
    for row in _per_listener(shown):
        by_arm[row["arm_id"]].append(row)
    different = dict(shown.values("arm_id").annotate(n=Count("track", distinct=True)).values_list("arm_id", "n"))
    totals = [_totals(by_arm[arm.pk]) for arm in arms]
    level = SEQUENTIAL_LEVEL / max(1, len(arms) - 1)
    retained = 1.0 - experiment.max_loss / 100
    measured = [
        _arm_figures(arm, totals[number], None if number == 0 else totals[0], different.get(arm.pk, 0), retained, level)
        for number, arm in enumerate(arms)
    ]
    return ExperimentFigures(measured, _uneven(measured), now or timezone.now())


Totals: TypeAlias = Mapping[str, Any]
"""By name of a sum or unit, the value of each listener: float64[m]."""


def _per_listener(shown: QuerySet[Recommendation]) -> QuerySet[Any, Any]:
    answered: QuerySet[Any] = with_answer_time(shown).annotate(
        liked=rated(Rating.Value.LIKE),
        completed=played(Play.Outcome.COMPLETED),
        skipped=played(Play.Outcome.SKIPPED),
    )
    grouped: QuerySet[Any, Any] = answered.values("arm_id", "user_id").annotate(
        songs=Count("id"),
        pages=Count("page", distinct=True, filter=IS_PAGE),
        different=Count("track", distinct=True),
        likes=Count("id", filter=Q(liked=True)),
        completions=Count("id", filter=Q(completed=True)),
        skips=Count("id", filter=Q(skipped=True)),
    )
    return grouped


def _totals(rows: Sequence[Mapping[str, int]]) -> Totals:
    names = ("songs", "pages", *(metric.sums for metric in METRICS.values()))
    columns = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in names}
    return columns | {"listeners": np.ones(len(rows))}


def _of_metric(metric: Metric, totals: Totals) -> ListenerTotals:
    return ListenerTotals(totals[metric.sums], totals[metric.units], metric.is_share)


def _arm_figures(
    arm: ExperimentArm, totals: Totals, control: Totals | None, different_songs: int, retained: float, level: float
) -> ArmFigures:
    rates, differences = {}, {}
    for name, metric in METRICS.items():
        of_arm = _of_metric(metric, totals)
        rates[name] = rate_interval(of_arm, tau=metric.tau)
        if control is not None:
            differences[name] = rate_difference(of_arm, _of_metric(metric, control), tau=metric.tau, level=level)
    deciding = METRICS[DECIDING]
    loss = None
    if control is not None:
        likes, of_control = _of_metric(deciding, totals), _of_metric(deciding, control)
        loss = rate_difference(likes, of_control, retained=retained, tau=deciding.tau, level=level)
    return ArmFigures(
        arm=arm,
        listeners=len(totals["songs"]),
        pages=int(totals["pages"].sum()),
        songs=int(totals["songs"].sum()),
        different_songs=different_songs,
        rates=rates,
        differences=differences,
        loss=loss,
    )


def _uneven(arms: Sequence[ArmFigures]) -> float:
    """Return the p-value of an even split; 1.0 where an arm was stopped, after which the others go on alone."""
    if any(figures.arm.stopped_at for figures in arms) or len(arms) < 2:
        return 1.0
    return uneven_p([figures.listeners for figures in arms])


def _plain(result: SequentialResult) -> dict[str, float | bool | None]:
    """Return rounded values; an unbounded interval has no bounds, because JSON has no infinity."""
    bounds = {name: getattr(result.interval, name) for name in ("mean", "low", "high")}
    rounded = {name: round(value, 6) if np.isfinite(value) else None for name, value in bounds.items()}
    return {**rounded, "p": round(result.p_value, 6), "is_enough": result.is_enough}
