"""One client of the soak: acts as browsers and programs do, and remembers what it was told is there."""

from __future__ import annotations

import json
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from benchmarks.site import CSRF, ask_once

_PATIENCE_SECONDS = 120.0


@dataclass
class Listener:
    """One client, and what it was told is there."""

    port: int
    session: str
    user_id: int
    seed: int
    tracks: list[int]
    pause: float = 0.125
    """Mean seconds between one action and the next."""
    spotify_name: str = ""
    """Whose account of the sandbox is connected, if any is."""
    ratings: dict[int, int] = field(default_factory=dict)
    playlists: dict[str, list[int]] = field(default_factory=dict)
    plays: set[str] = field(default_factory=set)
    # What was never answered to its end may be there or not.
    unsure: set[Any] = field(default_factory=set)
    times: list[tuple[str, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    retries: int = 0

    def run(self, until: float) -> None:
        """Act until the clock says ``until``."""
        rng = random.Random(self.seed)
        acts = {"like": self._rate, "call": self._rate_by_call, "play": self._play, "list": self._make_list}
        acts |= {"spotify": self._save_likes} if self.spotify_name else {}
        while time.monotonic() < until:
            kind = rng.choices(["like", "call", "play", "list", "read", "spotify"], [4, 2, 4, 1, 6, 1])[0]
            start = time.perf_counter()
            acts.get(kind, self._read)(rng)
            self.times.append((kind, (time.perf_counter() - start) * 1000))
            # Not beyond the end, however long the pauses are.
            time.sleep(max(0.0, min(2 * self.pause * rng.random(), until - time.monotonic())))

    def _rate(self, rng: random.Random) -> None:
        track, value = rng.choice(self.tracks), rng.choice([1, -1, 0])
        sent = self._send("POST", f"/songs/{track}/rate/", form=f"value={value}")
        self._note_rating(track, value, is_told=sent is not None)

    def _rate_by_call(self, rng: random.Random) -> None:
        track, value = rng.choice(self.tracks), rng.choice([1, -1, 0])
        name = {1: "like", -1: "dislike", 0: "clear"}[value]
        sent = self._send("POST", "/api/feedback", body={"song_id": track, "value": name}, key=_key(rng))
        self._note_rating(track, value, is_told=sent is not None)

    def _note_rating(self, track: int, value: int, *, is_told: bool) -> None:
        (self.unsure.discard if is_told else self.unsure.add)(track)
        self.ratings.pop(track, None)
        if value:
            self.ratings[track] = value

    def _play(self, rng: random.Random) -> None:
        track, token = rng.choice(self.tracks), _key(rng)
        for _time in range(2):
            if self._send("POST", f"/songs/{track}/listen/", form=f"token={token}") is None:
                self.unsure.add(token)
        self.plays.add(token)

    def _make_list(self, rng: random.Random) -> None:
        songs, name = rng.sample(self.tracks, 5), f"list {len(self.playlists)}"
        if self._send("POST", "/api/playlists", body={"name": name, "songs": songs}, key=_key(rng)) is None:
            self.unsure.add(name)
        self.playlists[name] = songs

    def _read(self, rng: random.Random) -> None:
        paths = ["/", "/songs/", "/search/?q=song", f"/songs/{rng.choice(self.tracks)}/", "/history/", "/ratings/"]
        self._send("GET", rng.choice([*paths, "/playlists/", "/api/recommendations?k=10", "/statistics/"]))

    def _save_likes(self, rng: random.Random) -> None:
        """Save the likes as a playlist at Spotify; there is to be one at most, however often it was tried."""
        self._send("PUT", "/api/user/spotify/playlists/likes", key=_key(rng))

    def _send(
        self, method: str, path: str, *, form: str = "", body: dict[str, Any] | None = None, key: str = ""
    ) -> bytes | None:
        """Send until it is answered, as browsers and programs do; return None where it never was."""
        end = time.monotonic() + _PATIENCE_SECONDS
        headers = {"Cookie": f"sessionid={self.session}; csrftoken={CSRF}"}
        headers |= {"X-CSRFToken": CSRF, "Idempotency-Key": key} if key else {}
        if form:
            form_type = "application/x-www-form-urlencoded"
            headers |= {"X-CSRFToken": CSRF, "HX-Request": "true", "Content-Type": form_type}
        content = json.dumps(body) if body is not None else form or None
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        while True:
            status, answer = ask_once(self.port, method, path, content, headers)
            if 200 <= status < 300:
                return answer
            # 409: the first request with this key is at work still.
            if (status and status < 500 and status not in (409, 429)) or time.monotonic() > end:
                self.errors.append(f"{method} {path}: status {status}: {answer[:200]!r}")
                return None
            self.retries += 1
            time.sleep(0.5)

    def wrong(self) -> list[str]:
        """Return in which ways the rows are not what this client was told."""
        from feedback.playlists.models import Playlist
        from feedback.plays.models import Play
        from feedback.ratings.models import Rating

        rows: list[tuple[str, Any, Any]] = [
            (str(track), value, self.ratings.get(track))
            for track, value in Rating.objects.filter(user=self.user_id).values_list("track_id", "value")
            if track not in self.unsure
        ]
        there = {int(track) for track, _value, _told in rows}
        rows += [(str(track), None, value) for track, value in self.ratings.items() if track not in self.unsure | there]
        plays = [str(token) for token in Play.objects.filter(user=self.user_id).values_list("token", flat=True)]
        rows += [("plays", len(plays), len(set(plays))), ("plays", set(plays) - self.unsure, self.plays - self.unsure)]
        for playlist in Playlist.objects.filter(owner=self.user_id).exclude(name__in=self.unsure):
            songs = list(playlist.items.order_by("position").values_list("track_id", flat=True))
            rows.append((playlist.name, songs, self.playlists.get(playlist.name)))
        names = list(Playlist.objects.filter(owner=self.user_id).values_list("name", flat=True))
        rows.append(("playlists", sorted(set(names) - self.unsure), sorted(set(self.playlists) - self.unsure)))
        rows.append(("playlists", len(names), len(set(names))))
        return [f"listener {self.user_id}: {what}: {rows!r:.200}" for what, *rows in rows if rows[0] != rows[1]]


def _key(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
