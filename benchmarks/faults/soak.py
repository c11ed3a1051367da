"""Mixed traffic for long, with faults on a schedule: what clients were told is compared with every row in the end.

``make soak`` (``SOAK_MINUTES``, ``SOAK_DATABASE``, ``SOAK_CLIENTS``). It talks to 127.0.0.1 alone.
The faults come one after the other, again and again: a web worker and the job runner are killed, the database server is
killed and started again (on SQLite: another holds its write lock for 20 s), the disk is full for 20 s (as root, on a
small file system in memory). Clocks have ``tests/test_clocks.py``: no gunicorn stays alive under libfaketime.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.servers import SERVERS, Server
from benchmarks.site import CSRF, ROOT, Site, percentile

SONGS = 3_000
HISTORY_PLAYS = 2_000
_OUTAGE_SECONDS = 20.0
_PATIENCE_SECONDS = 120.0


@dataclass
class Listener:
    """One client, and what it was told is there."""

    port: int
    session: str
    user_id: int
    seed: int
    tracks: list[int]
    ratings: dict[int, int] = field(default_factory=dict)
    playlists: dict[str, list[int]] = field(default_factory=dict)
    plays: set[str] = field(default_factory=set)
    # What was never answered to its end may be there or not.
    unsure: set[Any] = field(default_factory=set)
    times: list[tuple[str, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    retries: int = 0

    def run(self, until: float) -> None:
        """Act until the clock says ``until``."""
        rng = random.Random(self.seed)
        acts = {"like": self._rate, "call": self._rate_by_call, "play": self._play, "list": self._make_list}
        while time.monotonic() < until:
            kind = rng.choices(["like", "call", "play", "list", "read"], [4, 2, 4, 1, 6])[0]
            start = time.perf_counter()
            acts.get(kind, self._read)(rng)
            self.times.append((kind, (time.perf_counter() - start) * 1000))
            time.sleep(rng.random() / 4)

    def _rate(self, rng: random.Random) -> None:
        track, value = rng.choice(self.tracks), rng.choice([1, -1, 0])
        sent = self._send("POST", f"/songs/{track}/rate/", form=f"value={value}")
        self._note_rating(track, value, is_told=sent is not None)

    def _rate_by_call(self, rng: random.Random) -> None:
        track, value = rng.choice(self.tracks), rng.choice([1, -1, 0])
        name = {1: "like", -1: "dislike", 0: "clear"}[value]
        sent = self._send("POST", "/api/feedback", body={"song_id": track, "value": name}, key=_key(rng))
        self._note_rating(track, value, is_told=sent is not None)

    def _note_rating(self, track: int, value: int, *, is_told: bool) -> None:
        (self.unsure.discard if is_told else self.unsure.add)(track)
        self.ratings.pop(track, None)
        if value:
            self.ratings[track] = value

    def _play(self, rng: random.Random) -> None:
        track, token = rng.choice(self.tracks), _key(rng)
        for _time in range(2):
            if self._send("POST", f"/songs/{track}/listen/", form=f"token={token}") is None:
                self.unsure.add(token)
        self.plays.add(token)

    def _make_list(self, rng: random.Random) -> None:
        songs, name = rng.sample(self.tracks, 5), f"list {len(self.playlists)}"
        if self._send("POST", "/api/playlists", body={"name": name, "songs": songs}, key=_key(rng)) is None:
            self.unsure.add(name)
        self.playlists[name] = songs

    def _read(self, rng: random.Random) -> None:
        paths = ["/", "/songs/", "/search/?q=song", f"/songs/{rng.choice(self.tracks)}/", "/history/", "/ratings/"]
        self._send("GET", rng.choice([*paths, "/playlists/", "/api/recommendations?k=10", "/statistics/"]))

    def _send(
        self, method: str, path: str, *, form: str = "", body: dict[str, Any] | None = None, key: str = ""
    ) -> bytes | None:
        """Send until it is answered, as browsers and programs do; return None where it never was."""
        end = time.monotonic() + _PATIENCE_SECONDS
        headers = {"Cookie": f"sessionid={self.session}; csrftoken={CSRF}"}
        headers |= {"X-CSRFToken": CSRF, "Idempotency-Key": key} if key else {}
        if form:
            form_type = "application/x-www-form-urlencoded"
            headers |= {"X-CSRFToken": CSRF, "HX-Request": "true", "Content-Type": form_type}
        content = json.dumps(body) if body is not None else form or None
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        while True:
            status, answer = self._once(method, path, content, headers)
            if 200 <= status < 300:
                return answer
            # 409: the first request with this key is at work still.
            if (status and status < 500 and status not in (409, 429)) or time.monotonic() > end:
                self.errors.append(f"{method} {path}: status {status}: {answer[:200]!r}")
                return None
            self.retries += 1
            time.sleep(0.5)

    def _once(self, method: str, path: str, content: str | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            return 0, repr(error).encode()
        finally:
            connection.close()

    def wrong(self) -> list[str]:
        """Return in which ways the rows are not what this client was told."""
        from feedback.playlists.models import Playlist
        from feedback.plays.models import Play
        from feedback.ratings.models import Rating

        rows: list[tuple[str, Any, Any]] = [
            (str(track), value, self.ratings.get(track))
            for track, value in Rating.objects.filter(user=self.user_id).values_list("track_id", "value")
            if track not in self.unsure
        ]
        there = {int(track) for track, _value, _told in rows}
        rows += [(str(track), None, value) for track, value in self.ratings.items() if track not in self.unsure | there]
        plays = [str(token) for token in Play.objects.filter(user=self.user_id).values_list("token", flat=True)]
        rows += [("plays", len(plays), len(set(plays))), ("plays", set(plays) - self.unsure, self.plays - self.unsure)]
        for playlist in Playlist.objects.filter(owner=self.user_id).exclude(name__in=self.unsure):
            songs = list(playlist.items.order_by("position").values_list("track_id", flat=True))
            rows.append((playlist.name, songs, self.playlists.get(playlist.name)))
        names = list(Playlist.objects.filter(owner=self.user_id).values_list("name", flat=True))
        rows.append(("playlists", sorted(set(names) - self.unsure), sorted(set(self.playlists) - self.unsure)))
        rows.append(("playlists", len(names), len(set(names))))
        return [f"listener {self.user_id}: {what}: {rows!r:.200}" for what, *rows in rows if rows[0] != rows[1]]


def _key(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


class Faults:
    """Puts one fault after the other into the site while clients are at work."""

    def __init__(self, site: Site, server: Server | None, *, has_small_disk: bool) -> None:
        self._site, self._server = site, server
        self.runner = self._start_runner()
        self.done: list[str] = []
        self._schedule: list[Callable[[int], str]] = [self._kill_worker, self._kill_runner, self._stop_database]
        self._schedule += [self._fill_disk] if has_small_disk else []

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
        """Wait for the work that was asked for; return whether none of it failed."""
        from jobs.models import Job

        for _second in range(300):
            self._keep_runner()
            with suppress(Exception):
                if not Job.objects.active().filter(run_after=None).exists():
                    break
            time.sleep(1)
        self.runner.terminate()
        self.runner.wait(timeout=60)
        states = list(Job.objects.filter(run_after=None).values_list("kind", "state"))
        print("jobs:", {f"{kind} {state}": states.count((kind, state)) for kind, state in sorted(set(states))})
        for job in Job.objects.filter(state="failed"):
            print(f"  {job}: {job.log.splitlines()[-1]}")
        return all(state == "done" for _kind, state in states)

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
            if children := Path(f"/proc/{web}/task/{web}/children").read_text().split():
                os.kill(int(children[0]), signal.SIGKILL)
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

    def _start_runner(self) -> subprocess.Popen[bytes]:
        environment = {**self._site.environment, "JOB_STALE_SECONDS": "5", "RETRAIN_HOURS": "0"}
        command = [sys.executable, str(ROOT / "manage.py"), "worker"]
        with (self._site.folder.parent / "worker.log").open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


@contextmanager
def _small_disk(folder: Path, megabytes: int) -> Iterator[bool]:
    """Have ``folder`` on a file system of its own in memory, where that is allowed; say whether it is."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)]
    is_small = os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield is_small
    finally:
        if is_small:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def _furnish(site: Site) -> None:
    from benchmarks.crowd import invent_songs

    songs = site.folder / "songs.csv"
    invent_songs(songs, SONGS)
    for step in (["migrate"], ["collectstatic", "--noinput"], ["import_tracks", str(songs)], ["retrain"]):
        site.manage(*step)


