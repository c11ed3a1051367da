"""Derives when a listen began: from the time that its player told, and from what the player had said played then.

Players stamp the start of a listen, its end, or the moment of sending. On repeat the end of one listen is the start of
the next, so that a stamp alone may mean either: what the player's other stamps were decides, else the oldest listen
that was not told yet.
"""

from collections.abc import Sequence
from itertools import pairwise

from feedback.plays.identity import TOLERANCE
from feedback.scrobbling.now_playing import PAUSE_SECONDS, UNTOLD_SECONDS, Note
from feedback.scrobbling.one_listen import half_of

SLACK = 10
START, END, WITHIN = "start", "end", "within"
# The half of a shorter song, where many players send, lies near its start and its end.
_CLEAR_SECONDS = 60


def is_too_late_for_a_start(at: int, received: int, duration_ms: int | None) -> bool:
    """Return whether half of a song that started then cannot have been heard when it was told."""
    half = half_of(duration_ms)
    return half is not None and received - at < half - SLACK


def start_of(
    notes: Sequence[Note], *, song: int, at: int, received: int, duration_ms: int | None, may_be_start: bool = True
) -> tuple[int, bool]:
    """Return when a listen began that was stamped ``at``, and whether that is known to some seconds.

    ``notes``: what this player said, the oldest first; ``song``: the digest of its names; ``may_be_start``: whether
    what came along with it may be stamped with starts. Marks the note as told.
    """
    length, habit = (duration_ms or 0) // 1000, _habit(notes)
    fitting = [note for note in _heard(notes) if _may_mean(note, song, at, length)]
    if not may_be_start or habit == END:
        fitting = [note for note in fitting if _stamp(note, at) != START]
    note = _meant(fitting, habit, at)
    if note is not None:
        note.is_told, note.stamp = True, _stamp(note, at)
        return (at if note.stamp == START else note.at), True
    if habit == END and length:
        return at - length, True
    if is_too_late_for_a_start(at, received, duration_ms):
        # So this is the time of sending.
        return at - (half_of(duration_ms) or 0), False
    return at, habit == START and may_be_start


def _meant(fitting: Sequence[Note], habit: str, at: int) -> Note | None:
    usual = [note for note in fitting if habit and _stamp(note, at) == habit]
    if usual:
        return usual[-1]
    exact = [note for note in fitting if note.is_told and _stamp(note, at) == START]
    untold = [note for note in fitting if not note.is_told]
    # Of songs of unknown length nobody can say which were heard.
    return next((note for note in untold if note.seconds), None) or next(iter([*untold[-1:], *exact]), None)


def _heard(notes: Sequence[Note]) -> list[Note]:
    """Return the notes without those that another followed before half of the song."""
    skipped = {
        id(note)
        for note, following in pairwise(notes)
        if (half := half_of((note.seconds or 0) * 1000)) is not None and following.at - note.at < half - SLACK
    }
    return [note for note in notes if id(note) not in skipped]


def _may_mean(note: Note, song: int, at: int, length: int) -> bool:
    latest = note.at + (note.seconds or length or UNTOLD_SECONDS) + PAUSE_SECONDS
    return note.song == song and note.at - TOLERANCE <= at <= latest


def _stamp(note: Note, at: int) -> str:
    if abs(at - note.at) <= TOLERANCE:
        return START
    return END if note.seconds and abs(at - note.at - note.seconds) <= TOLERANCE else WITHIN


def _habit(notes: Sequence[Note]) -> str:
    """Return which time of a listen the player stamped the last time, "" if nothing tells."""
    return next((note.stamp for note in reversed(notes) if note.stamp and (note.seconds or 0) >= _CLEAR_SECONDS), "")
