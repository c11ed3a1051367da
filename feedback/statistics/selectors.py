"""Reads of the listening statistics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from accounts.fast.int_tables import read_int_table
from accounts.fast.unix_seconds import UnixSeconds
from accounts.models import User
from catalog.models import Artist, Genre, Track, TrackArtist
from feedback.plays.models import Play

TOP = 10
PERIODS: dict[str, tuple[Promise, int | None]] = {
    "month": (_("4 weeks"), 28),
    "year": (_("12 months"), 364),
    "all": (_("All time"), None),
}
DEFAULT_PERIOD = "year"
# With more weeks than this, the chart counts months.
_MOST_WEEKS = 60
_MOST_DAYS = timedelta(days=36_525)
# Hidden songs appear nowhere; songs known only from histories are shown to the listeners who imported them.
SHOWN_TO_THEM = Q(is_active=True) | Q(origin=Track.Origin.PRIVATE)
_GenreLink = Track.genres.through
_Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class _Tally:
    """How often each of some songs, artists or genres was heard, and in which seconds first and last: int64[n] each."""

    ids: _Numbers
    plays: _Numbers
    first: _Numbers
    last: _Numbers

    @classmethod
    def of(cls, ids: _Numbers, plays: _Numbers, first: _Numbers, last: _Numbers) -> "_Tally":
        """Sum up by id."""
        distinct, group = np.unique(ids, return_inverse=True)
        totals = np.bincount(group, weights=plays, minlength=len(distinct)).astype(np.int64)
        earliest = np.full(len(distinct), np.iinfo(np.int64).max)
        latest = np.full(len(distinct), np.iinfo(np.int64).min)
        np.minimum.at(earliest, group, first)
        np.maximum.at(latest, group, last)
        return cls(distinct, totals, earliest, latest)

    def by_link(self, pairs: _Numbers) -> "_Tally":
        """Add up over pairs of an artist or genre and one of these songs, int64[m, 2]; other songs are left out."""
        owner, song = pairs.T
        index = np.minimum(np.searchsorted(self.ids, song), max(len(self.ids) - 1, 0))
        known = self.ids[index] == song if len(self.ids) else np.zeros(len(song), dtype=np.bool_)
        at = index[known]
        return _Tally.of(owner[known], self.plays[at], self.first[at], self.last[at])

    def top(self, model: type[Any]) -> "list[Heard]":
        """Return the most played; of equally often played ones, those heard last."""
        order = np.lexsort((self.ids, self.last, self.plays))[::-1][:TOP]
        things = model.objects.in_bulk(self.ids[order].tolist())
        return [
            Heard(
                things[int(self.ids[at])],
                int(self.plays[at]),
                datetime.fromtimestamp(int(self.first[at]), UTC),
                datetime.fromtimestamp(int(self.last[at]), UTC),
            )
            for at in order
        ]


@dataclass(frozen=True)
class Heard:
    """An artist, a genre or a song, with how often it was heard, and when first and last."""

    thing: Any
    plays: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Statistics:
    """All that the page shows. ``spans`` are weeks or, over long times, months: their first day and number of plays.

    ``hours``: plays by hour of the day, 24 of them, and ``days``: plays by day with any, in the listener's time zone.
    ``milliseconds`` as far as known.
    """

    plays: int
    songs: int
    artists: int
    milliseconds: int
    by_month: bool
    spans: Sequence[tuple[date, int]]
    hours: Sequence[int]
    days: Mapping[date, int]
    top_genres: Sequence[Heard]
    top_artists: Sequence[Heard]
    top_songs: Sequence[Heard]
    first: datetime | None
    last: datetime | None


def period_with_plays(user: User) -> str:
    """Return the usual period or, where all the listener's plays are older, all time; one query."""
    days = PERIODS[DEFAULT_PERIOD][1] or 0
    last = Play.objects.filter(user=user).aggregate(last=Max("played_at"))["last"]
    return "all" if last is not None and last < timezone.now() - timedelta(days=days) else DEFAULT_PERIOD


def shown_artists(artists: Sequence[Artist]) -> set[int]:
    """Return the ids of those artists that have a page, for they have a shown song; one query."""
    links = TrackArtist.objects.filter(artist__in=[artist.pk for artist in artists], track__is_active=True)
    return set(links.order_by().values_list("artist_id", flat=True).distinct())


def zone_of(user: User) -> tzinfo:
    """Return the time zone that the listener chose, else the one in use."""
    return ZoneInfo(user.time_zone) if user.time_zone else timezone.get_current_timezone()


