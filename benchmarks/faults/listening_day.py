"""A day of listeners whose every listen is told by several players at once, with restarts: each is exactly one play.

``python -m benchmarks.faults.listening_day --database postgres``. Navidrome and a phone tell it by ListenBrainz, mpd by
AudioScrobbler 1.2, another by Last.fm 2.0, a Subsonic player through the site's proxy, and the music server by when a
song was last played; parts of the day come again as imports. Two web workers of gunicorn serve; in the middle workers
are killed, gunicorn is killed, and it is restarted in order. Each request names the second at which it is made, so that
a day takes some minutes. It talks to 127.0.0.1 alone.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

from benchmarks.faults.day_players import WAYS, Heard, Library, Listener, day_of
from benchmarks.servers import SERVERS, Server
from benchmarks.site import Site, kill_worker, print_row

SONGS = 120
# A play may be known by another time than its start: the one of the end, and a minute.
_BEFORE, _AFTER = 20, 60


@dataclass
class Found:
    """What became of listens: plays, listens without one, plays without a listen, and listens taken for skips."""

    plays: int = 0
    lost: int = 0
    doubled: int = 0
    skipped: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(*(getattr(self, name) + getattr(other, name) for name in self.__dict__))


def furnish(library: Library, *, port: int, listeners: int, listens: int) -> list[Listener]:
    """Connect the server, read its songs, and return listeners with tokens and accounts there."""
    from accounts.models import User
    from catalog.sources.servers.services import connect_server, read_server, set_proxied
    from feedback.music_servers.services import link_account
    from feedback.scrobbling.keys import create_key, set_old_protocols

    connected = connect_server(address=library.address, username=Library.user, secret=Library.password)
    set_proxied(server=connected, is_proxied=True)
    read_server(connected)
    people = []
    for number in range(listeners):
        name, rng = f"day{number}", random.Random(number)
        user = User.objects.create_user(name, f"{name}@example.org")
        set_old_protocols(user=user, is_on=True)
        keys = {
            player: create_key(user=user, name=player)[1] for player in ("server", "phone", "mpd", "lastfm", "copy")
        }
        library.passwords[name] = f"{name}'s own"
        link_account(
            user=user, server=connected, username=name, secret=library.passwords[name], is_secret_kept=True,
            are_marks_read=True,
        )  # fmt: skip
        heard = day_of(rng, songs=library.count, listens=listens, ended=int(time.time()) - 3600)
        people.append(Listener(name, port, library, keys, rng, heard))
    return people


def read_last_plays() -> None:
    """Read what the server says of the accounts, as the job does."""
    from feedback.music_servers.marks import read_marks
    from feedback.music_servers.models import ServerAccount

    for account in ServerAccount.objects.select_related("server", "user").order_by("pk"):
        read_marks(account)


def found(listener: Listener, *, explain: bool = False) -> Found:
    """Compare a listener's plays with what was heard; ``explain`` prints what every player told of what is wrong."""
    from feedback.plays.models import Play

    left = list(Play.objects.filter(user__username=listener.name).order_by("played_at", "pk").select_related("track"))
    result, wrong = Found(plays=len(left)), set()
    for heard in listener.heard:
        play = next((play for play in left if _is_of(play.track.title, play.played_at.timestamp(), heard)), None)
        if play is None:
            result.lost += 1
            wrong.add(heard.row["title"])
        else:
            left.remove(play)
            result.skipped += play.outcome != "completed"
    result.doubled = len(left)
    wrong |= {play.track.title for play in left}
    for title in sorted(wrong) if explain else ():
        _explain(listener, title)
    return result


def _is_of(title: str, second: float, heard: Heard) -> bool:
    within = heard.start - _BEFORE <= second <= heard.start + heard.length + _AFTER
    return title == heard.row["title"] and within


def _explain(listener: Listener, title: str) -> None:
    from feedback.scrobbling.models import Scrobble

    of_song = [heard for heard in listener.heard if heard.row["title"] == title]
    first = of_song[0].start
    print(f"{listener.name}, {title}: heard at {[heard.start - first for heard in of_song]} for {of_song[0].length} s")
    scrobbles = Scrobble.objects.filter(user__username=listener.name, song__title=title).select_related("play")
    for row in scrobbles.order_by("pk"):
        times = [int(at.timestamp()) - first for at in (row.listened_at, row.started_at)]
        name = row.key.name if row.key else ""
        exact = "exact" if row.is_exact else "about"
        print(f"  {name} {row.client}: at {times[0]}, began {times[1]} ({exact}), play {row.play_id}")


