"""Writes of plays. The player reports a play several times; it is stored as one row."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.locks import lock_user
from accounts.models import User
from catalog.models import Track
from feedback.hidden import refuse_hidden
from feedback.plays.capacity import history_full, room_for_plays
from feedback.plays.identity import LENGTH_MS, MINUTE, TOLERANCE, Listen, distance
from feedback.plays.models import Play
from feedback.source import Source
from jobs.races import conflict_as_integrity_error

_REMOVED_SALT = "feedback.removed-play"
# A removed play can be restored as long as its page may still be open.
_UNDO_SECONDS = 24 * 3600


_WEIGHT = {Play.Outcome.STARTED: 0, Play.Outcome.SKIPPED: 1, Play.Outcome.COMPLETED: 2}


class UndoError(Exception):
    """The change cannot be undone by this listener, or no longer."""


@transaction.atomic
def record_play(
    *,
    user: User,
    track: Track,
    token: UUID | None = None,
    played_at: datetime | None = None,
    ms_played: int | None = None,
    outcome: str = Play.Outcome.STARTED,
    source: str = Source.SITE,
) -> tuple[Play, bool]:
    """Record that the listener played a song; return the play and whether it is new.

    A ``token`` that was seen before records nothing and returns the play it stands for. Raises
    ``HiddenTrackError``, and ``CapError`` where the history is full.
    """
    refuse_hidden(track)
    play = Play(
        user=user,
        track=track,
        token=token,
        played_at=played_at or timezone.now(),
        ms_played=ms_played,
        outcome=Play.Outcome(outcome),
        source=Source(source),
    )
    return _adopted(play) or _insert_once(play)


def _adopted(play: Play) -> tuple[Play, bool] | None:
    """Return the play that one of the listener's own players has told of this very listen, made the site's."""
    if play.source != Source.SITE or play.token is None:
        return None
    at, length = play.played_at, timedelta(milliseconds=play.track.duration_ms or LENGTH_MS)
    near = Play.objects.filter(
        user_id=play.user_id,
        track__recording_key=play.track.recording_key,
        source=Source.SCROBBLE,
        token=None,
        played_at__range=(at - timedelta(seconds=TOLERANCE), at + length + timedelta(seconds=MINUTE)),
    )
    listen = Listen(play.track.recording_key, int(at.timestamp()), play.track.duration_ms, "site", 0)
    # Locked by their ids alone: on MariaDB a locked range keeps others from inserting, and they end as a deadlock.
    pks = list(near.values_list("pk", flat=True))
    candidates = Play.objects.filter(pk__in=pks, token=None).order_by("played_at").select_for_update() if pks else ()
    for other in candidates:
        told_by = Listen(listen.recording, int(other.played_at.timestamp()), other.ms_played, other.listing, 0)
        if distance(listen, told_by) is not None:
            if Play.objects.filter(user_id=play.user_id, token=play.token).exists():
                return None
            other.token, other.source, other.listing = play.token, play.source, ""
            other.played_at, other.ms_played = at, play.ms_played
            other.outcome = max(Play.Outcome(other.outcome), Play.Outcome(play.outcome), key=_WEIGHT.__getitem__)
            other.save(update_fields=["token", "source", "listing", "played_at", "ms_played", "outcome"])
            return other, True
    return None


def _insert_once(play: Play) -> tuple[Play, bool]:
    known = Q(token=play.token, token__isnull=False) | Q(digest=play.digest, digest__isnull=False)
    if not room_for_plays(play.user):
        earlier = Play.objects.filter(known, user_id=play.user_id).first()
        if earlier is None:
            raise history_full()
        return earlier, False
    try:
        with conflict_as_integrity_error():
            play.save(force_insert=True)
    except IntegrityError:
        earlier = Play.objects.filter(known, user_id=play.user_id).first()
        if earlier is None:
            raise
        return earlier, False
    return play, True


@transaction.atomic
def remove_play(*, play: Play) -> str:
    """Take a play out of the history; return the signed text with which ``restore_play`` puts it back."""
    columns = {
        "user": play.user_id,
        "track": play.track_id,
        "played_at": play.played_at.isoformat(),
        "ms_played": play.ms_played,
        "outcome": play.outcome,
        "source": play.source,
        "is_counted": play.is_counted,
        "digest": play.digest,
        "listing": play.listing,
        "history_import_id": play.history_import_id,
        # Restored twice, it must still be one play.
        "token": str(play.token or uuid4()),
    }
    play.delete()
    return signing.dumps(columns, salt=_REMOVED_SALT, compress=True)


@transaction.atomic
def restore_play(*, user: User, removed: str) -> Play:
    """Put back what ``remove_play`` took out, once. Raise ``UndoError`` and ``CapError``."""
    try:
        columns: dict[str, Any] = signing.loads(removed, salt=_REMOVED_SALT, max_age=_UNDO_SECONDS)
    except signing.BadSignature as error:
        raise UndoError(str(error)) from error
    if columns.pop("user") != user.pk:
        raise UndoError("another listener's play")
    shown = Q(is_active=True) | Q(origin=Track.Origin.PRIVATE)
    track = Track.objects.filter(shown, pk=columns.pop("track")).first()
    if track is None:
        raise UndoError("the song is gone")
    played_at = datetime.fromisoformat(columns.pop("played_at"))
    if not user.history_imports.filter(pk=columns.get("history_import_id") or 0).exists():
        columns["history_import_id"] = None
    play = Play(user=user, track=track, played_at=played_at, token=UUID(columns.pop("token")), **columns)
    return _insert_once(play)[0]


class OtherSongError(Exception):
    """The token stands for a play of another song."""


@transaction.atomic
def report_play(
    *, user: User, track: Track, token: UUID, ms_played: int, outcome: str, is_known: bool = False
) -> Play | None:
    """Record how far a play has come; return it, or None where the listener removed it from the history meanwhile.

    Reports may come late, twice and in any order (a closing page sends its own): the longest time and the most final
    outcome stay. ``is_known`` says that an earlier report was kept, so that a play that is gone stays gone. Raises
    ``HiddenTrackError``, ``OtherSongError`` and ``CapError``.
    """
    outcome = Play.Outcome(outcome)
    if not is_known:
        # On MariaDB the report that comes second shares a lock on the first one's row, and two such deadlock below.
        lock_user(user)
        began = timezone.now() - timedelta(milliseconds=ms_played)
        play, is_new = record_play(
            user=user, track=track, token=token, played_at=began, ms_played=ms_played, outcome=outcome
        )
        if is_new:
            return play
    known = Play.objects.select_for_update().filter(user=user, token=token).first()
    if known is None:
        return None
    if known.track_id != track.pk:
        raise OtherSongError(f"play {known.pk} is of another song")
    known.ms_played = max(known.ms_played or 0, ms_played)
    known.outcome = max(Play.Outcome(known.outcome), outcome, key=_WEIGHT.__getitem__)
    known.save(update_fields=["ms_played", "outcome"])
    return known
