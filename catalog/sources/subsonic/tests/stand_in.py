"""A server that answers as Navidrome does: every answer in JSON is checked against OpenSubsonic's own schemas.

Songs are made up by number, so that it can have 20,000 of them.
"""

import hashlib
import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from catalog.sources.subsonic.tests.stand_in_accounts import Accounts

SCHEMAS = Path(__file__).parent / "schemas"
_OF_METHOD = {
    "search3": "endpoints/search3/Search3Response.json",
    "getAlbum": "endpoints/getAlbum/GetAlbumResponse.json",
    "getAlbumList2": "endpoints/getAlbumList2/GetAlbumList2Response.json",
    "createPlaylist": "endpoints/createPlaylist/CreatePlaylistResponse.json",
    "getPlaylists": "endpoints/getPlaylists/GetPlaylistsResponse.json",
    "getStarred2": "endpoints/getStarred2/GetStarred2Response.json",
    "getUser": "endpoints/getUser/GetUserResponse.json",
    "tokenInfo": "endpoints/tokenInfo/GetTokenInfoResponse.json",
    "getOpenSubsonicExtensions": "endpoints/getOpenSubsonicExtensions/GetOpenSubsonicExtensionsResponse.json",
}
_ANY = "responses/EmptySubsonicResponse.json"
SONGS_OF_ALBUM = 12
_ROLES = (
    "scrobblingEnabled", "adminRole", "settingsRole", "downloadRole", "uploadRole", "playlistRole", "coverArtRole",
    "commentRole", "podcastRole", "streamRole", "jukeboxRole", "shareRole", "videoConversionRole",
)  # fmt: skip
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


def mbid(kind: int, number: int) -> str:
    """Return a MusicBrainz id."""
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


def song_row(number: int) -> dict[str, Any]:
    """Return the song of that number as Navidrome describes it."""
    album = number // SONGS_OF_ALBUM
    names = [f"Artist {album % 400}"] + ([f"Guest {number % 97}"] if number % 4 == 3 else [])
    artists = [{"id": f"ar-{name}", "name": name, "musicBrainzId": mbid(3, hash_of(name))} for name in names]
    return {
        "id": f"so-{number}", "parent": f"al-{album}", "isDir": False, "title": f"Song {number}",
        "album": f"Album {album}", "artist": " \u2022 ".join(names), "displayArtist": " \u2022 ".join(names),
        "artists": artists, "albumId": f"al-{album}", "artistId": artists[0]["id"], "track": number % 12 + 1,
        "year": 1970 + album % 50, "genre": "Rock", "genres": [{"name": "Rock"}, {"name": "Dream Pop"}],
        "coverArt": f"mf-{number}", "size": 4_000_000 + number, "contentType": "audio/mpeg", "suffix": "mp3",
        "duration": 180 + number % 90, "bitRate": 192, "type": "music", "mediaType": "song", "isVideo": False,
        "isrc": [f"QZABC{number:07d}"], "musicBrainzId": mbid(1, number), "explicitStatus": "clean", "playCount": 3,
    }  # fmt: skip


