"""Renders a plan to the bytes of a WAV file."""

import struct

import numpy as np

from catalog.synth.plan import Plan
from catalog.synth.score import compose
from catalog.synth.voices import RATE, Sound, Voices

_FADE_SECONDS = 1.4
# Echoes: seconds, strength.
_ECHOES = ((0.031, 0.20), (0.057, 0.16), (0.101, 0.12), (0.167, 0.08))


def render_wav(plan: Plan) -> bytes:
    """Return the sketch as a WAV file: one channel, 16 bit, ``RATE`` samples per second. The same for the same plan."""
    samples = (_sound(plan) * 32767).astype("<i2")
    return _header(samples.nbytes) + samples.tobytes()


def _sound(plan: Plan) -> Sound:
    """Return the samples, -1..1."""
    score, voices = compose(plan), Voices(plan)
    mix = np.zeros(round(score.seconds * RATE), dtype=np.float32)
    for note in score.notes:
        sound = voices.sound(note.voice, note.pitch, note.length)
        start = round(note.start * RATE)
        end = min(len(mix), start + len(sound))
        mix[start:end] += np.float32(note.gain) * sound[: end - start]
    mix = _with_echo(mix, wet=0.5 + plan.acousticness / 2)
    mix *= np.float32((1.1 + 0.8 * plan.energy) / max(float(np.abs(mix).max()), 1e-6))
    mix = np.tanh(mix) * np.float32(0.62 + 0.28 * plan.energy)
    fade = round(_FADE_SECONDS * RATE)
    mix[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return mix


def _with_echo(dry: Sound, wet: float) -> Sound:
    mix = dry.copy()
    for seconds, strength in _ECHOES:
        late = round(seconds * RATE)
        mix[late:] += np.float32(strength * wet) * dry[:-late]
    return mix


def _header(size: int) -> bytes:
    """Return the 44 bytes before the samples (RIFF WAVE, PCM)."""
    riff = struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE")
    return riff + struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16, b"data", size)
