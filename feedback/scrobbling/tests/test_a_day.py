"""A day of listeners whose every listen is told by several players at once, with restarts: each is one play."""

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from catalog.models import Track
from feedback.history_import.matching import Matcher
from feedback.history_import.models import HistoryImport
from feedback.history_import.reading.rows import PlayRow
from feedback.history_import.writing import PlayWriter
from feedback.plays.models import Play
from feedback.plays.services import report_play
from feedback.scrobbling.keys import create_key, set_old_protocols
from feedback.scrobbling.tests.conftest import START, listen
from feedback.tests.factories import UserFactory, make_track

LISTENERS, LISTENS = 20, 4


@dataclass(frozen=True)
class Event:
    """Something a player does at a second of the day."""

    second: int
    act: Callable[[], None]


class Listener:
    """One listener, with a server, a phone, an old player, a program for Last.fm and this site's player."""

    def __init__(self, number: int, songs: list[Track], rng: random.Random) -> None:
        self.user: User = UserFactory(username=f"day{number}", pk=910_000 + number)
        set_old_protocols(user=self.user, is_on=True)
        self.keys = {name: create_key(user=self.user, name=name)[1] for name in ("server", "phone", "mpd", "lastfm")}
        self.rng = rng
        self.heard: list[tuple[Track, int]] = []
        second = START + rng.randrange(3600)
        for _listen in range(LISTENS):
            repeats = bool(self.heard) and rng.random() < 0.3
            song = self.heard[-1][0] if repeats else rng.choice(songs)
            self.heard.append((song, second))
            second += (song.duration_ms or 0) // 1000 + (0 if repeats else rng.randrange(5))

    def events(self) -> Iterator[Event]:
        """Yield what all players do, each listen told by two of them at least."""
        ways = {"server": self._server, "phone": self._phone, "mpd": self._mpd, "lastfm": self._lastfm}
        ways["site"] = self._site
        for song, start in self.heard:
            for name in self.rng.sample(sorted(ways), self.rng.randrange(2, 6)):
                yield from ways[name](song, start, (song.duration_ms or 0) // 1000)

    def _server(self, song: Track, start: int, length: int) -> Iterator[Event]:
        body = listen(song.title, at=start, duration_ms=length * 1000)
        now = {"track_metadata": body["track_metadata"]}
        yield Event(start, lambda: self._submit("server", now, kind="playing_now"))
        # Sent twice: the first answer was lost.
        for late in (0, 1):
            yield Event(start + length // 2 + late, lambda: self._submit("server", body))

    def _phone(self, song: Track, start: int, length: int) -> Iterator[Event]:
        # The stamp is the moment of sending, at half the song; no length is told.
        body = listen(song.title, at=float(start + length // 2))
        yield Event(start + length // 2, lambda: self._submit("phone", body))

    def _mpd(self, song: Track, start: int, length: int) -> Iterator[Event]:
        end = start + length
        names = {"a": song.artist_names, "t": song.title, "l": length, "b": "", "n": 1, "m": ""}
        row = {f"{name}[0]": value for name, value in names.items()} | {"i[0]": end, "o[0]": "P", "r[0]": ""}
        yield Event(start, lambda: self._old("np_1.2", start, names))
        yield Event(end, lambda: self._old("protocol_1.2", end, row))

    def _lastfm(self, song: Track, start: int, length: int) -> Iterator[Event]:
        fields = {"artist[0]": song.artist_names, "track[0]": song.title, "timestamp[0]": start}
        yield Event(start + length - 1, lambda: self._call(fields | {"duration[0]": length}))

    def _site(self, song: Track, start: int, length: int) -> Iterator[Event]:
        token = uuid4()

        def report() -> None:
            report_play(user=self.user, track=song, token=token, ms_played=length * 1000, outcome="completed")

        yield Event(start + length, report)

    def _submit(self, name: str, body: Any, kind: str = "single") -> None:
        headers = {"Authorization": f"Token {self.keys[name]}", "User-Agent": f"{name}/1"}
        sent = {"listen_type": kind, "payload": [body]}
        answer = Client().post("/1/submit-listens", sent, content_type="application/json", headers=headers)
        assert answer.json() == {"status": "ok"}

    def _old(self, path: str, second: int, fields: dict[str, Any]) -> None:
        proof = md5(md5(self.keys["mpd"]) + str(second))
        query = f"hs=true&p=1.2&c=mdc&v=0.24&u={self.user.username}&t={second}&a={proof}"
        session = Client().get(f"/audioscrobbler/?{query}").content.decode().splitlines()[1]
        assert Client().post(f"/audioscrobbler/{path}", {"s": session, **fields}).content == b"OK\n"

    def _call(self, fields: dict[str, Any]) -> None:
        sent = {"method": "auth.getMobileSession", "username": self.user.username, "password": self.keys["lastfm"]}
        session = Client().post("/2.0/", {**sent, "format": "json"}).json()["session"]["key"]
        sent = {"method": "track.scrobble", "sk": session, "format": "json"}
        assert Client().post("/2.0/", {**sent, **fields}).json()["scrobbles"]["@attr"]["accepted"] == 1

    def import_history(self) -> None:
        """Import what another service has noted of the day."""
        rows: list[Any] = [
            PlayRow(start, f"{start}", "", "", song.title, ("Ada Lane",), "", "", None, "completed", True, "lastfm")
            for song, start in self.heard
        ]
        history = HistoryImport.objects.create(user=self.user, name="lastfm.json")
        PlayWriter(history, Matcher(creates=True)).write(rows)


def md5(text: str) -> str:
    """Return what the old protocols prove."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.mark.django_db
def test_each_listen_of_the_day_is_exactly_one_play() -> None:
    rng = random.Random(23)
    songs = [make_track(f"Tune {n}", artist="Ada Lane", duration_ms=rng.randrange(120, 400) * 1000) for n in range(8)]
    listeners = [Listener(number, songs, rng) for number in range(LISTENERS)]
    events = [event for listener in listeners for event in listener.events()]
    events.sort(key=lambda event: event.second)
    restarts = set(rng.sample(range(len(events)), 5))
    for number, event in enumerate(events):
        if number in restarts:
            cache.clear()
        with time_machine.travel(datetime.fromtimestamp(event.second, UTC), tick=False):
            event.act()
    for listener in listeners:
        listener.import_history()
    for listener in listeners:
        stored = list(Play.objects.filter(user=listener.user).order_by("played_at", "pk"))
        assert [play.track_id for play in stored] == [song.pk for song, _start in listener.heard]
        assert {play.outcome for play in stored} == {"completed"}
