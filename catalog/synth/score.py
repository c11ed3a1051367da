"""The notes of a sketch: chords, bass, a tune and drums, as the plan asks for them."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from catalog.synth.plan import Plan

_BODY_SECONDS = 21.0
_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
# Scale degrees (0 = the key's own chord), one per bar; cheerful ones first.
_MAJOR_CHORDS = ((0, 3, 4, 3), (0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4))
_MINOR_CHORDS = ((0, 2, 6, 3), (0, 5, 2, 6), (0, 3, 5, 4), (0, 6, 5, 4))
_PENTATONIC_MAJOR = (0, 1, 2, 4, 5)
_PENTATONIC_MINOR = (0, 2, 3, 4, 6)


class Note(NamedTuple):
    """A note: ``start`` and ``length`` in seconds, ``pitch`` as a MIDI number, ``gain`` 0..1."""

    voice: str
    start: float
    length: float
    pitch: int
    gain: float


class Score(NamedTuple):
    """All notes, and how long the sketch takes in seconds, its end chord dying away among it."""

    notes: list[Note]
    seconds: float


def compose(plan: Plan) -> Score:
    """Write the score: the same for the same plan. It takes 20 to 32 seconds."""
    rng = np.random.default_rng(plan.seed)
    bar = plan.beats_per_bar * plan.beat
    bars = max(2, math.ceil(_BODY_SECONDS / bar))
    degrees = _progression(plan, rng)
    chords = [degrees[number % len(degrees)] for number in range(bars)]
    motif = _motif(plan, rng)
    notes: list[Note] = []
    for number, degree in enumerate(chords):
        # It builds up: chords and bass, then drums, then the tune.
        notes += _chord(plan, degree, number * bar, bar)
        notes += _bass(plan, degree, number * bar)
        if number >= bars // 5:
            notes += _drums(plan, number * bar, is_fill=number % 4 == 3)
        if number >= bars // 4:
            notes += _tune(plan, motif[number % 2], degree, number * bar)
    notes += _ending(plan, bars * bar)
    return Score(notes, bars * bar + 2.8)


def _progression(plan: Plan, rng: np.random.Generator) -> tuple[int, ...]:
    choices = _MAJOR_CHORDS if plan.is_major else _MINOR_CHORDS
    gloom = (1 - plan.valence) * (len(choices) - 1)
    return choices[min(len(choices) - 1, max(0, round(gloom + rng.uniform(-0.9, 0.9))))]


def _pitch(plan: Plan, degree: int, octave: int) -> int:
    """Return the MIDI number of a degree of the key's scale; degrees go on beyond the octave."""
    scale = _MAJOR if plan.is_major else _MINOR
    over, step = divmod(degree, 7)
    # Keys from G on lie below C, so that all sketches have the same range.
    root = plan.key - 12 if plan.key > 6 else plan.key
    return 12 * (octave + 1 + over) + root + scale[step]


