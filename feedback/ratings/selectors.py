"""Reads of likes and dislikes."""

from collections.abc import Iterable

from django.db.models import QuerySet

from accounts.models import User
from catalog.models import Track
from feedback.ratings.models import Rating
from feedback.selectors import song_matches, tracks_for_list


def ratings_by_track(user: User, tracks: Iterable[Track]) -> dict[int, int]:
    """Return the listener's rating (1 or -1) by track id, in one query; unrated songs are left out."""
    track_ids = [track.pk for track in tracks]
    if not track_ids:
        return {}
    return dict(Rating.objects.filter(user=user, track_id__in=track_ids).values_list("track_id", "value"))


def rating_of(user: User, track: Track) -> int:
    """Return the listener's rating of one song: 1, -1 or, unrated, 0."""
    return ratings_by_track(user, [track]).get(track.pk, 0)


def ratings_of(user: User, value: int, query: str = "") -> QuerySet[Rating]:
    """Return the listener's likes (1) or dislikes (-1) of shown songs, latest first, ready for a list."""
    ratings = Rating.objects.filter(song_matches(query), user=user, value=value, track__is_active=True)
    return ratings.prefetch_related(tracks_for_list()).order_by("-updated_at", "-id")
