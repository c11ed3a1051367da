"""The process that decodes and analyses recordings: a line of JSON in for each, a line of JSON out.

It runs apart from the site because the engine ends its process where it gets no memory, and because files of others
are decoded. It knows no database and no settings.
"""

import json
import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from catalog.sound.measuring import (
    EXCERPT_SECONDS,
    Measurement,
    excerpt_start,
    is_truncated,
    measured,
    reason_for_nothing,
)
from catalog.sources.sound.ffmpeg import RATE, SoundFileError, container_of, excerpt_of, seconds_in

_MEMORY_BYTES = 1_500_000_000
_CPU_SECONDS = 60
_NICE = 10
# The embedding needs nearly all that the engine can measure.
_FEATURES = ["embedding", "acousticness", "danceability", "energy", "key", "valence"]


def main() -> None:
    """Answer lines until there are no more."""
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    for line in sys.stdin:
        answer = analysed(json.loads(line))
        sys.stdout.write(json.dumps(answer.as_dict(), allow_nan=False) + "\n")
        sys.stdout.flush()


def analysed(request: dict[str, Any]) -> Measurement:
    """Return what was measured of the file ``path``, whose tags claim ``seconds`` and whose name ends in ``suffix``."""
    begun = _cpu_seconds()
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + _CPU_SECONDS, hard))
    try:
        result = _measure(Path(request["path"]), request["suffix"], request["seconds"])
    except SoundFileError as error:
        result = Measurement("broken", str(error))
    except Exception as error:
        # Whatever a file makes the engine raise, the next file is analysed.
        result = Measurement("failed", f"{type(error).__name__}: {error}"[:200])
    result.cpu_seconds = round(_cpu_seconds() - begun, 3)
    result.peak_mb = round(_peak_kib() / 1024, 1)
    return result


def _peak_kib() -> float:
    """Return the most memory that this process and its largest child have held."""
    # Linux counts in KiB, macOS in bytes.
    unit = 1024 if sys.platform == "darwin" else 1
    own, children = (resource.getrusage(scope).ru_maxrss for scope in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    with suppress(OSError, StopIteration):
        # Linux counts what the worker held when it started this process as this one's.
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        own = int(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))
    return (own + children) / unit


def _measure(path: Path, suffix: str, claimed: float | None) -> Measurement:
    import numpy as np
    import sonara

    with path.open("rb") as file:
        if not (container := container_of(file, suffix)):
            return Measurement("broken", "the file is no sound")
        length = seconds_in(file, container)
        if length is None or is_truncated(length, claimed):
            return Measurement("broken", f"{length or 0.0:.1f} s of sound, {claimed or 0.0:.1f} s by its tags")
        excerpt = excerpt_of(file, container, start=excerpt_start(length), seconds=EXCERPT_SECONDS)
    samples = np.frombuffer(excerpt.samples, dtype=np.float32)
    seconds = round(len(samples) / RATE, 2)
    if is_truncated(seconds, min(length, EXCERPT_SECONDS)):
        return Measurement("broken", f"only {seconds:.1f} s can be decoded", seconds_decoded=seconds)
    if reason := reason_for_nothing(seconds, excerpt.loudness):
        return Measurement("empty", reason, seconds_decoded=seconds)
    analysis = sonara.analyze_signal(samples, sr=RATE, features=_FEATURES)
    return measured(analysis, loudness=excerpt.loudness or 0.0, seconds=seconds)


def _cpu_seconds() -> float:
    usages = (resource.getrusage(scope) for scope in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