def _chord(plan: Plan, degree: int, start: float, bar: float) -> Iterator[Note]:
    pitches = [_pitch(plan, degree + step, 4) for step in (0, 2, 4)]
    if plan.acousticness < 0.5:
        for pitch in pitches:
            yield Note("pad", start, bar, pitch, 0.30)
        return
    # Strummed, from every other beat to every half beat, and never across the beat.
    wanted, beats = plan.beats_per_bar * (0.5 + 1.2 * plan.energy), plan.beats_per_bar
    strums = min((beats // 2 if beats % 2 == 0 else beats, beats, 2 * beats), key=lambda count: abs(count - wanted))
    for number in range(strums):
        at = start + number * bar / strums
        for string, pitch in enumerate([pitches[0] - 12, *pitches]):
            yield Note("string", at + 0.018 * string, min(1.6, bar), pitch, 0.34 if number == 0 else 0.22)


def _bass(plan: Plan, degree: int, start: float) -> Iterator[Note]:
    root = _pitch(plan, degree % 7 - (7 if degree % 7 > 4 else 0), 2)
    per_beat = 2 if plan.energy > 0.6 and plan.tempo < 150 else 1
    every = 2 if plan.energy < 0.3 else 1
    for number in range(0, plan.beats_per_bar * per_beat, every):
        is_off = per_beat == 2 and number % 2 == 1
        pitch = root + 12 if is_off and plan.danceability > 0.6 else root
        yield Note("bass", start + number * plan.beat / per_beat, plan.beat * every / per_beat * 0.92, pitch, 0.55)


def _drums(plan: Plan, start: float, *, is_fill: bool) -> Iterator[Note]:
    if plan.energy < 0.25 or (plan.acousticness > 0.85 and plan.energy < 0.5):
        return
    loud = 0.35 + 0.65 * plan.energy
    four_on_the_floor = plan.danceability > 0.62 and plan.energy > 0.5
    half = plan.beat / 2
    for beat in range(plan.beats_per_bar):
        at = start + beat * plan.beat
        if four_on_the_floor or beat % 2 == 0:
            yield Note("kick", at, 0.3, 0, 0.9 * loud)
        if beat % 2 == 1 or (is_fill and beat == plan.beats_per_bar - 1):
            yield Note("snare", at, 0.2, 0, 0.5 * loud)
        # The more danceable, the later the off-beat.
        swing = 0.16 * plan.beat * max(0.0, plan.danceability - 0.5) if plan.tempo < 130 else 0.0
        yield Note("hat", at, 0.06, 0, 0.22 * loud)
        yield Note("hat", at + half + swing, 0.06, 0, 0.16 * loud)
        if is_fill and beat >= plan.beats_per_bar - 2:
            yield Note("snare", at + half, 0.2, 0, 0.35 * loud)


def _motif(plan: Plan, rng: np.random.Generator) -> tuple[list[tuple[int, int, int]], ...]:
    """Return two bars of (half beat, length in half beats, degree): a question and an answer."""
    steps = _PENTATONIC_MAJOR if plan.is_major else _PENTATONIC_MINOR
    density = 0.25 + 0.45 * plan.energy + 0.25 * plan.speechiness
    degree = int(rng.integers(0, len(steps)))
    bars = []
    for _bar in range(2):
        notes: list[tuple[int, int, int]] = []
        half = 0
        while half < 2 * plan.beats_per_bar:
            length = int(rng.choice((1, 2, 3), p=_lengths(density)))
            if rng.random() < 0.82:
                degree = int(np.clip(degree + rng.choice((-2, -1, -1, 0, 1, 1, 2)), -2, 2 * len(steps) - 3))
                over, step = divmod(degree, len(steps))
                notes.append((half, length, 7 * over + steps[step]))
            half += length
        bars.append(notes)
    return tuple(bars)


def _lengths(density: float) -> tuple[float, float, float]:
    short = min(0.75, density)
    return short, (1 - short) * 0.65, (1 - short) * 0.35


def _tune(plan: Plan, motif: list[tuple[int, int, int]], degree: int, start: float) -> Iterator[Note]:
    chord = {degree % 7, (degree + 2) % 7, (degree + 4) % 7}
    for half, length, wanted in motif:
        step = wanted
        if half % 4 == 0 and step % 7 not in chord:
            # On the strong beats the tune keeps to the chord.
            step += 1 if (step + 1) % 7 in chord else -1
        at = start + half * plan.beat / 2
        yield Note("lead", at, min(1.4, length * plan.beat / 2 * 0.95), _pitch(plan, step, 5), 0.42)


def _ending(plan: Plan, start: float) -> Iterator[Note]:
    yield Note("bass", start, 2.2, _pitch(plan, 0, 2), 0.55)
    for number, step in enumerate((0, 2, 4, 7)):
        voice = "string" if plan.acousticness >= 0.5 else "pad"
        yield Note(voice, start + 0.03 * number, 2.4, _pitch(plan, step, 4), 0.34)
    if plan.energy >= 0.25:
        yield Note("kick", start, 0.3, 0, 0.6)
