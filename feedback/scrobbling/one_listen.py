"""Assigns scrobbles to plays: one listen is one play, however many players report it, how often, and with which stamp.

Players stamp the start of a listen, the moment at which they send it or its end. Where the start is known, the rule of
:mod:`feedback.plays.identity` holds; else another source's play of that song within its length and a minute is the same
listen. Two listens from one player stay two if half the song can have been heard twice.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from catalog.importing.writing.writer import batches
from catalog.models import Track
from feedback.plays.identity import LIVE, LIVE_ABOUT, TOLERANCE, Listen, distance
from feedback.plays.listens import REACH, listens_of
from feedback.plays.models import Play
from feedback.scrobbling.models import Scrobble
from feedback.source import Source

# A listen counts from half the song, or four minutes, on.
HALF_SECONDS = 240
SHORTEST_SECONDS = 30
_SLACK = 5


@dataclass(eq=False)
class _Candidate:
    """A play, and who told it so far: key, program, second told, second of the start, whether as a skip."""

    listen: Listen
    play: Play
    tellings: list[tuple[int | None, str, int, int, bool]] = field(default_factory=list)


def half_of(duration_ms: int | None) -> int | None:
    """Return after how many seconds a song counts as heard; ``None`` where its length is unknown or too short."""
    seconds = (duration_ms or 0) // 1000
    return min(seconds // 2, HALF_SECONDS) if seconds >= SHORTEST_SECONDS else None


def settle(user_id: int, scrobbles: Sequence[Scrobble]) -> int:
    """Give each scrobble its play, made where none tells that listen yet; return how many are new.

    The scrobbles have songs of the catalogue and need not be stored; it is the caller who stores them. Call it within
    a transaction that holds the listener.
    """
    if not scrobbles:
        return 0
    tracks = Track.objects.in_bulk({scrobble.song.track_id for scrobble in scrobbles})
    candidates = _candidates(user_id, scrobbles, tracks)
    made: list[_Candidate] = []
    changed: dict[int, Play] = {}
    for scrobble in sorted(scrobbles, key=lambda scrobble: scrobble.started_at):
        track = tracks[scrobble.song.track_id]
        scrobble.is_waiting = False
        known = candidates[track.recording_key]
        same = _same_listen(scrobble, track, known)
        if same is None:
            same = _Candidate(_listen(scrobble, track), _play(user_id, scrobble, track))
            known.append(same)
            made.append(same)
            scrobble.is_origin = True
        elif _complete(same, scrobble, track) and same.play.pk is not None:
            changed[same.play.pk] = same.play
        same.tellings.append(_telling(scrobble))
        scrobble.play = same.play
    _store(user_id, [candidate.play for candidate in made])
    for scrobble in scrobbles:
        scrobble.play_id = scrobble.play.pk if scrobble.play else None
    Play.objects.bulk_update(
        changed.values(), ["played_at", "ms_played", "outcome", "listing", "is_counted"], batch_size=500
    )
    return len(made)


def _same_listen(scrobble: Scrobble, track: Track, known: Sequence[_Candidate]) -> _Candidate | None:
    listen = _listen(scrobble, track)
    near: list[tuple[int, _Candidate]] = []
    for candidate in known:
        claim = _said_by_same(scrobble, track, candidate)
        if claim:
            return candidate
        apart = distance(listen, candidate.listen) if claim is None else None
        if apart is not None:
            near.append((apart, candidate))
    exact = [pair for pair in near if LIVE_ABOUT not in (listen.listing, pair[1].listen.listing)]
    if exact:
        return min(exact, key=lambda pair: pair[0])[1]
    # Reports of a song that was played repeatedly come in order, so the oldest play is meant.
    return min((candidate for _apart, candidate in near), key=lambda candidate: candidate.listen.start, default=None)


def _said_by_same(scrobble: Scrobble, track: Track, candidate: _Candidate) -> bool | None:
    """Return whether the same player reported this listen (true) or another one (false); ``None`` for neither."""
    half = half_of(scrobble.duration_ms or track.duration_ms)
    least = max(_SLACK, half - _SLACK if half is not None else 0)
    key_id, client, at, start, is_skip = _telling(scrobble)
    # A skip tells its start; whoever goes back to the song begins another listen.
    most = TOLERANCE if scrobble.is_exact else least
    answers = [
        abs(start - other_start) < most if is_skip or other_skip else abs(at - other_at) < least
        for other_key, other_client, other_at, other_start, other_skip in candidate.tellings
        if (other_key, other_client) == (key_id, client)
    ]
    return any(answers) if answers else None


def _candidates(
    user_id: int, scrobbles: Sequence[Scrobble], tracks: dict[int, Track]
) -> defaultdict[str, list[_Candidate]]:
    starts = [int(scrobble.started_at.timestamp()) for scrobble in scrobbles]
    between = (_moment(min(starts) - REACH), _moment(max(starts) + REACH))
    by_pk: dict[int, _Candidate] = {}
    by_recording: defaultdict[str, list[_Candidate]] = defaultdict(list)
    for keys in batches(sorted({track.recording_key for track in tracks.values()})):
        plays = Play.objects.filter(user_id=user_id, track__recording_key__in=keys, played_at__range=between)
        stored = listens_of(plays)
        rows = plays.in_bulk([listen.number for listen in stored])
        for listen in stored:
            if listen.number in rows:
                candidate = _Candidate(listen, rows[listen.number])
                by_pk[listen.number] = candidate
                by_recording[listen.recording].append(candidate)
    for pks in batches(sorted(by_pk)):
        for telling in Scrobble.objects.filter(user_id=user_id, play_id__in=pks):
            by_pk[telling.play_id or 0].tellings.append(_telling(telling))
    return by_recording


def _telling(scrobble: Scrobble) -> tuple[int | None, str, int, int, bool]:
    at, start = int(scrobble.listened_at.timestamp()), int(scrobble.started_at.timestamp())
    return scrobble.key_id, scrobble.client, at, start, scrobble.is_skip


def _listen(scrobble: Scrobble, track: Track) -> Listen:
    ms = scrobble.duration_ms or track.duration_ms
    listing = LIVE if scrobble.is_exact else LIVE_ABOUT
    return Listen(track.recording_key, int(scrobble.started_at.timestamp()), ms, listing, 0)


def _play(user_id: int, scrobble: Scrobble, track: Track) -> Play:
    return Play(
        user_id=user_id,
        track=track,
        played_at=scrobble.started_at,
        ms_played=scrobble.ms_played if scrobble.is_skip else scrobble.duration_ms,
        outcome=Play.Outcome.SKIPPED if scrobble.is_skip else Play.Outcome.COMPLETED,
        source=Source.SCROBBLE,
        listing=LIVE if scrobble.is_exact else LIVE_ABOUT,
        digest=scrobble.digest,
    )


def _complete(candidate: _Candidate, scrobble: Scrobble, track: Track) -> bool:
    """Complete a play from a scrobble; return whether that changed it."""
    play, before = candidate.play, _state(candidate.play)
    is_ours = play.source == Source.SCROBBLE
    if not scrobble.is_skip and (
        play.outcome == Play.Outcome.STARTED or (is_ours and play.outcome == Play.Outcome.SKIPPED)
    ):
        play.outcome = Play.Outcome.COMPLETED
        if is_ours and scrobble.duration_ms:
            play.ms_played = scrobble.duration_ms
    if play.ms_played is None and scrobble.duration_ms and not scrobble.is_skip:
        play.ms_played = scrobble.duration_ms
    if is_ours and scrobble.is_exact and play.listing == LIVE_ABOUT:
        play.played_at, play.listing = scrobble.started_at, LIVE
        candidate.listen = _listen(scrobble, track)
    return _state(play) != before


def _state(play: Play) -> tuple[object, ...]:
    return play.outcome, play.ms_played, play.played_at, play.listing


def _store(user_id: int, plays: Sequence[Play]) -> None:
    Play.objects.bulk_create(plays, batch_size=500)
    # MySQL does not return the new ids.
    unknown = {int(play.digest or 0): play for play in plays if not play.pk}
    for marks in batches(sorted(unknown)):
        for pk, mark in Play.objects.filter(user_id=user_id, digest__in=marks).values_list("pk", "digest"):
            unknown[int(mark or 0)].pk = pk


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
