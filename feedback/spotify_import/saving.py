"""Playlists in a listener's Spotify account: the first songs at once, the rest in the background.

What calls Spotify is not atomic: no transaction waits for another host.
"""

from collections.abc import Iterable, Sequence

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.spotify import Refused, SpotifyError
from accounts.spotify.web_api.client import PLAYLIST_LIMIT, SpotifyClient, client_for
from feedback.ratings.models import Rating
from feedback.spotify_import.job import PAGE_SECONDS, postpone_or_fail
from feedback.spotify_import.models import THERE_FULL, SpotifyPlaylist
from jobs import services as jobs
from jobs.registry import Kind, Run, subject_number

SAVE = "spotify-save"
_ASKED_SECONDS = 24 * 3600


def liked_ids(user: User) -> list[str]:
    """Return the Spotify ids of the songs the listener likes, the latest first; those without one are left out."""
    likes = Rating.objects.filter(user=user, value=Rating.Value.LIKE, track__is_active=True)
    rows = likes.exclude(track__spotify_id=None).order_by("-updated_at", "-id")
    return [str(spotify_id) for spotify_id in rows.values_list("track__spotify_id", flat=True)]


def save_playlist(*, user: User, kind: str, name: str, spotify_ids: Iterable[str]) -> SpotifyPlaylist:
    """Put songs into the listener's playlist of that kind at Spotify, which is made where it is not there.

    What one call does not take follows in the background. Raise ``SpotifyError``.
    """
    ids = list(dict.fromkeys(spotify_ids))
    client = client_for(user)
    record = SpotifyPlaylist.objects.filter(user=user, kind=SpotifyPlaylist.Kind(kind)).first()
    if record is not None and not _begin(client, record.spotify_id, ids):
        record = None
    if record is None:
        made = _create(client, user, kind, name)
        # Noted before it is filled: when that fails, the next try fills this one.
        record = _note(user, kind, made, 0, [])
        cache.delete(_asked(user, kind))
        client.set_playlist_tracks(made, _uris(ids))
    record = _note(user, kind, record.spotify_id, len(ids[:PLAYLIST_LIMIT]), ids[PLAYLIST_LIMIT:])
    if record.pending:
        jobs.enqueue(kind=SAVE, user_id=user.pk, subject=record.subject)
    return record


def _create(client: SpotifyClient, user: User, kind: str, name: str) -> str:
    """Make the playlist and return its id, or that of an earlier try whose answer was lost.

    What a lost answer made would stay in the library, empty, beside the next one.
    """
    earlier_name = cache.get(_asked(user, kind))
    made = _find_empty(client, earlier_name) if earlier_name else None
    if made is None:
        # Noted first: the process may end between the call and its answer.
        cache.set(_asked(user, kind), str(name), _ASKED_SECONDS)
        made = client.create_playlist(name)
    return made


def _asked(user: User, kind: str) -> str:
    return f"spotify-playlist-asked:{user.pk}:{kind}"


def _find_empty(client: SpotifyClient, name: str) -> str | None:
    """Return the id of an own playlist of that name without songs, if there is one."""
    my_id, offset = client.my_id(), "0"
    while offset:
        page = client.my_playlists(my_id=my_id, offset=offset)
        for playlist in page.items:
            if playlist.is_own and playlist.name == name and playlist.total == 0:
                return playlist.id
        offset = page.next or ""
    return None


def _begin(client: SpotifyClient, playlist_id: str, ids: Sequence[str]) -> bool:
    """Put the first songs into a playlist made earlier; return whether it is still the listener's."""
    # What the listener deletes there is only taken out of the library: it would be filled and never be seen.
    if not client.is_in_library(f"spotify:playlist:{playlist_id}"):
        return False
    try:
        client.set_playlist_tracks(playlist_id, _uris(ids))
    except Refused as error:
        if error.status != 404:
            raise
        return False
    return True


@transaction.atomic
def _note(user: User, kind: str, spotify_id: str, count: int, pending: list[str]) -> SpotifyPlaylist:
    known = {
        "spotify_id": spotify_id,
        "song_count": count,
        "pending": pending,
        "is_sending": False,
        "updated_at": timezone.now(),
        "error": "",
        "stalls": 0,
    }
    return SpotifyPlaylist.objects.update_or_create(user=user, kind=kind, defaults=known)[0]


def _save(run: Run) -> str:
    from jobs.running import JobFailedError

    record = SpotifyPlaylist.objects.select_related("user").filter(pk=subject_number(run)).first()
    if record is None:
        return "nothing left to do"
    try:
        while record.pending:
            if not _append(record):
                return "requested anew or deleted meanwhile"
            run.report(f"{record.song_count} of {record.wanted}", record.song_count / record.wanted)
            if record.pending:
                run.give_way()
    except Refused as error:
        SpotifyPlaylist.objects.filter(pk=record.pk).update(error=THERE_FULL)
        raise JobFailedError(f"Spotify takes no more songs: {error}") from None
    except SpotifyError as error:
        raise postpone_or_fail(record, error) from None
    return f"{record.song_count} songs"


def _append(record: SpotifyPlaylist) -> bool:
    """Append the next songs and note it; return whether the record is still what it was.

    After a fault the songs may be in the playlist all the same, so its length is asked for.
    """
    client = client_for(record.user, seconds=PAGE_SECONDS)
    batch = list((record.pending or [])[:PLAYLIST_LIMIT])
    same = SpotifyPlaylist.objects.filter(pk=record.pk, updated_at=record.updated_at)
    if not record.is_sending or client.playlist_length(record.spotify_id) < record.song_count + len(batch):
        # Stored first, so that the next run asks where this one ends between the call and its being noted.
        if not same.update(is_sending=True):
            return False
        client.append_playlist_tracks(record.spotify_id, _uris(batch))
    record.song_count += len(batch)
    record.pending = (record.pending or [])[len(batch) :]
    record.is_sending, record.error, record.stalls = False, "", 0
    return bool(same.update(song_count=record.song_count, pending=record.pending, is_sending=False, error="", stalls=0))


def _uris(ids: Sequence[str]) -> list[str]:
    return [f"spotify:track:{spotify_id}" for spotify_id in ids[:PLAYLIST_LIMIT]]


def forget_playlists(user: User) -> None:
    """Forget which playlists the site keeps in the listener's Spotify account; they stay there as they are."""
    for record in SpotifyPlaylist.objects.filter(user=user):
        job = record.job()
        if job is not None and job.is_active:
            jobs.request_stop(job=job)
    SpotifyPlaylist.objects.filter(user=user).delete()


KIND = Kind(SAVE, _("Playlist to Spotify"), _save)
