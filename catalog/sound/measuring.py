"""What the numbers of an excerpt are worth: the rules by which values are kept or left unknown.

The engine is sonara (https://github.com/kkollsga/sonara). Nothing here imports Django or sonara.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

ENGINE = "sonara"
# Increased when the rules below or the excerpt change, so that every recording is analysed again.
RULES = 1
EXCERPT_SECONDS = 90.0
# Shorter or quieter sound gives numbers that mean nothing, and silence gives 120 BPM in C major.
MIN_SECONDS = 20.0
MIN_LUFS = -60.0
# Of the length that the tags claim, or of the excerpt: what has less is truncated.
MIN_SHARE = 0.9
# Below it the key was wrong in two of two real songs of 14.
_MIN_KEY_CONFIDENCE = 0.05
# Noise: its spectrum is flat (white noise .54, music at most .26), or all pitch classes are alike (pink noise .006,
# music at least .06).
_MAX_FLATNESS = 0.45
_MIN_CHROMA_SPREAD = 0.02
# Of the beats that the tempo makes expect: sounds without a beat have a tenth.
_MIN_BEATS_SHARE = 0.5
# Songs of the catalogue have tempos in this range; half or double the tempo is the same beat.
_SLOWEST, _FASTEST = 70.0, 180.0
_PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# What the calibration is fitted on, beside the embedding: single numbers and lists.
_NUMBERS = (
    "bpm_confidence", "onset_density", "rms_mean", "rms_max", "dynamic_range_db", "spectral_centroid_mean",
    "zero_crossing_rate", "spectral_bandwidth_mean", "spectral_rolloff_mean", "spectral_flatness_mean",
    "chord_change_rate", "dissonance", "energy", "danceability", "valence", "acousticness",
)  # fmt: skip
_LISTS = ("spectral_contrast_mean", "mfcc_mean")


@dataclass
class Measurement:
    """What was measured of a recording; ``None``, "" and empty mean unknown.

    state: "measured", "empty" (silent, short or noise), "broken" (truncated, or no sound) or "failed".
    tempo in BPM, key as a pitch class (C = 0), mode 1 for major, loudness in LUFS.
    """

    state: str
    error: str = ""
    tempo: float | None = None
    key: int | None = None
    mode: int | None = None
    loudness: float | None = None
    seconds_decoded: float | None = None
    embedding: list[float] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self)


def excerpt_start(seconds: float | None) -> float:
    """Return where the excerpt of a recording of that length begins: its middle is the recording's."""
    return max(0.0, ((seconds or 0.0) - EXCERPT_SECONDS) / 2)


def is_truncated(seconds: float, expected: float | None) -> bool:
    """Return whether there is clearly less sound than expected."""
    return expected is not None and seconds < MIN_SHARE * expected


def reason_for_nothing(seconds: float, loudness: float | None) -> str:
    """Return why a decoded excerpt gives no values at all; "" where it may."""
    if seconds < MIN_SECONDS:
        return f"only {seconds:.1f} s of sound"
    if loudness is None or loudness <= MIN_LUFS:
        return "silent"
    return ""


def measured(analysis: Mapping[str, Any], *, loudness: float, seconds: float) -> Measurement:
    """Return what the engine's numbers of an excerpt are worth."""
    chroma = [float(value) for value in analysis["chroma_mean"]]
    if analysis["spectral_flatness_mean"] > _MAX_FLATNESS or _spread(chroma) < _MIN_CHROMA_SPREAD:
        return Measurement("empty", "noise", seconds_decoded=seconds)
    key, mode = _key_of(analysis)
    return Measurement(
        "measured",
        tempo=_tempo_of(analysis, seconds),
        key=key,
        mode=mode,
        loudness=loudness,
        seconds_decoded=seconds,
        embedding=[round(float(value), 6) for value in analysis["embedding"]],
        numbers=_numbers_of(analysis),
    )


def folded(tempo: float) -> float:
    """Return a tempo doubled or halved until it is in the usual range."""
    while 0 < tempo < _SLOWEST:
        tempo *= 2
    while tempo > _FASTEST:
        tempo /= 2
    return tempo


def _tempo_of(analysis: Mapping[str, Any], seconds: float) -> float | None:
    tempo = float(analysis["bpm"])
    if tempo <= 0 or analysis["n_beats"] < _MIN_BEATS_SHARE * tempo * seconds / 60:
        return None
    return round(folded(tempo), 2)


def _key_of(analysis: Mapping[str, Any]) -> tuple[int | None, int | None]:
    name, _space, mode = str(analysis["key"]).partition(" ")
    if analysis["key_confidence"] <= _MIN_KEY_CONFIDENCE or name not in _PITCHES or mode not in ("major", "minor"):
        return None, None
    return _PITCHES.index(name), int(mode == "major")


def _numbers_of(analysis: Mapping[str, Any]) -> dict[str, float]:
    numbers = {name: float(analysis[name]) for name in _NUMBERS}
    for name in _LISTS:
        numbers |= {f"{name}_{index:02}": float(value) for index, value in enumerate(analysis[name])}
    return {name: round(value, 6) for name, value in numbers.items()}


def _spread(values: Sequence[float]) -> float:
    """Return the standard deviation."""
    mean = sum(values) / len(values)
    return float((sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5)
