"""What calls about the listener's taste take and give."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from accounts.schemas import Strict
from catalog.schemas import MAX_ID, ArtistRef, GenreRef, SongRef
from feedback.web.fields import MAX_PICKS
from feedback.web.schemas import SongId

Kind = Literal["track", "artist", "genre"]

Level = Literal["off", "down", "normal", "up"]


class TargetIn(Strict):
    """A song, an artist or a genre."""

    kind: Kind = Field(examples=["artist"])
    id: SongId = Field(examples=[12])


class BlockIn(TargetIn):
    """What to block, and for how long."""

    days: Literal[7, 30, 365] | None = Field(None, description="null if permanent.")


class BlockOut(Schema):
    """A block."""

    kind: Kind
    id: int = Field(description="ID of the song, artist or genre.")
    name: str
    until: datetime | None = Field(description="null if permanent.")
    created_at: datetime


class BlockPage(Schema):
    """One page of blocks."""

    items: list[BlockOut]
    next: str | None = Field(description="Cursor of the next page, or null on the last one.")


TasteKind = Literal["artist", "genre", "feature"]
LineId = Annotated[int, Field(ge=1, le=MAX_ID)] | Annotated[str, Field(min_length=1, max_length=30)]


class TasteLine(Strict):
    """One line of your taste and how much it counts. What you get is what you send, with another `level`."""

    kind: TasteKind = Field(examples=["genre"])
    id: LineId = Field(description="An ID, or the name of an audio feature.", examples=[3, "energy"])
    name: str = Field("", max_length=1000, description="Not needed when you send a line.", examples=["folk"])
    weight: float | None = Field(
        None, description="Relative to the strongest line. null for audio features. Not needed when you send a line."
    )
    level: Level = Field(examples=["up"])


class SoundOut(Schema):
    """The range of your songs in one audio feature, compared with all songs, in percent of the feature's range."""

    line: TasteLine
    low: float
    middle: float
    high: float
    usual_low: float
    usual_high: float


def _only_text(value: object) -> object:
    """Refuse numbers, which would be taken for seconds since 1970."""
    if value is not None and not isinstance(value, str):
        raise PydanticCustomError("datetime_parsing", "must be a time such as 2026-11-21T18:00:00Z")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_only_text), Field(strict=False)]


class ExclusionIn(Strict):
    """What to exclude: a song, an artist or a period."""

    kind: Literal["track", "artist"] | None = None
    id: SongId | None = None
    since: Time | None = None
    until: Time | None = None


class ExclusionOut(Schema):
    """Something excluded from your taste."""

    id: int
    track_id: int | None
    artist_id: int | None
    since: datetime | None
    until: datetime | None
    is_private_session: bool


class ExclusionPage(Schema):
    """One page of exclusions."""

    items: list[ExclusionOut]
    next: str | None = Field(description="Cursor of the next page, or null on the last one.")


class TasteOut(Schema):
    """Your taste as we see it, and your adjustments."""

    artists: list[TasteLine]
    genres: list[TasteLine]
    sound: list[SoundOut]
    words: list[str]
    amount: float = Field(description="How much we know about you, measured in likes.")
    exclusions: list[ExclusionOut]
    private_since: datetime | None = Field(description="When the current private session started.")


class PrivateIn(Strict):
    """Whether a private session is on."""

    is_private: bool


class PreferencesOut(Schema):
    """The genres and artists you chose, and your latest likes and dislikes (for all of them see /api/user/ratings)."""

    genres: list[GenreRef]
    artists: list[ArtistRef]
    likes: list[SongRef]
    dislikes: list[SongRef]
    like_count: int
    dislike_count: int


class ChangedPreferencesOut(PreferencesOut):
    """Your preferences after a change."""

    unknown_genres: list[int] = Field(description="IDs in your request that don't exist.", examples=[[99]])
    unknown_artists: list[int] = Field(description="IDs in your request that don't exist.", examples=[[99]])


class PreferencesIn(Strict):
    """IDs of genres and artists you like. Replaces the earlier ones."""

    genres: list[int] = Field(max_length=MAX_PICKS, examples=[[3, 14]])
    artists: list[int] = Field(max_length=MAX_PICKS, examples=[[12]])
