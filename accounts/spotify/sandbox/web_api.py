"""The sandbox's Web API: what a new app in development mode is given, and 403 for what it is not."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.spotify.sandbox import answers
from accounts.spotify.sandbox.world import Grant, Listener, Playlist, Song, World

Answer = tuple[int, dict[str, str], Any]


class ApiError(Exception):
    """An answer that says no."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"status": status, "message": message, **({"reason": reason} if reason else {})}}


@dataclass
class Call:
    """One call with all that belongs to it."""

    world: World
    base: str
    listener: Listener
    grant: Grant
    path: str
    parts: tuple[str, ...]
    query: dict[str, str]
    body: Any

    def need(self, *scopes: str) -> None:
        """Refuse where the listener did not agree to one of ``scopes``."""
        if not set(scopes) & set(self.grant.scope.split()):
            raise ApiError(403, "Insufficient client scope")

    def count(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number of the query."""
        text = self.query.get(name, str(default))
        if not text.isdigit() or not low <= int(text) <= high:
            raise ApiError(400, f"Invalid {name}")
        return int(text)

    def page(self, rows: list[Any]) -> Answer:
        """Answer a part of a list."""
        limit, offset = self.count("limit", 20, 1, 50), self.count("offset", 0, 0, 100_000)
        return 200, {}, answers.page(rows, f"{self.base}{self.path}", limit, offset)

    def tracks(self, ids: list[str]) -> list[dict[str, Any]]:
        """Return songs by their ids."""
        return [answers.track(self.world.songs[pk], self.base) for pk in ids]


def _me(call: Call) -> Answer:
    return 200, {}, answers.me(call.listener, call.base)


def _top(call: Call) -> Answer:
    call.need("user-top-read")
    if call.query.get("time_range", "medium_term") not in ("short_term", "medium_term", "long_term"):
        raise ApiError(400, "Invalid time range")
    return call.page(call.tracks(call.listener.top))


def _saved(call: Call) -> Answer:
    call.need("user-library-read")
    rows = [{"added_at": "2026-10-01T10:00:00Z", "track": track} for track in call.tracks(call.listener.saved)]
    return call.page(rows)


def _recent(call: Call) -> Answer:
    call.need("user-read-recently-played")
    limit = call.count("limit", 20, 1, 50)
    rows = [
        {"track": track, "played_at": call.world.played_at(place), "context": None}
        for place, track in enumerate(call.tracks(call.listener.recent[:limit]))
    ]
    cursors = {"after": "1790000000000", "before": "1789990000000"}
    address = f"{call.base}{call.path}?limit={limit}"
    return (
        200,
        {},
        {"href": address, "items": rows, "limit": limit, "next": None, "cursors": cursors, "total": len(rows)},
    )


def _following(call: Call) -> Answer:
    call.need("user-follow-read")
    if call.query.get("type") != "artist":
        raise ApiError(400, "Missing required field: type")
    limit = call.count("limit", 20, 1, 50)
    rows = [answers.artist(name, call.base) for name in call.listener.followed]
    after = call.query.get("after", "")
    start = next((place + 1 for place, row in enumerate(rows) if row["id"] == after), 0)
    shown, is_more = rows[start : start + limit], start + limit < len(rows)
    address = f"{call.base}{call.path}?type=artist&limit={limit}"
    cursors = {"after": shown[-1]["id"] if is_more else None}
    following = f"{address}&after={cursors['after']}" if is_more else None
    body = {"href": address, "items": shown, "limit": limit, "next": following, "cursors": cursors, "total": len(rows)}
    return 200, {}, {"artists": body}


def _search(call: Call) -> Answer:
    if not call.query.get("q", "").strip():
        raise ApiError(400, "No search query")
    if call.query.get("type") != "track":
        raise ApiError(400, "Bad search type field")
    limit, offset = call.count("limit", 5, 1, 10), call.count("offset", 0, 0, 1000)
    words = call.query["q"].casefold().split()
    found = [song for song in call.world.songs.values() if all(word in _text(song) for word in words)]
    address = f"{call.base}{call.path}?type=track"
    rows = [answers.track(song, call.base) for song in found]
    return 200, {}, {"tracks": answers.page(rows, address, limit, offset)}


def _text(song: Song) -> str:
    return f"{song.title} {' '.join(song.artists)} {song.album}".casefold()


def _track(call: Call) -> Answer:
    song = call.world.songs.get(call.parts[0])
    if song is None:
        raise ApiError(404, "Resource not found")
    return 200, {}, answers.track(song, call.base)


def _artist(call: Call) -> Answer:
    names = {name for song in call.world.songs.values() for name in song.artists}
    found = next(
        (one for one in (answers.artist(name, call.base) for name in names) if one["id"] == call.parts[0]), None
    )
    if found is None:
        raise ApiError(404, "Resource not found")
    return 200, {}, found


def _playlists(call: Call) -> Answer:
    call.need("playlist-read-private")
    mine = call.world.playlists_of(call.listener)
    return call.page([answers.playlist(one, call.world, call.base) for one in mine])


def _create_playlist(call: Call) -> Answer:
    body = call.body if isinstance(call.body, dict) else {}
    public = body.get("public", True)
    call.need("playlist-modify-public" if public else "playlist-modify-private")
    if not isinstance(body.get("name"), str) or not body["name"].strip():
        raise ApiError(400, "Missing required field: name")
    made = call.world.add_playlist(call.listener, body["name"], str(body.get("description", "")), public=public)
    return 201, {}, answers.playlist(made, call.world, call.base, with_songs=True)


def _playlist_of(call: Call) -> Playlist:
    found = call.world.playlists.get(call.parts[0])
    if found is None:
        raise ApiError(404, "Resource not found")
    return found


def _own_playlist(call: Call) -> Playlist:
    found = _playlist_of(call)
    if found.owner_id != call.listener.id:
        raise ApiError(403, "Forbidden")
    return found


def _playlist(call: Call) -> Answer:
    found = _playlist_of(call)
    body = answers.playlist(found, call.world, call.base, with_songs=True)
    if found.owner_id != call.listener.id:
        # Others' playlists come without their content.
        del body["items"]
    return 200, {}, body


def _playlist_items(call: Call) -> Answer:
    call.need("playlist-read-private")
    return call.page(answers.playlist_items(_own_playlist(call), call.world, call.base))


def _change_items(call: Call, *, replace: bool) -> Answer:
    call.need("playlist-modify-private", "playlist-modify-public")
    found = _own_playlist(call)
    uris = call.body.get("uris") if isinstance(call.body, dict) else None
    if not isinstance(uris, list) or len(uris) > 100:
        raise ApiError(400, "Invalid uris")
    ids = [str(uri).removeprefix("spotify:track:") for uri in uris]
    if any(pk not in call.world.songs for pk in ids):
        raise ApiError(400, "Payload contains a non-existing ID")
    with call.world.lock:
        found.song_ids = ids if replace else [*found.song_ids, *ids]
        found.snapshot = f"AAAA{len(found.snapshot)}{len(found.song_ids)}"
    return 200 if replace else 201, {}, {"snapshot_id": found.snapshot}


def _player(call: Call) -> Answer:
    call.need("user-read-playback-state")
    state = answers.player_state(call.listener, call.world, call.base)
    return (204, {}, "") if state is None else (200, {}, state)


def _devices(call: Call) -> Answer:
    call.need("user-read-playback-state")
    return 200, {}, {"devices": answers.devices(call.listener)}


def _command(call: Call, change: Callable[[Call], None]) -> Answer:
    call.need("user-modify-playback-state")
    if not call.listener.is_premium:
        raise ApiError(403, "Player command failed: Premium required", "PREMIUM_REQUIRED")
    known = {device["id"] for device in call.listener.devices}
    named = call.query.get("device_id")
    if named is not None and named not in known:
        raise ApiError(404, "Device not found")
    with call.world.lock:
        if named:
            call.listener.player.device_id = named
        change(call)
    return 204, {}, ""


def _need_device(call: Call) -> None:
    if call.listener.player.device_id is None:
        raise ApiError(404, "Player command failed: No active device found", "NO_ACTIVE_DEVICE")


def _play(call: Call) -> None:
    _need_device(call)
    player, body = call.listener.player, call.body if isinstance(call.body, dict) else {}
    if uris := body.get("uris"):
        pk = str(uris[0]).removeprefix("spotify:track:")
        if pk not in call.world.songs:
            raise ApiError(400, "Invalid track uri")
        player.song_id = pk
        player.go_to(int(body.get("position_ms", 0)))
    player.run()


def _pause(call: Call) -> None:
    _need_device(call)
    call.listener.player.stop()


def _seek(call: Call) -> None:
    _need_device(call)
    call.listener.player.go_to(call.count("position_ms", 0, 0, 10**9))


def _transfer(call: Call) -> None:
    ids = call.body.get("device_ids") if isinstance(call.body, dict) else None
    known = {device["id"] for device in call.listener.devices}
    if not isinstance(ids, list) or len(ids) != 1 or ids[0] not in known:
        raise ApiError(404, "Device not found")
    call.listener.player.device_id = ids[0]
    if call.body.get("play"):
        call.listener.player.run()


_ID = "([0-9A-Za-z]{22})"
ROUTES: list[tuple[str, str, Callable[[Call], Answer]]] = [
    ("GET", "me", _me),
    ("GET", "me/top/tracks", _top),
    ("GET", "me/tracks", _saved),
    ("GET", "me/player/recently-played", _recent),
    ("GET", "me/following", _following),
    ("GET", "search", _search),
    ("GET", f"tracks/{_ID}", _track),
    ("GET", f"artists/{_ID}", _artist),
    ("GET", "me/playlists", _playlists),
    ("POST", "me/playlists", _create_playlist),
    ("GET", f"playlists/{_ID}", _playlist),
    ("GET", f"playlists/{_ID}/items", _playlist_items),
    ("PUT", f"playlists/{_ID}/items", lambda call: _change_items(call, replace=True)),
    ("POST", f"playlists/{_ID}/items", lambda call: _change_items(call, replace=False)),
    ("GET", "me/player", _player),
    ("GET", "me/player/devices", _devices),
    ("PUT", "me/player", lambda call: _command(call, _transfer)),
    ("PUT", "me/player/play", lambda call: _command(call, _play)),
    ("PUT", "me/player/pause", lambda call: _command(call, _pause)),
    ("PUT", "me/player/seek", lambda call: _command(call, _seek)),
]
# What Spotify closed to new apps in November 2024 and February 2026.
CLOSED = re.compile(
    r"audio-features.*|audio-analysis/.*|recommendations.*|artists/[^/]+/(related-artists|top-tracks)|browse/.*|markets"
    r"|(tracks|albums|artists|shows|episodes|audiobooks|chapters)/?|users/.*|playlists/[^/]+/(tracks|followers).*"
    r"|me/.*/contains"
)
CLOSED_TO_WRITERS = re.compile("me/(tracks|albums|shows|episodes|audiobooks|following)")


def answer(world: World, base: str, method: str, path: str, query: dict[str, str], body: Any, token: str) -> Answer:
    """Answer a call of the Web API; ``path`` begins with ``/v1/``."""
    found = world.listener_of(token)
    if found is None:
        return 401, {}, ApiError(401, "The access token expired").body
    listener, grant = found
    if not listener.is_allowed:
        message = "User not registered in the Developer Dashboard"
        return 403, {}, ApiError(403, message).body
    short = path.removeprefix("/v1/").rstrip("/")
    for allowed, pattern, handle in ROUTES:
        if allowed == method and (match := re.fullmatch(pattern, short)):
            call = Call(world, base, listener, grant, path.rstrip("/"), match.groups(), query, body)
            try:
                return handle(call)
            except ApiError as error:
                return error.status, {}, error.body
    is_closed = CLOSED.fullmatch(short) or (method in ("PUT", "DELETE") and CLOSED_TO_WRITERS.fullmatch(short))
    refusal = ApiError(403, "Forbidden") if is_closed else ApiError(404, "Service not found")
    return refusal.status, {}, refusal.body
