"""The sandbox's JSON, in the shape of the Web API after February 2026: without the fields that were removed."""

from collections.abc import Sequence
from typing import Any

from accounts.spotify.sandbox.world import Listener, Playlist, Song, World, spotify_id


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


def artist(name: str, base: str) -> dict[str, Any]:
    """Return an artist in full: without followers and popularity, and with no genres."""
    return {**links("artist", spotify_id(f"artist {name}"), base), "name": name, "images": images(name), "genres": []}


def credited(name: str, base: str) -> dict[str, Any]:
    """Return an artist as songs name them."""
    return {**links("artist", spotify_id(f"artist {name}"), base), "name": name}


def track(song: Song, base: str) -> dict[str, Any]:
    """Return a song."""
    album = {
        **links("album", spotify_id(f"album {song.artists[0]} {song.album}"), base),
        "album_type": "album",
        "artists": [credited(song.artists[0], base)],
        "images": images(song.album) if song.has_cover else [],
        "name": song.album,
        "release_date": str(song.year),
        "release_date_precision": "year",
        "total_tracks": 1,
    }
    return {
        **links("track", song.id, base),
        "album": album,
        "artists": [credited(name, base) for name in song.artists],
        "disc_number": 1,
        "duration_ms": song.duration_ms,
        "explicit": song.explicit,
        "external_ids": {"isrc": song.isrc} if song.isrc else {},
        "is_local": False,
        "is_playable": True,
        "name": song.title,
        "preview_url": None,
        "track_number": 1,
    }


def me(listener: Listener, base: str) -> dict[str, Any]:
    """Return a listener as they see themselves: without country, e-mail address, followers and product."""
    return {
        **links("user", listener.id, base),
        "account_id": listener.account_id,
        "display_name": listener.name,
        "images": [],
    }


def page(rows: Sequence[Any], path: str, limit: int, offset: int) -> dict[str, Any]:
    """Return a part of a list; ``path``: the whole address without ``limit`` and ``offset``."""
    glue = "&" if "?" in path else "?"

    def at(place: int) -> str:
        return f"{path}{glue}offset={place}&limit={limit}"

    return {
        "href": at(offset),
        "items": list(rows[offset : offset + limit]),
        "limit": limit,
        "next": at(offset + limit) if offset + limit < len(rows) else None,
        "offset": offset,
        "previous": at(max(0, offset - limit)) if offset > 0 else None,
        "total": len(rows),
    }


def playlist(found: Playlist, world: World, base: str, *, with_songs: bool = False) -> dict[str, Any]:
    """Return a playlist, with its songs where it is asked for alone."""
    address = f"{base}/v1/playlists/{found.id}/items"
    owner = world.listeners[found.owner_id]
    content: dict[str, Any] = {"href": address, "total": len(found.song_ids)}
    if with_songs:
        content = page(playlist_items(found, world, base), address, 50, 0)
    return {
        **links("playlist", found.id, base),
        "collaborative": False,
        "description": found.description,
        "images": [],
        "name": found.name,
        "owner": {**links("user", owner.id, base), "display_name": owner.name},
        "public": found.public,
        "snapshot_id": found.snapshot,
        "items": content,
    }


def playlist_items(found: Playlist, world: World, base: str) -> list[dict[str, Any]]:
    """Return a playlist's songs, each wrapped as ``item``."""
    by = links("user", found.owner_id, base)
    return [
        {"added_at": "2026-11-01T12:00:00Z", "added_by": by, "is_local": False, "item": track(world.songs[pk], base)}
        for pk in found.song_ids
    ]


def player_state(listener: Listener, world: World, base: str) -> dict[str, Any] | None:
    """Return what plays; None where no device is active."""
    player = listener.player
    device = next((each for each in devices(listener) if each["id"] == player.device_id), None)
    if device is None:
        return None
    return {
        "device": device,
        "repeat_state": "off",
        "shuffle_state": False,
        "context": None,
        "timestamp": 1_790_000_000_000,
        "progress_ms": player.position_ms,
        "is_playing": player.is_playing,
        "item": track(world.songs[player.song_id], base) if player.song_id else None,
        "currently_playing_type": "track",
        "actions": {},
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
