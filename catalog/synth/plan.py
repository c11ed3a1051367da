"""The plan of a sketch: the song's features, and a seed for everything that they leave open."""

import json
from dataclasses import dataclass
from hashlib import blake2b

from catalog.models import Track

# Part of every digest, so that a change of the sound renders all sketches again.
VERSION = 2
_SLOWEST, _FASTEST = 50.0, 200.0


@dataclass(frozen=True)
class Plan:
    """The musical side of a song. ``tempo`` in beats per minute, ``key`` a pitch class (C = 0), the rest 0..1."""

    seed: int
    tempo: float
    beats_per_bar: int
    key: int
    is_major: bool
    energy: float
    valence: float
    danceability: float
    acousticness: float
    speechiness: float

    @property
    def beat(self) -> float:
        """Seconds per beat."""
        return 60.0 / self.tempo


def digest(track: Track) -> str:
    """Return 32 hexadecimal digits that stand for the song's sketch: they change when it would sound different."""
    parts = [VERSION, track.recording_key, sorted(track.features.items())]
    return blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def plan(track: Track) -> Plan:
    """Return the song's plan. The recording key stands in for features that are unknown."""
    seed = blake2b(track.recording_key.encode(), digest_size=16).digest()
    features = track.features

    def share(name: str, byte: int) -> float:
        # Unknown values stay away from the extremes.
        return float(features.get(name, 0.25 + seed[byte] / 510))

    return Plan(
        seed=int.from_bytes(seed[:8], "big"),
        tempo=_playable(float(features.get("tempo", 80 + seed[8] / 255 * 60))),
        beats_per_bar=min(max(int(features.get("time_signature", 4)), 2), 7),
        key=int(features.get("key", seed[9] % 12)),
        is_major=bool(features.get("mode", seed[10] % 3 > 0)),
        energy=share("energy", 11),
        valence=share("valence", 12),
        danceability=share("danceability", 13),
        acousticness=share("acousticness", 14),
        speechiness=float(features.get("speechiness", 0.05)),
    )


def _playable(tempo: float) -> float:
    """Double or halve a tempo until it is in a playable range."""
    while tempo < _SLOWEST:
        tempo *= 2
    while tempo > _FASTEST:
        tempo /= 2
    return tempo
