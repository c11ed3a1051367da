"""A retrain killed at random moments while the site is read: it always serves the old or the new model.

``python -m benchmarks.faults.killed_retrain --kills 20``. It stops by itself and talks to 127.0.0.1 only.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.site import ROOT, Client, Site


@dataclass
class Reader:
    """Asks for the feed again and again, and keeps what was wrong with it."""

    client: Client
    pages: int = 0
    wrong: list[str] = field(default_factory=list)
    is_done: bool = False

    def run(self) -> None:
        """Read until ``is_done``."""
        while not self.is_done:
            status, body = self.client.get("/")
            self.pages += 1
            text = body.decode()
            if status != 200 or "track-reason" not in text or "has not been trained" in text:
                self.wrong.append(f"status {status}: {text[:200]}")


def main() -> None:
    """Build a site on the demo songs, kill retrains, and say what the readers saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args([] if __name__ != "__main__" else None)
    with tempfile.TemporaryDirectory() as name:
        site = Site.create(Path(name))
        site.manage("migrate")
        site.manage("collectstatic", "--noinput")
        site.manage("import_tracks", str(ROOT / "data" / "demo_catalogue.csv"))
        session = _listener(site)
        start = time.perf_counter()
        site.manage("retrain")
        whole = time.perf_counter() - start
        with site.serving(workers=2):
            reader = Reader(Client(site.port, session))
            thread = threading.Thread(target=reader.run)
            thread.start()
            killed, versions = _kill_retrains(site, options.kills, whole)
            reader.is_done = True
            thread.join()
        site.manage("retrain")
        _report(site, reader, killed, versions)


def _listener(site: Site) -> str:
    os.environ.update(site.environment)
    import django

    django.setup()
    from benchmarks.people import make_listener
    from catalog.models import Track

    liked = list(Track.objects.order_by("-popularity", "id").values_list("pk", flat=True)[:10])
    for number in range(40):
        make_listener(f"other{number}", likes=liked[number % 5 :: 2])
    return make_listener("reader", likes=liked[:3])


def _kill_retrains(site: Site, kills: int, whole: float) -> tuple[int, int]:
    """Return how many were really killed, and how many versions came about all the same."""
    rng, killed, finished = random.Random(7), 0, 0
    for _ in range(kills):
        command = [sys.executable, str(ROOT / "manage.py"), "retrain"]
        process = subprocess.Popen(command, env=site.environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            process.wait(timeout=rng.uniform(0.2, 1.1) * whole)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
        else:
            finished += 1
    return killed, finished


def _report(site: Site, reader: Reader, killed: int, finished: int) -> None:
    from recommender.lifecycle.versions import EVAL_SUFFIX
    from recommender.models import ModelVersion

    folder = Path(site.environment["MODEL_DIR"])
    known = set(ModelVersion.objects.values_list("directory", flat=True))
    orphans = [
        path.name for path in folder.iterdir() if path.is_dir() and path.name.removesuffix(EVAL_SUFFIX) not in known
    ]
    print(f"\n{killed} retrains killed, {finished} ended before the kill; {reader.pages} pages read meanwhile")
    print(f"pages without a model's songs: {len(reader.wrong)}; folders left behind: {len(orphans)}")
    for wrong in reader.wrong[:3]:
        print(wrong)
    if reader.wrong or orphans:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
