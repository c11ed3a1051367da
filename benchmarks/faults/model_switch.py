"""The change to another model version while pages are read: how slow the slowest page gets, and whether one is wrong.

``python -m benchmarks.faults.model_switch --switches 6``. One gunicorn worker, SQLite, 82,689 real songs; on 127.0.0.1
only.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.site import ROOT, Client, Site, percentile, shared_data
from benchmarks.speed.http_speed import prepare

SECONDS_BETWEEN = 4.0


def main() -> None:
    """Build the site with two versions, activate them in turn under reading, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--switches", type=int, default=6)
    switches: int = parser.parse_args().switches
    data = shared_data()
    if data is None:
        print("model_switch: skipped: no folder of real songs (SPOTIFY_REC_SHARED_DATA)")
        return
    with tempfile.TemporaryDirectory() as name:
        site = Site.create(Path(name))
        for command in (["migrate"], ["collectstatic", "--noinput"], ["import_tracks", str(data / "dataset.csv")]):
            site.manage(*command)
        facts = prepare(site)
        for _version in range(2):
            site.manage("retrain", "--force")
        with site.serving(workers=1):
            _report(site, Reader(Client(site.port, facts["session"])), switches)


class Reader:
    """Reads the feed again and again: (when, seconds it took) of every page, and what was wrong."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.pages: list[tuple[float, float]] = []
        self.wrong: list[str] = []
        self.is_done = False

    def run(self) -> None:
        while not self.is_done:
            start = time.monotonic()
            status, body = self.client.get("/")
            self.pages.append((start, time.monotonic() - start))
            if status != 200 or b"track-reason" not in body:
                self.wrong.append(f"status {status}: {body[:200].decode(errors='replace')}")


def _report(site: Site, reader: Reader, switches: int) -> None:
    for _page in range(10):  # the worker's first pages are no matter of the change
        reader.client.get("/")
    thread = threading.Thread(target=reader.run)
    thread.start()
    delays, changes = [], []
    for number in range(switches):
        time.sleep(SECONDS_BETWEEN)
        delays.append(_switch(site, version=1 + number % 2))
        changes.append(time.monotonic())
    time.sleep(SECONDS_BETWEEN)
    reader.is_done = True
    thread.join()
    times = [seconds * 1000 for _start, seconds in reader.pages]
    median, worst = percentile(times, 0.5), max(times)
    print(f"{switches} changes of the model under {len(times)} pages, {len(reader.wrong)} wrong")
    print(
        f"median {median:.1f} ms, p95 {percentile(times, 0.95):.1f} ms, slowest {worst:.1f} ms = {worst / median:.1f} x"
    )
    # What is as slow far from any change is the machine's doing.
    near = [seconds for start, seconds in reader.pages if any(abs(start - change) < 1.5 for change in changes)]
    far = [seconds for start, seconds in reader.pages if all(abs(start - change) >= 1.5 for change in changes)]
    print(f"slowest within 1.5 s of a change {max(near) * 1000:.1f} ms, elsewhere {max(far) * 1000:.1f} ms")
    print(f"first page of the new version after {', '.join(f'{delay:.1f}' for delay in delays)} s")
    print(json.dumps({"median_ms": median, "slowest_ms": worst, "ratio": worst / median, "wrong": len(reader.wrong)}))
    for text in reader.wrong[:5]:
        print(text)


def _switch(site: Site, version: int) -> float:
    """Activate ``version``; return the seconds until a page was made by it."""
    command = [sys.executable, str(ROOT / "manage.py"), "models", "activate", str(version)]
    subprocess.run(command, env=site.environment, cwd=ROOT, check=True, capture_output=True)
    start = time.monotonic()
    database = sqlite3.connect(site.folder / "bench.sqlite3")
    try:
        query = "SELECT model_version_id FROM recommender_recommendation ORDER BY id DESC LIMIT 1"
        while database.execute(query).fetchone()[0] != version:
            if time.monotonic() - start > 30:
                raise RuntimeError(f"version {version} was not served within 30 s")
            time.sleep(0.02)
    finally:
        database.close()
    return time.monotonic() - start


if __name__ == "__main__":
    main()
