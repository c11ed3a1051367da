"""Writes around a listener's songs at Spotify: bringing, taking back, playlists both ways.

What calls Spotify is not atomic: no transaction waits for another host.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.locks import wait_for_other_changes
from accounts.models import User
from accounts.spotify import Refused, Unavailable
from accounts.spotify.client import client_for
from accounts.spotify.parsing import SpotifyTrack
from catalog.models import Track
from catalog.spotify_songs import note_covers
from feedback.models import ArtistPreference, Play, Playlist, Rating, Source
from feedback.playlist_services import create_playlist
from feedback.spotify_import import BRING, Counts, like_songs, matched_tracks
from feedback.spotify_models import SpotifyBringing, SpotifyPlaylist
from jobs import services as jobs

# So many songs of a playlist are read while the listener waits.
MAX_IMPORTED = 400
MAX_SAVED = 200


@transaction.atomic
def begin_bringing(*, user: User, parts: Sequence[str]) -> SpotifyBringing:
    """Have ``parts`` (of :data:`feedback.spotify_models.PARTS`) brought in the background, as the listener consents."""
    wait_for_other_changes(user)
    asked: dict[str, Any] = {
        "parts": list(parts),
        "counts": {},
        "error": "",
        "finished_at": None,
        "consented_at": timezone.now(),
    }
    bringing, _is_new = SpotifyBringing.objects.update_or_create(user=user, defaults=asked)
    jobs.enqueue(kind=BRING, user_id=user.pk, subject=bringing.subject)
    return bringing


@transaction.atomic
def take_back(*, user: User) -> Counts:
    """Delete all that came from Spotify; what the listener said or heard here since stays. Returns how much it was."""
    bringing = SpotifyBringing.objects.select_for_update().filter(user=user).first()
    job = bringing.job() if bringing else None
    if job is not None and job.is_active:
        jobs.request_stop(job=job)
    likes, _rows = Rating.objects.filter(user=user, source=Source.SPOTIFY).delete()
    plays, _rows = Play.objects.filter(user=user, source=Source.SPOTIFY).delete()
    artists = 0
    if bringing is not None:
        artists, _rows = ArtistPreference.objects.filter(user=user, artist__in=bringing.artist_ids).delete()
        bringing.delete()
    lists, _rows = Playlist.objects.filter(owner=user, source=Source.SPOTIFY).delete()
    return {"likes": likes, "plays": plays, "artists": artists, "playlists": lists}


def import_playlist(*, user: User, playlist_id: str, name: str, as_likes: bool) -> tuple[Counts, Playlist | None]:
    """Like the songs of a Spotify playlist, or make a private playlist of them; return the counts.

    ``total`` among them is how many songs it has at Spotify: more than ``found`` where it is longer than
    ``MAX_IMPORTED``, or where Spotify is too slow for the time that a page has.

    Raises ``SpotifyError``, and ``PlaylistFullError`` where the listener has too many.
    """
    songs: list[SpotifyTrack] = []
    client = client_for(user)
    offset: str | None = "0"
    total = 0
    while offset is not None and len(songs) < MAX_IMPORTED:
        try:
            page = client.playlist_tracks(playlist_id, offset=offset)
        except Unavailable:
            if not songs:
                raise
            break
        songs += page.items
        offset, total = page.next, page.total or 0
    # Local files and episodes are among the total, and are no songs: only what was not read counts as left out.
    length = {"total": len(songs) if offset is None else max(total, len(songs))}
    if as_likes:
        return like_songs(user=user, songs=songs) | length, None
    matched = matched_tracks(songs)
    note_covers({matched[song.id].pk: song for song in songs if song.id in matched})
    tracks = [matched[song.id] for song in songs if song.id in matched]
    made = create_playlist(owner=user, name=name or "Spotify", tracks=tracks, source=Source.SPOTIFY)
    return {"found": len(songs), "matched": len(matched), "added": len(tracks), **length}, made


def liked_tracks(user: User) -> list[Track]:
    """Return the songs the listener likes, the latest first."""
    likes = Rating.objects.filter(user=user, value=Rating.Value.LIKE, track__is_active=True)
    return [like.track for like in likes.select_related("track").order_by("-updated_at", "-id")[: 2 * MAX_SAVED]]


def save_playlist(*, user: User, kind: str, name: str, tracks: Sequence[Track]) -> SpotifyPlaylist:
    """Put ``tracks`` into the listener's playlist of that kind at Spotify, which is made where it is not there.

    Songs that are not on Spotify are left out. Raises ``SpotifyError``.
    """
    uris = list(dict.fromkeys(f"spotify:track:{track.spotify_id}" for track in tracks if track.spotify_id))[:MAX_SAVED]
    client = client_for(user)
    kept = SpotifyPlaylist.objects.filter(user=user, kind=SpotifyPlaylist.Kind(kind)).first()
    if kept is not None:
        try:
            client.set_playlist_tracks(kept.spotify_id, uris)
        except Refused as error:
            if error.status != 404:
                raise
            # The listener deleted it there: it is made anew.
            kept = None
    if kept is None:
        made = client.create_playlist(name)
        # Noted before it is filled: when that fails, the next try fills this one.
        kept = _note(user, kind, made, 0)
        client.set_playlist_tracks(made, uris)
    return _note(user, kind, kept.spotify_id, len(uris))


@transaction.atomic
def _note(user: User, kind: str, spotify_id: str, count: int) -> SpotifyPlaylist:
    known = {"spotify_id": spotify_id, "song_count": count, "updated_at": timezone.now()}
    return SpotifyPlaylist.objects.update_or_create(user=user, kind=kind, defaults=known)[0]
