"""Time of the pages over HTTP: one gunicorn worker, SQLite, 82,689 real songs, alone and among 600 other listeners.

Two listeners: one with 50 likes on the main pages, and one with 1,000 likes and 5,000 plays on every page there is.
Among others, from whom the collaborative terms, the ranking and what answers say are learned, it is "For you" alone.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from multiprocessing import Process
from pathlib import Path
from typing import Any

from benchmarks.site import Client, Site, percentile, shared_data

REPEATS = 150
LIKES = 50
BUSY_LIKES, BUSY_PLAYS = 1000, 5000
LIMIT_MS = 60.0
ALL_PAGES_REPEATS, ALL_PAGES_LIMIT_MS = 60, 80.0
OTHER_LISTENERS = (0, 600)
INVENTED_SONGS = 82_690
"""So many are invented where there are no real ones."""
FEW, MANY = f"a listener with {LIKES} likes", f"an operator with {BUSY_LIKES:,} likes and {BUSY_PLAYS:,} plays"


def main() -> None:
    """Build the sites, measure their pages and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, help="only among so many others (default: none, then 600)")
    number = parser.parse_args().listeners
    for others in OTHER_LISTENERS if number is None else (number,):
        # One site to a process: Django is set up once for each.
        process = Process(target=measure_site, args=(others,))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(process.exitcode)


def measure_site(others: int) -> None:
    """Build a site with so many other listeners, measure its pages and print the tables."""
    with tempfile.TemporaryDirectory() as name:
        site = Site.create(Path(name))
        for command in (["migrate"], ["collectstatic", "--noinput"]):
            site.manage(*command)
        site.manage("import_tracks", str(_songs(site)))
        facts = prepare(site, others)
        site.manage("retrain")
        with site.serving(workers=1):
            if others:
                for who, session in ((FEW, facts["session"]), (MANY, facts["busy"])):
                    times = _measure_home(site, session, facts["tracks"])
                    _report(f"{who}, among {others:,} others", times, LIMIT_MS)
                return
            _report(FEW, _measure(site, facts), LIMIT_MS)
            _report(MANY, _measure_all(site, facts), ALL_PAGES_LIMIT_MS)


def _songs(site: Site) -> Path:
    """Return a file of real songs, of invented ones where there are none."""
    data = shared_data()
    if data is not None:
        return data / "dataset.csv"
    os.environ.update(site.environment)
    import django

    django.setup()
    from benchmarks.crowd import invent_songs

    invent_songs(site.folder / "songs.csv", INVENTED_SONGS)
    return site.folder / "songs.csv"


def prepare(site: Site, others: int = 0) -> dict[str, Any]:
    """Make the two listeners, logged in, and so many others; return what the measuring needs."""
    os.environ.update(site.environment)
    import django

    django.setup()
    from benchmarks.crowd import invent_crowd
    from benchmarks.people import make_busy_listener, make_listener
    from catalog.models import Track

    invent_crowd(others)
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
    song, other = tracks[0], tracks[1000]
    pages = {
        "For you": "/",
        "songs": "/songs/",
        "songs, by mood": "/songs/?tempo_min=90&tempo_max=110&acousticness_min=0.6",
        "songs, by title": "/songs/?sort=title&page=40",
        "search": "/search/?q=night+rain",
        "search while typing": "/search/suggest/?q=nig",
        "song": f"/songs/{song}/",
        "similar songs": f"/songs/{song}/similar/",
        "artist": f"/artists/{artist}/",
        "genres": "/genres/",
        "genre": f"/genres/{genre}/",
        "journey, choosing": f"/journey/?start={song}",
        "journey": f"/journey/?start={song}&goal={other}",
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
        "playlists of a song": f"/songs/{song}/playlists/",
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


def _measure_home(site: Site, session: str, tracks: list[int]) -> dict[str, list[float]]:
    """Time "For you" looked at again, and after each of many likes; of the two requests, the page also alone."""
    client = Client(site.port, session)
    again = _times(_opening(client, "/"), REPEATS)
    both, page = [], []
    for index in range(REPEATS + 1):
        start = time.perf_counter()
        _like(client, tracks[1000 + index])
        liked = time.perf_counter()
        _ok(client.get("/"))
        end = time.perf_counter()
        both.append((end - start) * 1000)
        page.append((end - liked) * 1000)
    # The first is not counted, as in `_times`.
    return {"For you": again, "For you, after a like": page[1:], "like, then For you": both[1:]}


def _opening(client: Client, path: str) -> Callable[[int], None]:
    return lambda _index: _ok(client.get(path))


def _like_then_home(client: Client, track: int) -> None:
    _like(client, track)
    _ok(client.get("/"))


def _like(client: Client, track: int) -> None:
    _ok(client.post(f"/songs/{track}/rate/", value="1"))


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
