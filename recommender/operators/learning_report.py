"""Learning curves in a table, as a chart of characters, in sentences and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from recommender.engine.evaluation import AnswerCheck, Interval, LearningCurve
from recommender.operators.evaluation_report import plain_table

BARS = "▁▂▃▄▅▆▇█"
PAID_BY = 10
"""The round by which exploring should have paid for itself."""


def curves_table(curves: Sequence[LearningCurve], title: str, caption: str) -> Table:
    """Return a row per policy: likes in single rounds, totals, and the chart."""
    rounds = len(curves[0].likes)
    marks = sorted({1, min(PAID_BY, rounds), rounds})
    table = Table(title=title, caption=caption, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("policy", no_wrap=True)
    columns = [f"page {mark}" for mark in marks] + [f"total {mark}" for mark in marks if mark > 1]
    for column in (*columns, "of it new", "regret", "songs shown"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("likes per page", no_wrap=True)
    low, high = _range(curves)
    for curve in curves:
        pages = [f"{curve.likes[mark - 1].mean:.2f}" for mark in marks]
        totals = [_bounded(curve.total_likes[mark - 1]) for mark in marks if mark > 1]
        ends = [f"{curve.total_new_likes[-1].mean:.1f}", _bounded(curve.total_regret[-1])]
        chart = sparkline([each.mean for each in curve.likes], low, high)
        table.add_row(curve.policy, *pages, *totals, *ends, f"{curve.songs_shown[-1]:.0%}", chart)
    return table


def sparkline(values: Sequence[float], low: float, high: float) -> str:
    """Return a bar for each value; `low` is the lowest bar, `high` the highest."""
    step = (high - low) / len(BARS) or 1.0
    return "".join(BARS[min(max(int((value - low) / step), 0), len(BARS) - 1)] for value in values)


def verdicts(curves: Sequence[LearningCurve], compared_with: str) -> list[str]:
    """Return a sentence for each setting that explores: whether and from when on it has paid for itself."""
    return [_verdict(curve, compared_with) for curve in curves if curve.ahead and curve.policy.startswith("explore")]


def _verdict(curve: LearningCurve, compared_with: str) -> str:
    assert curve.ahead
    mark = min(PAID_BY, len(curve.ahead))
    then, last = curve.ahead[mark - 1], curve.ahead[-1]
    against = f"{_signed(then)} likes against {compared_with} by round {mark}"
    if mark < len(curve.ahead):
        against += f", {_signed(last)} by round {len(curve.ahead)}"
    if curve.pays_from is None:
        return f"{curve.policy} does not pay for itself: {against}."
    paid = "clearly" if last.low > 0.0 else "within chance"
    return f"{curve.policy} is not behind from round {curve.pays_from} on, in the end {paid}: {against}."


def check_table(check: AnswerCheck) -> Table:
    """Return how well the answer model tells likes of people it was not fitted on."""
    title = f"The answer model on {check.people:,} people it was not fitted on, half of their answers revealed"
    liked = ", ".join(f"{each.chance:.2f}: {each.liked:.2f}" for each in check.bins)
    caption = f"chance: share liked, by tenths of the answers: {liked}; mean distance {check.expected_error:.3f}"
    table = plain_table(title, ("AUC", "minus popularity", "log-loss", "minus popularity"), caption)
    for name, quality in check.quality.items():
        figures = (quality.auc, quality.auc_gain, quality.log_loss, quality.log_loss_gain)
        table.add_row(name, *(f"{each.mean:.3f} ({each.low:.3f} to {each.high:.3f})" for each in figures))
    return table


def as_json(curves: Sequence[LearningCurve], check: AnswerCheck | None) -> dict[str, Any]:
    """Return all figures as plain values, curves as a list of a value per round."""
    rows = [asdict(curve) | {"pays_from": curve.pays_from} for curve in curves]
    return {"curves": rows, "answer_model": None if check is None else _check_json(check)}


def _check_json(check: AnswerCheck) -> dict[str, Any]:
    return {
        "people": check.people,
        "expected_calibration_error": check.expected_error,
        "bins": [each._asdict() for each in check.bins],
        "quality": {
            name: {figure: asdict(value) for figure, value in quality._asdict().items()}
            for name, quality in check.quality.items()
        },
    }


def _range(curves: Sequence[LearningCurve]) -> tuple[float, float]:
    means = [each.mean for curve in curves for each in curve.likes]
    return min(means), max(means)


def _bounded(interval: Interval) -> str:
    return f"{interval.mean:.1f} ({interval.low:.1f}-{interval.high:.1f})"


def _signed(interval: Interval) -> str:
    return f"{interval.mean:+.2f} ({interval.low:+.2f} to {interval.high:+.2f})"
