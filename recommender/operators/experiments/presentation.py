"""The figures of an experiment as a table, a chart and sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.cache import cache
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from recommender.engine.evaluation import MIN_LISTENERS, SequentialResult
from recommender.experiments.figures import METRICS, ArmFigures, ExperimentFigures, MetricName, figures_of
from recommender.experiments.serving import setting_of, unusable_arms
from recommender.experiments.settings import OVERRIDES
from recommender.models import Experiment
from recommender.operators.charts import axis_number

CACHE_SECONDS = 60
WIDTH, ROW, LEFT, RIGHT = 640, 40, 200, 48
_NAMES: Mapping[MetricName, object] = {
    "likes": gettext_lazy("Songs liked"),
    "completions": gettext_lazy("Songs played to the end"),
    "skips": gettext_lazy("Songs skipped"),
    "different": gettext_lazy("Different songs per listener"),
    "pages": gettext_lazy("Pages per listener"),
}
_OVERRIDE_WORDS: Mapping[str, object] = {
    "page.max_per_artist": gettext_lazy("songs of one artist on a page, at most"),
    "page.diversity": gettext_lazy("how much songs that are like others on the page lose"),
    "page.skip_penalty": gettext_lazy("how much a skipped song takes off its artist"),
    "page.impression_limit": gettext_lazy("how often a song is shown without an answer before it rests"),
    "page.cooldown_days": gettext_lazy("days that it then rests"),
    "exploring.strength": gettext_lazy("how much is explored when the dial is turned up fully"),
    "exploring.exponent": gettext_lazy("how exploring grows with the dial. Below 1, its lower half explores much, too"),
    "exploring.item_share": gettext_lazy("how far each song is explored by itself, not whole directions of taste"),
}
_DASH = "\N{EN DASH}"
_AXIS_ENDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Cell:
    """One figure of one arm in words: the rate, and the difference from the control with a verdict.

    ``verdict``: "better", "worse" or empty.
    """

    rate: str
    difference: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class TableRow:
    """One metric of all arms."""

    name: str
    cells: list[Cell]


@dataclass(frozen=True)
class ChartRow:
    """The like rate of one arm, in the chart's units, with the figures as text."""

    name: str
    y: float
    low: float
    mean: float
    high: float
    label: str
    is_control: bool


@dataclass(frozen=True)
class RatesChart:
    """Like rates of the arms with their intervals; ``control``: the place of the control's rate."""

    rows: list[ChartRow]
    control: float
    height: int
    marks: list[tuple[float, str]]


def cached_figures(experiment: Experiment) -> ExperimentFigures:
    """Return the figures, which are counted once a minute."""
    key = f"recommender:experiment:{experiment.pk}:{experiment.state}"
    figures: ExperimentFigures | None = cache.get(key)
    if figures is None:
        figures = figures_of(experiment)
        cache.set(key, figures, CACHE_SECONDS)
    return figures


def cached_warnings(experiment: Experiment) -> list[str]:
    """Return `warnings` as they were when the figures were counted: a model is read through for them."""
    key = f"recommender:experiment-warnings:{experiment.pk}:{experiment.state}:{get_language()}"
    texts: list[str] | None = cache.get(key)
    if texts is None:
        texts = warnings(experiment)
        cache.set(key, texts, CACHE_SECONDS)
    return texts


def warnings(experiment: Experiment) -> list[str]:
    """Return a sentence for each arm that this machine can't serve, and then what that means."""
    lines = [
        _("“%(name)s” can't be served, because version %(pk)s can't be used: %(why)s")
        % {"name": arm.arm.name, "pk": arm.version.pk, "why": arm.why}
        for arm in unusable_arms(experiment)
    ]
    if not lines:
        return []
    if experiment.state == Experiment.State.DRAFT:
        return [*lines, _("Copy the version's folder here, from a machine or a backup that has it, before you start.")]
    return [
        *lines,
        _("Until then nobody takes part. All listeners get what the rest of the site gets, and nothing is counted."),
        _("Copy the version's folder here, from a machine or a backup that has it, or stop the experiment."),
    ]


def limit_lines() -> list[tuple[str, str, str, str]]:
    """Return the numbers that an arm can change: name, lowest, highest, and what it does."""
    return [
        (name, f"{limit.low:g}", f"{limit.high:g}", str(_OVERRIDE_WORDS[name])) for name, limit in OVERRIDES.items()
    ]


def setting_words(arm: ArmFigures) -> str:
    """Return what an arm changes, in the form in which it is entered."""
    return setting_of(arm.arm).text or _("as the site")


