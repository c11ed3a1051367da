"""Settings of the web server; read by gunicorn by itself when it is started here."""

import os
import shutil
import socket
import struct
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess

from spotify_rec.logs import logging_settings
from spotify_rec.places import VAR_DIR

_numbers = VAR_DIR / "metrics" / str(os.getpid())
# Before the workers import the site, which looks for it.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(_numbers))
# Nothing about who asks for what: the site writes its own line per request.
accesslog = None
# Its own lines repeat paths, headers and addresses of requests that fail: they go through the site's redaction.
_is_debug = os.environ.get("DEBUG", "").lower() in ("true", "1", "yes", "on")
logconfig_dict = logging_settings(level="INFO", is_json=not _is_debug)
# A client that is silent for so long in the middle of a request loses its connection: a thread waits for it.
STALL_SECONDS = 10


def on_starting(_server: Any) -> None:
    """Begin with an empty folder: numbers of an earlier run would be added."""
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def when_ready(server: Any) -> None:
    """Bound each wait for a client: connections take these options over from the socket that accepts them (Linux)."""
    wait = struct.pack("@ll", STALL_SECONDS, 0)
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, wait)


def on_exit(_server: Any) -> None:
    """Leave nothing behind."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that has ended."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
