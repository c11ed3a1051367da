"""Likes and dislikes from players: by name, by MusicBrainz id or by the id that we gave a song."""

from uuid import UUID

from django.db import transaction

from accounts.locks import lock_user
from accounts.models import User
from catalog.models import Track
from feedback.history_import.reading.values import mbid_of
from feedback.ratings.selectors import rating_of
from feedback.ratings.services import rate
from feedback.scrobbling.models import ScrobbledSong
from feedback.scrobbling.reported import ReportedListen
from feedback.scrobbling.songs import songs_of
from feedback.source import Source

# Version 8 ("custom") of RFC 9562, which contains the song's id.
_MSID_HEAD = "00000000-0000-8000-8000-"


def msid_of(track_id: int) -> str:
    """Return the id by which players may name a song of the catalogue."""
    return f"{_MSID_HEAD}{track_id:012x}"


def love_by_name(*, user: User, heard: ReportedListen, value: int) -> bool:
    """Like (1) or dislike (-1) a song, or take that back (0); return whether the song is known."""
    with transaction.atomic():
        lock_user(user)
        song = songs_of(user, [heard])[0]
        if song is None:
            return False
        return _love(user, [song], value)


def love_by_id(*, user: User, mbid: str, msid: str, value: int) -> bool:
    """Do the same by id: one that a player sent with a listen, or one of ours."""
    with transaction.atomic():
        lock_user(user)
        if (canonical := mbid_of(mbid)) and (songs := _by_mbid(user, canonical)):
            return _love(user, songs, value)
        track = _by_msid(user, msid) if msid else Track.objects.active().filter(mbid=mbid_of(mbid) or None).first()
        if track is None:
            return False
        _rate(user, track, value)
        return True


def unlove_by_name(*, user: User, heard: ReportedListen) -> None:
    """Remove a like and leave a dislike as it is, because Last.fm has no dislikes."""
    with transaction.atomic():
        lock_user(user)
        song = songs_of(user, [heard])[0]
        if song is None:
            return
        if song.track is None:
            ScrobbledSong.objects.filter(pk=song.pk, love=1).update(love=None)
        elif rating_of(user, song.track) == 1:
            _rate(user, song.track, 0)


def _love(user: User, songs: list[ScrobbledSong], value: int) -> bool:
    track = next((song.track for song in songs if song.track is not None), None)
    if track is not None and track.is_active:
        _rate(user, track, value)
        return True
    ScrobbledSong.objects.filter(pk__in=[song.pk for song in songs]).update(love=value or None)
    return False


def _rate(user: User, track: Track, value: int) -> None:
    rate(user=user, track=track, value=value or None, source=Source.SCROBBLE)


def _by_mbid(user: User, mbid: str) -> list[ScrobbledSong]:
    return list(ScrobbledSong.objects.select_related("track").filter(user=user, mbid=mbid).order_by("pk"))


def _by_msid(user: User, msid: str) -> Track | None:
    """Return a song that the listener has played, by the id we gave it."""
    try:
        text = str(UUID(msid))
    except ValueError:
        return None
    if not text.startswith(_MSID_HEAD):
        return None
    return Track.objects.active().filter(pk=int(text[len(_MSID_HEAD) :], 16), plays__user=user).first()
