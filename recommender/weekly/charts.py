"""What was expected of the weekly lists and how it went, as figures for a bar chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from django.utils.formats import date_format

from recommender.weekly.selectors import WeekLine

WIDTH, HEIGHT = 640, 200
_LEFT, _TOP, _BOTTOM = 40, 20, 28
_BAR = 0.34
_LABELLED = 6
"""So many dates have room below the bars."""


@dataclass(frozen=True)
class WeekBars:
    """Two bars, in the chart's units: expected and liked or finished, among ``heard`` songs."""

    label: str
    middle: float
    width: float
    expected_x: float
    expected_y: float
    expected_height: float
    succeeded_x: float
    succeeded_y: float
    succeeded_height: float
    heard: int
    expected: float
    succeeded: int


@dataclass(frozen=True)
class WeeksChart:
    """Bars by week, the oldest first, the dates that have room below them, and a horizontal grid (place and text)."""

    weeks: list[WeekBars]
    dates: list[tuple[float, str]]
    grid: list[tuple[float, str]]
    expected: float
    succeeded: int
    heard: int


def weeks_chart(lines: Sequence[WeekLine]) -> WeeksChart | None:
    """Return the chart of ``lines``, the newest first, without the lists of which nothing was heard."""
    heard = [line for line in reversed(lines) if line.result.heard]
    if not heard:
        return None
    end = _axis_end(max(max(line.result.expected, line.result.succeeded) for line in heard))
    # Few weeks have no broad bars.
    step = (WIDTH - _LEFT) / max(len(heard), 6)
    weeks = [_bars(line, _LEFT + step * number, step, end) for number, line in enumerate(heard)]
    grid = [(_y(end * share / 2, end), f"{end * share // 2}") for share in range(3)]
    # The newest week always has its date.
    dates = [(week.middle, week.label) for week in weeks[:: -ceil(len(weeks) / _LABELLED)]]
    return WeeksChart(
        weeks,
        dates,
        grid,
        sum(line.result.expected for line in heard),
        sum(line.result.succeeded for line in heard),
        sum(line.result.heard for line in heard),
    )


def _bars(line: WeekLine, left: float, step: float, end: int) -> WeekBars:
    result = line.result
    expected_y, succeeded_y = _y(result.expected, end), _y(result.succeeded, end)
    return WeekBars(
        label=date_format(line.weekly_list.day, "MONTH_DAY_FORMAT"),
        middle=round(left + step / 2, 1),
        width=round(step * _BAR, 1),
        expected_x=round(left + step * (0.5 - _BAR) - 1, 1),
        expected_y=expected_y,
        expected_height=round(HEIGHT - _BOTTOM - expected_y, 1),
        succeeded_x=round(left + step * 0.5 + 1, 1),
        succeeded_y=succeeded_y,
        succeeded_height=round(HEIGHT - _BOTTOM - succeeded_y, 1),
        heard=result.heard,
        expected=result.expected,
        succeeded=result.succeeded,
    )


def _axis_end(highest: float) -> int:
    return next(end for end in (2, 4, 6, 8, 10, 14, 20, 24, 30) if end >= highest)


def _y(value: float, end: float) -> float:
    return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - value / end), 1)
