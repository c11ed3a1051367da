"""The sandbox's calls about a listener's library and playlists."""

import itertools
from typing import Any

from accounts.spotify.sandbox import responses
from accounts.spotify.sandbox.call import Answer, ApiError, Call
from accounts.spotify.sandbox.state import MOST_PLAYLIST_SONGS, Playlist

_WRITERS = ("playlist-modify-private", "playlist-modify-public")


def me(call: Call) -> Answer:
    """Answer who the listener is."""
    return 200, {}, responses.me(call.listener, call.base)


def top_tracks(call: Call) -> Answer:
    """Answer the songs that are heard most."""
    _check_time_range(call)
    return call.page(call.listener.top, call.track)


def top_artists(call: Call) -> Answer:
    """Answer the artists that are heard most."""
    _check_time_range(call)
    names = dict.fromkeys(call.world.songs[pk].artists[0] for pk in call.listener.top)
    return call.page(list(names), lambda name: responses.artist(name, call.base))


def _check_time_range(call: Call) -> None:
    call.need("user-top-read")
    if call.query.get("time_range", "medium_term") not in ("short_term", "medium_term", "long_term"):
        raise ApiError(400, "Invalid time range")


def saved_tracks(call: Call) -> Answer:
    """Answer the saved songs, the latest first."""
    call.need("user-library-read")
    return call.page(
        call.listener.saved, lambda pk: {"added_at": "2026-10-01T10:00:00Z", "track": call.track(pk) if pk else None}
    )


def saved_albums(call: Call) -> Answer:
    """Answer no albums: nobody saves any here."""
    call.need("user-library-read")
    return call.page([], lambda _row: None)


def recently_played(call: Call) -> Answer:
    """Answer the last plays, each at a time that stays."""
    call.need("user-read-recently-played")
    limit = call.count("limit", 20, 1, 50)
    rows = [
        {"track": call.track(pk), "played_at": call.world.played_at(number), "context": None}
        for number, pk in enumerate(call.listener.recent[:limit])
    ]
    cursors = {"after": "1790000000000", "before": "1789990000000"}
    following = responses.address_of(call.address(), {"limit": str(limit), "before": cursors["before"]})
    body = {"href": call.address(), "items": rows, "limit": limit, "cursors": cursors, "total": len(rows)}
    return 200, {}, {**body, "next": following if rows else None}


def following(call: Call) -> Answer:
    """Answer followed artists, by a cursor."""
    call.need("user-follow-read")
    if call.query.get("type") != "artist":
        raise ApiError(400, "Missing required field: type")
    limit = call.count("limit", 20, 1, 50)
    rows = [responses.artist(name, call.base) for name in call.listener.followed]
    after = call.query.get("after", "")
    start = next((number + 1 for number, row in enumerate(rows) if row["id"] == after), 0)
    shown, is_more = rows[start : start + limit], start + limit < len(rows)
    cursors = {"after": shown[-1]["id"] if is_more else None}
    address = responses.address_of(f"{call.base}{call.path}", {"type": "artist", "limit": str(limit)})
    next_address = f"{address}&after={cursors['after']}" if is_more else None
    body = {
        "href": address, "items": shown, "limit": limit, "next": next_address, "cursors": cursors, "total": len(rows),
    }  # fmt: skip
    return 200, {}, {"artists": body}


def contains(call: Call) -> Answer:
    """Answer which of up to 40 things are in the library."""
    call.need("user-library-read", "user-follow-read", "playlist-read-private")
    kinds = ("track", "album", "artist", "user", "playlist", "episode", "show", "audiobook")
    return 200, {}, [_holds(call, kind, identity) for kind, identity in call.uris(*kinds)]


def _holds(call: Call, kind: str, identity: str) -> bool:
    if kind == "playlist":
        return identity in call.listener.playlist_ids
    if kind == "artist":
        return any(responses.artist(name, "")["id"] == identity for name in call.listener.followed)
    return kind == "track" and identity in call.listener.saved


def save(call: Call) -> Answer:
    """Save songs and follow playlists."""
    return _change_library(call, is_added=True)


def remove(call: Call) -> Answer:
    """Remove songs and unfollow playlists. A playlist goes on to be there for whoever knows its id."""
    return _change_library(call, is_added=False)


def _change_library(call: Call, *, is_added: bool) -> Answer:
    call.need("user-library-modify", "user-follow-modify", *_WRITERS)
    pairs = call.uris("track", "album", "episode", "show", "audiobook", "user", "playlist")
    with call.world.lock:
        for kind, identity in pairs:
            rows = {"track": call.listener.saved, "playlist": call.listener.playlist_ids}.get(kind)
            if rows is not None and (identity in rows) != is_added:
                rows.insert(0, identity) if is_added else rows.remove(identity)
    return 200, {}, ""


