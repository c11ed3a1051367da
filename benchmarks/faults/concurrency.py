"""Concurrent clients liking, playing and reading: no error, and no lost or doubled row.

``python -m benchmarks.faults.concurrency --database all --clients 100 --seconds 120 --kill``. It stops by itself and
talks to 127.0.0.1 only. ``postgres`` and ``mysql`` start a server of their own. With ``--kill`` the same is done once
more while a web worker, the job runner in the middle of a retrain, and the database server are ended as a power failure
would; then clients send again what was not answered, as browsers and the player do, and the counts must agree all the
same.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.servers import SERVERS, Server
from benchmarks.site import ROOT, Client, Site, percentile, shared_data


@dataclass
class Visitor:
    """One client and what the database must hold of it in the end."""

    client: Client
    user_id: int
    seed: int
    tracks: list[int]
    ratings: dict[int, int] = field(default_factory=dict)
    plays: int = 0
    # Kind of action, milliseconds until it was answered.
    times: list[tuple[str, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    # Seconds for which an unanswered request is sent again; how often that was.
    patience: float = 0.0
    retries: int = 0

    def run(self, until: float) -> None:
        """Act until the clock says ``until``."""
        rng = random.Random(self.seed)
        while time.monotonic() < until:
            kind = rng.choice(["like", "like", "play", "read"])
            start = time.perf_counter()
            {"like": self._rate, "play": self._play, "read": self._read}[kind](rng)
            self.times.append((kind, (time.perf_counter() - start) * 1000))

    def _rate(self, rng: random.Random) -> None:
        track, value = rng.choice(self.tracks), rng.choice([1, -1, 0])
        if self._expect(lambda: self.client.post(f"/songs/{track}/rate/", value=str(value)), "rate"):
            if value:
                self.ratings[track] = value
            else:
                self.ratings.pop(track, None)

    def _play(self, rng: random.Random) -> None:
        track, token = rng.choice(self.tracks), str(uuid.UUID(int=rng.getrandbits(128), version=4))
        accepted = [
            self._expect(lambda: self.client.post(f"/songs/{track}/listen/", token=token), "listen") for _ in range(2)
        ]
        if all(accepted):
            self.plays += 1

    def _read(self, rng: random.Random) -> None:
        paths = ["/", "/songs/", "/search/?q=love", f"/songs/{rng.choice(self.tracks)}/", "/history/", "/ratings/"]
        path = rng.choice(paths)
        self._expect(lambda: self.client.get(path), path)

    def _expect(self, send: Callable[[], tuple[int, bytes]], what: str) -> bool:
        end = time.monotonic() + self.patience
        while True:
            try:
                status, body = send()
            except (OSError, http.client.HTTPException) as error:
                status, body = 0, repr(error).encode()
            if status == 200:
                return True
            if (status and status < 500) or time.monotonic() > end:
                self.errors.append(f"{what}: status {status}: {body[:200]!r}")
                return False
            self.retries += 1
            time.sleep(0.2)


def main() -> None:
    """Build a site for each database, let the clients loose, compare the database with what they did.

    Each database has a process of its own, as Django knows one for good.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--database", choices=["sqlite", *SERVERS, "all"], default="sqlite")
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    data = shared_data()
    if data is None:
        print("concurrency: skipped: no folder of real songs (SPOTIFY_REC_SHARED_DATA)")
        return
    if options.database == "all":
        _one_after_the_other(options)
        return
    with tempfile.TemporaryDirectory() as name:
        server = SERVERS[options.database](Path(name) / options.database) if options.database in SERVERS else None
        try:
            _run(Path(name), options, data, server)
        finally:
            if server is not None:
                server.stop()


def _one_after_the_other(options: argparse.Namespace) -> None:
    """Run each database and print all rows of their tables as one."""
    rows, failed = [], []
    for database in ("sqlite", *SERVERS):
        command = [sys.executable, "-m", "benchmarks.faults.concurrency", "--database", database]
        command += [f"--{name}={getattr(options, name)}" for name in ("clients", "seconds", "workers")]
        command += ["--kill"] if options.kill else []
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, end="", flush=True)
        rows += [line for line in done.stdout.splitlines() if line.startswith("| ")]
        failed += [database] if done.returncode else []
    print("\n" + "\n".join([*rows[:2], *(row for row in rows if row not in rows[:2])]))
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def _run(folder: Path, options: argparse.Namespace, data: Path, server: Server | None) -> None:
    site = Site.create(folder)
    if server is not None:
        site.environment["DATABASE_URL"] = server.url
    steps = (["migrate"], ["collectstatic", "--noinput"], ["import_tracks", str(data / "dataset.csv")], ["retrain"])
    for step in steps:
        site.manage(*step)
    print("\n" + "\n".join(HEADER), flush=True)
    is_fine = _load(site, options, server, with_kills=False)
    if options.kill:
        is_fine = _load(site, options, server, with_kills=True) and is_fine
    if not is_fine:
        raise SystemExit(1)