def hash_of(name: str) -> int:
    """Return a number of the name, the same in every run."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=5).digest())


@cache
def _validator(path: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry()
    for file in SCHEMAS.rglob("*.json"):
        resource = Resource.from_contents(json.loads(file.read_text()), default_specification=DRAFT202012)
        registry = registry.with_resource(file.as_uri(), resource)
    return Draft202012Validator({"$ref": (SCHEMAS / path).as_uri()}, registry=registry)


def check(method: str, answer: Any) -> None:
    """Raise ``jsonschema.ValidationError`` where an answer is not as OpenSubsonic has it."""
    _validator(_OF_METHOD.get(method, _ANY)).validate(answer)


class Values(dict[str, str]):
    """The parameters of a call; ``lists`` has all values of those that repeat."""

    lists: dict[str, list[str]]


class StandIn:
    """What the server has and how it behaves.

    changes: columns of songs by number; removed: songs it has lost; files: content type and bytes by song id, covers
    the same by cover id. ``has_search``: whether an empty search finds everything; ``page``: the most it sends.
    ``passwords``: those of all accounts, by username; ``ignores_case``: "Ada" is "ada", too.
    ``faults``: status, headers and body with which a method is answered instead. ``is_checked``: off to measure time.
    """

    password, api_key, user = "se<ret 123", "key-456", "ada"

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self.changes: dict[int, dict[str, Any]] = {}
        self.removed: set[int] = set()
        self.files: dict[str, tuple[str, bytes]] = {}
        self.covers: dict[str, tuple[str, bytes]] = {}
        self.has_search = self.has_tokens = self.has_form_post = True
        self.page = 500
        self.is_checked = True
        self.passwords = {self.user: self.password}
        self.ignores_case = False
        self.accounts = Accounts()
        self.faults: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.calls: list[tuple[str, str, dict[str, str], dict[str, str]]] = []
        self.address = ""

    def rows(self, start: int, count: int) -> list[dict[str, Any]]:
        """Return songs in order, without those it lost."""
        present = (number for number in range(self.count) if number not in self.removed)
        numbers = range(start, min(start + count, self.count)) if not self.removed else list(present)[start:][:count]
        return [{**song_row(number), **self.changes.get(number, {})} for number in numbers]

    def albums(self) -> int:
        """Return how many albums there are."""
        return -(-self.count // SONGS_OF_ALBUM)

    def album(self, number: int) -> dict[str, Any]:
        """Return an album as lists show it."""
        return {
            "id": f"al-{number}", "name": f"Album {number}", "artist": f"Artist {number % 400}", "songCount": 12,
            "duration": 2000, "created": "2026-01-01T00:00:00Z", "musicBrainzId": mbid(2, number),
        }  # fmt: skip

    def answer(self, method: str, values: dict[str, str]) -> dict[str, Any]:
        """Return the content of an answer, or an error."""
        if method == "getOpenSubsonicExtensions":
            return {"openSubsonicExtensions": [{"name": "formPost", "versions": [1]}] if self.has_form_post else []}
        if error := self._refusal(values):
            return {"error": error}
        if method == "tokenInfo":
            return {"tokenInfo": {"username": self.user}}
        if method == "getUser":
            return self._user_row(values)
        answer = self.accounts.answer(method, self._spelled(values.get("u", self.user)), getattr(values, "lists", {}))
        return self._library(method, values) if answer is None else answer

    def _library(self, method: str, values: dict[str, str]) -> dict[str, Any]:
        size = min(int(values.get("songCount") or values.get("size") or 10), self.page)
        match method:
            case "search3":
                start = int(values.get("songOffset", 0))
                rows = self.rows(start, size) if self.has_search else []
                return {"searchResult3": {"song": [self._for_account(row, values) for row in rows]}}
            case "getStarred2":
                songs = [self._for_account(row, values) for row in self.rows(0, self.count)]
                return {"starred2": {"song": [song for song in songs if "starred" in song]}}
            case "getAlbumList2":
                start = int(values.get("offset", 0))
                shown = range(start, min(start + size, self.albums()))
                return {"albumList2": {"album": [self.album(number) for number in shown]}}
            case "getAlbum":
                number = int(values["id"].removeprefix("al-"))
                first = number * SONGS_OF_ALBUM
                numbers = [n for n in range(first, min(first + SONGS_OF_ALBUM, self.count)) if n not in self.removed]
                songs = [self._for_account({**song_row(n), **self.changes.get(n, {})}, values) for n in numbers]
                return {"album": {**self.album(number), "song": songs}}
        return {} if method == "ping" else {"error": {"code": 70, "message": "not found"}}

    def _for_account(self, row: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
        return row | self.accounts.of_song(self._spelled(values.get("u", self.user)), row["id"])

    def _spelled(self, username: str) -> str:
        """Return the account's name for one in other letter case, as Navidrome takes it."""
        names = {name.casefold(): name for name in self.passwords} if self.ignores_case else {}
        return names.get(username.casefold(), username)

    def _user_row(self, values: dict[str, str]) -> dict[str, Any]:
        if self._spelled(values.get("username", "")) != self._spelled(values.get("u", self.user)):
            return {"error": {"code": 50, "message": "not authorized"}}
        return {"user": {"username": self._spelled(values["username"]), **dict.fromkeys(_ROLES, False)}}

    def _refusal(self, values: dict[str, str]) -> dict[str, Any] | None:
        if "apiKey" in values:
            is_right = values["apiKey"] == self.api_key and "u" not in values
            return None if is_right else {"code": 44, "message": f"invalid API key {values['apiKey']}"}
        if "t" in values and not self.has_tokens:
            return {"code": 41, "message": "Token authentication not supported for LDAP users"}
        password = self.passwords.get(self._spelled(values.get("u", "")))
        token = hashlib.md5(((password or "") + values.get("s", "")).encode()).hexdigest()
        is_right = values.get("t") == token or values.get("p") == "enc:" + (password or "").encode().hex()
        return None if password and is_right else {"code": 40, "message": "Wrong username or pass"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: StandIn

    def do_GET(self) -> None:
        self._respond("")

    def do_POST(self) -> None:
        self._respond(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _respond(self, form: str) -> None:
        url = urlsplit(self.path)
        values = Values(parse_qsl(form or url.query))
        values.lists = parse_qs(form or url.query)
        method = url.path.rpartition("/")[2].removesuffix(".view")
        self.stand_in.calls.append((self.command, method, values, dict(self.headers)))
        if fault := self.stand_in.faults.get(method):
            self._send(*fault)
        elif method in ("stream", "getCoverArt"):
            self._send_file(method, values)
        else:
            content = self.stand_in.answer(method, values)
            status = "failed" if "error" in content else "ok"
            common = {"version": "1.16.1", "type": "navidrome", "serverVersion": "0.60.0", "openSubsonic": True}
            body = {"subsonic-response": {"status": status, **common, **content}}
            # Without its list, an answer to createPlaylist is as it was before version 1.14.
            if self.stand_in.is_checked and not (method == "createPlaylist" and not content):
                check(method, body)
            self._send(200, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def _send_file(self, method: str, values: dict[str, str]) -> None:
        files = self.stand_in.files if method == "stream" else self.stand_in.covers
        key = values["id"] + (f".{values['format']}" if values.get("format", "raw") != "raw" else "")
        if self.stand_in._refusal(values) or key not in files:
            error = {"subsonic-response": {"status": "failed", "version": "1.16.1", "error": {"code": 70}}}
            self._send(200, {"Content-Type": "application/json"}, json.dumps(error).encode())
            return
        content_type, content = files[key]
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        if match is None:
            self._send(200, {"Content-Type": content_type}, content)
            return
        first, last = int(match[1]), min(int(match[2]), len(content) - 1)
        bounds = f"bytes {first}-{last}/{len(content)}"
        self._send(206, {"Content-Type": content_type, "Content-Range": bounds}, content[first : last + 1])

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A caller that was killed in the middle is none of its errors.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def running(stand_in: StandIn) -> Iterator[StandIn]:
    """Serve until the end of the ``with``."""
    handler = type("Handler", (_Handler,), {"stand_in": stand_in})
    with _HttpServer(("127.0.0.1", 0), handler) as server:
        stand_in.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()
