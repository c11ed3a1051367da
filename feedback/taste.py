"""Reads of the feedback app for the recommender: plain tuples, few queries."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from heapq import merge
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import Count, Max, Min, Q, Sum

from accounts.models import User
from feedback.epoch import Epoch
from feedback.models import ArtistPreference, GenrePreference, Play, Rating, Source

CHUNK_ROWS = 5000
_PLAY_COUNTS = {
    "played": Count("id"),
    "completed": Count("id", filter=Q(outcome=Play.Outcome.COMPLETED)),
    "skipped": Count("id", filter=Q(outcome=Play.Outcome.SKIPPED)),
    "last_at": Epoch(Max("played_at")),
}


class RatedTrack(NamedTuple):
    """A rating: ``value`` is 1 or -1, ``at`` is in whole seconds since 1970 (UTC)."""

    track_id: int
    value: int
    at: int


class PlayedTrack(NamedTuple):
    """All counted plays of one song by one listener; ``last_at`` is in whole seconds since 1970 (UTC)."""

    track_id: int
    plays: int
    completed: int
    skipped: int
    last_at: int


@dataclass(frozen=True)
class Feedback:
    """What one listener did and said. Each tuple of rows turns into an array by ``numpy.array(rows)``."""

    ratings: tuple[RatedTrack, ...]
    plays: tuple[PlayedTrack, ...]
    genre_ids: tuple[int, ...]
    artist_ids: tuple[int, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the listener's taste."""
        return not (self.ratings or self.plays or self.genre_ids or self.artist_ids)


class Interaction(NamedTuple):
    """Everything one listener did with one song: ``rating`` is 1, -1 or 0; ``last_at`` in whole seconds since 1970."""

    user_id: int
    track_id: int
    rating: int
    plays: int
    completed: int
    skipped: int
    last_at: int


def feedback_of(user: User) -> Feedback:
    """Return the listener's ratings, counted plays and preferences in four queries, each ordered by id."""
    ratings = Rating.objects.filter(user=user).order_by("track_id")
    plays = Play.objects.counted().filter(user=user).order_by("track_id").values("track_id").annotate(**_PLAY_COUNTS)
    genres = GenrePreference.objects.filter(user=user).order_by("genre_id").values_list("genre_id", flat=True)
    artists = ArtistPreference.objects.filter(user=user).order_by("artist_id").values_list("artist_id", flat=True)
    return Feedback(
        ratings=tuple(map(RatedTrack._make, ratings.values_list("track_id", "value", Epoch("updated_at")))),
        plays=tuple(map(PlayedTrack._make, plays.values_list("track_id", *_PLAY_COUNTS))),
        genre_ids=tuple(genres),
        artist_ids=tuple(artists),
    )


def interactions() -> Iterator[Interaction]:
    """Yield one row per listener and song, ordered by listener and song, for all listeners.

    Only what a model shared by all listeners may be fitted on: see :class:`feedback.models.Source`.
    Ratings and counted plays are read side by side in chunks, so that memory does not grow with them.
    """
    rows = merge(_all_ratings(), _all_plays(), key=lambda row: row[:2])
    for _pair, group in groupby(rows, key=lambda row: row[:2]):
        first, *second = group
        yield _joined(first, second[0]) if second else first


def _all_ratings() -> Iterator[Interaction]:
    ratings = Rating.objects.filter(source__in=Source.shareable()).order_by("user_id", "track_id")
    rows = ratings.values_list("user_id", "track_id", "value", Epoch("updated_at"))
    for user_id, track_id, value, at in rows.iterator(chunk_size=CHUNK_ROWS):
        yield Interaction(user_id, track_id, value, 0, 0, 0, at)


def _all_plays() -> Iterator[Interaction]:
    plays = Play.objects.counted().filter(source__in=Source.shareable()).order_by("user_id", "track_id")
    rows = plays.values("user_id", "track_id").annotate(**_PLAY_COUNTS)
    columns = rows.values_list("user_id", "track_id", *_PLAY_COUNTS)
    for user_id, track_id, played, completed, skipped, at in columns.iterator(chunk_size=CHUNK_ROWS):
        yield Interaction(user_id, track_id, 0, played, completed, skipped, at)


def _joined(rating: Interaction, plays: Interaction) -> Interaction:
    return plays._replace(rating=rating.rating, last_at=max(rating.last_at, plays.last_at))


def feedback_fingerprint() -> str:
    """Return 32 hexadecimal digits that change when any listener's feedback changes, a deletion among it.

    Counts see most deletions; sums and extremes of the ids see a row that went while another came, and songs that
    were merged. Two queries per table read no row into Python.
    """
    ratings = Rating.objects.aggregate(
        Count("id"),
        Min("id"),
        Max("id"),
        Max("updated_at"),
        Sum("value"),
        Sum("track_id"),
        shareable=Count("id", filter=Q(source__in=Source.shareable())),
    )
    plays = Play.objects.aggregate(
        Count("id"),
        Min("id"),
        Max("id"),
        Max("played_at"),
        Sum("track_id"),
        counted=Count("id", filter=Q(is_counted=True)),
        shareable=Count("id", filter=Q(source__in=Source.shareable())),
        completed=Count("id", filter=Q(outcome=Play.Outcome.COMPLETED)),
        skipped=Count("id", filter=Q(outcome=Play.Outcome.SKIPPED)),
    )
    preferences = [model.objects.aggregate(Count("id"), Max("id")) for model in (GenrePreference, ArtistPreference)]
    parts: list[Any] = [ratings, plays, *preferences]
    text = "\n".join(str(value) for part in parts for value in part.values())
    return blake2b(text.encode(), digest_size=16).hexdigest()
