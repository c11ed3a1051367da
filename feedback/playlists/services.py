"""Writes of playlists.

Positions are unique in the database, and SQLite and MariaDB check an UPDATE row by row, so songs that change places are
first moved far beyond the end and then to their new positions.
"""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.limits.caps import CapError, room_below
from accounts.locks import lock_user
from accounts.models import User
from catalog.models import Track
from feedback.names import list_name
from feedback.playlists.models import Playlist, PlaylistItem
from feedback.source import Source

_BEYOND = 1_000_000_000
_PARKED = 2 * _BEYOND
_BATCH = 500


class PlaylistFullError(CapError):
    """The playlist would hold more songs, or the listener have more playlists, than the settings allow."""


@transaction.atomic
def create_playlist(*, owner: User, name: str, tracks: Iterable[Track] = (), source: str = Source.SITE) -> Playlist:
    """Create a playlist of ``tracks`` in this order, each song once; ``name`` is truncated to the column's length.

    Raise ``PlaylistFullError``, and ``ValueError`` for a blank name.
    """
    lock_user(owner)
    if not room_below(settings.LISTENER_MAX_PLAYLISTS, Playlist.objects.filter(owner=owner).count()):
        text = _("You already have %(limit)d playlists, which is the limit. Delete one first.")
        raise PlaylistFullError(text % {"limit": settings.LISTENER_MAX_PLAYLISTS})
    playlist = Playlist.objects.create(owner=owner, name=list_name(name, Playlist), source=Source(source))
    add_tracks(playlist=playlist, tracks=tracks)
    return playlist


@transaction.atomic
def rename_playlist(*, playlist: Playlist, name: str) -> None:
    """Give the playlist another name. Raise ``ValueError`` for a blank one."""
    playlist.name = list_name(name, Playlist)
    _lock(playlist)
    playlist.updated_at = timezone.now()
    playlist.save(update_fields=["name", "updated_at"])


@transaction.atomic
def delete_playlist(*, playlist: Playlist) -> None:
    """Delete the playlist; its songs stay in the catalogue."""
    playlist.delete()


@transaction.atomic
def add_tracks(*, playlist: Playlist, tracks: Iterable[Track]) -> int:
    """Append those of ``tracks`` that the playlist does not hold yet; return how many. Raise ``PlaylistFullError``."""
    _lock(playlist)
    held = set(_items(playlist).values_list("track_id", flat=True))
    new = [pk for pk in dict.fromkeys(track.pk for track in tracks) if pk not in held]
    if len(new) > room_below(settings.LISTENER_MAX_PLAYLIST_SONGS, len(held)):
        raise _full()
    if not new:
        return 0
    first = _end(playlist)
    items = [PlaylistItem(playlist=playlist, track_id=pk, position=first + number) for number, pk in enumerate(new)]
    PlaylistItem.objects.bulk_create(items, batch_size=_BATCH)
    _touch(playlist)
    return len(new)


@transaction.atomic
def remove_track(*, playlist: Playlist, track: Track) -> int | None:
    """Take a song out; return the position with which ``put_track`` puts it back, None if it was not there."""
    _lock(playlist)
    item = _items(playlist).filter(track=track).first()
    if item is None:
        return None
    item.delete()
    _touch(playlist)
    return item.position


@transaction.atomic
def put_track(*, playlist: Playlist, track: Track, position: int) -> None:
    """Put a song at ``position``; later songs move down. A song held already stays where it is.

    Raise ``PlaylistFullError``.
    """
    _lock(playlist)
    items = _items(playlist)
    if items.filter(track=track).exists():
        return
    if not room_below(settings.LISTENER_MAX_PLAYLIST_SONGS, items.count()):
        raise _full()
    position = min(position, _end(playlist))
    if items.filter(position=position).exists():
        _shift(items.filter(position__gte=position), playlist, 1)
    PlaylistItem.objects.create(playlist=playlist, track=track, position=position)
    _touch(playlist)


@transaction.atomic
def move_track(*, playlist: Playlist, track: Track, index: int) -> None:
    """Move a song to ``index``, counted from 0 among the playlist's shown songs; beyond the end means the end.

    Does nothing for a song that is not in the playlist.
    """
    _lock(playlist)
    items = _items(playlist)
    item = items.filter(track=track).first()
    end = _position_at(items.filter(track__is_active=True), index)
    if item is None or end is None or end == item.position:
        return
    start, others = item.position, items.exclude(pk=item.pk)
    items.filter(pk=item.pk).update(position=_PARKED)
    if start < end:
        _shift(others.filter(position__gt=start, position__lte=end), playlist, -1)
    else:
        _shift(others.filter(position__gte=end, position__lt=start), playlist, 1)
    items.filter(pk=item.pk).update(position=end)
    _touch(playlist)


def move_playlist_items(duplicate: Track, keep: Track) -> None:
    """Let ``keep`` stand where ``duplicate`` stood; a playlist that holds both keeps the place of ``keep``.

    Called by :func:`catalog.duplicates.merging.merge_tracks`.
    """
    holding_both = PlaylistItem.objects.filter(track=keep).values_list("playlist_id", flat=True)
    # As a list, because MySQL cannot delete from a table that the condition reads.
    PlaylistItem.objects.filter(track=duplicate, playlist__in=list(holding_both)).delete()
    PlaylistItem.objects.filter(track=duplicate).update(track=keep)


def _full() -> PlaylistFullError:
    text = _("Those don't fit. A playlist holds up to %(limit)d songs.")
    return PlaylistFullError(text % {"limit": settings.LISTENER_MAX_PLAYLIST_SONGS})


def _items(playlist: Playlist) -> "QuerySet[PlaylistItem]":
    return PlaylistItem.objects.filter(playlist=playlist).order_by()


def _shift(items: "QuerySet[PlaylistItem]", playlist: Playlist, by: int) -> None:
    items.update(position=F("position") + _BEYOND)
    away = _items(playlist).filter(position__gte=_BEYOND, position__lt=_PARKED)
    away.update(position=F("position") - (_BEYOND - by))


def _position_at(items: "QuerySet[PlaylistItem]", index: int) -> int | None:
    index = max(index, 0)
    positions = list(items.order_by("position").values_list("position", flat=True)[index : index + 1])
    return positions[0] if positions else items.aggregate(last=Max("position"))["last"]


def _end(playlist: Playlist) -> int:
    last: int | None = _items(playlist).aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def _lock(playlist: Playlist) -> None:
    """Lock the playlist. Raise ``Http404`` if it was deleted meanwhile."""
    if not list(Playlist.objects.select_for_update().filter(pk=playlist.pk).values_list("pk")):
        raise Http404("the playlist is gone")


def _touch(playlist: Playlist) -> None:
    playlist.updated_at = timezone.now()
    playlist.save(update_fields=["updated_at"])
