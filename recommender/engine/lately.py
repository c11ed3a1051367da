"""The listeners of the last pages: who comes back and has done nothing since is not worked out anew."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from threading import Lock

from recommender.engine.data import Feedback
from recommender.engine.listener import Listener

KEPT_BYTES = 32 * 2**20
"""About so much may be kept of what was worked out from all of them together."""


def listeners_kept(n_tracks: int, n_terms: int) -> int:
    """How many listeners to keep, at least one: of each, the scores of all tracks by all terms and their sum."""
    return max(KEPT_BYTES // (4 * max(n_tracks, 1) * (n_terms + 1)), 1)


def digest(feedback: Feedback) -> bytes:
    """What is the same for the same feedback, and for no other: 32 bytes."""
    adjusted = feedback.adjustments
    arrays = feedback.rows, feedback.kind, feedback.count, feedback.age_days, feedback.genres, feedback.artists
    factors = adjusted.artists, adjusted.artist_factors, adjusted.genres, adjusted.genre_factors
    found = blake2b(digest_size=32)
    for array in (*arrays, *factors):
        found.update(len(array).to_bytes(8, "little"))
        found.update(array.tobytes())
    found.update(repr((feedback.region, sorted(adjusted.features.items()))).encode())
    return found.digest()


@dataclass(eq=False)
class Lately:
    """The listeners asked for last, by what they did; safe to share between threads."""

    _kept: OrderedDict[bytes, Listener] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def __len__(self) -> int:
        return len(self._kept)

    def listener(self, feedback: Feedback, limit: int, work_out: Callable[[Feedback], Listener]) -> Listener:
        """The listener of that feedback, the very object where it is among the `limit` asked for last."""
        key = digest(feedback)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        found = work_out(feedback)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > limit:
                self._kept.popitem(last=False)
        return found
