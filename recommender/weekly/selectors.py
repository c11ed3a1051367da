"""Reads of weekly lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from catalog.models import Track, TrackQuerySet
from feedback.plays.models import Play
from feedback.preferences.models import ArtistPreference, GenrePreference
from feedback.ratings.models import Rating
from recommender.adapters.heard_songs import ListResult, results_of
from recommender.models import WeeklyEmail, WeeklyFeed, WeeklyList, WeeklySong

ACTIVE_DAYS = 60
"""Days without a log-in, play or rating after which a listener gets no more lists, unless they follow theirs."""
CURRENT_DAYS = 8
"""Days that a list stays on For you: a week, and a day by which the next one may be late."""


@dataclass(frozen=True)
class WeekLine:
    """A weekly list, the number of its songs, and how it went so far."""

    weekly_list: WeeklyList
    song_count: int
    result: ListResult


def lists_of(user: User) -> QuerySet[WeeklyList]:
    """Return the listener's weekly lists, the newest first, each with ``song_count``."""
    return WeeklyList.objects.filter(user=user).annotate(song_count=Count("songs")).order_by("-week", "-id")


def latest_list(user: User) -> WeeklyList | None:
    """Return the listener's newest weekly list."""
    return lists_of(user).first()


def current_list(user: User) -> WeeklyList | None:
    """Return the weekly list that For you shows; ``None`` where the newest is an old one."""
    newest = latest_list(user)
    oldest = timezone.now() - timedelta(days=CURRENT_DAYS)
    return newest if newest is not None and newest.created_at >= oldest else None


def with_results(lists: Iterable[WeeklyList]) -> list[WeekLine]:
    """Return lists of ``lists_of`` with how they went; one query, for those whose time is not over."""
    rows = list(lists)
    running = [row.pk for row in rows if row.heard is None]
    results = results_of(running) if running else {}
    return [WeekLine(row, row.song_count, _result(row, results)) for row in rows]  # type: ignore[attr-defined]


def _result(row: WeeklyList, results: dict[int, ListResult]) -> ListResult:
    if row.heard is None:
        return results.get(row.pk, ListResult())
    return ListResult(row.heard, row.expected_of_heard or 0.0, row.succeeded or 0)


def songs_of(weekly_list: WeeklyList) -> QuerySet[WeeklySong]:
    """Return the list's songs in order, each with all that a list row shows; a song that is gone has no ``track``."""
    songs = WeeklySong.objects.filter(weekly_list=weekly_list).order_by("position")
    return songs.prefetch_related(Prefetch("track", Track.objects.for_list()))


def tracks_of(weekly_list: WeeklyList) -> TrackQuerySet:
    """Return the list's shown songs in order; add ``for_list()`` for what a list row shows."""
    tracks = Track.objects.active().filter(weekly_songs__weekly_list=weekly_list)
    return tracks.order_by("weekly_songs__position")


def track_ids(weekly_list: WeeklyList) -> list[int]:
    """Return the ids of the list's shown songs in order, for whoever sends it elsewhere."""
    return list(tracks_of(weekly_list).values_list("pk", flat=True))


def due_listeners(monday: date, now: datetime) -> QuerySet[User]:
    """Return the listeners who get a list for the week that begins on ``monday``, by id.

    Their account is active, they have done something lately or follow their list, there is some sign of their taste,
    and they have no list of this week or a later one: a clock that was ahead makes none twice.
    """
    mine = {"user_id": OuterRef("pk")}
    since = now - timedelta(days=ACTIVE_DAYS)
    is_here = (
        Q(last_login__gte=since)
        | Q(created_at__gte=since)
        | Q(Exists(Play.objects.filter(**mine, played_at__gte=since)))
        | Q(Exists(Rating.objects.filter(**mine, updated_at__gte=since)))
        | Q(Exists(WeeklyFeed.objects.filter(**mine)))
        | Q(Exists(WeeklyEmail.objects.filter(**mine)))
    )
    has_taste = (
        Q(Exists(Rating.objects.filter(**mine)))
        | Q(Exists(Play.objects.counted().filter(**mine)))
        | Q(Exists(GenrePreference.objects.filter(**mine)))
        | Q(Exists(ArtistPreference.objects.filter(**mine)))
    )
    has_list = Exists(WeeklyList.objects.filter(**mine, week__gte=monday))
    return User.objects.filter(is_here, has_taste, ~Q(has_list), is_active=True).order_by("pk")


def earlier_songs(user_ids: Iterable[int]) -> dict[int, list[int]]:
    """Return the ids of the songs that the lists of these listeners had, by listener; one query."""
    rows = WeeklySong.objects.filter(weekly_list__user__in=list(user_ids), track__isnull=False).order_by()
    earlier: dict[int, list[int]] = {}
    for user_id, track_id in rows.values_list("weekly_list__user_id", "track_id"):
        earlier.setdefault(user_id, []).append(track_id)
    return earlier