class Day:
    """The listeners at work, and the restarts meanwhile."""

    def __init__(self, site: Site, listeners: list[Listener]) -> None:
        self._site, self.listeners = site, listeners
        self.faults: list[str] = []
        self._threads = [threading.Thread(target=listener.run, daemon=True) for listener in listeners]

    @property
    def _share(self) -> float:
        return sum(listener.done for listener in self.listeners) / sum(
            len(listener.heard) for listener in self.listeners
        )

    def run(self, restarts: int) -> None:
        """Serve and restart until all is told; each stretch of serving loses a worker in its middle."""
        for number in range(restarts + 1):
            end = (number + 1) / (restarts + 1)
            try:
                with self._site.serving(workers=2) as web:
                    self._start()
                    self._wait(end - 0.5 / (restarts + 1))
                    self.faults += ["web worker killed"] if kill_worker(web) else []
                    self._wait(end)
                    read_last_plays()
                    if number == restarts:
                        self._finish()
                    elif number % 2:
                        os.kill(web, signal.SIGKILL)
            finally:
                self.faults += [] if number == restarts else [f"gunicorn {'killed' if number % 2 else 'restarted'}"]

    def _start(self) -> None:
        for thread in self._threads:
            if not thread.ident:
                thread.start()

    def _wait(self, share: float) -> None:
        while self._share < share and any(thread.is_alive() for thread in self._threads):
            time.sleep(0.1)

    def _finish(self) -> None:
        for thread in self._threads:
            thread.join()
        # All that the phone and the server have told comes once more, and another program copies the whole day.
        threads = [threading.Thread(target=import_again, args=(listener,)) for listener in self.listeners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        read_last_plays()


def import_again(listener: Listener) -> None:
    """Send a day once more: all of it by a program that copies, part of it by the server."""
    listener.import_day(key="copy", share=1.0)
    listener.import_day(key="server", share=0.5)


def report(database: str, day: Day) -> bool:
    """Print the table; return whether nothing was lost, doubled, taken for a skip or refused."""
    total = sum((found(listener, explain=True) for listener in day.listeners), Found())
    reports = sum((listener.reports for listener in day.listeners), Counter[str]())
    errors = [error for listener in day.listeners for error in listener.errors]
    faults = Counter(day.faults)
    cells = {
        "database": database, "listeners": len(day.listeners),
        "listens": sum(len(listener.heard) for listener in day.listeners),
        "sent": sum(reports.values()), "requests": sum(listener.requests for listener in day.listeners),
        "sent again": sum(listener.retries for listener in day.listeners), "plays": total.plays, "lost": total.lost,
        "doubled": total.doubled, "as skips": total.skipped, "errors": len(errors),
    }  # fmt: skip
    print_row(cells)
    print(f"sent by: {', '.join(f'{way} {reports[way]:,}' for way in (*WAYS, 'import'))}")
    print(f"faults: {', '.join(f'{name} {number}' for name, number in sorted(faults.items()))}", flush=True)
    for error in errors[:10]:
        print(error)
    return not (total.lost or total.doubled or total.skipped or errors)


def main() -> None:
    """Build a site, let the day pass, and end with 1 where a listen is not exactly one play."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=20)
    parser.add_argument("--listens", type=int, default=60)
    parser.add_argument("--restarts", type=int, default=4)
    parser.add_argument("--database", choices=["sqlite", *SERVERS], default="sqlite")
    options = parser.parse_args()
    from catalog.sources.subsonic.tests.stand_in import running

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        site = Site.create(folder)
        if options.database in SERVERS:
            server: Server = SERVERS[options.database](folder / options.database)
            stack.callback(server.stop)
            site.environment["DATABASE_URL"] = server.url
        site.environment["SPOTIFY_TOKEN_KEYS"] = Fernet.generate_key().decode()
        site.environment["DJANGO_SETTINGS_MODULE"] = "benchmarks.faults.clocked_settings"
        os.environ.update(site.environment)
        import django

        django.setup()
        site.manage("migrate")
        site.manage("collectstatic", "--noinput")
        library = Library(SONGS)
        stack.enter_context(running(library))
        people = furnish(library, port=site.port, listeners=options.listeners, listens=options.listens)
        day, started = Day(site, people), time.monotonic()
        day.run(options.restarts)
        print(f"{time.monotonic() - started:.0f} s")
        is_fine = report(options.database, day)
    if not is_fine:
        sys.exit(1)


if __name__ == "__main__":
    main()
