"""Settles what waited for a song that is now known: listens become plays, and loves become likes or dislikes."""

from collections.abc import Sequence

from accounts.models import User
from feedback.ratings.services import rate
from feedback.scrobbling.models import Scrobble, ScrobbledSong
from feedback.scrobbling.one_listen import settle
from feedback.source import Source

_BATCH = 500


def settle_waiting(user: User, pks: Sequence[int]) -> int:
    """Turn waiting listens of these songs into plays, and loves into ratings; return the number of plays.

    Call it within a transaction that holds the listener.
    """
    added = 0
    waiting = Scrobble.objects.select_related("song").filter(user=user, song_id__in=pks, is_waiting=True)
    while batch := list(waiting.order_by("pk")[:_BATCH]):
        added += settle(user.pk, batch)
        Scrobble.objects.bulk_update(batch, ["play", "is_origin", "is_waiting"], batch_size=_BATCH)
    loved = ScrobbledSong.objects.select_related("track").filter(pk__in=pks, love__isnull=False)
    for song in loved.filter(track__is_active=True):
        if song.track is not None:
            rate(user=user, track=song.track, value=song.love, source=Source.SCROBBLE)
    loved.update(love=None)
    return added
