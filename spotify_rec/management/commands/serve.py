"""Serve the site as a real one: gunicorn, and the worker for what runs in the background."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.spotify.sandbox.seed import site_environment

# A part that ends more than so often in a minute is broken, and the whole ends with it.
MAX_RESTARTS = 5
_END_SECONDS = 40.0
_MANAGE = [sys.executable, "-m", "spotify_rec"]


class Part:
    """A process that is started again when it ends by itself."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self._command = command
        self._starts: list[float] = []
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        self._starts = [*self._starts[-MAX_RESTARTS:], time.monotonic()]
        # A session of its own: Ctrl+C reaches it through us, once, and not twice.
        return subprocess.Popen(self._command, cwd=settings.BASE_DIR, start_new_session=True)  # noqa: S603

    def keep_alive(self) -> bool:
        """Start it again where it has ended; return whether that is still worth trying."""
        if self.process.poll() is None:
            return True
        if len(self._starts) > MAX_RESTARTS and time.monotonic() - self._starts[0] < 60:
            return False
        self.process = self._start()
        return True

    def end(self, seconds: float) -> None:
        """Wait for the process to end, for at most so long."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Command(BaseCommand):
    """``manage.py serve``."""

    help = (
        "Update the database and the static files, then run the site (gunicorn) and a worker. With --no-worker, "
        "run `manage.py worker` elsewhere."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", help="Address and port (default: %(default)s).")
        parser.add_argument("--workers", type=int, default=2, help="Number of web processes (default: %(default)s).")
        parser.add_argument("--threads", type=int, default=4, help="Threads per web process (default: %(default)s).")
        parser.add_argument("--no-worker", action="store_true", help="Don't run a worker.")
        parser.add_argument(
            "--spotify-sandbox",
            action="store_true",
            help=(
                "Also run the Spotify sandbox and use it instead of Spotify, unless SPOTIFY_CLIENT_ID is set. "
                "Needs DEBUG=true."
            ),
        )
        parser.add_argument("--no-migrate", action="store_true", help="Don't migrate the database.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["no_migrate"]:
            call_command("migrate", verbosity=0)
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)
        _refuse_taken(options["bind"])
        commands = {"gunicorn": _gunicorn(options)}
        if not options["no_worker"]:
            commands["worker"] = [*_MANAGE, "worker"]
        if options["spotify_sandbox"] and not settings.SPOTIFY_CLIENT_ID:
            commands["spotify_sandbox"] = _sandbox()
        _Site(commands).run()


class _Site:
    """All parts, until one of them cannot be kept alive or a signal ends them."""

    def __init__(self, commands: dict[str, list[str]]) -> None:
        self._ending = False
        self._commands = commands
        self._parts: list[Part] = []

    def run(self) -> None:
        """Keep the parts alive. Raise ``CommandError`` where one keeps ending."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._parts = [Part(name, command) for name, command in self._commands.items()]
        try:
            while not self._ending:
                for part in self._parts:
                    if not self._ending and not part.keep_alive():
                        raise CommandError(f"{part.name} keeps stopping. See the output above.")
                time.sleep(0.2)
        finally:
            self._end()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _end(self) -> None:
        for part in self._parts:
            if part.process.poll() is None:
                part.process.terminate()
        deadline = time.monotonic() + _END_SECONDS
        for part in self._parts:
            part.end(max(0.1, deadline - time.monotonic()))


def _refuse_taken(bind: str) -> None:
    """Say at once that somebody else serves there: gunicorn would try again and again."""
    host, _colon, port = bind.rpartition(":")
    if not port.isdigit() or ":" in host:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except (OSError, OverflowError) as error:
            raise CommandError(f"--bind {bind}: {error}") from error


def _sandbox() -> list[str]:
    """Return the command of the sandbox, on a free port, and have all parts of the site take it for Spotify."""
    if not settings.DEBUG:
        raise CommandError("--spotify-sandbox is for development only. Set DEBUG=true to use it.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ.update(site_environment(f"http://127.0.0.1:{port}"))
    return [*_MANAGE, "spotify_sandbox", "--port", str(port), "-v", "0"]


def _gunicorn(options: dict[str, Any]) -> list[str]:
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "spotify_rec.wsgi",
        "--config",
        str(settings.BASE_DIR / "gunicorn.conf.py"),
        "--bind",
        options["bind"],
        "--workers",
        str(options["workers"]),
        "--threads",
        str(options["threads"]),
        # Nobody uses it, and the home it would lie in need not be there.
        "--no-control-socket",
        # A worker's sign of life is a file; on a disk that is busy, that would stall it.
        *(["--worker-tmp-dir", "/dev/shm"] if Path("/dev/shm").is_dir() else []),  # noqa: S108
    ]
