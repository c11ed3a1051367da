"""Reads of playlists."""

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from accounts.models import User
from catalog.models import Track, TrackQuerySet
from feedback.models import Playlist, PlaylistItem


def playlists_of(user: User) -> QuerySet[Playlist]:
    """Return the listener's playlists, the last changed first, each with ``song_count`` (shown songs alone)."""
    shown = Count("items", filter=Q(items__track__is_active=True))
    return Playlist.objects.filter(owner=user).annotate(song_count=shown).order_by("-updated_at", "-id")


def playlists_with(user: User, track: Track) -> QuerySet[Playlist]:
    """Return the listener's playlists as :func:`playlists_of` does, each with ``has_track``."""
    held = PlaylistItem.objects.filter(playlist=OuterRef("pk"), track=track)
    return playlists_of(user).annotate(has_track=Exists(held))


def items_of(playlist: Playlist) -> QuerySet[PlaylistItem]:
    """Return the playlist's shown songs in order, each with all that a list row shows."""
    items = PlaylistItem.objects.filter(playlist=playlist, track__is_active=True)
    return items.prefetch_related(Prefetch("track", Track.objects.for_list())).order_by("position")


def tracks_of(playlist: Playlist) -> TrackQuerySet:
    """Return the playlist's shown songs in order; add ``for_list()`` for what a list row shows."""
    return Track.objects.active().filter(playlist_items__playlist=playlist).order_by("playlist_items__position")
