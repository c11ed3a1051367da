"""Concurrent clients liking, playing and reading: no error, and no lost or doubled row.

``python -m benchmarks.concurrency --clients 20 --seconds 60``. It stops by itself and talks to 127.0.0.1 only.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.site import Client, Site, percentile, shared_data


@dataclass
class Visitor:
    """One client and what the database must hold of it in the end."""

    client: Client
    user_id: int
    seed: int
    tracks: list[int]
    ratings: dict[int, int] = field(default_factory=dict)
    plays: int = 0
    times: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def run(self, until: float) -> None:
        """Act until the clock says ``until``."""
        rng = random.Random(self.seed)
        while time.monotonic() < until:
            action = rng.choice([self._rate, self._rate, self._play, self._read])
            start = time.perf_counter()
            action(rng)
            self.times.append((time.perf_counter() - start) * 1000)

    def _rate(self, rng: random.Random) -> None:
        track, value = rng.choice(self.tracks), rng.choice([1, -1, 0])
        if self._expect(self.client.post(f"/songs/{track}/rate/", value=str(value)), "rate"):
            if value:
                self.ratings[track] = value
            else:
                self.ratings.pop(track, None)

    def _play(self, rng: random.Random) -> None:
        track, token = rng.choice(self.tracks), str(uuid.UUID(int=rng.getrandbits(128), version=4))
        twice = [self.client.post(f"/songs/{track}/listen/", token=token) for _ in range(2)]
        accepted = [self._expect(answer, "listen") for answer in twice]
        if all(accepted):
            self.plays += 1

    def _read(self, rng: random.Random) -> None:
        paths = ["/", "/songs/", "/search/?q=love", f"/songs/{rng.choice(self.tracks)}/", "/history/", "/ratings/"]
        path = rng.choice(paths)
        self._expect(self.client.get(path), path)

    def _expect(self, answer: tuple[int, bytes], what: str) -> bool:
        if answer[0] != 200:
            self.errors.append(f"{what}: status {answer[0]}: {answer[1][:200]!r}")
        return answer[0] == 200


def main() -> None:
    """Build the site, let the clients loose, compare the database with what they did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--workers", type=int, default=4)
    options = parser.parse_args([] if __name__ != "__main__" else None)
    data = shared_data()
    if data is None:
        print("concurrency: skipped: no folder of real songs (SPOTIFY_REC_SHARED_DATA)")
        return
    with tempfile.TemporaryDirectory() as name:
        site = Site.create(Path(name))
        steps = (["migrate"], ["collectstatic", "--noinput"], ["import_tracks", str(data / "dataset.csv")], ["retrain"])
        for step in steps:
            site.manage(*step)
        visitors = _visitors(site, options.clients)
        with site.serving(workers=options.workers):
            until = time.monotonic() + options.seconds
            threads = [threading.Thread(target=visitor.run, args=(until,)) for visitor in visitors]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        _report(visitors)


def _visitors(site: Site, count: int) -> list[Visitor]:
    os.environ.update(site.environment)
    import django

    django.setup()
    from accounts.models import User
    from benchmarks.people import make_listener
    from catalog.models import Track

    tracks = list(Track.objects.order_by("-popularity", "id").values_list("pk", flat=True)[:200])
    visitors = []
    for number in range(count):
        session = make_listener(f"client{number}", likes=[])
        user = User.objects.get(username=f"client{number}")
        visitors.append(Visitor(Client(site.port, session), user.pk, number, tracks))
    return visitors


def _report(visitors: list[Visitor]) -> None:
    from feedback.models import Play, Rating

    wrong = [
        visitor.user_id
        for visitor in visitors
        if dict(Rating.objects.filter(user=visitor.user_id).values_list("track_id", "value")) != visitor.ratings
        or Play.objects.filter(user=visitor.user_id).count() != visitor.plays
    ]
    errors = [error for visitor in visitors for error in visitor.errors]
    times = [value for visitor in visitors for value in visitor.times]
    ratings, plays = sum(len(visitor.ratings) for visitor in visitors), sum(visitor.plays for visitor in visitors)
    print(f"\n{len(visitors)} clients: {len(times)} actions, {len(errors)} errors, {ratings} ratings, {plays} plays")
    print(f"rows that differ from what was done: {len(wrong)} listeners {wrong or ''}")
    print(f"milliseconds per action: p50 {percentile(times, 0.5):.0f}, p95 {percentile(times, 0.95):.0f}")
    for error in errors[:5]:
        print(error)
    if errors or wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
