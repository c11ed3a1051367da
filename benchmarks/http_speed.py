"""Time of the pages over HTTP: one gunicorn worker, SQLite, 82,689 real songs.

Two listeners: one with 50 likes on the main pages, and one with 1,000 likes and 5,000 plays on every page there is.
"""

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
LIKES = 50
BUSY_LIKES, BUSY_PLAYS = 1000, 5000
LIMIT_MS = 60.0
ALL_PAGES_REPEATS, ALL_PAGES_LIMIT_MS = 60, 80.0


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
            _report(f"a listener with {LIKES} likes", _measure(site, facts), LIMIT_MS)
            title = f"an operator with {BUSY_LIKES:,} likes and {BUSY_PLAYS:,} plays"
            _report(title, _measure_all(site, facts), ALL_PAGES_LIMIT_MS)


def prepare(site: Site) -> dict[str, Any]:
    """Make the two listeners, logged in; return what the measuring needs."""
    os.environ.update(site.environment)
    import django

    django.setup()
    from benchmarks.people import make_busy_listener, make_listener
    from catalog.models import Track

    random.seed(1)
    popular = list(Track.objects.active().order_by("-popularity", "id").values_list("pk", flat=True)[:2000])
    session = make_listener("bench", likes=random.sample(popular, LIKES))
    wide = list(Track.objects.active().order_by("-popularity", "id").values_list("pk", flat=True)[:20_000])
    busy, playlist = make_busy_listener(
        "busy", likes=random.sample(wide, BUSY_LIKES), plays=random.choices(wide, k=BUSY_PLAYS)
    )
    some = Track.objects.select_related(None).prefetch_related("credits")[40_000]
    artist = some.credits.all()[0].artist_id
    genre = some.genres.values_list("pk", flat=True)[0]
    return {
        "session": session,
        "tracks": popular,
        "artist": artist,
        "genre": genre,
        "busy": busy,
        "playlist": playlist,
    }


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
    return {name: _times(action, REPEATS) for name, action in pages.items()}


def _measure_all(site: Site, facts: dict[str, Any]) -> dict[str, list[float]]:
    client = Client(site.port, facts["busy"])
    tracks, artist, genre, playlist = facts["tracks"], facts["artist"], facts["genre"], facts["playlist"]
    one, other = tracks[0], tracks[1000]
    pages = {
        "For you": "/",
        "songs": "/songs/",
        "songs, by mood": "/songs/?tempo_min=90&tempo_max=110&acousticness_min=0.6",
        "songs, by title": "/songs/?sort=title&page=40",
        "search": "/search/?q=night+rain",
        "search while typing": "/search/suggest/?q=nig",
        "song": f"/songs/{one}/",
        "similar songs": f"/songs/{one}/similar/",
        "artist": f"/artists/{artist}/",
        "genres": "/genres/",
        "genre": f"/genres/{genre}/",
        "journey, choosing": f"/journey/?start={one}",
        "journey": f"/journey/?start={one}&goal={other}",
        "taste": "/taste/",
        "likes": "/ratings/",
        "likes, page 30": "/ratings/?page=30",
        "history": "/history/",
        "history, page 150": "/history/?page=150",
        "history, found": "/history/?q=the&outcome=completed",
        "histories brought": "/history/import/",
        "statistics": "/statistics/",
        "statistics, all": "/statistics/?period=all",
        "playlists": "/playlists/",
        "playlist": f"/playlists/{playlist}/",
        "playlist, filled": f"/playlists/{playlist}/fill/",
        "playlists of a song": f"/songs/{one}/playlists/",
        "queue": "/player/queue/",
        "start": "/start/",
        "start, artists": "/start/artists/",
        "start, adventure": "/start/adventure/",
        "profile": "/profile/",
        "all about me": "/profile/data/",
        "how it goes": "/operator/",
        "quality": "/operator/quality/",
        "administration": "/admin/",
    }
    actions = {name: _opening(client, path) for name, path in pages.items()}
    # Whoever has done something is scored anew; who only looks again is not.
    actions["like, then For you"] = lambda index: _like_then_home(client, tracks[1000 + index])
    return {name: _times(action, ALL_PAGES_REPEATS) for name, action in actions.items()}


def _opening(client: Client, path: str) -> Callable[[int], None]:
    return lambda _index: _ok(client.get(path))


def _like_then_home(client: Client, track: int) -> None:
    _ok(client.post(f"/songs/{track}/rate/", value="1"))
    _ok(client.get("/"))


def _times(action: Callable[[int], None], repeats: int) -> list[float]:
    action(0)  # the first call fills caches of the process, as any first visitor does
    times = []
    for index in range(1, repeats + 1):
        start = time.perf_counter()
        action(index)
        times.append((time.perf_counter() - start) * 1000)
    return times


def _ok(answer: tuple[int, bytes]) -> None:
    if answer[0] != 200:
        raise RuntimeError(f"status {answer[0]}: {answer[1][:300]!r}")


def _report(who: str, times: dict[str, list[float]], limit_ms: float) -> None:
    repeats = len(next(iter(times.values())))
    print(f"\nTime per request over HTTP, {who}, {repeats} each, milliseconds (one worker, SQLite)")
    print(f"{'page':24}{'p50':>8}{'p95':>8}{'max':>8}")
    for name, values in times.items():
        p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
        note = "" if p95 < limit_ms else f"   over {limit_ms:g}"
        print(f"{name:24}{p50:8.1f}{p95:8.1f}{max(values):8.1f}{note}")
    print(json.dumps({name: round(percentile(values, 0.95), 1) for name, values in times.items()}))


if __name__ == "__main__":
    main()
