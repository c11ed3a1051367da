"""Runs the process that analyses recordings, and ends it where a recording takes too long."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from types import TracebackType
from typing import IO, Any, Self

from catalog.sound.measuring import Measurement
from catalog.sources.sound.ffmpeg import has_ffmpeg

# For a recording, also where the machine is busy with other work.
SECONDS = 240.0
# A process analyses so many recordings, so that nothing it leaks adds up.
_SONGS_OF_PROCESS = 200
_ROOT = Path(__file__).resolve().parents[2]


def missing_tools() -> list[str]:
    """Return what the analysis needs and this machine does not have."""
    tools = {"ffmpeg": has_ffmpeg(), "sonara": importlib.util.find_spec("sonara") is not None}
    return [name for name, is_there in tools.items() if not is_there]


class Analyser:
    """Analyses recordings one after another, in a process of its own; used in a ``with``."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def pid(self) -> int | None:
        """The id of the process; ``None`` before the first recording, and after one that ended it."""
        return self._process.pid if self._process else None

    def analyse(self, path: Path, *, suffix: str, seconds: float | None) -> Measurement:
        """Return what was measured of a file; ``seconds``: how long its tags say it is. Nothing is raised."""
        process = self._running()
        request = json.dumps({"path": str(path), "suffix": suffix, "seconds": seconds})
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            process.stdin.write(request.encode() + b"\n")
            process.stdin.flush()
        if not self._is_answered(process.stdout):
            self._end()
            return Measurement("failed", f"took longer than {self._seconds:.0f} s")
        line = process.stdout.readline()
        self._number += 1
        if not line:
            self._end()
            return Measurement("failed", f"the analysis ended with {process.returncode}")
        if self._number >= _SONGS_OF_PROCESS:
            self._end()
        return Measurement(**json.loads(line))

    def _is_answered(self, answers: IO[bytes]) -> bool:
        """Wait for an answer; return whether it came in time."""
        # ``select`` itself takes no file whose number is above 1,023.
        with DefaultSelector() as selector:
            selector.register(answers, EVENT_READ)
            return bool(selector.select(self._seconds))

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "catalog.sound.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env=_environment(),
                start_new_session=True,
            )
            self._number = 0
        return self._process

    def _end(self) -> None:
        """End the process and what it started."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def _environment() -> dict[str, Any]:
    """Return the process's environment: none of the site's secrets, and one thread."""
    inherited = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {**inherited, "RAYON_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
