"""Mixed traffic for long, with faults on a schedule: what clients were told is compared with every row in the end.

``make soak`` (``SOAK_MINUTES``, ``SOAK_DATABASE``, ``SOAK_CLIENTS``, ``SOAK_PAUSE``). It talks to 127.0.0.1 alone.
The faults come one after the other, again and again: a web worker and the job runner are killed, the database server is
killed and started again (on SQLite: another holds its write lock for 20 s), the disk is full for 20 s (as root, on a
small file system in memory), the clock of the site is moved, Spotify's sandbox fails.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from accounts.spotify.sandbox.seed import site_environment
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import Listener as SpotifyListener
from accounts.spotify.sandbox.state import Song, World
from benchmarks.faults.soak_clients import Listener
from benchmarks.faults.soak_faults import Faults
from benchmarks.servers import SERVERS, Server
from benchmarks.site import CLOCK_FILE, Site, percentile, print_row

if TYPE_CHECKING:
    from catalog.models import Track

SONGS = 3_000
HISTORY_PLAYS = 2_000
CONNECTED_EVERY = 5
"""Of so many clients, one has connected Spotify."""


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


def _listeners(site: Site, spotify: SandboxServer, count: int, pause: float) -> list[Listener]:
    from accounts.models import User
    from accounts.spotify.tests.worlds import connected
    from benchmarks.people import make_listener
    from catalog.models import Track

    songs = list(Track.objects.order_by("-popularity", "id")[:300])
    world = spotify.world
    world.songs = {song.id: song for song in map(_song_at_spotify, songs)}
    listeners = []
    for number in range(count):
        session = make_listener(f"soak{number}", likes=[])
        user = User.objects.get(username=f"soak{number}")
        made = Listener(site.port, session, user.pk, number, [song.pk for song in songs], pause)
        if number % CONNECTED_EVERY == 0:
            made.spotify_name = user.username
            world.listeners[user.username] = SpotifyListener(user.username, user.username)
            connected(user, spotify, user.username)
        listeners.append(made)
    return listeners


def _song_at_spotify(track: Track) -> Song:
    names = tuple(artist.name for artist in track.artists.all())
    return Song(track.spotify_id or "", track.title, names, "", duration_ms=track.duration_ms or 200_000)


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


def _soak(
    site: Site, server: Server | None, spotify: SandboxServer, options: argparse.Namespace, *, has_small_disk: bool
) -> bool:
    from django.db import connection

    listeners = _listeners(site, spotify, options.clients, options.pause)
    historian = _import_history()
    faults = Faults(site, server, spotify, has_small_disk=has_small_disk)
    try:
        with site.serving(workers=options.workers) as web:
            _let_act(listeners, faults, web, time.monotonic() + 60 * options.minutes)
        # It may be one to a server that was killed.
        connection.close()
        is_fine = faults.end()
    finally:
        faults.stop()
    return _report(options.database, listeners, historian, faults, spotify.world) and is_fine


def _let_act(listeners: list[Listener], faults: Faults, web: int, until: float) -> None:
    threads = [threading.Thread(target=listener.run, args=(until,), daemon=True) for listener in listeners]
    for thread in threads:
        thread.start()
    faults.run(web, until)
    for thread in threads:
        thread.join()


def _report(name: str, listeners: list[Listener], historian: int, faults: Faults, world: World) -> bool:
    from feedback.plays.models import Play

    wrong = [text for listener in listeners for text in listener.wrong()]
    playlists = {there.name: len(world.playlists_of(there)) for there in world.listeners.values()}
    wrong += [f"{name} has {made} playlists of likes at Spotify" for name, made in playlists.items() if made > 1]
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
        "at Spotify": len(world.playlists),
        "lost or doubled": len(wrong),
        "p50 ms": round(percentile(times, 0.5)),
        "p95 ms": round(percentile(times, 0.95)),
    }
    print_row(cells)
    for line in [*errors[:10], *wrong[:10]]:
        print(line)
    return not errors and not wrong


def main() -> None:
    """Build a site, soak it, and end with 1 where anything was lost, doubled or answered wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--pause", type=float, default=0.125, help="mean seconds between two actions of a client")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", choices=["sqlite", *SERVERS], default="sqlite")
    # The logs and the write-ahead log of an hour take their room.
    parser.add_argument("--disk-mb", type=int, default=600, help="size of the disk in memory (an hour: 1500)")
    options = parser.parse_args()
    # As an exception, so that servers are stopped and the disk is taken away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory())
        has_small_disk = stack.enter_context(_small_disk(Path(name) / "disk", options.disk_mb))
        Path(name).chmod(0o755)
        site = Site.create(Path(name) / "disk", application="benchmarks.faults.moved_clock:application")
        spotify = stack.enter_context(SandboxServer(World([], [])))
        site.environment |= {"MIN_FREE_DISK_MB": "0", "MODELS_KEPT": "2", CLOCK_FILE: f"{name}/clock"}
        site.environment |= {**site_environment(spotify.url), "SPOTIFY_TOKEN_KEYS": Fernet.generate_key().decode()}
        server = SERVERS[options.database](site.folder / options.database) if options.database in SERVERS else None
        try:
            if server is not None:
                site.environment["DATABASE_URL"] = server.url
            os.environ.update(site.environment)
            import django

            django.setup()
            _furnish(site)
            is_fine = _soak(site, server, spotify, options, has_small_disk=has_small_disk)
        finally:
            if server is not None:
                server.stop()
    if not is_fine:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