def statistics_of(user: User, period: str, now: datetime | None = None) -> Statistics:
    """Return what ``user``'s plays add up to, within one of ``PERIODS``; seven queries.

    Songs that only histories know count, too: the statistics are the listener's own.
    """
    zone = zone_of(user)
    today = (now or timezone.now()).astimezone(zone).date()
    days = PERIODS[period][1]
    plays = Play.objects.filter(user=user)
    if days is not None:
        monday = _monday(today - timedelta(days=days))
        plays = plays.filter(played_at__gte=datetime(monday.year, monday.month, monday.day, tzinfo=zone))
    return _add_up(plays, zone, today - timedelta(days=days) if days is not None else None, today)


def statistics_of_year(user: User, year: int) -> Statistics:
    """Return what ``user``'s plays of a calendar year add up to, in the listener's time zone, by month."""
    plays = Play.objects.filter(user=user, **within_year(user, year))
    return _add_up(plays, zone_of(user), date(year, 1, 1), date(year, 12, 31), by_month=True)


def within_year(user: User, year: int) -> dict[str, datetime]:
    """Return the conditions on plays of a calendar year in the listener's time zone."""
    zone = zone_of(user)
    return {
        "played_at__gte": datetime(year, 1, 1, tzinfo=zone),
        "played_at__lt": datetime(year + 1, 1, 1, tzinfo=zone),
    }


def _add_up(
    plays: QuerySet[Play], zone: tzinfo, first_day: date | None, last_day: date, *, by_month: bool | None = None
) -> Statistics:
    """Return what ``plays`` add up to; six queries. ``first_day``: that of the first play where none is set."""
    ids, seconds, lengths = _shown_plays(plays)
    times = [datetime.fromtimestamp(second, zone) for second in seconds.tolist()]
    first_day = first_day or min((t.date() for t in times), default=last_day)
    if by_month is None:
        by_month = (last_day - first_day).days > 7 * _MOST_WEEKS
    days = Counter(time.date() for time in times)
    songs = _Tally.of(ids, np.ones_like(ids), seconds, seconds)
    artists = songs.by_link(_links(TrackArtist.objects.filter(track__in=plays.values("track")), "artist_id"))
    genres = songs.by_link(_links(_GenreLink.objects.filter(track__in=plays.values("track")), "genre_id"))
    hours = Counter(time.hour for time in times)
    return Statistics(
        plays=len(ids),
        songs=len(songs.ids),
        artists=len(artists.ids),
        milliseconds=int(lengths.sum()),
        by_month=by_month,
        spans=_spans(days, first_day, last_day, by_month=by_month),
        hours=[hours[hour] for hour in range(24)],
        days=days,
        top_genres=genres.top(Genre),
        top_artists=artists.top(Artist),
        top_songs=songs.top(Track),
        first=min(times, default=None),
        last=max(times, default=None),
    )


def _shown_plays(plays: QuerySet[Play]) -> _Numbers:
    """Return song, second and length (0 = not known) of the plays, int64[3, m].

    Songs that the listener may see are told apart here, which takes half the time of the database's joins.
    """
    table = read_int_table(plays.order_by(), "track_id", UnixSeconds("played_at"), Coalesce("ms_played", 0))
    shown = read_int_table(Track.objects.filter(SHOWN_TO_THEM, pk__in=plays.values("track")).order_by(), "pk")
    return table[np.isin(table[:, 0], shown[:, 0], kind="sort")].T


def _links(links: QuerySet[Any], column: str) -> _Numbers:
    """Return pairs of an artist or genre and a song, int64[m, 2]."""
    return read_int_table(links.order_by(), column, "track_id")


def _spans(days: Mapping[date, int], first: date, last: date, *, by_month: bool) -> list[tuple[date, int]]:
    start = _month if by_month else _monday
    counts: Counter[date] = Counter()
    for day, plays in days.items():
        counts[start(day)] += plays
    # An import may bring a play of the year 1: what lies before the last hundred years goes into the first span.
    begin = max(start(first), start(last - _MOST_DAYS))
    counts[begin] += sum(plays for day, plays in counts.items() if day < begin)
    spans, day = [], begin
    while day <= last:
        spans.append((day, counts[day]))
        day = start(day + timedelta(days=32)) if by_month else day + timedelta(days=7)
    return spans


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date) -> date:
    return day.replace(day=1)
