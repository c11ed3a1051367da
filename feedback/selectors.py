"""Reads of the feedback app for its pages; what the recommender reads is in :mod:`feedback.taste`."""

from collections.abc import Iterable

from django.db.models import Prefetch, Q, QuerySet

from accounts.models import User
from catalog.models import Artist, Genre, Track
from catalog.text import fold
from feedback.models import Play, Rating


def marks_of(user: User, tracks: Iterable[Track]) -> dict[int, int]:
    """Return the listener's rating (1 or -1) by track id, in one query; unrated songs are left out."""
    track_ids = [track.pk for track in tracks]
    if not track_ids:
        return {}
    return dict(Rating.objects.filter(user=user, track_id__in=track_ids).values_list("track_id", "value"))


def mark_of(user: User, track: Track) -> int:
    """Return the listener's rating of one song: 1, -1 or, unrated, 0."""
    return marks_of(user, [track]).get(track.pk, 0)


def history_of(user: User, query: str = "", outcome: str = "") -> QuerySet[Play]:
    """Return the listener's plays of shown songs, newest first, with all that a list row shows."""
    plays = Play.objects.filter(_song_matches(query), user=user, track__is_active=True)
    if outcome:
        plays = plays.filter(outcome=outcome)
    return plays.prefetch_related(_tracks_for_list()).order_by("-played_at", "-id")


def ratings_of(user: User, value: int, query: str = "") -> QuerySet[Rating]:
    """Return the listener's likes (1) or dislikes (-1) of shown songs, latest first, ready for a list."""
    ratings = Rating.objects.filter(_song_matches(query), user=user, value=value, track__is_active=True)
    return ratings.prefetch_related(_tracks_for_list()).order_by("-updated_at", "-id")


def preferred_genres(user: User) -> QuerySet[Genre]:
    """Return the genres the listener says they like."""
    return Genre.objects.filter(preferences__user=user)


def preferred_artists(user: User) -> QuerySet[Artist]:
    """Return the artists the listener says they like."""
    return Artist.objects.filter(preferences__user=user)


def _song_matches(query: str) -> Q:
    """Return the condition that title and artists hold all words of ``query``, whatever case and accents."""
    condition = Q()
    for word in fold(query).split():
        condition &= Q(track__search_key__contains=word)
    return condition


def _tracks_for_list() -> Prefetch:  # type: ignore[type-arg]
    return Prefetch("track", Track.objects.for_list())
