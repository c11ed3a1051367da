"""An LRU cache of listener profiles, keyed by a digest of their feedback."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from threading import Lock

from recommender.engine.data import Feedback
from recommender.engine.data.profile import ListenerProfile

CACHE_BYTES = 32 * 2**20
"""Approximate limit of the memory of all cached profiles and their scores."""
MOST_PROFILES = 16
"""As many at most, however small the catalogue: each like makes another profile, and few listeners come at a time."""


def cache_capacity(n_tracks: int, n_terms: int) -> int:
    """Return the number of profiles to keep, at least one; each holds the scores of all terms and their sum."""
    return min(max(CACHE_BYTES // (4 * max(n_tracks, 1) * (n_terms + 1)), 1), MOST_PROFILES)


def digest(feedback: Feedback) -> bytes:
    """Return a hash of the feedback, 32 bytes."""
    adjusted = feedback.adjustments
    arrays = feedback.rows, feedback.kind, feedback.count, feedback.age_days, feedback.genres, feedback.artists
    factors = adjusted.artists, adjusted.artist_factors, adjusted.genres, adjusted.genre_factors
    hasher = blake2b(digest_size=32)
    for array in (*arrays, *factors):
        hasher.update(len(array).to_bytes(8, "little"))
        hasher.update(array.tobytes())
    hasher.update(repr((feedback.region, sorted(adjusted.features.items()))).encode())
    return hasher.digest()


@dataclass(eq=False)
class ListenerCache:
    """The most recently used profiles by their feedback; safe to share between threads."""

    _profiles: OrderedDict[bytes, ListenerProfile] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def __len__(self) -> int:
        return len(self._profiles)

    def listener(
        self, feedback: Feedback, limit: int, work_out: Callable[[Feedback], ListenerProfile]
    ) -> ListenerProfile:
        """Return the profile of that feedback; the same object while it is among the `limit` most recently used."""
        key = digest(feedback)
        with self._lock:
            profile = self._profiles.get(key)
            if profile is not None:
                self._profiles.move_to_end(key)
                return profile
        profile = work_out(feedback)
        with self._lock:
            self._profiles[key] = profile
            while len(self._profiles) > limit:
                self._profiles.popitem(last=False)
        return profile
