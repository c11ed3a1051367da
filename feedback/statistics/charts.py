"""Counts as figures for bar charts: standing bars over time, lying ones for a ranking."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

WIDTH, HEIGHT = 640, 190
LEFT, TOP, BOTTOM = 46, 10, 24
LINE_HEIGHT = 30
# The axis of counts ends at one of these, times a power of ten.
_ROUND = (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True)
class Column:
    """One standing bar, in the chart's units; ``mark`` is written under it where there is room."""

    label: str
    value: int
    x: float
    y: float
    width: float
    height: float
    mark: str


@dataclass(frozen=True)
class ColumnChart:
    """Standing bars with a horizontal grid (place and text)."""

    columns: list[Column]
    grid: list[tuple[float, str]]

    @property
    def middles(self) -> list[tuple[float, str]]:
        """Return where under the bars something is written, and what."""
        return [(round(column.x + column.width / 2, 1), column.mark) for column in self.columns if column.mark]


def column_chart(counts: Sequence[tuple[str, str, int]], marks: int) -> ColumnChart:
    """Return the chart of ``counts``: what each is called, what would be written under it, how many; ``marks`` at most.

    ``counts`` must not be empty.
    """
    end = axis_end(max(value for _label, _mark, value in counts))
    step = (WIDTH - LEFT) / len(counts)
    every = ceil(len(counts) / marks)
    columns = []
    for number, (label, mark, value) in enumerate(counts):
        height = round((HEIGHT - TOP - BOTTOM) * value / end, 1)
        columns.append(
            Column(
                label=label,
                value=value,
                x=round(LEFT + step * number + step * 0.12, 1),
                y=round(HEIGHT - BOTTOM - height, 1),
                width=round(step * 0.76, 1),
                height=height,
                mark=mark if number % every == 0 else "",
            )
        )
    grid = [
        (round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part / 2, 1), f"{end * part / 2:g}") for part in range(3)
    ]
    return ColumnChart(columns, grid)


def axis_end(highest: int) -> int:
    """Return the round even number at which an axis that holds ``highest`` ends: its middle is a whole number, too."""
    power = 1
    while 10 * power < highest:
        power *= 10
    end = next(ceil(sign * power) for sign in _ROUND if sign * power >= highest)
    return end + end % 2


@dataclass(frozen=True)
class Line:
    """One lying bar of a ranking: ``share`` of the largest, in percent of the line."""

    label: str
    url: str
    plays: int
    y: int
    share: float


def ranking(rows: Sequence[tuple[str, str, int]]) -> list[Line]:
    """Return the lines for ``rows`` (label, address, plays), the largest first."""
    most = max((plays for _label, _url, plays in rows), default=1)
    return [
        Line(label, url, plays, number * LINE_HEIGHT, round(100 * plays / most, 1))
        for number, (label, url, plays) in enumerate(rows)
    ]
