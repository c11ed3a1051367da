"""A listener's day, and the players that tell it: each in its own protocol, with its own stamps, until answered."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from benchmarks.faults.request_clock import HEADER
from benchmarks.site import ask_once
from catalog.sources.subsonic.tests.stand_in import StandIn, song_row

WAYS = ("server", "phone", "mpd", "lastfm", "proxy", "library")
_PATIENCE_SECONDS = 180.0
_OLD_BATCH = 50


class Library(StandIn):
    """A music server that counts plays, as Navidrome does: how often, and when last."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.is_checked = False
        self._lock = threading.Lock()

    def answer(self, method: str, values: dict[str, str]) -> dict[str, Any]:
        if method != "scrobble" or self._refusal(values):
            return super().answer(method, values)
        if values.get("submission") != "false":
            self.note(values["u"], values["id"], int(values["time"]) // 1000)
        return {}

    def note(self, username: str, song_id: str, second: int) -> None:
        """Note a play that its own player tells."""
        with self._lock:
            plays = self.accounts.plays.setdefault(username, {})
            count, last = plays.get(song_id, (0, ""))
            plays[song_id] = (count + 1, max(last, datetime.fromtimestamp(second, UTC).isoformat()))


@dataclass(frozen=True)
class Heard:
    """One listen: the song's number, its first second, and its length in seconds."""

    song: int
    start: int
    length: int

    @property
    def row(self) -> dict[str, Any]:
        """Return the song as the server describes it."""
        return song_row(self.song)


@dataclass
class Listener:
    """One listener and the players; ``keys`` are the tokens of the players, by name."""

    name: str
    port: int
    library: Library
    keys: dict[str, str]
    rng: random.Random
    heard: list[Heard]
    reports: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    retries: int = 0
    errors: list[str] = field(default_factory=list)
    done: int = 0
    _journal: list[Heard] = field(default_factory=list)
    _sessions: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Listen: all players of a song tell it at once."""
        with ThreadPoolExecutor(len(WAYS)) as pool:
            for heard in self.heard:
                ways = self.rng.sample(WAYS, self.rng.randrange(2, len(WAYS) + 1))
                acts = [self._act(way, heard) for way in ways]
                list(pool.map(lambda act: act(), acts))
                self.reports.update(ways)
                self.done += 1
        self._send_journal(self.heard[-1])

    def _act(self, way: str, heard: Heard) -> Callable[[], None]:
        """Return what one player does of a listen; the chances are drawn before the players run at once."""
        chance = self.rng.random()
        return lambda: getattr(self, f"_{way}")(heard, chance)

    def _server(self, heard: Heard, chance: float) -> None:
        """Navidrome: what plays, then the listen with its start; now and then twice, for an answer was lost."""
        row = heard.row
        more = {
            "duration_ms": heard.length * 1000,
            "submission_client": "navidrome",
            "recording_mbid": row["musicBrainzId"],
        }
        more["artist_names"] = [artist["name"] for artist in row["artists"]]
        meta = {"track_name": row["title"], "artist_name": row["artist"], "additional_info": more}
        self._submit("server", heard.start, [{"track_metadata": meta}], kind="playing_now")
        for late in range(1 + (chance < 0.3)):
            at = heard.start + heard.length // 2 + late
            self._submit("server", at, [{"listened_at": heard.start, "track_metadata": meta}])

    def _phone(self, heard: Heard, chance: float) -> None:
        """A phone: the time of sending, as a float; the length in seconds, if at all."""
        at = heard.start + heard.length // 2
        more = {"additional_info": {"duration_ms": heard.length}} if chance < 0.5 else {}
        self._submit("phone", at, [self._entry(heard, float(at), more)])

    def _mpd(self, heard: Heard, chance: float) -> None:
        """mpdscribble: the time of the end. Some listens wait in its journal and come later, many at once."""
        self._old("now", heard.start, self._old_row(heard))
        self._journal.append(heard)
        if chance < 0.6:
            self._send_journal(heard)

    def _lastfm(self, heard: Heard, chance: float) -> None:
        row = heard.row
        names = {"artist": row["artist"], "track": row["title"], "duration": heard.length}
        if chance < 0.5:
            self._call("track.updateNowPlaying", heard.start, names)
        fields = {f"{name}[0]": value for name, value in names.items()} | {"timestamp[0]": heard.start}
        self._call("track.scrobble", heard.start + heard.length - 1, fields)

    def _proxy(self, heard: Heard, chance: float) -> None:
        """A Subsonic player, whose scrobbles the server gets as well: at half of the song, or at its end."""
        self._rest(heard, heard.start, submission="false")
        at = heard.start + (heard.length // 2 if chance < 0.5 else heard.length)
        self._rest(heard, at, submission="true", time=str(heard.start * 1000))

    def _library(self, heard: Heard, chance: float) -> None:
        """A player that goes to the server itself: only its last plays tell."""
        self.library.note(self.name, f"so-{heard.song}", heard.start + (heard.length if chance < 0.3 else 0))

    def import_day(self, *, key: str, share: float) -> None:
        """Send the listens of the day once more as an import, as other programs copy what they have."""
        end = self.heard[-1].start + 3600
        rows = [self._entry(heard, heard.start, {}) for heard in self.heard if self.rng.random() < share]
        for start in range(0, len(rows), 25):
            self._submit(key, end, rows[start : start + 25], kind="import")
        self.reports["import"] += len(rows)

    @staticmethod
    def _entry(heard: Heard, at: float, more: dict[str, Any]) -> dict[str, Any]:
        meta = {"track_name": heard.row["title"], "artist_name": heard.row["artist"], **more}
        return {"listened_at": at, "track_metadata": meta}

    def _submit(self, key: str, second: int, payload: list[Any], kind: str = "single") -> None:
        body = json.dumps({"listen_type": kind, "payload": payload})
        headers = {"Authorization": f"Token {self.keys[key]}", "User-Agent": f"{key}/1"}
        self._send("POST", "/1/submit-listens", second, body, headers, is_fine=lambda text: '"ok"' in text)

    @staticmethod
    def _old_row(heard: Heard) -> dict[str, Any]:
        row = heard.row
        return {"a": row["artist"], "t": row["title"], "l": heard.length, "b": row["album"], "n": 1, "m": ""}

    def _send_journal(self, heard: Heard) -> None:
        while rows := self._journal[:_OLD_BATCH]:
            fields: dict[str, Any] = {}
            for number, played in enumerate(rows):
                values = self._old_row(played) | {"i": played.start + played.length, "o": "P", "r": ""}
                fields |= {f"{name}[{number}]": value for name, value in values.items()}
            self._old("submit", heard.start + heard.length, fields)
            del self._journal[: len(rows)]

    def _old(self, call: str, second: int, fields: dict[str, Any]) -> None:
        path = {"now": "np_1.2", "submit": "protocol_1.2"}[call]
        while True:
            session = self._sessions.get("mpd") or self._handshake(second)
            self._sessions["mpd"] = session
            form = urlencode({"s": session, **fields})
            answer = self._send("POST", f"/audioscrobbler/{path}", second, form, _FORM)
            if not answer.startswith("BADSESSION"):
                if not answer.startswith("OK"):
                    self.errors.append(f"{path}: {answer[:100]!r}")
                return
            del self._sessions["mpd"]

    def _handshake(self, second: int) -> str:
        proof = _md5(_md5(self.keys["mpd"]) + str(second))
        query = f"hs=true&p=1.2&c=mdc&v=0.24&u={self.name}&t={second}&a={proof}"
        answer = self._send("GET", f"/audioscrobbler/?{query}", second, None, {}, is_fine=_is_ok)
        return [*answer.splitlines(), "", ""][1]

    def _call(self, method: str, second: int, fields: dict[str, Any]) -> None:
        if "lastfm" not in self._sessions:
            login = {"method": "auth.getMobileSession", "username": self.name, "password": self.keys["lastfm"]}
            answer = self._send("POST", "/2.0/", second, urlencode({**login, "format": "json"}), _FORM)
            self._sessions["lastfm"] = json.loads(answer)["session"]["key"]
        sent = {"method": method, "sk": self._sessions["lastfm"], "format": "json", **fields}
        self._send("POST", "/2.0/", second, urlencode(sent), _FORM)

    def _rest(self, heard: Heard, second: int, **values: str) -> None:
        salt = f"{second:x}"
        token = _md5(self.library.passwords[self.name] + salt)
        login = {"u": self.name, "t": token, "s": salt, "v": "1.16.1", "c": "Tester", "f": "json"}
        query = urlencode({**login, "id": f"so-{heard.song}", **values})
        self._send("GET", f"/rest/scrobble?{query}", second, None, {}, is_fine=lambda text: '"ok"' in text)

    def _send(
        self, method: str, path: str, second: int, body: str | None, headers: dict[str, str],
        is_fine: Callable[[str], bool] = lambda _text: True,
    ) -> str:  # fmt: skip
        """Send until it is answered, as players do."""
        end = time.monotonic() + _PATIENCE_SECONDS
        self.requests += 1
        while True:
            status, answer = ask_once(self.port, method, path, body, {**headers, HEADER: str(second)})
            text = answer.decode()
            if status == 200 and is_fine(text):
                return text
            if 200 <= status < 500 or time.monotonic() > end:
                self.errors.append(f"{method} {path:.60}: status {status}: {text[:200]!r}")
                return text
            self.retries += 1
            time.sleep(0.3)


_FORM = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "player/1"}


def _is_ok(text: str) -> bool:
    return text.startswith("OK")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def day_of(rng: random.Random, *, songs: int, listens: int, ended: int) -> list[Heard]:
    """Return a day of listening that is over at the second ``ended``; some songs are on repeat."""
    numbers: list[int] = []
    for _listen in range(listens):
        numbers.append(numbers[-1] if numbers and rng.random() < 0.15 else rng.randrange(songs))
    return list(_in_time(rng, numbers, ended))[::-1]


def _in_time(rng: random.Random, numbers: list[int], ended: int) -> Iterator[Heard]:
    second = ended - rng.randrange(600)
    for number in reversed(numbers):
        length = int(song_row(number)["duration"])
        second -= length
        yield Heard(number, second, length)
        second -= rng.choice([0, 0, 1, 3, 10, 60, 900])
