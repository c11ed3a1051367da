"""`manage.py serve`: one command starts the site and its worker, keeps both alive, and ends both."""

import os
import runpy
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings

from jobs.tests.helpers import wait_until


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def site(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}", "MODEL_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--bind", f"127.0.0.1:{port}", "--workers", "1"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process
    process.terminate()
    process.wait(timeout=300)


def status(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
            return int(answer.status)
    except OSError:
        return 0


def test_a_client_that_stops_in_the_middle_loses_its_connection() -> None:
    server = runpy.run_path(str(settings.BASE_DIR / "gunicorn.conf.py"))
    assert 5 <= server["STALL_SECONDS"] <= 60
    # A second is enough here; the function finds the number among its own module's.
    server["when_ready"].__globals__["STALL_SECONDS"] = 1
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server["when_ready"](SimpleNamespace(LISTENERS=[SimpleNamespace(sock=listener)]))
        with socket.create_connection(listener.getsockname()) as client:
            taken, _address = listener.accept()
            with taken:
                client.sendall(b"POST /accounts/login/ HTTP/1.1\r\nHost:")
                assert taken.recv(100)
                start = time.monotonic()
                with pytest.raises(BlockingIOError):
                    taken.recv(100)
    assert 0.9 <= time.monotonic() - start < 120


def children(pid: int) -> dict[str, int]:
    """Return the process ids of the site's parts by name."""
    pids = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
            command = (path.parent / "cmdline").read_bytes().decode()
        except OSError:
            continue
        if parent == pid:
            pids["gunicorn" if "gunicorn" in command else "worker"] = int(path.parent.name)
    return pids


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_it_serves_keeps_both_alive_and_ends_both(site: subprocess.Popen[str], port: int) -> None:
    wait_until(lambda: status(port) == 200)
    wait_until(lambda: set(children(site.pid)) == {"gunicorn", "worker"})
    first = children(site.pid)
    os.kill(first["worker"], signal.SIGKILL)
    wait_until(lambda: children(site.pid).get("worker", first["worker"]) != first["worker"])
    assert children(site.pid)["gunicorn"] == first["gunicorn"]
    last = children(site.pid)
    site.terminate()
    assert site.wait(timeout=300) == 0
    assert status(port) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in last.values())


def test_a_port_that_is_taken_is_said_at_once(tmp_path: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}"}
        command = [sys.executable, "manage.py", "serve", "--bind", f"127.0.0.1:{port}", "--no-worker"]
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"CommandError: --bind 127.0.0.1:{port}: ")
    assert "already in use" in done.stderr
