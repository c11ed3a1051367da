"""Playlists on a music server: read which there are, create, replace and rename them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.sources.subsonic.client import SubsonicClient, SubsonicError
from catalog.sources.subsonic.parsing import remote_id, rows_of

# How many songs go into one call: in the body of a POST, or in an address, which may be 8,000 characters long.
_POSTED, _IN_ADDRESS = 1000, 50


@dataclass(frozen=True)
class RemotePlaylist:
    """A playlist as the server lists it; ``owner`` is "" where the server does not say."""

    remote_id: str
    name: str
    owner: str


def own_playlists(client: SubsonicClient, username: str) -> list[RemotePlaylist]:
    """Return the account's own playlists, without those that others share. Raise ``SubsonicError``."""
    listed = client.call("getPlaylists").get("playlists")
    rows = rows_of(listed.get("playlist") if isinstance(listed, dict) else None)
    lists = [_playlist_of(row) for row in rows]
    owners = (username.casefold(), "")
    return [each for each in lists if each.remote_id and each.owner.casefold() in owners]


def create_playlist(client: SubsonicClient, username: str, name: str, song_ids: Sequence[str]) -> str:
    """Create a playlist and return its id. Raise ``SubsonicError``."""
    first, rest = _parted(client, song_ids)
    made = client.call("createPlaylist", {"name": name, "songId": first}).get("playlist")
    pk = remote_id(made.get("id")) if isinstance(made, dict) else ""
    if not pk:
        # supysonic, and all before version 1.14, do not say what they made; the newest of that name comes last.
        same = [each.remote_id for each in own_playlists(client, username) if each.name == name]
        if not same:
            raise SubsonicError("createPlaylist: the playlist isn't there afterwards")
        pk = same[-1]
    _append(client, pk, rest)
    return pk


def replace_playlist(client: SubsonicClient, playlist_id: str, song_ids: Sequence[str]) -> None:
    """Put ``song_ids`` in the place of all the playlist's songs. Raise ``SubsonicError``."""
    first, rest = _parted(client, song_ids)
    client.call("createPlaylist", {"playlistId": playlist_id, "songId": first})
    _append(client, playlist_id, rest)


def rename_playlist(client: SubsonicClient, playlist_id: str, name: str) -> None:
    """Give the playlist another name. Raise ``SubsonicError``."""
    client.call("updatePlaylist", {"playlistId": playlist_id, "name": name})


def _playlist_of(row: dict[str, Any]) -> RemotePlaylist:
    return RemotePlaylist(remote_id(row.get("id")), str(row.get("name") or ""), str(row.get("owner") or ""))


def _parted(client: SubsonicClient, song_ids: Sequence[str]) -> tuple[list[str], list[str]]:
    size = _batch_size(client)
    return list(song_ids[:size]), list(song_ids[size:])


def _append(client: SubsonicClient, playlist_id: str, song_ids: Sequence[str]) -> None:
    size = _batch_size(client)
    for start in range(0, len(song_ids), size):
        client.call("updatePlaylist", {"playlistId": playlist_id, "songIdToAdd": list(song_ids[start : start + size])})


def _batch_size(client: SubsonicClient) -> int:
    return _POSTED if client.abilities.has_form_post else _IN_ADDRESS
