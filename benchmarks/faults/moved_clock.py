"""The site on a clock that a file moves: the file says by how many seconds it is ahead.

``benchmarks.faults.moved_clock:application`` is the site for gunicorn, ``python -m benchmarks.faults.moved_clock`` is
``manage.py``. What measures how long something takes (``time.monotonic``) is not moved, as in a system whose clock is
set.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import time_machine

from benchmarks.site import CLOCK_FILE

_EVERY_SECONDS = 0.2


def follow(hands: Path) -> None:
    """Keep this process's clock as far ahead as ``hands`` says, until the process ends."""
    ahead = _seconds(hands, 0.0)
    traveller = time_machine.travel(time.time() + ahead, tick=True).start()
    threading.Thread(target=_follow, args=(hands, traveller, ahead), name="moved-clock", daemon=True).start()


def _follow(hands: Path, traveller: time_machine.Traveller, ahead: float) -> None:
    while True:
        time.sleep(_EVERY_SECONDS)
        wanted = _seconds(hands, ahead)
        traveller.shift(timedelta(seconds=wanted - ahead))
        ahead = wanted


def _seconds(hands: Path, otherwise: float) -> float:
    """Return what the file says; it is empty for a moment while it is written."""
    try:
        return float(hands.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return otherwise


if CLOCK_FILE in os.environ:
    follow(Path(os.environ[CLOCK_FILE]))

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *sys.argv[1:]])
else:
    from spotify_rec.wsgi import application  # noqa: F401 - what gunicorn serves