def table_of(figures: ExperimentFigures) -> list[TableRow]:
    """Return one row per count and metric."""
    counts = [
        TableRow(_("Listeners"), [Cell(intcomma(arm.listeners)) for arm in figures.arms]),
        TableRow(_("Pages"), [Cell(intcomma(arm.pages)) for arm in figures.arms]),
        TableRow(_("Songs shown"), [Cell(intcomma(arm.songs)) for arm in figures.arms]),
        TableRow(_("Different songs, all listeners"), [Cell(intcomma(arm.different_songs)) for arm in figures.arms]),
    ]
    return counts + [TableRow(str(_NAMES[name]), [_cell(name, arm) for arm in figures.arms]) for name in METRICS]


def rates_chart(figures: ExperimentFigures) -> RatesChart | None:
    """Return the like rates of the arms; ``None`` until an arm has been shown songs."""
    if not any(arm.songs for arm in figures.arms):
        return None
    rates = [arm.rates["likes"].interval for arm in figures.arms]
    highest = max(min(interval.high, 1.0) for interval in rates)
    end = next(end for end in _AXIS_ENDS if end >= highest)
    scale = (WIDTH - LEFT - RIGHT) / end
    rows = [
        ChartRow(
            name=arm.arm.name,
            y=ROW * number + ROW / 2,
            low=round(LEFT + interval.low * scale, 1),
            mean=round(LEFT + interval.mean * scale, 1),
            high=round(LEFT + min(interval.high, 1.0) * scale, 1),
            label=_share(arm.rates["likes"]),
            is_control=number == 0,
        )
        for number, (arm, interval) in enumerate(zip(figures.arms, rates, strict=True))
    ]
    marks = [(round(LEFT + end * part / 4 * scale, 1), f"{axis_number(end * part * 25)} %") for part in range(5)]
    return RatesChart(rows, rows[0].mean, ROW * len(rows) + 32, marks)


def sentences(figures: ExperimentFigures) -> list[str]:
    """Return what is known of each arm, and first whatever makes the rest unbelievable."""
    found_out = [_about(arm) for arm in figures.arms[1:]]
    if figures.is_uneven:
        found_out.insert(0, _("The arms have so different numbers of listeners that the figures can't be trusted."))
    return found_out


def _about(arm: ArmFigures) -> str:
    result = arm.differences["likes"]
    low, high = 100 * result.interval.low, 100 * result.interval.high
    names = {"name": arm.arm.name}
    numbers = (_decimal(min(abs(low), abs(high))), _decimal(max(abs(low), abs(high))))
    if arm.arm.stopped_at:
        return _("“%(name)s” was stopped by the guard rail, and its listeners get what the control gets.") % names
    if not result.is_enough:
        message = ngettext(
            "“%(name)s”: not enough to tell. Each arm needs at least %(count)d listener.",
            "“%(name)s”: not enough to tell. Each arm needs at least %(count)d listeners.",
            MIN_LISTENERS,
        )
        return message % {**names, "count": MIN_LISTENERS}
    if result.is_higher:
        message = _("“%(name)s” earns more likes than the control, by %(low)s to %(high)s on 100 songs shown.")
    elif result.is_lower:
        message = _("“%(name)s” earns fewer likes than the control, by %(low)s to %(high)s on 100 songs shown.")
    else:
        message = _("“%(name)s” and the control: no difference found (%(low)s to %(high)s likes on 100 songs shown).")
        numbers = (_decimal(low, is_signed=True), _decimal(high, is_signed=True))
    return message % (names | {"low": numbers[0], "high": numbers[1]})


def _cell(name: MetricName, arm: ArmFigures) -> Cell:
    metric, rate, difference = METRICS[name], arm.rates[name], arm.differences.get(name)
    if not arm.pages:
        return Cell(_DASH)
    write = _share if metric.is_share else _number
    if difference is None or not difference.is_enough:
        return Cell(write(rate))
    verdict = ""
    if difference.is_higher or difference.is_lower:
        verdict = "better" if difference.is_higher == metric.is_more_better else "worse"
    factor = 100 if metric.is_share else 1
    interval = difference.interval
    mean, low, high = (
        _decimal(factor * value, is_signed=True) for value in (interval.mean, interval.low, interval.high)
    )
    return Cell(write(rate), _("%(mean)s (%(low)s to %(high)s)") % {"mean": mean, "low": low, "high": high}, verdict)


def _share(result: SequentialResult) -> str:
    interval = result.interval
    low, mean, high = (_decimal(100 * value) for value in (interval.low, interval.mean, min(interval.high, 1.0)))
    return f"{mean} % ({low}{_DASH}{high})"


def _number(result: SequentialResult) -> str:
    interval = result.interval
    if not math.isfinite(interval.high):
        return _decimal(interval.mean)
    return f"{_decimal(interval.mean)} ({_decimal(interval.low)}{_DASH}{_decimal(interval.high)})"


def _decimal(value: float, *, is_signed: bool = False) -> str:
    """Return a number in the reader's notation."""
    sign = "+" if is_signed and round(value, 1) >= 0 else ""
    return sign + number_format(round(value, 1) + 0.0, decimal_pos=1)