# --- Playlists ---
def playlists(call: Call) -> Answer:
    """Answer the playlists of the library."""
    call.need("playlist-read-private")
    mine = call.world.playlists_of(call.listener)
    return call.page(mine, lambda made: responses.playlist(made, call.world, call.base))


def create_playlist(call: Call) -> Answer:
    """Make an empty playlist."""
    body = call.object_body()
    public = body.get("public", True)
    call.need("playlist-modify-public" if public else "playlist-modify-private")
    if not isinstance(body.get("name"), str) or not body["name"].strip():
        raise ApiError(400, "Missing required field: name")
    made = call.world.add_playlist(call.listener, body["name"], str(body.get("description", "")), public=public)
    return 201, {}, responses.playlist(made, call.world, call.base, with_songs=True)


def playlist(call: Call) -> Answer:
    """Answer a playlist; another's comes without its content."""
    wanted = _any_playlist(call)
    body = responses.playlist(wanted, call.world, call.base, with_songs=True)
    if wanted.owner_id != call.listener.id:
        del body["items"]
    return 200, {}, body


def change_playlist(call: Call) -> Answer:
    """Change name, description or who may see it."""
    call.need(*_WRITERS)
    wanted, body = _own_playlist(call), call.object_body()
    with call.world.lock:
        wanted.name, wanted.description = body.get("name", wanted.name), body.get("description", wanted.description)
        wanted.public = body.get("public", wanted.public)
    return 200, {}, ""


def playlist_items(call: Call) -> Answer:
    """Answer the songs of an own playlist; local files and what is gone are among them."""
    call.need("playlist-read-private")
    wanted = _own_playlist(call)
    return call.page(wanted.song_ids, lambda pk: responses.playlist_item(wanted, pk, call.world, call.base))


def replace_items(call: Call) -> Answer:
    """Put other songs in place of all."""
    wanted, ids = _own_playlist(call), _song_ids(call)
    if call.world.is_hostile and wanted.song_ids and wanted.id in call.listener.playlist_ids:
        call.listener.playlist_ids.remove(wanted.id)
    return 200, {}, {"snapshot_id": _set_songs(call, wanted, ids)}


def append_items(call: Call) -> Answer:
    """Add songs at the end, or where the body says."""
    wanted, ids = _own_playlist(call), _song_ids(call)
    position = call.object_body().get("position", len(wanted.song_ids))
    if not isinstance(position, int) or not 0 <= position <= len(wanted.song_ids):
        raise ApiError(400, "Invalid position")
    if len(wanted.song_ids) + len(ids) > MOST_PLAYLIST_SONGS:
        raise ApiError(400, "Playlist size limit reached")
    songs = [*wanted.song_ids[:position], *ids, *wanted.song_ids[position:]]
    return 201, {}, {"snapshot_id": _set_songs(call, wanted, songs)}


def remove_items(call: Call) -> Answer:
    """Take songs out, wherever they stand."""
    wanted = _own_playlist(call)
    rows = call.object_body().get("items")
    uris = [row.get("uri") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    if not uris or len(uris) > 100:
        raise ApiError(400, "Missing required field: items")
    gone = {str(uri).removeprefix("spotify:track:") for uri in uris}
    return 200, {}, {"snapshot_id": _set_songs(call, wanted, [pk for pk in wanted.song_ids if pk not in gone])}


def _song_ids(call: Call) -> list[str]:
    uris = call.object_body().get("uris")
    if not isinstance(uris, list) or len(uris) > 100:
        raise ApiError(400, "Invalid uris")
    ids = [str(uri).removeprefix("spotify:track:") for uri in uris]
    if any(pk not in call.world.songs for pk in ids):
        raise ApiError(400, "Payload contains a non-existing ID")
    return ids


def _set_songs(call: Call, wanted: Playlist, ids: list[str]) -> str:
    call.need(*_WRITERS)
    with call.world.lock:
        wanted.song_ids = ids
        wanted.snapshot = f"AAAA{next(_snapshots)}"
        return wanted.snapshot


def _any_playlist(call: Call) -> Playlist:
    wanted = call.world.playlists.get(call.parts[0])
    if wanted is None:
        raise ApiError(404, "Resource not found")
    return wanted


def _own_playlist(call: Call) -> Playlist:
    wanted = _any_playlist(call)
    if wanted.owner_id != call.listener.id:
        raise ApiError(403, "Forbidden")
    return wanted


_snapshots: Any = itertools.count(2)
