"""The faults of the soak, one after the other, again and again."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import Fault
from benchmarks.servers import Server
from benchmarks.site import CLOCK_FILE, ROOT, Site, kill_worker

_OUTAGE_SECONDS = 20.0
_REASONS = ("failed: can't write ", "failed: the database doesn't answer")


class Faults:
    """Puts one fault after the other into the site while clients are at work."""

    def __init__(self, site: Site, server: Server | None, spotify: SandboxServer, *, has_small_disk: bool) -> None:
        self._site, self._server, self._spotify = site, server, spotify
        self.runner = self._start_runner()
        self.done: list[str] = []
        self._schedule: list[Callable[[int], str]] = [self._kill_worker, self._kill_runner, self._stop_database]
        self._schedule += [self._fill_disk] if has_small_disk else []
        self._schedule += [self._move_clock, self._fail_spotify]

    def run(self, web: int, until: float) -> None:
        """Go through the schedule until shortly before the end."""
        round_ = 0
        pause = min(30.0, max(5.0, (until - time.monotonic()) / 10))
        while time.monotonic() + pause + _OUTAGE_SECONDS + 5 < until:
            time.sleep(pause)
            self._ask_for_work()
            fault = self._schedule[round_ % len(self._schedule)]
            self.done.append(fault(web))
            print(f"{time.strftime('%H:%M:%S')} {self.done[-1]}", flush=True)
            self._keep_runner()
            round_ += 1

    def end(self) -> bool:
        """Wait for the work that was asked for; return whether none of it failed but by a fault."""
        from jobs.models import Job

        for _second in range(300):
            self._keep_runner()
            with suppress(Exception):
                if not Job.objects.active().filter(run_after=None).exists():
                    break
            time.sleep(1)
        self.stop()
        states = list(Job.objects.filter(run_after=None).values_list("kind", "state"))
        print("jobs:", {f"{kind} {state}": states.count((kind, state)) for kind, state in sorted(set(states))})
        last_lines = [job.log.splitlines()[-1] for job in Job.objects.filter(run_after=None, state="failed")]
        print(*last_lines, sep="\n")
        # What a fault stopped, and said so in a line, may be asked for again.
        untold = [line for line in last_lines if not any(reason in line for reason in _REASONS)]
        return not untold and all(state in ("done", "failed") for _kind, state in states)

    def stop(self) -> None:
        """End the job runner."""
        self.runner.terminate()
        self.runner.wait(timeout=60)

    def _ask_for_work(self) -> None:
        from django.db import connection

        from jobs.services import enqueue

        with suppress(Exception):
            enqueue(kind="retrain", subject="soak")
        connection.close()

    def _keep_runner(self) -> None:
        # It ends with its database; `serve` and systemd start it again, too.
        if self.runner.poll() is not None:
            self.runner = self._start_runner()

    def _kill_worker(self, web: int) -> str:
        for _try in range(60):
            if kill_worker(web):
                return "a web worker was killed"
            time.sleep(0.5)
        raise RuntimeError(f"no web worker is left:\n{(self._site.folder / 'gunicorn.log').read_text()[-2000:]}")

    def _kill_runner(self, _web: int) -> str:
        time.sleep(2)
        self.runner.kill()
        self.runner.wait()
        return "the job runner was killed"

    def _stop_database(self, _web: int) -> str:
        if self._server is not None:
            self._server.kill()
            time.sleep(3)
            self._server.start()
            return "the database server was killed and started again after 3 s"
        path = self._site.environment["DATABASE_URL"].removeprefix("sqlite:///")
        raw = sqlite3.connect(path, timeout=30, isolation_level=None)
        try:
            raw.execute("BEGIN IMMEDIATE")
            time.sleep(_OUTAGE_SECONDS)
        finally:
            raw.close()
        return f"another held the write lock for {_OUTAGE_SECONDS:.0f} s"

    def _fill_disk(self, _web: int) -> str:
        path = self._site.folder / "ballast"
        with path.open("wb", buffering=0) as file, suppress(OSError):
            for size in (1_000_000, 4096):
                with suppress(OSError):
                    while True:
                        file.write(b"\1" * size)
        time.sleep(_OUTAGE_SECONDS)
        path.unlink()
        if self._server is not None:
            self._server.start()
        return f"the disk was full for {_OUTAGE_SECONDS:.0f} s"

    def _move_clock(self, _web: int) -> str:
        hands = Path(self._site.environment[CLOCK_FILE])
        for hours in (2, -1, 0):
            hands.write_text(str(3600 * hours), encoding="ascii")
            time.sleep(_OUTAGE_SECONDS / 2 if hours else 0)
        return "the clock was 2 h ahead, then an hour behind"

    def _fail_spotify(self, _web: int) -> str:
        world = self._spotify.world
        for kind in ("500", "drop", "429", "lost"):
            with world.lock:
                world.faults[:] = [Fault(kind, times=1_000_000, retry_after=1)]
            time.sleep(_OUTAGE_SECONDS / 4)
        with world.lock:
            world.faults.clear()
        return f"Spotify failed for {_OUTAGE_SECONDS:.0f} s in four ways"

    def _start_runner(self) -> subprocess.Popen[bytes]:
        environment = {**self._site.environment, "JOB_STALE_SECONDS": "5", "RETRAIN_HOURS": "0"}
        command = [sys.executable, "-m", "benchmarks.faults.moved_clock", "worker"]
        with (self._site.folder.parent / "worker.log").open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
