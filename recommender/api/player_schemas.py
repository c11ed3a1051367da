"""What calls of the player take and give."""

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from accounts.schemas import Strict
from catalog.schemas import MAX_ID, SongRef
from feedback.plays.schemas import UUID_PATTERN
from feedback.web.schemas import SongId

NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"


class PlaybackSources(Schema):
    """The ways a song can be played. Empty if there is none."""

    file: str = Field(
        description="The recording, from a music server. Answers requests for a `Range` with up to 256 KiB.",
        examples=["/api/songs/1482/file"],
    )
    spotify: str = Field(examples=["spotify:track:4uLU6hMCjMI75M1A2tKUQC"])
    preview: str = Field(examples=["https://audio.example.org/1.mp3"])
    sketch: str = Field(
        description="A sketch: music generated from the song's features.", examples=["/api/songs/1482/sketch.wav"]
    )


class CurrentOut(Schema):
    """The queue item that is playing."""

    item: int
    is_radio: bool = Field(description="True if it was recommended rather than chosen.")
    song: SongRef
    means: PlaybackSources


class PlaybackOut(Schema):
    """State of your player."""

    current: CurrentOut | None
    is_playing: bool = Field(description="False if paused.")
    position_ms: int = Field(description="Position in the song at `position_at`.", examples=[31000])
    position_at: datetime | None = Field(
        description="If it is playing, it has gone on since then. null before the first song."
    )
    device: str = Field(description="Name of the page or program that plays. Empty if unknown.", examples=["Kitchen"])
    shuffle: bool
    has_previous: bool
    ahead: int = Field(description="Upcoming songs.")
    unknown_songs: list[int] = Field(description="IDs in your request that aren't in the catalogue.", examples=[[99]])


class QueueItemOut(Schema):
    """An upcoming song."""

    id: int
    is_radio: bool
    song: SongRef = Field(validation_alias="track")


class QueuePage(Schema):
    """One page of upcoming songs, the next one first."""

    items: list[QueueItemOut]
    next: str | None = Field(description="Cursor of the next page, or null on the last one.")


class PlayingIn(Strict):
    """Whether your program plays, and where in the song."""

    is_playing: bool
    position_ms: int | None = Field(
        None,
        ge=0,
        le=86_400_000,
        description="null for where it has come to by now. Beyond the song's end means its end.",
        examples=[31000],
    )
    device: str | None = Field(
        None,
        max_length=60,
        pattern=NO_CONTROLS,
        description="Name of your program. null to leave it as it is.",
        examples=["Kitchen"],
    )


class QueueIn(Strict):
    """Songs for the queue."""

    songs: list[SongId] = Field(min_length=1, max_length=500, examples=[[1482, 77]])
    is_next: bool = Field(False, description="True to add them right after the current song.")


class ListIn(Strict):
    """What to play instead of the current queue: songs by ID, or all songs of a `source`."""

    songs: list[SongId] = Field([], max_length=500, examples=[[1482, 77]])
    source: Literal["likes", "playlist", "artist", "genre"] | None = Field(None, examples=["playlist"])
    source_id: SongId | None = Field(None, description="ID of the playlist, artist or genre.", examples=[5])
    first: SongId | None = Field(None, description="Song to start with. Defaults to the first one.", examples=[77])


class NextQuery(Schema):
    """Where to continue from."""

    after: int | None = Field(
        None,
        ge=1,
        le=MAX_ID,
        description="The item that was playing. If another device has moved on since then, its position wins.",
        examples=[12],
    )


class ShuffleIn(Strict):
    """Turns shuffle on or off."""

    is_on: bool


class ReportIn(Strict):
    """Progress of a play. You can send it repeatedly, and the latest one counts."""

    song_id: SongId = Field(examples=[1482])
    token: str = Field(pattern=UUID_PATTERN, examples=["6c84fb90-12c4-11e1-840d-7b25c5ee775a"])
    ms_played: int = Field(ge=0, le=86_400_000, examples=[31000])
    outcome: Literal["started", "completed", "skipped"] = Field(examples=["completed"])
