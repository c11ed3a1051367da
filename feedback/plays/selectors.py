"""Reads of plays."""

from django.db.models import Q, QuerySet

from accounts.models import User
from catalog.models import Track
from feedback.plays.models import Play
from feedback.selectors import song_matches, tracks_for_list

# Plays of songs that the catalogue lacks.
OWN_SONGS = Q(track__origin=Track.Origin.PRIVATE)


def history_of(user: User, query: str = "", outcome: str = "") -> QuerySet[Play]:
    """Return the listener's plays, newest first, with all that a list row shows.

    Plays of songs known only from histories are included, those of songs that the operator hid are not.
    """
    plays = Play.objects.filter(song_matches(query), Q(track__is_active=True) | OWN_SONGS, user=user)
    if outcome:
        plays = plays.filter(outcome=outcome)
    return plays.prefetch_related(tracks_for_list()).order_by("-played_at", "-id")
