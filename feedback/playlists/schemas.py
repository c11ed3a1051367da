"""What calls about playlists take and give."""

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from accounts.schemas import Strict
from catalog.schemas import SongRef
from feedback.web.schemas import SongId

_SONGS = Field(max_length=500, description="Ids, in order.", examples=[[1482, 77]])


class NameIn(Strict):
    """A playlist's name."""

    name: str = Field(min_length=1, max_length=100, examples=["Rainy Sunday"])


class FileQuery(Schema):
    """Which kind of file."""

    kind: Literal["m3u", "jspf", "csv"] = Field("m3u", examples=["m3u"])


class PlaylistIn(NameIn):
    """A new playlist."""

    songs: list[SongId] = Field([], max_length=500, description="Ids, in order.", examples=[[1482, 77]])


class SongsIn(Strict):
    """Songs to add."""

    songs: list[SongId] = _SONGS


class PlaceIn(Strict):
    """New position of a song."""

    position: int = Field(
        alias="place", ge=0, le=10_000, description="Starts at 0. Values beyond the end mean the end.", examples=[0]
    )


class PlaylistOut(Schema):
    """A playlist."""

    id: int = Field(examples=[5])
    name: str = Field(examples=["Rainy Sunday"])
    song_count: int
    source: str = Field(examples=["site"])
    created_at: datetime
    updated_at: datetime


class ChangedPlaylistOut(PlaylistOut):
    """A playlist after a change."""

    unknown_songs: list[int] = Field(
        [], description="IDs in your request that aren't in the catalogue.", examples=[[99]]
    )


class PlaylistPage(Schema):
    """One page of playlists."""

    items: list[PlaylistOut]
    next: str | None


class PlaylistSongs(Schema):
    """A playlist with one page of its songs."""

    playlist: PlaylistOut
    items: list[SongRef]
    next: str | None
