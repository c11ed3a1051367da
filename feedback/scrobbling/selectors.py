"""Reads of player tokens and reports."""

from django.db.models import Count, Max, Q, QuerySet

from accounts.models import User
from feedback.plays.models import Play
from feedback.plays.selectors import OWN_SONGS
from feedback.scrobbling.models import ScrobbledSong, ScrobbleKey


def keys_of_listener(user: User) -> QuerySet[ScrobbleKey]:
    """Return the listener's tokens, the newest first."""
    return ScrobbleKey.objects.filter(user=user)


def listens_of_listener(user: User) -> QuerySet[Play]:
    """Return the plays that players may read: of shown songs, or of the listener's own."""
    shown = Q(track__is_active=True) | OWN_SONGS
    return Play.objects.filter(shown, user=user).exclude(outcome=Play.Outcome.SKIPPED).select_related("track")


def waiting_songs(user: User) -> QuerySet[ScrobbledSong]:
    """Return the names that match no song, the most frequent first, with ``listens`` and ``last_at``."""
    waiting = ScrobbledSong.objects.filter(user=user, track__isnull=True)
    counted = waiting.annotate(
        listens=Count("scrobbles", filter=Q(scrobbles__is_waiting=True)), last_at=Max("scrobbles__listened_at")
    )
    return counted.filter(Q(listens__gt=0) | Q(love__isnull=False)).order_by("-listens", "-pk")


def matched_by_hand(user: User) -> QuerySet[ScrobbledSong]:
    """Return the names whose song the listener chose, the latest first."""
    return ScrobbledSong.objects.filter(user=user, is_by_hand=True).select_related("track").order_by("-pk")
