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

    Those of songs that only histories know are among them: they are the listener's own to see. What the operator
    hides is not.
    """
    plays = Play.objects.filter(song_matches(query), Q(track__is_active=True) | OWN_SONGS, user=user)
    if outcome:
        plays = plays.filter(outcome=outcome)
    return plays.prefetch_related(tracks_for_list()).order_by("-played_at", "-id")
