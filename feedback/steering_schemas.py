"""What calls about playlists and about steering take and give."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import AwareDatetime, BeforeValidator, Field

from accounts.schemas import Strict
from catalog.schemas import MAX_ID, SongRef

SongId = Annotated[int, Field(ge=1, le=MAX_ID)]
_SONGS = Field(max_length=500, description="Ids, in order.", examples=[[1482, 77]])
Kind = Literal["track", "artist", "genre"]
Level = Literal["off", "down", "normal", "up"]


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
    """Where a song goes."""

    place: int = Field(ge=0, le=10_000, description="From 0; beyond the end means the end.", examples=[0])


class PlaylistOut(Schema):
    """A playlist."""

    id: int = Field(examples=[5])
    name: str = Field(examples=["Rainy Sunday"])
    song_count: int
    source: str = Field(examples=["site"])
    created_at: datetime
    updated_at: datetime


class PlaylistPage(Schema):
    """One page of playlists."""

    items: list[PlaylistOut]
    next: str | None


class PlaylistSongs(Schema):
    """A playlist with one page of its songs."""

    playlist: PlaylistOut
    items: list[SongRef]
    next: str | None


class TargetIn(Strict):
    """A song, an artist or a genre."""

    kind: Kind = Field(examples=["artist"])
    id: SongId = Field(examples=[12])


class BlockIn(TargetIn):
    """What is not to be recommended, and for how long."""

    days: Literal[7, 30, 365] | None = Field(None, description="null: for good.")


class BlockOut(Schema):
    """What is not recommended."""

    kind: Kind
    id: int = Field(description="Of the song, artist or genre.")
    name: str
    until: datetime | None = Field(description="null: for good.")
    created_at: datetime


class LineIn(Strict):
    """A line of your taste, and how much it is to count."""

    kind: Literal["artist", "genre", "feature"] = Field(examples=["genre"])
    id: str = Field(max_length=30, description="An id, or the name of an audio feature.", examples=["3"])
    level: Level = Field(examples=["up"])


class LineOut(Schema):
    """A line of your taste: `weight` is its part beside the strongest line."""

    kind: str
    id: int
    name: str
    weight: float
    level: str


class SoundOut(Schema):
    """Where your songs lie in one audio feature, in percent of its range, beside all songs."""

    name: str
    low: float
    middle: float
    high: float
    usual_low: float
    usual_high: float
    level: str


def _only_text(value: object) -> object:
    """Refuse numbers, which would be taken for seconds since 1970."""
    if value is not None and not isinstance(value, str):
        raise ValueError("a time as text is needed, such as 2026-11-21T18:00:00Z")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_only_text), Field(strict=False)]


class ExclusionIn(Strict):
    """What is not to count: a song, an artist, or a time."""

    kind: Literal["track", "artist"] | None = None
    id: SongId | None = None
    since: Time | None = None
    until: Time | None = None


class ExclusionOut(Schema):
    """What does not count in your taste."""

    id: int
    track_id: int | None
    artist_id: int | None
    since: datetime | None
    until: datetime | None
    is_private_session: bool


class TasteOut(Schema):
    """What is believed of your taste, and how you have steered it."""

    artists: list[LineOut]
    genres: list[LineOut]
    sound: list[SoundOut]
    words: list[str]
    amount: float = Field(description="How much is known of you, in likes.")
    exclusions: list[ExclusionOut]
    private_since: datetime | None = Field(description="Since when a private session goes on.")


class PrivateIn(Strict):
    """Whether what you do counts."""

    is_private: bool
