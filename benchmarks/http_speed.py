"""Time of the main pages over HTTP: one gunicorn worker, SQLite, 82,689 real songs, a listener with 50 likes."""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.site import Client, Site, percentile, shared_data

REPEATS = 150
LIMIT_MS = 60.0


def main() -> None:
    """Build the site, measure every page and print the table."""
    data = shared_data()
    if data is None:
        print("http_speed: skipped: no folder of real songs (SPOTIFY_REC_SHARED_DATA)")
        return
    with tempfile.TemporaryDirectory() as name:
        site = Site.create(Path(name))
        for command in (["migrate"], ["collectstatic", "--noinput"], ["import_tracks", str(data / "dataset.csv")]):
            site.manage(*command)
        facts = prepare(site)
        site.manage("retrain")
        with site.serving(workers=1):
            _report(_measure(site, facts))


def prepare(site: Site) -> dict[str, Any]:
    """Make a listener with 50 likes of 10 artists, logged in; return what the measuring needs."""
    os.environ.update(site.environment)
    import django

    django.setup()
    from benchmarks.people import make_listener
    from catalog.models import Track

    random.seed(1)
    popular = list(Track.objects.active().order_by("-popularity", "id").values_list("pk", flat=True)[:2000])
    session = make_listener("bench", likes=random.sample(popular, 50))
    some = Track.objects.select_related(None).prefetch_related("credits")[40_000]
    artist = some.credits.all()[0].artist_id
    genre = some.genres.values_list("pk", flat=True)[0]
    return {"session": session, "tracks": popular, "artist": artist, "genre": genre}


def _measure(site: Site, facts: dict[str, Any]) -> dict[str, list[float]]:
    client = Client(site.port, facts["session"])
    tracks, artist, genre = facts["tracks"], facts["artist"], facts["genre"]
    words = ["love", "the", "night rain", "beyonce halo", "zzyzx", "gen hoshino comedy", "a", "acoustic gh"]
    pages: dict[str, Callable[[int], None]] = {
        "browse": lambda _i: _ok(client.get("/songs/")),
        "browse, page 1,000": lambda _i: _ok(client.get("/songs/?page=1000")),
        "browse, one genre": lambda _i: _ok(client.get(f"/songs/?genre={genre}")),
        "search": lambda i: _ok(client.get(f"/search/?q={words[i % len(words)].replace(' ', '+')}")),
        "song": lambda i: _ok(client.get(f"/songs/{tracks[i]}/")),
        "similar songs": lambda i: _ok(client.get(f"/songs/{tracks[i]}/similar/")),
        "artist": lambda _i: _ok(client.get(f"/artists/{artist}/")),
        "genres": lambda _i: _ok(client.get("/genres/")),
        "For you": lambda _i: _ok(client.get("/")),
        "like, then For you": lambda i: _like_then_home(client, tracks[500 + i]),
    }
    return {name: _times(action) for name, action in pages.items()}


def _like_then_home(client: Client, track: int) -> None:
    _ok(client.post(f"/songs/{track}/rate/", value="1"))
    _ok(client.get("/"))


def _times(action: Callable[[int], None]) -> list[float]:
    action(0)  # the first call fills caches of the process, as any first visitor does
    times = []
    for index in range(1, REPEATS + 1):
        start = time.perf_counter()
        action(index)
        times.append((time.perf_counter() - start) * 1000)
    return times


def _ok(answer: tuple[int, bytes]) -> None:
    if answer[0] != 200:
        raise RuntimeError(f"status {answer[0]}: {answer[1][:300]!r}")


def _report(times: dict[str, list[float]]) -> None:
    print(f"\nTime per request over HTTP, {REPEATS} each, milliseconds (one worker, SQLite)")
    print(f"{'page':24}{'p50':>8}{'p95':>8}{'max':>8}")
    for name, values in times.items():
        p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
        note = "" if p95 < LIMIT_MS else f"   over {LIMIT_MS:g}"
        print(f"{name:24}{p50:8.1f}{p95:8.1f}{max(values):8.1f}{note}")
    print(json.dumps({name: round(percentile(values, 0.95), 1) for name, values in times.items()}))


if __name__ == "__main__":
    main()
