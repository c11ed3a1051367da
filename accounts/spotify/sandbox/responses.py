"""The sandbox's JSON, in the shape of the Web API after February 2026: without the fields that were removed."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from accounts.spotify.sandbox.state import OTHER_SONG_MS, Listener, Playlist, Song, World, spotify_id


def links(kind: str, identity: str, base: str) -> dict[str, Any]:
    """Return what every object has: addresses, id, kind and URI."""
    return {
        "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{identity}"},
        "href": f"{base}/v1/{kind}s/{identity}",
        "id": identity,
        "type": kind,
        "uri": f"spotify:{kind}:{identity}",
    }


def images(text: str) -> list[dict[str, Any]]:
    """Return three sizes of a picture that is nowhere."""
    name = spotify_id(f"cover {text}")
    return [{"url": f"https://i.scdn.co/image/{name}{size}", "height": size, "width": size} for size in (640, 300, 64)]


def artist_id(name: str) -> str:
    """Return the id of an artist."""
    return spotify_id(f"artist {name}")


def album_id(song: Song) -> str:
    """Return the id of a song's album."""
    return spotify_id(f"album {song.artists[0]} {song.album}")


def artist(name: str, base: str) -> dict[str, Any]:
    """Return an artist in full: without followers and popularity, and with no genres."""
    return {**links("artist", artist_id(name), base), "name": name, "images": images(name), "genres": []}


def credited(name: str, base: str) -> dict[str, Any]:
    """Return an artist as songs name them."""
    return {**links("artist", artist_id(name), base), "name": name}


def album(song: Song, world: World, base: str) -> dict[str, Any]:
    """Return a song's album, with the count of its songs."""
    return {**_album(song, base), "total_tracks": len(album_songs(song, world))}


def album_songs(song: Song, world: World) -> list[Song]:
    """Return all songs of a song's album."""
    same = (song.album, song.artists[0])
    return [other for other in world.songs.values() if (other.album, other.artists[0]) == same]


def _album(song: Song, base: str) -> dict[str, Any]:
    return {
        **links("album", album_id(song), base),
        "album_type": "album",
        "artists": [credited(song.artists[0], base)],
        "images": images(song.album) if song.has_cover else [],
        "name": song.album,
        "release_date": str(song.year),
        "release_date_precision": "year",
        "total_tracks": 1,
    }


def plain_track(song: Song, base: str) -> dict[str, Any]:
    """Return a song as its album lists it: without the album."""
    return {
        **links("track", song.id, base),
        "artists": [credited(name, base) for name in song.artists],
        "disc_number": 1,
        "duration_ms": song.duration_ms,
        "explicit": song.explicit,
        "is_local": False,
        "is_playable": True,
        "name": song.title,
        "preview_url": None,
        "track_number": 1,
    }


def track(song: Song, base: str) -> dict[str, Any]:
    """Return a song."""
    ids = {"isrc": song.isrc} if song.isrc else {}
    return {**plain_track(song, base), "album": _album(song, base), "external_ids": ids}


def listed_track(song_id: str, world: World, base: str) -> dict[str, Any]:
    """Return a song of a list; where it was relinked, the edition in its place, which names it as ``linked_from``."""
    other = world.relinked.get(song_id)
    if other is None:
        return track(world.songs[song_id], base)
    return {**track(world.songs[other], base), "linked_from": links("track", song_id, base)}


def me(listener: Listener, base: str) -> dict[str, Any]:
    """Return a listener as they see themselves: without country, e-mail address, followers and product."""
    return {
        **links("user", listener.id, base),
        "account_id": listener.account_id,
        "display_name": listener.name,
        "images": [],
    }


def address_of(address: str, query: dict[str, str]) -> str:
    """Return ``address`` with ``query``, but for the place in a list."""
    own_query = {name: text for name, text in query.items() if name not in ("limit", "offset")}
    glue = "&" if "?" in address else "?"
    return f"{address}{glue}{urlencode(own_query)}" if own_query else address


def page(
    rows: Sequence[Any], address: str, limit: int, offset: int, describe: Callable[[Any], Any] = lambda row: row
) -> dict[str, Any]:
    """Return a part of a list; ``address``: the whole address without ``limit`` and ``offset``."""
    glue = "&" if "?" in address else "?"

    def at(start: int) -> str:
        return f"{address}{glue}offset={start}&limit={limit}"

    return {
        "href": at(offset),
        "items": [describe(row) for row in rows[offset : offset + limit]],
        "limit": limit,
        "next": at(offset + limit) if offset + limit < len(rows) else None,
        "offset": offset,
        "previous": at(max(0, offset - limit)) if offset > 0 else None,
        "total": len(rows),
    }


def playlist(wanted: Playlist, world: World, base: str, *, with_songs: bool = False) -> dict[str, Any]:
    """Return a playlist, with its songs where it is asked for alone."""
    address = f"{base}/v1/playlists/{wanted.id}/items"
    owner = world.listeners[wanted.owner_id]
    content: dict[str, Any] = {"href": address, "total": len(wanted.song_ids)}
    if with_songs:
        content = page(wanted.song_ids, address, 50, 0, lambda pk: playlist_item(wanted, pk, world, base))
    return {
        **links("playlist", wanted.id, base),
        "collaborative": False,
        "description": wanted.description,
        "images": [],
        "name": wanted.name,
        "owner": {**links("user", owner.id, base), "display_name": owner.name},
        "public": wanted.public,
        "snapshot_id": wanted.snapshot,
        "items": content,
    }


def playlist_item(wanted: Playlist, song_id: str, world: World, base: str) -> dict[str, Any]:
    """Return an entry of a playlist, its song wrapped as ``item``; an empty id is what Spotify has no more."""
    item = listed_track(song_id, world, base) if song_id else None
    by = links("user", wanted.owner_id, base)
    return {"added_at": "2026-11-01T12:00:00Z", "added_by": by, "is_local": False, "item": item}


def player_state(listener: Listener, world: World, base: str) -> dict[str, Any] | None:
    """Return what plays; None where no device is active."""
    player = listener.player
    device = next((each for each in devices(listener) if each["id"] == player.device_id), None)
    if device is None:
        return None
    if world.is_hostile and player.song_id and player.position_ms > OTHER_SONG_MS:
        player.song_id = next(pk for pk in world.songs if pk != player.song_id)
        player.go_to(0)
    return {
        "device": device,
        "repeat_state": "off",
        "shuffle_state": False,
        "context": None,
        "timestamp": 1_790_000_000_000,
        "progress_ms": player.position_ms,
        "is_playing": player.is_playing,
        "item": listed_track(player.song_id, world, base) if player.song_id else None,
        "currently_playing_type": "track",
        # What would be refused just now, as "Restriction violated".
        "actions": {"disallows": {"resuming": True} if player.is_playing else {"pausing": True}},
    }


def devices(listener: Listener) -> list[dict[str, Any]]:
    """Return a listener's devices."""
    return [
        {
            "is_private_session": False,
            "is_restricted": False,
            "type": "Computer",
            "volume_percent": 60,
            "supports_volume": True,
            **device,
            "is_active": device["id"] == listener.player.device_id,
        }
        for device in listener.devices
    ]
