"""Keeps a model that crashed one process from crashing the next one.

While a process loads a version, a marker with that version's name lies locked in ``MODEL_DIR``. The operating system
releases the lock when the process ends, however it ends, so an unlocked marker means that a process died while loading.
Then the version is tried out in a process of its own before it is loaded again. Neither clocks nor process ids are
involved.

Run as a program with a model's folder, it loads it and makes a page: that is the trial.
"""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recommender.engine import Model

logger = logging.getLogger(__name__)

# Between two trials of one version: loading a million songs takes 20 s.
TRIAL_SECONDS = 120.0
_MARKER = ".loading-"


@contextmanager
def marked(folder: Path) -> Iterator[None]:
    """Hold a marker while the model in ``folder`` is loaded; continue without one where none can be written."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".new{_MARKER}", dir=folder.parent)
    except OSError:
        yield
        return
    path = Path(name).with_name(f"{_MARKER}{folder.name}-{Path(name).name.rpartition('-')[2]}")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # It is locked before it gets the name that others look for.
        Path(name).rename(path)
        yield
    finally:
        for left in (Path(name), path):
            left.unlink(missing_ok=True)
        os.close(descriptor)


def has_died_of(folder: Path) -> bool:
    """Return whether a process ended while it loaded the model in ``folder``, and it was not tried out since."""
    return any(map(_is_left_behind, _markers(folder)))


def forgive(folder: Path) -> None:
    """Remove the markers of processes that ended."""
    for path in _markers(folder):
        if _is_left_behind(path):
            path.unlink(missing_ok=True)


def survives(folder: Path) -> str:
    """Load the model in ``folder`` in a process of its own; return what is wrong with it, or "" and forgive it."""
    command = [sys.executable, "-m", "recommender.lifecycle.trial", str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(  # noqa: S603 - our own program, on a folder of ours
            command, env=environment, capture_output=True, text=True, timeout=TRIAL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"trying it out failed: {error}"
    if done.returncode < 0:
        return f"a process that loaded it ended by signal {-done.returncode}"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
    forgive(folder)
    return ""


def warm_up(model: Model) -> None:
    """Make a page that nobody sees, so that caches are filled before the first listener comes."""
    import numpy as np

    from recommender.engine import Feedback, Request, recommend

    liked = np.flatnonzero(model.catalogue.active)[:1]
    if not len(liked):
        return
    # A page of a listener with one like runs all of the arithmetic; a second page would add nothing.
    recommend(model, Feedback.likes(liked.tolist()), Request(adventure=0.5), np.random.default_rng(0))


def _markers(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.parent.iterdir() if path.name.startswith(f"{_MARKER}{folder.name}-")]
    except OSError:
        return []


def _is_left_behind(path: Path) -> bool:
    # A shared lock, so that two processes that check at once do not mistake each other for the loader.
    with suppress(OSError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return True
    return False


def _main(folder: Path) -> int:
    from recommender.engine import EngineError, load_model
    from recommender.scale.faiss_index import open_index

    try:
        warm_up(load_model(folder, verify=True, open_index=open_index))
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(_main(Path(sys.argv[1])))
