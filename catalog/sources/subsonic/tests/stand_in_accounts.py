"""What the stand-in of Navidrome keeps for each account: playlists, stars, ratings and plays."""

from dataclasses import dataclass, field
from typing import Any

_AT = "2026-01-01T00:00:00Z"


@dataclass
class Playlist:
    """A playlist of an account."""

    key: str
    name: str
    owner: str
    songs: list[str] = field(default_factory=list)


@dataclass
class Accounts:
    """The calls about accounts. ``has_answers``: whether createPlaylist says what it made; supysonic does not.

    stars: when a song was starred, by username and song; ratings: 1 to 5; plays: how often, and when last ("" unknown).
    """

    lists: list[Playlist] = field(default_factory=list)
    has_answers: bool = True
    stars: dict[str, dict[str, str]] = field(default_factory=dict)
    ratings: dict[str, dict[str, int]] = field(default_factory=dict)
    plays: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)
    _made: int = 0

    def names(self) -> list[tuple[str, str]]:
        """Return owner and name of each playlist."""
        return [(each.owner, each.name) for each in self.lists]

    def answer(self, method: str, user: str, values: dict[str, list[str]]) -> dict[str, Any] | None:
        """Return the content of the answer to a call about playlists, ``None`` for other calls."""
        match method:
            case "getPlaylists":
                return {"playlists": {"playlist": [self._row(each) for each in self.lists]}}
            case "createPlaylist":
                return self._create(user, values)
            case "updatePlaylist":
                return self._update(user, values)
        return None

    def of_song(self, user: str, key: str) -> dict[str, Any]:
        """Return what a song says of the account that asks."""
        row: dict[str, Any] = {}
        if key in self.stars.get(user, {}):
            row["starred"] = self.stars[user][key]
        if key in self.ratings.get(user, {}):
            row["userRating"] = self.ratings[user][key]
        count, played = self.plays.get(user, {}).get(key, (0, ""))
        row |= {"playCount": count} if count else {}
        return row | ({"played": played} if played else {})

    def _create(self, user: str, values: dict[str, list[str]]) -> dict[str, Any]:
        songs = values.get("songId", [])
        if "playlistId" in values:
            playlist = self._own(user, values["playlistId"][0])
            if isinstance(playlist, dict):
                return playlist
            playlist.songs = list(songs)
        else:
            self._made += 1
            playlist = Playlist(f"pl-{self._made}", values["name"][0], user, list(songs))
            self.lists.append(playlist)
        return {"playlist": {**self._row(playlist), "entry": []}} if self.has_answers else {}

    def _update(self, user: str, values: dict[str, list[str]]) -> dict[str, Any]:
        playlist = self._own(user, values["playlistId"][0])
        if isinstance(playlist, dict):
            return playlist
        playlist.name = values.get("name", [playlist.name])[0]
        playlist.songs += values.get("songIdToAdd", [])
        return {}

    def _own(self, user: str, key: str) -> Playlist | dict[str, Any]:
        playlist = next((each for each in self.lists if each.key == key), None)
        if playlist is None:
            return {"error": {"code": 70, "message": "data not found"}}
        return playlist if playlist.owner == user else {"error": {"code": 50, "message": "not authorized"}}

    def _row(self, each: Playlist) -> dict[str, Any]:
        return {
            "id": each.key, "name": each.name, "owner": each.owner, "public": False, "songCount": len(each.songs),
            "duration": 0, "created": _AT, "changed": _AT,
        }  # fmt: skip
