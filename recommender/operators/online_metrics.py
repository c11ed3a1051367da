"""Online metrics of each model version and policy from the logged impressions, for operators."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from catalog.models import Track
from feedback.ratings.models import Rating
from recommender.adapters.logged_pages import rated, with_answer_time
from recommender.models import Recommendation

WINDOW_DAYS = 30
# Counting reads all impressions of the window, so the result is cached for operators who reload the page.
CACHE_SECONDS = 60
_Z = 1.959963985  # two-sided 95 %


@dataclass(frozen=True)
class Rate:
    """A share of shown songs with its 95 % interval (Wilson 1927)."""

    count: int
    total: int
    share: float
    low: float
    high: float

    @classmethod
    def of(cls, count: int, total: int) -> Rate:
        """Return ``count`` out of ``total``; if ``total`` is 0, the interval is 0 to 1."""
        if not total:
            return cls(0, 0, 0.0, 0.0, 1.0)
        share, weight = count / total, 1 + _Z**2 / total
        centre = (share + _Z**2 / (2 * total)) / weight
        half = _Z / weight * math.sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2))
        return cls(count, total, share, max(0.0, centre - half), min(1.0, centre + half))


@dataclass(frozen=True)
class PolicyLine:
    """Like and dislike rates of the songs that one policy of one model version showed in one section of the page."""

    version: int
    policy: str
    liked: Rate
    disliked: Rate
    section: str = ""


@dataclass(frozen=True)
class Exploration:
    """Cost of exploration (like rates side by side) and its gain (liked songs that greedy pages had not shown)."""

    explored: Rate
    greedy: Rate
    artists_found: int


@dataclass(frozen=True)
class Coverage:
    """How many of the site's songs were shown to at least one listener."""

    shown: int
    songs: int

    @property
    def percent(self) -> float:
        """Return the share in percent."""
        return 100 * self.shown / self.songs if self.songs else 0.0


@dataclass(frozen=True)
class OnlineMetrics:
    """All metrics, counted ``at`` a time."""

    policies: list[PolicyLine]
    exploration: Exploration
    coverage: Coverage
    at: datetime


def online_metrics() -> OnlineMetrics:
    """Return the metrics, which are cached for ``CACHE_SECONDS``."""
    cached: OnlineMetrics | None = cache.get("recommender:online_metrics")
    if cached is None:
        at = timezone.now()
        cached = OnlineMetrics(policy_lines(at), exploration(at), coverage(at), at)
        cache.set("recommender:online_metrics", cached, CACHE_SECONDS)
    return cached


def policy_lines(now: datetime | None = None) -> list[PolicyLine]:
    """Return one line per model version, section and policy of the last ``WINDOW_DAYS``, the newest version first.

    One query.
    """
    groups = (
        _with_ratings(now)
        .values("model_version_id", "section", "policy")
        .annotate(total=Count("id"), likes=Count("id", filter=Q(liked=True)), no=Count("id", filter=Q(disliked=True)))
        .order_by("-model_version_id", "section", "policy")
    )
    return [
        PolicyLine(
            version=group["model_version_id"],
            policy=group["policy"],
            liked=Rate.of(group["likes"], group["total"]),
            disliked=Rate.of(group["no"], group["total"]),
            section=group["section"],
        )
        for group in groups
    ]


def exploration(now: datetime | None = None) -> Exploration:
    """Return the like rates of explored songs and of the others on the same pages; two queries."""
    shown = _with_ratings(now).exclude(policy="greedy")
    figures = shown.aggregate(
        explored=Count("id", filter=Q(is_explored=True)),
        explored_liked=Count("id", filter=Q(is_explored=True, liked=True)),
        others=Count("id", filter=Q(is_explored=False)),
        others_liked=Count("id", filter=Q(is_explored=False, liked=True)),
    )
    liked = shown.filter(is_explored=True, liked=True).aggregate(Count("track__artists", distinct=True))
    return Exploration(
        explored=Rate.of(figures["explored_liked"], figures["explored"]),
        greedy=Rate.of(figures["others_liked"], figures["others"]),
        artists_found=liked["track__artists__count"],
    )


def coverage(now: datetime | None = None) -> Coverage:
    """Return how many songs were shown in the last ``WINDOW_DAYS``; two queries."""
    shown = _recent(now).filter(track__is_active=True).aggregate(Count("track", distinct=True))["track__count"]
    return Coverage(shown, Track.objects.active().count())


def _recent(now: datetime | None) -> QuerySet[Recommendation]:
    since = (now or timezone.now()) - timedelta(days=WINDOW_DAYS)
    return Recommendation.objects.filter(created_at__gte=since, is_shown=True)


def _with_ratings(now: datetime | None) -> QuerySet[Any]:
    """Return the recent rows, annotated with whether the listener liked or disliked the song in time."""
    rows = with_answer_time(_recent(now))
    answered: QuerySet[Any] = rows.annotate(liked=rated(Rating.Value.LIKE), disliked=rated(Rating.Value.DISLIKE))
    return answered
