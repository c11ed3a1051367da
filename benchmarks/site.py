"""A site of its own for measuring: temporary SQLite database, real songs, one gunicorn, real HTTP on 127.0.0.1."""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
CSRF = "a" * 32
CLOCK_FILE = "SOAK_CLOCK_FILE"
"""The variable that names the file which moves the clock of a site (`benchmarks.faults.moved_clock`)."""
# A busy machine takes its time for the imports of four workers.
_START_SECONDS = 180.0


def shared_data() -> Path | None:
    """Return the folder of real songs, or ``None`` where there is none."""
    folder = Path(os.environ.get("SPOTIFY_REC_SHARED_DATA", ROOT / ".." / "shared" / "data")).resolve()
    return folder if folder.is_dir() else None


@dataclass
class Site:
    """Where the site listens, and the environment that its commands need."""

    folder: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    application: str = "spotify_rec.wsgi"
    """What gunicorn serves."""

    @classmethod
    def create(cls, folder: Path, application: str = "spotify_rec.wsgi") -> Site:
        """Prepare settings of a production-like site whose files all lie in ``folder``."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {
            **os.environ,
            # Uploads, sketches and collected files, too: the checkout's own may be in use.
            "EARWORM_HOME": str(folder),
            "DEBUG": "false",
            "INSECURE_HTTP": "true",
            "SECRET_KEY": secrets.token_urlsafe(64),
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{folder / 'bench.sqlite3'}"),
            "MODEL_DIR": str(folder / "models"),
            "LOG_LEVEL": "WARNING",
            # One client does here what many do elsewhere: calls are counted as ever, but nobody is turned away.
            **dict.fromkeys(("API_CALLS_PER_MINUTE", "SEARCHES_PER_MINUTE", "FEEDBACK_PER_MINUTE"), "60000"),
            "DJANGO_SETTINGS_MODULE": "spotify_rec.settings",
        }
        return cls(folder, port, environment, application)

    def manage(self, *arguments: str, **environment: str) -> None:
        """Run a management command, with other settings where given; its output is shown only when it fails."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        settings = {**self.environment, **environment}
        done = subprocess.run(command, env=settings, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")

    @contextmanager
    def serving(self, workers: int) -> Iterator[int]:
        """Serve with gunicorn until the block ends; gives its process id."""
        gunicorn = [sys.executable, "-m", "gunicorn", self.application, "--bind", f"127.0.0.1:{self.port}"]
        # As `manage.py serve` has it: a worker without threads waits for connections that browsers open ahead of time.
        options = ["--workers", str(workers), "--threads", "4", "--log-level", "warning", "--timeout", "60"]
        with (self.folder / "gunicorn.log").open("w") as log:
            server = subprocess.Popen(
                [*gunicorn, *options], env=self.environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                self._wait(server)
                yield server.pid
            finally:
                server.terminate()
                # Longer than gunicorn gives its workers (30 s), or they would go on without it.
                server.wait(timeout=60)

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        """Wait until a worker answers: the socket is there long before, and requests would wait in it."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and server.poll() is None:
            try:
                status, _body = Client(self.port).get("/healthz")
            except (OSError, http.client.HTTPException):
                time.sleep(0.2)
            else:
                if status == 200:
                    return
        raise RuntimeError(f"the server did not start:\n{(self.folder / 'gunicorn.log').read_text()}")


@dataclass
class Client:
    """One listener's browser, as far as measuring needs it."""

    port: int
    session: str = ""

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body."""
        return self._request("GET", path, None)

    def post(self, path: str, **fields: str) -> tuple[int, bytes]:
        """Post a form as htmx does and return status and body."""
        return self._request("POST", path, urlencode(fields))

    def _request(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": f"sessionid={self.session}; csrftoken={CSRF}"}
        if body is not None:
            headers |= {
                "X-CSRFToken": CSRF,
                "HX-Request": "true",
                "Content-Type": "application/x-www-form-urlencoded",
            }
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def ask_once(port: int, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Return status and body of the answer; status 0 and what went wrong where there was none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error).encode()
    finally:
        connection.close()


def kill_worker(web: int) -> bool:
    """Kill one of the web workers of the gunicorn with process id ``web``; return whether there was one."""
    children = Path(f"/proc/{web}/task/{web}/children").read_text().split()
    if children:
        os.kill(int(children[0]), signal.SIGKILL)
    return bool(children)


def print_row(cells: Mapping[str, object]) -> None:
    """Print a Markdown table of one row."""
    print(
        f"\n| {' | '.join(cells)} |\n|{' --- |' * len(cells)}\n| {' | '.join(map(str, cells.values()))} |", flush=True
    )


def percentile(values: list[float], share: float) -> float:
    """Return the ``share`` quantile (0..1) of ``values``, nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
