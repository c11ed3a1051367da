"""Moves feedback when the operator merges songs."""

from collections.abc import Collection

from django.db import transaction

from catalog.models import Track
from feedback.playlists.services import move_playlist_items
from feedback.plays.models import Play, RemovedDouble
from feedback.preferences.services import move_preferences
from feedback.ratings.models import Rating
from feedback.scrobbling.models import ScrobbledSong


@transaction.atomic
def move_feedback(duplicate: Track, keep: Track) -> None:
    """Move what listeners did with ``duplicate`` to ``keep``; of two ratings by one listener the newest stays.

    Called by :func:`catalog.duplicates.merging.merge_tracks`, which holds a lock on both songs.
    """
    remaining = dict(Rating.objects.filter(track=keep).values_list("user_id", "updated_at"))
    moved = dict(Rating.objects.filter(track=duplicate).values_list("user_id", "updated_at"))
    both = remaining.keys() & moved.keys()
    outdated = {user_id for user_id in both if remaining[user_id] < moved[user_id]}
    _delete_ratings(keep, outdated)
    _delete_ratings(duplicate, both - outdated)
    Rating.objects.filter(track=duplicate).update(track=keep)
    Play.objects.filter(track=duplicate).update(track=keep)
    RemovedDouble.objects.filter(track=duplicate).update(track=keep)
    ScrobbledSong.objects.filter(track=duplicate).update(track=keep)
    move_playlist_items(duplicate, keep)
    move_preferences(duplicate, keep)


def _delete_ratings(track: Track, user_ids: Collection[int]) -> None:
    ids = sorted(user_ids)
    for start in range(0, len(ids), 500):
        Rating.objects.filter(track=track, user_id__in=ids[start : start + 500]).delete()