def _load(site: Site, options: argparse.Namespace, server: Server | None, *, with_kills: bool) -> bool:
    """Let new clients loose for so many seconds; return whether all was as it had to be."""
    name = f"{options.database}{', with kills' if with_kills else ''}"
    visitors = _visitors(site, options.clients, "killed" if with_kills else "client")
    killer = Killer(site, server) if with_kills else None
    with site.serving(workers=options.workers) as web:
        until = time.monotonic() + options.seconds
        threads = [threading.Thread(target=visitor.run, args=(until,)) for visitor in visitors]
        for visitor in visitors:
            visitor.patience = 60.0 if killer else 0.0
        for thread in threads:
            thread.start()
        if killer is not None:
            killer.run(web, options.seconds)
        for thread in threads:
            thread.join()
    from django.db import connection

    # It may be one to a server that was killed.
    connection.close()
    is_fine = _report(visitors, name)
    return (killer is None or killer.report()) and is_fine


class Killer:
    """Ends, with SIGKILL, a web worker, the job runner in the middle of a retrain, and the database server."""

    def __init__(self, site: Site, server: Server | None) -> None:
        self._site, self._server = site, server
        self._runner = self._start_runner()

    def run(self, web: int, seconds: float) -> None:
        """Kill one after the other, spread over ``seconds``; ``web``: the process id of the web server."""
        from jobs.services import enqueue

        time.sleep(seconds / 5)
        worker = int(Path(f"/proc/{web}/task/{web}/children").read_text().split()[0])
        os.kill(worker, signal.SIGKILL)
        self._job = enqueue(kind="retrain", subject="load")
        time.sleep(seconds / 5)
        self._runner.kill()
        self._runner.wait()
        self._runner = self._start_runner()
        time.sleep(seconds / 5)
        if self._server is not None:
            self._server.kill()
            time.sleep(1)
            self._server.start()

    def report(self) -> bool:
        """Wait for the retrain that was interrupted, say how it ended, and return whether that was well."""
        for _attempt in range(300):
            self._job.refresh_from_db()
            if not self._job.is_active:
                break
            if self._runner.poll() is not None:
                # It ended with its database; `serve` and systemd start it again, too.
                self._runner = self._start_runner()
            time.sleep(1)
        self._runner.terminate()
        self._runner.wait(timeout=60)
        print(f"the retrain whose runner was killed: {self._job.state}; {self._job.log.splitlines()[-1:]}", flush=True)
        return bool(self._job.state == self._job.State.DONE)

    def _start_runner(self) -> subprocess.Popen[bytes]:
        environment = {**self._site.environment, "JOB_STALE_SECONDS": "5", "RETRAIN_HOURS": "0"}
        command = [sys.executable, str(ROOT / "manage.py"), "worker"]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)


def _visitors(site: Site, count: int, name: str) -> list[Visitor]:
    os.environ.update(site.environment)
    import django

    django.setup()
    from accounts.models import User
    from benchmarks.people import make_listener
    from catalog.models import Track

    tracks = list(Track.objects.order_by("-popularity", "id").values_list("pk", flat=True)[:200])
    visitors = []
    for number in range(count):
        session = make_listener(f"{name}{number}", likes=[])
        user = User.objects.get(username=f"{name}{number}")
        visitors.append(Visitor(Client(site.port, session), user.pk, number, tracks))
    return visitors


KINDS = ("like", "play", "read")
HEADER = (
    "| database | actions | errors | sent again | likes | plays | listeners whose rows differ | "
    + " | ".join(f"{kind} p50 / p95 ms" for kind in KINDS)
    + " |",
    "| --- |" + " --- |" * (6 + len(KINDS)),
)


def _report(visitors: list[Visitor], name: str) -> bool:
    from feedback.plays.models import Play
    from feedback.ratings.models import Rating

    wrong = [
        visitor.user_id
        for visitor in visitors
        if dict(Rating.objects.filter(user=visitor.user_id).values_list("track_id", "value")) != visitor.ratings
        or Play.objects.filter(user=visitor.user_id).count() != visitor.plays
    ]
    errors = [error for visitor in visitors for error in visitor.errors]
    cells = [
        sum(len(visitor.times) for visitor in visitors),
        len(errors),
        sum(visitor.retries for visitor in visitors),
        sum(len(visitor.ratings) for visitor in visitors),
        sum(visitor.plays for visitor in visitors),
        len(wrong),
        *(_times_of(visitors, kind) for kind in KINDS),
    ]
    print(f"| {name} | {' | '.join(str(cell) for cell in cells)} |", flush=True)
    for error in errors[:5]:
        print(error)
    return not errors and not wrong


def _times_of(visitors: list[Visitor], kind: str) -> str:
    times = [milliseconds for visitor in visitors for of, milliseconds in visitor.times if of == kind]
    return f"{percentile(times, 0.5):.0f} / {percentile(times, 0.95):.0f}" if times else "none"


if __name__ == "__main__":
    main()
