"""Moves songs of weekly lists when the operator merges songs."""

from catalog.models import Track
from recommender.models import WeeklySong


def move_weekly_songs(duplicate: Track, keep: Track) -> None:
    """Let ``keep`` be where ``duplicate`` was; a list that has both keeps the names of the duplicate alone.

    Called by :func:`catalog.duplicates.merging.merge_tracks`.
    """
    songs = WeeklySong.objects.filter(track=duplicate)
    lists_with_both = list(WeeklySong.objects.filter(track=keep).values_list("weekly_list_id", flat=True))
    songs.filter(weekly_list__in=lists_with_both).update(track=None)
    songs.update(track=keep)
