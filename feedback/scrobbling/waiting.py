"""Listens that wait for a song: matched again when the catalogue has grown, or by the listener."""

from collections.abc import Sequence

from django.db import transaction

from accounts.locks import lock_user
from accounts.models import User
from catalog.models import Track
from feedback.hidden import refuse_hidden
from feedback.plays.models import Play
from feedback.scrobbling.models import Scrobble, ScrobbledSong
from feedback.scrobbling.reported import ReportedListen
from feedback.scrobbling.settling import settle_waiting
from feedback.scrobbling.songs import match_names
from feedback.source import Source
from jobs.registry import Run

_BATCH = 500


@transaction.atomic
def match_by_hand(*, user: User, song: ScrobbledSong, track: Track) -> int:
    """Match all names with that title and artist to this song; return the number of new plays.

    Raise ``HiddenTrackError``.
    """
    refuse_hidden(track)
    lock_user(user)
    songs = ScrobbledSong.objects.filter(user=user, name_digest=song.name_digest, track__isnull=True)
    pks = list(songs.values_list("pk", flat=True))
    ScrobbledSong.objects.filter(pk__in=pks).update(track=track, is_by_hand=True)
    return settle_waiting(user, pks)


@transaction.atomic
def undo_match(*, user: User, song: ScrobbledSong) -> int:
    """Undo a manual match; return the number of plays removed, those that nothing else recorded."""
    lock_user(user)
    songs = ScrobbledSong.objects.filter(user=user, name_digest=song.name_digest, is_by_hand=True)
    pks = list(songs.values_list("pk", flat=True))
    heard = Scrobble.objects.filter(user=user, song_id__in=pks, play__isnull=False)
    others = Scrobble.objects.filter(user=user, play__isnull=False).exclude(song_id__in=pks).values("play_id")
    plays = list(heard.filter(is_origin=True).exclude(play_id__in=others).values_list("play_id", flat=True))
    skips = heard.filter(is_skip=True)
    heard.filter(is_skip=False).update(play=None, is_origin=False, is_waiting=True)
    skips.delete()
    for start in range(0, len(plays), _BATCH):
        Play.objects.filter(pk__in=plays[start : start + _BATCH], user=user, source=Source.SCROBBLE).delete()
    ScrobbledSong.objects.filter(pk__in=pks).update(track=None, is_by_hand=False)
    return len(plays)


def match_waiting(user: User, pks: Sequence[int]) -> int:
    """Match songs of the listener again, and return how many plays that makes."""
    with transaction.atomic():
        lock_user(user)
        songs = list(ScrobbledSong.objects.filter(pk__in=pks, user=user, track__isnull=True))
        matches = match_names([_reported(song) for song in songs])
        for song, pk in zip(songs, matches, strict=True):
            song.track_id = pk if pk > 0 else None
        matched = [song for song in songs if song.track_id is not None]
        ScrobbledSong.objects.bulk_update(matched, ["track"], batch_size=_BATCH)
        return settle_waiting(user, [song.pk for song in matched])


def _reported(song: ScrobbledSong) -> ReportedListen:
    return ReportedListen(
        title=song.title, artists=(song.artist,), album=song.album, mbid=song.mbid, duration_ms=song.duration_ms
    )


def match_all(run: Run) -> int:
    """Match all songs that wait, listener by listener; return how many plays that makes."""
    added, done = 0, 0
    open_songs = ScrobbledSong.objects.filter(track__isnull=True)
    total = max(1, open_songs.count())
    for user in User.objects.filter(pk__in=open_songs.values("user_id")).order_by("pk"):
        last = 0
        own = open_songs.filter(user=user).order_by("pk")
        while pks := list(own.filter(pk__gt=last).values_list("pk", flat=True)[:_BATCH]):
            added += match_waiting(user, pks)
            last, done = pks[-1], done + len(pks)
            run.report(f"{done:,}", min(1.0, done / total))
    return added
