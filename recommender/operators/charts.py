"""Quality of the model versions over time as figures for a line chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format

from recommender.models import ModelVersion

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 28
REVEAL = "5"
SCORERS = ("blend", "popularity")
MAX_VERSIONS = 30
# The axis ends at the first of these that holds every interval.
_AXIS_ENDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
_GRID_LINES = 4


@dataclass(frozen=True)
class Point:
    """One measured version, in the chart's units, with the figure in words."""

    x: float
    y: float
    low: float
    high: float
    label: str


@dataclass(frozen=True)
class Line:
    """One scorer over the versions; ``path`` is the ``d`` of an SVG path."""

    scorer: str
    points: list[Point]

    @property
    def path(self) -> str:
        """Return the line through all points."""
        return " ".join(f"{'L' if number else 'M'}{point.x} {point.y}" for number, point in enumerate(self.points))


@dataclass(frozen=True)
class QualityChart:
    """Lines, horizontal grid (place and text) and version marks (place and text)."""

    lines: list[Line]
    grid: list[tuple[float, str]]
    marks: list[tuple[float, str]]


def quality_chart(versions: Sequence[ModelVersion]) -> QualityChart | None:
    """Return the chart of the measured ``versions`` (newest first), ``None`` where none was measured."""
    measured = [(version, _figures(version)) for version in reversed(versions[:MAX_VERSIONS])]
    measured = [(version, figures) for version, figures in measured if set(SCORERS) <= figures.keys()]
    if not measured:
        return None
    highest = max(figures[scorer]["high"] for _version, figures in measured for scorer in SCORERS)
    end = next((end for end in _AXIS_ENDS if end >= highest), 1.0)
    places = [_x(number, len(measured)) for number in range(len(measured))]
    lines = [
        Line(scorer, [_point(x, figures[scorer], end) for x, (_v, figures) in zip(places, measured, strict=True)])
        for scorer in SCORERS
    ]
    grid = [
        (_y(end * step / _GRID_LINES, end), axis_number(end * step / _GRID_LINES)) for step in range(_GRID_LINES + 1)
    ]
    marks = [(x, str(version.pk)) for x, (version, _figures) in zip(places, measured, strict=True)]
    return QualityChart(lines, grid, marks)


def axis_number(value: float) -> str:
    """Return a number on an axis, of three digits at most, in the reader's notation."""
    return str(number_format(f"{value:.3g}" if value < 1000 else f"{value:.0f}", force_grouping=True))


def _figures(version: ModelVersion) -> dict[str, dict[str, Any]]:
    rows = version.metrics.get("rows", [])
    return {row["scorer"]: row["ndcg_at_10"] for row in rows if row["reveal"] == REVEAL}


def _point(x: float, interval: dict[str, float], end: float) -> Point:
    low, high = _y(interval["low"], end), _y(interval["high"], end)
    return Point(x, _y(interval["mean"], end), low, high, number_format(f"{interval['mean']:.3f}"))


def _x(number: int, count: int) -> float:
    span = WIDTH - LEFT - RIGHT - 40
    return round(LEFT + 20 + (span * number / (count - 1) if count > 1 else span / 2), 1)


def _y(value: float, end: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / end), 1)
