"""The line chart of how a taste changed over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format

from recommender.pages.taste.profile import Moved

WIDTH, HEIGHT = 420, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 10, 30


@dataclass(frozen=True)
class MovedLine:
    """The line of one genre; ``path``: ``d`` of an SVG path; ``cells``: its shares in percent, as text."""

    name: str
    number: int
    path: str
    end_x: float
    end_y: float
    cells: list[str]


@dataclass(frozen=True)
class MovementChart:
    """Lines over dates; ``grid``: y and label of the horizontal lines; ``marks``: x and label of the dates (pixels)."""

    lines: list[MovedLine]
    grid: list[tuple[float, str]]
    marks: list[tuple[float, str]]
    dates: list[str]


def movement_chart(moved: Sequence[Moved], days: Sequence[float], now: datetime | None = None) -> MovementChart | None:
    """Return the chart of ``moved``, whose steps are ``days`` ago, or ``None`` if there are fewer than two steps."""
    if not moved or len(days) < 2:
        return None
    top = max(max(line.shares) for line in moved) or 1.0
    end = next((end for end in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8) if end >= top), 1.0)
    places = [round(_LEFT + (WIDTH - _LEFT - _RIGHT) * step / (len(days) - 1), 1) for step in range(len(days))]
    today = timezone.localtime(now or timezone.now())
    dates = [date_format(today - timedelta(days=ago), "MONTH_DAY_FORMAT") for ago in days]
    if days[0] > 300:
        dates = [date_format(today - timedelta(days=ago), "M Y") for ago in days]
    lines = [_line(number, line, places, end) for number, line in enumerate(moved)]
    grid = [(_y(end * step / 4, end), f"{100 * end * step / 4:.0f} %") for step in range(5)]
    shown = (0, len(days) // 2, len(days) - 1)
    return MovementChart(lines, grid, [(places[step], dates[step]) for step in shown], dates)


def _line(number: int, line: Moved, places: Sequence[float], end: float) -> MovedLine:
    points = [(x, _y(share, end)) for x, share in zip(places, line.shares, strict=True)]
    path = " ".join(f"{'L' if point else 'M'}{x} {y}" for point, (x, y) in enumerate(points))
    cells = [f"{100 * share:.0f} %" for share in line.shares]
    return MovedLine(line.name, number, path, points[-1][0], points[-1][1], cells)


def _y(share: float, end: float) -> float:
    return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - share / end), 1)
