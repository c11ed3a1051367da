"""What policies would have earned on the logged pages, as figures for a chart of intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recommender.lifecycle.log_comparison import HEADLINE
from recommender.lifecycle.training import CANDIDATE
from recommender.models import ModelVersion
from recommender.operators.charts import axis_number
from recommender.operators.comparison import per_pages, policy_name, sentences

WIDTH, ROW, LEFT, RIGHT = 640, 40, 160, 48
_ROUND = (1, 1.2, 1.6, 2, 4, 6, 8)


@dataclass(frozen=True)
class IntervalRow:
    """One policy, in the chart's units, with the figures as text; ``is_enough``: whether the log can tell."""

    name: str
    y: float
    low: float
    mean: float
    high: float
    label: str
    is_enough: bool


@dataclass(frozen=True)
class LogChart:
    """Rows of one comparison, what was really earned (``logged``, in the chart's units), and the same in words."""

    version: int
    rows: list[IntervalRow]
    logged: float
    height: int
    marks: list[tuple[float, str]]
    sentences: list[str]


def log_chart(versions: Sequence[ModelVersion]) -> LogChart | None:
    """Return the comparison of the newest version that has one; ``None`` where none was made."""
    version = next((version for version in versions if version.metrics.get("on_log")), None)
    if version is None:
        return None
    figures = _named(version.metrics["on_log"], str(version.pk))
    values = {name: per_pages(estimate[HEADLINE]) for name, estimate in figures["policies"].items()}
    end = _axis_end(max(value["high"] for value in values.values()))
    scale = (WIDTH - LEFT - RIGHT) / end
    rows = [
        IntervalRow(
            name=policy_name(name),
            y=ROW * number + ROW / 2,
            low=round(LEFT + max(value["low"], 0.0) * scale, 1),
            mean=round(LEFT + max(value["mean"], 0.0) * scale, 1),
            high=round(LEFT + value["high"] * scale, 1),
            label=f"{value['mean']:.0f} ({value['low']:.0f}\N{EN DASH}{value['high']:.0f})",
            is_enough=not figures["policies"][name]["not_enough"],
        )
        for number, (name, value) in enumerate(values.items())
    ]
    logged = round(LEFT + per_pages(figures["logged"])["mean"] * scale, 1)
    marks = [(round(LEFT + end * share / 4 * scale, 1), axis_number(end * share / 4)) for share in range(5)]
    return LogChart(version.pk, rows, logged, ROW * len(rows) + 32, marks, sentences(figures))


def _named(figures: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the figures with the version's number where it was the candidate."""
    renamed = {
        key: {name if policy == CANDIDATE else policy: value for policy, value in figures[key].items()}
        for key in ("policies", "differences")
    }
    return figures | renamed


def _axis_end(highest: float) -> float:
    """Return the first round number that is not less."""
    end = 1.0
    while True:
        for factor in _ROUND:
            if end * factor >= highest:
                return end * factor
        end *= 10
