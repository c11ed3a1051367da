"""The sandbox's Web API: what a new app in development mode is given, and 403 for what it is not."""

import re
from collections.abc import Callable
from typing import Any

from accounts.spotify.sandbox import library, lookup, playback
from accounts.spotify.sandbox.call import Answer, ApiError, Call
from accounts.spotify.sandbox.state import World

_ID = "([0-9A-Za-z]{22})"
ROUTES: list[tuple[str, str, Callable[[Call], Answer]]] = [
    ("GET", "me", library.me),
    ("GET", "me/top/tracks", library.top_tracks),
    ("GET", "me/top/artists", library.top_artists),
    ("GET", "me/tracks", library.saved_tracks),
    ("GET", "me/albums", library.saved_albums),
    ("GET", "me/player/recently-played", library.recently_played),
    ("GET", "me/following", library.following),
    ("GET", "me/library/contains", library.contains),
    ("PUT", "me/library", library.save),
    ("DELETE", "me/library", library.remove),
    ("GET", "search", lookup.search),
    ("GET", f"tracks/{_ID}", lookup.track),
    ("GET", f"artists/{_ID}", lookup.artist),
    ("GET", f"artists/{_ID}/albums", lookup.artist_albums),
    ("GET", f"albums/{_ID}", lookup.album),
    ("GET", f"albums/{_ID}/tracks", lookup.album_tracks),
    ("GET", "me/playlists", library.playlists),
    ("POST", "me/playlists", library.create_playlist),
    ("GET", f"playlists/{_ID}", library.playlist),
    ("PUT", f"playlists/{_ID}", library.change_playlist),
    ("GET", f"playlists/{_ID}/items", library.playlist_items),
    ("PUT", f"playlists/{_ID}/items", library.replace_items),
    ("POST", f"playlists/{_ID}/items", library.append_items),
    ("DELETE", f"playlists/{_ID}/items", library.remove_items),
    ("GET", "me/player", playback.player),
    ("GET", "me/player/currently-playing", playback.currently_playing),
    ("GET", "me/player/devices", playback.devices),
    ("GET", "me/player/queue", playback.queue),
    ("POST", "me/player/queue", playback.command(playback.add_to_queue)),
    ("PUT", "me/player", playback.command(playback.transfer, needs_device=False)),
    ("PUT", "me/player/play", playback.command(playback.play)),
    ("PUT", "me/player/pause", playback.command(playback.pause)),
    ("PUT", "me/player/seek", playback.command(playback.seek)),
    ("POST", "me/player/next", playback.command(playback.skip)),
    ("POST", "me/player/previous", playback.command(playback.back)),
    ("PUT", "me/player/volume", playback.command(playback.set_volume)),
    ("PUT", "me/player/shuffle", playback.command(playback.set_mode)),
    ("PUT", "me/player/repeat", playback.command(playback.set_mode)),
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
    identity = world.listener_of(token)
    if identity is None:
        return 401, {}, ApiError(401, "The access token expired").body
    listener, grant = identity
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