def _listeners(site: Site, count: int) -> list[Listener]:
    from accounts.models import User
    from benchmarks.people import make_listener
    from catalog.models import Track

    tracks = list(Track.objects.order_by("-popularity", "id").values_list("pk", flat=True)[:300])
    sessions = [make_listener(f"soak{number}", likes=[]) for number in range(count)]
    users = [User.objects.get(username=f"soak{number}").pk for number in range(count)]
    return [
        Listener(site.port, session, user, number, tracks)
        for number, (session, user) in enumerate(zip(sessions, users, strict=True))
    ]


def _import_history() -> int:
    """Ask for the import of a listener's history, whose plays are to be there once in the end; return the listener."""
    from django.core.files.base import ContentFile

    from accounts.models import User
    from benchmarks.people import make_listener
    from feedback.history_import.services import begin_import

    make_listener("historian", likes=[])
    user = User.objects.get(username="historian")
    rows = [
        {"endTime": time.strftime("%Y-%m-%d %H:%M", time.gmtime(1_600_000_000 + 300 * number)), "msPlayed": 200_000,
         "artistName": "Nobody here", "trackName": f"Old song {number % 500}"}
        for number in range(HISTORY_PLAYS)
    ]  # fmt: skip
    begin_import(user=user, upload=ContentFile(json.dumps(rows), name="StreamingHistory0.json"), wants_own_songs=True)
    return user.pk


