"""What listeners are playing now, stored only in the cache."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache

_KEPT_SECONDS = 2 * 3600
# Of each player, so that one that sends its listens later finds them, and of all players.
_MOST, _MOST_IN_ALL = 8, 64
# Assumed length of a song of unknown length.
UNTOLD_SECONDS = 600
PAUSE_SECONDS = 60


@dataclass
class Note:
    """A player said that a song began; ``at``: when it did, seconds since 1970; ``is_told``: it came as a listen.

    ``stamp``: which time of the listen the player told ("start", "end", "within"; "" before it did).
    """

    key_id: int
    client: str
    song: int
    title: str
    artist: str
    at: int
    seconds: int | None = None
    is_told: bool = False
    stamp: str = ""

    def plays_at(self, moment: int) -> bool:
        """Return whether the song may still play."""
        return self.at <= moment <= self.at + (self.seconds or UNTOLD_SECONDS) + PAUSE_SECONDS


def notes_of(user_id: int) -> list[Note]:
    """Return the latest notes of the listener's players, the newest last."""
    rows: list[dict[str, Any]] = cache.get(_key(user_id)) or []
    return [Note(**row) for row in rows]


def keep_notes(user_id: int, notes: Sequence[Note]) -> None:
    """Keep the latest notes of each player."""
    counts: Counter[tuple[int, str]] = Counter()
    latest: list[Note] = []
    for note in reversed(notes[-_MOST_IN_ALL:]):
        player = (note.key_id, note.client)
        counts[player] += 1
        if counts[player] <= _MOST:
            latest.append(note)
    cache.set(_key(user_id), [asdict(note) for note in reversed(latest)], _KEPT_SECONDS)


def playing(user_id: int, moment: int) -> list[Note]:
    """Return what plays at a moment, the latest first and one song for each player."""
    latest = {(note.key_id, note.client): note for note in notes_of(user_id)}
    return sorted((note for note in latest.values() if note.plays_at(moment)), key=lambda note: -note.at)


def _key(user_id: int) -> str:
    # Another name whenever the fields change: workers of two releases may be running at once.
    return f"feedback:scrobbling:notes:{user_id}"
