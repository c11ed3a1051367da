"""Playlists at Spotify that become likes or playlists here: the first songs at once, the rest in the background."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.locks import lock_user
from accounts.models import User
from accounts.spotify import SpotifyError, Unavailable
from accounts.spotify.web_api.client import client_for
from accounts.spotify.web_api.parsing import Page, SpotifyTrack
from catalog.sources.spotify.songs import note_covers
from feedback.playlists.services import PlaylistFullError, add_tracks, create_playlist
from feedback.source import Source
from feedback.spotify_import.job import PAGE_SECONDS, postpone_or_fail
from feedback.spotify_import.models import HERE_FULL, SpotifyPlaylistImport
from feedback.spotify_import.reading import Position
from feedback.spotify_import.writes import like_songs, matched_tracks
from jobs import services as jobs
from jobs.registry import Kind, Run, subject_number

IMPORT = "spotify-playlist"
# Number of songs read while the listener waits.
READ_AT_ONCE = 200


def import_playlist(*, user: User, playlist_id: str, name: str, as_likes: bool) -> SpotifyPlaylistImport:
    """Like the songs of a Spotify playlist, or make a private playlist of them; return how far that is.

    What is longer than ``READ_AT_ONCE``, or takes longer than a page may, goes on in the background. An import that was
    stopped in the middle is continued.

    Raise ``SpotifyError`` where not even the first page can be read, and ``PlaylistFullError`` where the listener has
    too many playlists.
    """
    client = client_for(user)
    first: Page[SpotifyTrack] | None = None
    record = _continued(user, playlist_id, as_likes=as_likes)
    if record is None:
        first = client.playlist_tracks(playlist_id)
        record = _begun(user, playlist_id, name, as_likes=as_likes)
    is_active = _write(record, first) if first is not None else True
    while is_active and record.position and record.songs_read < READ_AT_ONCE:
        try:
            is_active = _write(record, client.playlist_tracks(playlist_id, offset=record.position["next"]))
        except Unavailable:
            break
    if record.finished_at is None:
        jobs.enqueue(kind=IMPORT, user_id=user.pk, subject=record.subject)
    return record


@transaction.atomic
def _continued(user: User, playlist_id: str, *, as_likes: bool) -> SpotifyPlaylistImport | None:
    lock_user(user)
    into = _into(as_likes=as_likes)
    known = SpotifyPlaylistImport.objects.filter(user=user, spotify_id=playlist_id, into=into).first()
    is_lost = known is not None and not as_likes and known.playlist_id is None
    if known is None or is_lost or not known.is_continuable:
        return None
    known.finished_at = None
    known.save(update_fields=["finished_at"])
    return known


@transaction.atomic
def _begun(user: User, playlist_id: str, name: str, *, as_likes: bool) -> SpotifyPlaylistImport:
    lock_user(user)
    made = None
    if not as_likes:
        made = create_playlist(owner=user, name=name or "Spotify", source=Source.SPOTIFY)
    values: dict[str, Any] = {
        "name": name,
        "playlist": made,
        "position": Position().stored(),
        "requested_at": timezone.now(),
        "finished_at": None,
        "error": "",
        **dict.fromkeys(("stalls", "total", "songs_read", "unreadable", "matched", "added"), 0),
    }
    return SpotifyPlaylistImport.objects.update_or_create(
        user=user, spotify_id=playlist_id, into=_into(as_likes=as_likes), defaults=values
    )[0]


def _into(*, as_likes: bool) -> SpotifyPlaylistImport.Into:
    return SpotifyPlaylistImport.Into.LIKES if as_likes else SpotifyPlaylistImport.Into.LIST


@transaction.atomic
def _write(record: SpotifyPlaylistImport, page: Page[SpotifyTrack]) -> bool:
    """Write what a page brings together with the new position.

    Returns whether the record is still what it was: the listener may have asked anew or deleted what came.
    """
    lock_user(record.user)
    same = SpotifyPlaylistImport.objects.select_for_update().filter(pk=record.pk, requested_at=record.requested_at)
    stored = same.first()
    if stored is None or (stored.into == SpotifyPlaylistImport.Into.LIST and stored.playlist is None):
        return False
    position = Position.of(record.position)
    if removed := position.removed(page):
        position = position.before(page)
        record.songs_read = max(0, record.songs_read - removed)
    else:
        matched, added = _take_in(stored, page)
        record.added += added
        if position.end is None:
            record.songs_read += page.rows
            record.unreadable += page.rows - len(page.items)
            record.matched += matched
        position = position.behind(page)
    record.total = page.total if page.total is not None else record.songs_read
    record.position, record.error, record.stalls = position.stored(), "", 0
    record.finished_at = timezone.now() if record.position is None else None
    record.save()
    return True


def _take_in(record: SpotifyPlaylistImport, page: Page[SpotifyTrack]) -> tuple[int, int]:
    """Write the songs of a page; return how many are in the catalogue and how many are new."""
    songs = page.items
    if record.playlist is None:
        counts = like_songs(user=record.user, songs=songs)
        return counts["matched"], counts["added"]
    matched = matched_tracks(songs)
    note_covers({matched[song.id].pk: song for song in songs if song.id in matched})
    tracks = [matched[song.id] for song in songs if song.id in matched]
    return len(tracks), add_tracks(playlist=record.playlist, tracks=tracks)


def _import(run: Run) -> str:
    from jobs.running import JobFailedError

    record = SpotifyPlaylistImport.objects.select_related("user").filter(pk=subject_number(run)).first()
    if record is None or record.finished_at is not None:
        return "nothing left to do"
    try:
        while record.position:
            client = client_for(record.user, seconds=PAGE_SECONDS)
            if not _write(record, client.playlist_tracks(record.spotify_id, offset=record.position["next"])):
                return "requested anew or deleted meanwhile"
            run.report(f"{record.songs_read} of {record.total}", record.songs_read / max(1, record.total))
            run.give_way()
    except SpotifyError as error:
        raise postpone_or_fail(record, error) from None
    except PlaylistFullError as error:
        SpotifyPlaylistImport.objects.filter(pk=record.pk).update(error=HERE_FULL, finished_at=timezone.now())
        raise JobFailedError(str(error)) from None
    return f"{record.added} of {record.songs_read}"


def stop_imports(user: User) -> None:
    """End what is on its way, and forget where in the lists of that Spotify account it was."""
    for record in SpotifyPlaylistImport.objects.filter(user=user):
        _stop(record)
    SpotifyPlaylistImport.objects.filter(user=user).delete()


def _stop(record: SpotifyPlaylistImport) -> None:
    job = record.job()
    if job is not None and job.is_active:
        jobs.request_stop(job=job)


KIND = Kind(IMPORT, _("Playlist from Spotify"), _import)
