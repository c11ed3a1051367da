"""Reads of playlists."""

from collections.abc import Iterable

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery

from accounts.models import User
from catalog.models import Track, TrackQuerySet
from feedback.playlists.models import Playlist, PlaylistItem

PICTURED_SONGS = 4


def playlists_of(user: User) -> QuerySet[Playlist]:
    """Return the listener's playlists, the last changed first, each with ``song_count`` (shown songs alone)."""
    shown = Count("items", filter=Q(items__track__is_active=True))
    return Playlist.objects.filter(owner=user).annotate(song_count=shown).order_by("-updated_at", "-id")


def pictured(playlists: Iterable[Playlist]) -> list[tuple[Playlist, list[Track]]]:
    """Return each playlist with its first shown songs, of which its picture is made; two queries."""
    # By one look into the index for each song: the order of whole lists would read all of their songs.
    items = PlaylistItem.objects.filter(playlist=OuterRef("pk"), track__is_active=True).order_by("position")
    firsts = {f"song{number}": Subquery(items.values("track")[number : number + 1]) for number in range(PICTURED_SONGS)}
    rows = list(playlists)
    lists = Playlist.objects.filter(pk__in=[row.pk for row in rows]).order_by().annotate(**firsts)
    ids = {pk: [song for song in songs if song] for pk, *songs in lists.values_list("pk", *firsts)}
    columns = ("recording_key", "features", "cover_url")
    tracks = Track.objects.only(*columns).in_bulk({song for songs in ids.values() for song in songs})
    return [(row, [tracks[song] for song in ids.get(row.pk, ()) if song in tracks]) for row in rows]


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
