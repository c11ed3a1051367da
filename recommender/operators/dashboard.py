"""Figures about the site for its operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from accounts.models import User
from catalog.models import Artist, Genre, Track
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.source import Source
from jobs.models import Job
from recommender.models import ModelVersion, Recommendation

DAYS = 28
ACTIVE_DAYS = 7
RUNS_SHOWN = 8
WIDTH, HEIGHT = 420, 130
_LEFT, _TOP, _BOTTOM = 34, 8, 22


@dataclass(frozen=True)
class Counts:
    """What there is; ``active_listeners`` rated or played something in the last ``ACTIVE_DAYS``."""

    songs: int
    hidden_songs: int
    artists: int
    genres: int
    listeners: int
    new_listeners: int
    active_listeners: int
    wrong_reasons: int


@dataclass(frozen=True)
class DayBar:
    """One day, in the chart's units."""

    day: date
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class DayChart:
    """Counts of the last ``DAYS`` days, oldest first; ``top`` is the highest."""

    bars: list[DayBar]
    total: int
    top: int
    marks: list[tuple[float, date]]


def counts(now: datetime | None = None) -> Counts:
    """Return what there is; eight small queries."""
    now = now or timezone.now()
    songs = Track.objects.aggregate(
        shown=Count("id", filter=Q(is_active=True)), hidden=Count("id", filter=Q(is_active=False))
    )
    since = now - timedelta(days=ACTIVE_DAYS)
    users = User.objects.aggregate(all=Count("id"), new=Count("id", filter=Q(created_at__gte=since)))
    rated = set(Rating.objects.filter(updated_at__gte=since).order_by().values_list("user_id", flat=True).distinct())
    played = set(Play.objects.filter(played_at__gte=since).order_by().values_list("user_id", flat=True).distinct())
    wrong = Recommendation.objects.filter(is_reason_wrong=True, created_at__gte=now - timedelta(days=DAYS)).count()
    return Counts(
        songs=songs["shown"],
        hidden_songs=songs["hidden"],
        artists=Artist.objects.count(),
        genres=Genre.objects.count(),
        listeners=users["all"],
        new_listeners=users["new"],
        active_listeners=len(rated | played),
        wrong_reasons=wrong,
    )


def plays_per_day(now: datetime | None = None) -> DayChart:
    """Return the plays of each of the last days, in the reader's time zone; one query."""
    starts = _day_starts(now)
    return _chart(starts, Play.objects.filter(played_at__gte=starts[0]).aggregate(**_per_day("played_at", starts)))


def likes_per_day(now: datetime | None = None) -> DayChart:
    """Return the likes of each of the last days, in the reader's time zone; one query.

    Only likes given on this site count: imported ones arrive all at once.
    """
    starts = _day_starts(now)
    likes = Rating.objects.filter(value=Rating.Value.LIKE, source=Source.SITE, updated_at__gte=starts[0])
    return _chart(starts, likes.aggregate(**_per_day("updated_at", starts)))


def latest_jobs() -> list[Job]:
    """Return the latest work in the background: imports, retrains."""
    return list(Job.objects.select_related("user")[:RUNS_SHOWN])


def latest_versions() -> list[ModelVersion]:
    """Return the latest retrains that made a model."""
    return list(ModelVersion.objects.all()[:RUNS_SHOWN])


def _day_starts(now: datetime | None) -> list[datetime]:
    """Return when each of the last days began; midnights of one time zone are not always 24 hours apart."""
    zone = timezone.get_current_timezone()
    today = timezone.localtime(now or timezone.now()).date()
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    return [datetime(day.year, day.month, day.day, tzinfo=zone) for day in days]


def _per_day(column: str, starts: Sequence[datetime]) -> dict[str, Any]:
    # Counted by ranges, because databases differ in their support of time zones.
    ends = [*starts[1:], starts[-1] + timedelta(days=2)]
    return {
        f"day{number}": Count("id", filter=Q(**{f"{column}__gte": start, f"{column}__lt": end}))
        for number, (start, end) in enumerate(zip(starts, ends, strict=True))
    }


def _chart(starts: Sequence[datetime], counts: dict[str, int]) -> DayChart:
    values = [counts[f"day{number}"] for number in range(len(starts))]
    top = max([1, *values])
    step = (WIDTH - _LEFT) / len(starts)
    bars = []
    for number, (start, value) in enumerate(zip(starts, values, strict=True)):
        height = round((HEIGHT - _TOP - _BOTTOM) * value / top, 1)
        x, y = round(_LEFT + number * step + 1, 1), round(HEIGHT - _BOTTOM - height, 1)
        bars.append(DayBar(start.date(), value, x, y, round(step - 2, 1), height))
    marks = [(bars[number].x, bars[number].day) for number in range(0, len(bars), 7)]
    return DayChart(bars, sum(values), top, marks)
