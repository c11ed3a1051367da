"""Moves songs of blends when the operator merges songs."""

from catalog.models import Track
from recommender.models import BlendSong


def move_blend_songs(duplicate: Track, keep: Track) -> None:
    """Let ``keep`` be where ``duplicate`` was, but not twice in a list.

    Called by :func:`catalog.duplicates.merging.merge_tracks`.
    """
    lists_with_both = list(BlendSong.objects.filter(track=keep).values_list("blend_id", flat=True))
    songs = BlendSong.objects.filter(track=duplicate)
    songs.filter(blend__in=lists_with_both).delete()
    songs.update(track=keep)
