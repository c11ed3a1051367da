"""Receives reports of players: listens, and what plays now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction

from accounts.locks import lock_user
from accounts.models import User
from catalog.importing.writing.writer import batches
from catalog.models import Track
from feedback.history_import.writing import EARLIEST, digest
from feedback.scrobbling.models import Scrobble, ScrobbledSong, ScrobbleKey
from feedback.scrobbling.now_playing import UNTOLD_SECONDS, Note, keep_notes, notes_of
from feedback.scrobbling.one_listen import half_of, settle
from feedback.scrobbling.reported import ReportedListen
from feedback.scrobbling.songs import name_digest, songs_of
from feedback.scrobbling.stamps import SLACK, is_too_late_for_a_start, start_of

MAX_WAITING = 100_000
# Accepted difference of clocks.
_AHEAD_SECONDS = 300


@dataclass(frozen=True)
class Reporter:
    """Who reports: a listener's program, with a token or let in by the music server, without one."""

    user: User
    key: ScrobbleKey | None
    client: str

    @property
    def key_id(self) -> int:
        """Return the token's id, 0 without one."""
        return self.key.pk if self.key is not None else 0


@dataclass(frozen=True)
class Teller(Reporter):
    """The reporting player: a listener's token, and the program that uses it."""

    key: ScrobbleKey


@transaction.atomic
def take_listens(*, teller: Reporter, heard: Sequence[ReportedListen], received: int, is_import: bool = False) -> int:
    """Accept listens that a player reported at the second ``received``; return the number of new plays. Repeated
    reports change nothing. Listens without a matching song wait for one.
    """
    user = teller.user
    lock_user(user)
    notes = notes_of(user.pk)
    songs = songs_of(user, heard)
    fresh = {
        _digest(teller, item, received): (item, song)
        for item, song in zip(heard, songs, strict=True)
        if song is not None
    }
    for marks in batches(sorted(fresh)):
        for mark in Scrobble.objects.filter(user=user, digest__in=marks).values_list("digest", flat=True):
            del fresh[mark]
    new = _scrobbles(teller, list(fresh.values()), notes, received, is_import=is_import)
    added = settle(user.pk, [scrobble for scrobble in new if scrobble.song.track_id is not None])
    Scrobble.objects.bulk_create(_with_room(user, new), batch_size=500)
    keep_notes(user.pk, notes)
    return added


@transaction.atomic
def note_playing(*, teller: Reporter, heard: ReportedListen, received: int) -> None:
    """Note that a song plays now. If another played before and cannot have been heard half, that was a skip."""
    user = teller.user
    lock_user(user)
    notes = notes_of(user.pk)
    latest = next((note for note in reversed(notes) if _is_by(note, teller)), None)
    songs = songs_of(user, [heard])
    if songs[0] is None:
        return
    song = songs[0]
    if latest is not None and latest.song == name_digest(heard):
        least = (latest.seconds or 0) - SLACK if latest.is_told else (latest.seconds or UNTOLD_SECONDS)
        if received - latest.at < least:
            # Reported again, as after a pause.
            return
    elif latest is not None and not latest.is_told:
        _note_skip(teller, latest, received)
    notes.append(_note(teller, heard, song, received))
    keep_notes(user.pk, notes)


def _note(teller: Reporter, heard: ReportedListen, song: ScrobbledSong, received: int) -> Note:
    lengths = Track.objects.filter(pk=song.track_id or 0).values_list("duration_ms", flat=True)
    length = heard.duration_ms or lengths.first()
    seconds = length // 1000 if length else None
    return Note(teller.key_id, teller.client, name_digest(heard), heard.title, heard.artist, received, seconds)


def _note_skip(teller: Reporter, note: Note, received: int) -> None:
    """Record a skip if half of the song, after which players report a listen, cannot have been heard yet."""
    heard, half = received - note.at, half_of((note.seconds or 0) * 1000)
    if half is None or not 0 < heard < half - SLACK:
        return
    song = ScrobbledSong.objects.filter(user=teller.user, name_digest=note.song, track__isnull=False).first()
    if song is None:
        return
    at = datetime.fromtimestamp(note.at, UTC)
    scrobble = Scrobble(
        user=teller.user,
        key=teller.key,
        client=teller.client,
        song=song,
        digest=digest(f"skip\n{teller.key_id}\n{teller.client}\n{note.at}\n{note.song}"),
        listened_at=at,
        started_at=at,
        is_exact=True,
        duration_ms=(note.seconds or 0) * 1000,
        ms_played=heard * 1000,
        is_skip=True,
    )
    if not Scrobble.objects.filter(user=teller.user, digest=scrobble.digest).exists():
        settle(teller.user.pk, [scrobble])
        scrobble.save(force_insert=True)


def _scrobbles(
    teller: Reporter,
    items: Sequence[tuple[ReportedListen, ScrobbledSong]],
    notes: Sequence[Note],
    received: int,
    *,
    is_import: bool,
) -> list[Scrobble]:
    """Return what is to be stored; each listen finds what the player said of it when it began."""
    own = [note for note in notes if _is_by(note, teller)]
    timed = [(_possible(heard.at, received), heard, song) for heard, song in items]
    may_be_start = not any(is_too_late_for_a_start(at, received, heard.duration_ms) for at, heard, _song in timed)
    scrobbles = []
    # The one that shows that ends are stamped is the latest.
    for at, heard, song in sorted(timed, key=lambda item: item[0], reverse=not may_be_start):
        start, is_exact = at, is_import
        if not is_import:
            start, is_exact = start_of(
                own, song=name_digest(heard), at=at, received=received, duration_ms=heard.duration_ms,
                may_be_start=may_be_start,
            )  # fmt: skip
        scrobbles.append(_scrobble(teller, heard, song, received, at=at, start=start, is_exact=is_exact))
    return scrobbles


def _scrobble(
    teller: Reporter, heard: ReportedListen, song: ScrobbledSong, received: int, *, at: int, start: int, is_exact: bool
) -> Scrobble:
    return Scrobble(
        user=teller.user,
        key=teller.key,
        client=teller.client,
        song=song,
        digest=_digest(teller, heard, received),
        listened_at=datetime.fromtimestamp(at, UTC),
        started_at=datetime.fromtimestamp(start, UTC),
        is_exact=is_exact,
        duration_ms=heard.duration_ms,
        is_waiting=song.track_id is None,
    )


def _digest(teller: Reporter, heard: ReportedListen, received: int) -> int:
    """Return what is the same when a player reports a listen again."""
    # A listen without a time counts at most once per second.
    second = received if heard.at is None else heard.at
    return digest(f"{teller.key_id}\n{teller.client}\n{second}\n{name_digest(heard)}")


def _possible(at: int | None, received: int) -> int:
    """Return a plausible time, because clocks may be wrong and some players send none."""
    if at is None or not EARLIEST <= at <= received + _AHEAD_SECONDS:
        return received
    return min(at, received)


def _is_by(note: Note, teller: Reporter) -> bool:
    return (note.key_id, note.client) == (teller.key_id, teller.client)


def _with_room(user: User, scrobbles: Sequence[Scrobble]) -> list[Scrobble]:
    """Return the listens to store, because the number of waiting ones is limited."""
    waiting = sum(scrobble.is_waiting for scrobble in scrobbles)
    if not waiting:
        return list(scrobbles)
    room = MAX_WAITING - Scrobble.objects.filter(user=user, is_waiting=True).count()
    stored: list[Scrobble] = []
    for scrobble in scrobbles:
        if not scrobble.is_waiting or room > 0:
            stored.append(scrobble)
            room -= scrobble.is_waiting
    return stored
