"""The sounds of a sketch, each a function of pitch and length: sums of sine waves, and noise for the drums."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from catalog.synth.plan import Plan

RATE = 22_050
Sound = NDArray[np.float32]
# Of each sound: the strengths of its harmonics, how fast they die away (per second, the higher the faster) and the
# seconds it takes to begin.
_TIMBRES = {
    "string": ((1.0, 0.5, 0.34, 0.2, 0.13, 0.08, 0.05), 2.4, 0.004),
    "bass": ((1.0, 0.45, 0.16, 0.06), 1.6, 0.008),
    "pad": ((1.0, 0.5, 0.28, 0.16, 0.1, 0.06), 0.0, 0.12),
    "flute": ((1.0, 0.18, 0.06), 0.3, 0.04),
    "bell": ((1.0, 0.0, 0.42, 0.0, 0.2), 3.2, 0.003),
    "reed": ((1.0, 0.1, 0.45, 0.08, 0.22, 0.05), 0.4, 0.02),
}
_RELEASE = 0.06


class Voices:
    """Makes the sounds of one sketch, each only once."""

    def __init__(self, plan: Plan) -> None:
        self._brightness = 0.35 + 0.9 * plan.energy
        self._lead = ("flute", "bell", "reed")[plan.seed % 3]
        self._noise = np.random.default_rng(plan.seed).standard_normal(RATE // 2).astype(np.float32)
        self._made: dict[tuple[str, int, int], Sound] = {}

    def sound(self, voice: str, pitch: int, seconds: float) -> Sound:
        """Return the sound as 32-bit floats at ``RATE`` per second, around -1..1. A drum's pitch counts nothing."""
        count = max(1, round(seconds * RATE))
        key = (voice, pitch, count)
        if key not in self._made:
            drum = _DRUMS.get(voice)
            self._made[key] = drum(self._noise[:count]) if drum else self._tone(voice, pitch, count)
        return self._made[key]

    def _tone(self, voice: str, pitch: int, count: int) -> Sound:
        strengths, decay, attack = _TIMBRES[self._lead if voice == "lead" else voice]
        frequency = 440.0 * 2 ** ((pitch - 69) / 12)
        time = np.arange(count, dtype=np.float32) / np.float32(RATE)
        angle = np.float32(2 * np.pi * frequency) * time
        sound = np.zeros(count, dtype=np.float32)
        fade = np.exp(np.float32(-decay) * time) if decay else np.float32(1.0)
        falling = fade
        for number, strength in enumerate(strengths, start=1):
            if number * frequency > RATE * 0.45:
                break
            if strength:
                sound += np.float32(strength * self._brightness ** (number - 1)) * np.sin(number * angle) * falling
            falling = falling * fade
        return sound * _envelope(count, attack)


def _envelope(count: int, attack: float) -> Sound:
    envelope = np.ones(count, dtype=np.float32)
    rise, fall = min(count, round(attack * RATE)), min(count, round(_RELEASE * RATE))
    envelope[:rise] = np.linspace(0, 1, rise, dtype=np.float32)
    envelope[count - fall :] *= np.linspace(1, 0, fall, dtype=np.float32)
    return envelope


def _kick(noise: Sound) -> Sound:
    time = np.arange(len(noise), dtype=np.float32) / np.float32(RATE)
    # The pitch falls from 150 to 45 Hz: the angle is the integral of it.
    angle = 2 * np.pi * (45 * time + 105 / 28 * (1 - np.exp(-28 * time)))
    return np.asarray(np.sin(angle) * np.exp(-9 * time) * _envelope(len(noise), 0.001), dtype=np.float32)


def _snare(noise: Sound) -> Sound:
    time = np.arange(len(noise), dtype=np.float32) / np.float32(RATE)
    body = np.sin(2 * np.pi * 185 * time) * np.exp(-22 * time)
    return np.asarray(0.35 * noise * np.exp(-19 * time) + 0.6 * body, dtype=np.float32)


def _hat(noise: Sound) -> Sound:
    time = np.arange(len(noise), dtype=np.float32) / np.float32(RATE)
    hiss = np.diff(noise, prepend=noise[:1])
    return np.asarray(0.45 * hiss * np.exp(-70 * time), dtype=np.float32)


_DRUMS: dict[str, Callable[[Sound], Sound]] = {"kick": _kick, "snare": _snare, "hat": _hat}