def _soak(site: Site, server: Server | None, options: argparse.Namespace, *, has_small_disk: bool) -> bool:
    listeners = _listeners(site, options.clients)
    historian = _import_history()
    faults = Faults(site, server, has_small_disk=has_small_disk)
    with site.serving(workers=options.workers) as web:
        until = time.monotonic() + 60 * options.minutes
        threads = [threading.Thread(target=listener.run, args=(until,)) for listener in listeners]
        for thread in threads:
            thread.start()
        faults.run(web, until)
        for thread in threads:
            thread.join()
    from django.db import connection

    # It may be one to a server that was killed.
    connection.close()
    is_fine = faults.end()
    return _report(options.database, listeners, historian, faults) and is_fine


def _report(name: str, listeners: list[Listener], historian: int, faults: Faults) -> bool:
    from feedback.plays.models import Play

    wrong = [text for listener in listeners for text in listener.wrong()]
    if (plays := Play.objects.filter(user=historian).count()) != HISTORY_PLAYS:
        wrong.append(f"the imported history has {plays} plays, not {HISTORY_PLAYS}")
    errors = [error for listener in listeners for error in listener.errors]
    times = [milliseconds for listener in listeners for _kind, milliseconds in listener.times]
    cells = {
        "database": name,
        "actions": len(times),
        "faults": len(faults.done),
        "errors": len(errors),
        "sent again": sum(listener.retries for listener in listeners),
        "ratings": sum(len(listener.ratings) for listener in listeners),
        "plays": sum(len(listener.plays) for listener in listeners),
        "playlists": sum(len(listener.playlists) for listener in listeners),
        "lost or doubled": len(wrong),
        "p50 ms": round(percentile(times, 0.5)),
        "p95 ms": round(percentile(times, 0.95)),
    }
    print(
        f"\n| {' | '.join(cells)} |\n|{' --- |' * len(cells)}\n| {' | '.join(map(str, cells.values()))} |", flush=True
    )
    for line in [*errors[:10], *wrong[:10]]:
        print(line)
    return not errors and not wrong


def main() -> None:
    """Build a site, soak it, and end with 1 where anything was lost, doubled or answered wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", choices=["sqlite", *SERVERS], default="sqlite")
    # The logs and the write-ahead log of an hour take their room.
    parser.add_argument("--disk-mb", type=int, default=600, help="size of the disk in memory (an hour: 1500)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _small_disk(Path(name) / "disk", options.disk_mb) as has_small_disk:
        Path(name).chmod(0o755)
        site = Site.create(Path(name) / "disk")
        site.environment |= {"MIN_FREE_DISK_MB": "0", "MODELS_KEPT": "2"}
        server = SERVERS[options.database](site.folder / options.database) if options.database in SERVERS else None
        try:
            if server is not None:
                site.environment["DATABASE_URL"] = server.url
            os.environ.update(site.environment)
            import django

            django.setup()
            _furnish(site)
            is_fine = _soak(site, server, options, has_small_disk=has_small_disk)
        finally:
            if server is not None:
                server.stop()
    if not is_fine:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
