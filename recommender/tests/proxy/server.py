"""The Navidrome-shaped server with what a proxy is asked for: two users, playlists, stars, ratings and scrobbles."""

import hashlib
from collections import defaultdict
from typing import Any

from catalog.sources.subsonic.tests.stand_in import StandIn, _validator

_LISTS = {
    "getSimilarSongs": "similarSongs", "getSimilarSongs2": "similarSongs2", "getTopSongs": "topSongs",
    "getRandomSongs": "randomSongs",
}  # fmt: skip
PASSWORDS = {"ada": StandIn.password, "bob": "bob's own"}


def login(name: str = "ada", password: str | None = None, **values: Any) -> dict[str, Any]:
    """Return a log-in as players send it, with further parameters."""
    token = hashlib.md5(((password or PASSWORDS[name]) + "c0ffee").encode()).hexdigest()
    return {"u": name, "t": token, "s": "c0ffee", "v": "1.16.1", "c": "Tester", "f": "json", **values}


def check(method: str, answer: Any) -> None:
    """Raise ``jsonschema.ValidationError`` where an answer is not as OpenSubsonic's own schema has it."""
    _validator(f"endpoints/{method}/{method[0].upper()}{method[1:]}Response.json").validate(answer)


class Server(StandIn):
    """What it was told lies in ``received``, by method."""

    def __init__(self, count: int = 0) -> None:
        super().__init__(count)
        self.received: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
        self.playlists = [{"id": "pl-1", "name": "Mine there", "songCount": 1, "duration": 180, "owner": "ada"}]

    def answer(self, method: str, values: dict[str, str]) -> dict[str, Any]:
        if method == "getOpenSubsonicExtensions" or self._refusal(values):
            return super().answer(method, values)
        if method in ("star", "unstar", "setRating", "scrobble"):
            self.received[method].append(values)
            return {}
        if method in _LISTS:
            return {_LISTS[method]: {"song": self.rows(0, 2)}}
        own = {"getSong": self._song, "getArtist": self._artist, "getPlaylists": self._playlists}
        if method in own:
            return own[method](values) or {"error": {"code": 70, "message": "not found"}}
        return {"tokenInfo": {"username": self.user}} if method == "tokenInfo" else super().answer(method, values)

    def _song(self, values: dict[str, str]) -> dict[str, Any]:
        digits = values["id"].removeprefix("so-")
        rows = self.rows(int(digits), 1) if digits.isdigit() else []
        return {"song": rows[0]} if rows else {}

    def _artist(self, values: dict[str, str]) -> dict[str, Any]:
        songs = [row for row in self.rows(0, self.count) if row["artistId"] == values["id"]]
        if not songs:
            return {}
        artist = {"id": values["id"], "name": songs[0]["artists"][0]["name"], "albumCount": 1}
        return {"artist": {**artist, "album": [self.album(0)]}}

    def _playlists(self, _values: dict[str, str]) -> dict[str, Any]:
        dated = {"created": "2026-01-01T00:00:00Z", "changed": "2026-01-01T00:00:00Z"}
        return {"playlists": {"playlist": [{**row, **dated} for row in self.playlists]}}

    def _refusal(self, values: dict[str, str]) -> dict[str, Any] | None:
        if values.get("u") in PASSWORDS and "t" in values:
            token = hashlib.md5((PASSWORDS[values["u"]] + values.get("s", "")).encode()).hexdigest()
            return None if values["t"] == token else {"code": 40, "message": "Wrong username or password"}
        return super()._refusal(values)
