"""Reads of a calendar year of listening."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Max, Min
from django.utils import timezone

from accounts.models import User
from catalog.models import Artist, Track, TrackArtist
from feedback.plays.models import Play
from feedback.statistics.selectors import SHOWN_TO_THEM, Statistics, statistics_of_year, within_year, zone_of
from feedback.year_review.models import FIRST_YEAR, LAST_YEAR, YearShare

NEW_ARTISTS_SHOWN = 3


@dataclass(frozen=True)
class YearReview:
    """All that the cards show. ``new_artists``: those first heard in the year, most played first, with their plays."""

    year: int
    is_over: bool
    statistics: Statistics
    new_artist_count: int
    new_artists: list[tuple[Artist, int]]

    @property
    def busiest_day(self) -> tuple[date, int]:
        """Return the day with the most plays, the earliest of equals, and how many. There must be a play."""
        return max(self.statistics.days.items(), key=lambda item: (item[1], -item[0].toordinal()))

    @property
    def longest_streak(self) -> int:
        """Return for how many days on end there was a play."""
        return longest_streak(self.statistics.days)


def longest_streak(days: Collection[date]) -> int:
    """Return the length of the longest run of consecutive days."""
    longest = 0
    for day in days:
        if day - timedelta(days=1) not in days:
            length = 1
            while day + timedelta(days=length) in days:
                length += 1
            longest = max(longest, length)
    return longest


def live_share(user: User, year: int) -> YearShare | None:
    """Return the share of the listener's year that has not ended; one query."""
    return YearShare.objects.filter(user=user, year=year, ends_at__gt=timezone.now()).first()


def years_with_plays(user: User) -> list[int]:
    """Return the years from the listener's first play to the last, the latest first; one query."""
    ends = Play.objects.filter(user=user).aggregate(first=Min("played_at"), last=Max("played_at"))
    if ends["first"] is None:
        return []
    zone = zone_of(user)
    first, last = (max(FIRST_YEAR, min(LAST_YEAR, ends[name].astimezone(zone).year)) for name in ("first", "last"))
    return list(range(last, first - 1, -1))


def review_of(user: User, year: int) -> YearReview:
    """Return a listener's year, in their time zone; ten queries."""
    counts = _plays_of_new_artists(user, year)
    shown = sorted(counts, key=lambda artist: (-counts[artist], artist))[:NEW_ARTISTS_SHOWN]
    artists = Artist.objects.in_bulk(shown)
    return YearReview(
        year=year,
        is_over=timezone.now().astimezone(zone_of(user)).year > year,
        statistics=statistics_of_year(user, year),
        new_artist_count=len(counts),
        new_artists=[(artists[artist], counts[artist]) for artist in shown],
    )


def _plays_of_new_artists(user: User, year: int) -> dict[int, int]:
    """Return how often each artist was heard in the year who had not been heard before."""
    limits = within_year(user, year)
    earlier = Play.objects.filter(user=user, played_at__lt=limits["played_at__gte"])
    links = TrackArtist.objects.order_by()
    known = set(links.filter(track__in=earlier.values("track")).values_list("artist_id", flat=True))
    # Conditions on the same play, so that they have to stand in the same filter.
    plays = {"track__plays__user": user} | {f"track__plays__{name}": moment for name, moment in limits.items()}
    shown = links.filter(track__in=Track.objects.filter(SHOWN_TO_THEM), **plays)
    heard = shown.values_list("artist_id").annotate(plays=Count("track__plays"))
    return {artist: count for artist, count in heard if artist not in known}
