"""What calls about feedback take and give."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Header, Schema
from pydantic import Field, model_validator

from accounts.schemas import Strict
from catalog.schemas import MAX_ID, ArtistRef, GenreRef, SongRef
from feedback.forms import MAX_PICKS

OnceKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="Sent again within a day, the request changes nothing more and gets the same answer.",
    ),
]
UUID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
Mark = Literal["like", "dislike", "clear"]


class FeedbackIn(Strict):
    """What you think of a song."""

    song_id: int = Field(ge=1, le=MAX_ID, examples=[1482])
    value: Mark = Field(description="clear: no longer rated.", examples=["like"])


class FeedbackOut(Schema):
    """What is kept of your opinion."""

    song_id: int = Field(examples=[1482])
    value: Literal["like", "dislike"] | None = Field(description="null: not rated.", examples=["like"])


class RatingOut(Schema):
    """A like or a dislike."""

    song: SongRef = Field(validation_alias="track")
    value: Literal["like", "dislike"] = Field(examples=["like"])
    updated_at: datetime

    @staticmethod
    def resolve_value(rating: object) -> str:
        """Return the rating in words."""
        return "like" if getattr(rating, "value", 0) == 1 else "dislike"


class RatingPage(Schema):
    """One page of ratings, the latest first."""

    items: list[RatingOut]
    next: str | None


class RatingQuery(Schema):
    """Which ratings."""

    value: Literal["like", "dislike"] = Field("like", examples=["like"])
    q: str = Field("", max_length=200, description="Words of title or artist.", examples=["winter"])


class PlayIn(Strict):
    """A song you played."""

    song_id: int = Field(ge=1, le=MAX_ID, examples=[1482])
    token: str | None = Field(
        None,
        pattern=UUID_PATTERN,
        description="A UUID of your own: sent twice, the play counts once.",
        examples=["6c84fb90-12c4-11e1-840d-7b25c5ee775a"],
    )

    @property
    def uuid(self) -> UUID | None:
        """Return the token as a UUID."""
        return UUID(self.token) if self.token else None


class PlayOut(Schema):
    """A song you played, and when."""

    id: int = Field(examples=[90210])
    song: SongRef = Field(validation_alias="track")
    played_at: datetime
    ms_played: int | None
    outcome: Literal["started", "completed", "skipped"]
    source: Literal["site", "spotify"]
    is_counted: bool = Field(description="Does it count in your taste?")


class HistoryQuery(Schema):
    """Which plays."""

    q: str = Field("", max_length=200, description="Words of title or artist.", examples=["winter"])
    outcome: Literal["started", "completed", "skipped"] | None = Field(None, examples=["completed"])


class PlayPage(Schema):
    """One page of plays, the latest first."""

    items: list[PlayOut]
    next: str | None


class RemovedOut(Schema):
    """What brings a removed play back, for a day."""

    undo: str = Field(description="Send it to /api/user/history/restore.", examples=["eyJ0cmFjayI6MTQ4Mn0:1sabcd:Zk9x"])


class RestoreIn(Strict):
    """What a removal answered with."""

    undo: str = Field(max_length=2000, examples=["eyJ0cmFjayI6MTQ4Mn0:1sabcd:Zk9x"])


class StatisticsQuery(Schema):
    """Of which time: 4 weeks, 12 months, or all."""

    period: Literal["month", "year", "all"] = Field("year", examples=["year"])


class SpanOut(Schema):
    """A week or a month."""

    first_day: date
    plays: int

    @model_validator(mode="wrap")
    @classmethod
    def from_pair(cls, value: Any, handler: Any) -> Any:
        """Take a pair of day and number."""
        return handler({"first_day": value[0], "plays": value[1]} if isinstance(value, tuple) else value)


class HeardOut(Schema):
    """How often something was heard, and when first and last."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["folk"])
    plays: int = Field(examples=[41])
    first: datetime
    last: datetime

    @staticmethod
    def resolve_id(heard: Any) -> int:
        """Return the id of the song, artist or genre."""
        return int(heard.thing.pk)

    @staticmethod
    def resolve_name(heard: Any) -> str:
        """Return the song's title, or the name."""
        return str(getattr(heard.thing, "title", heard.thing))


class StatisticsOut(Schema):
    """What your plays add up to; lists hold the most played."""

    plays: int
    songs: int
    artists: int
    milliseconds: int = Field(description="As far as it is known how long plays were.")
    by_month: bool = Field(description="False: `spans` are weeks.")
    spans: list[SpanOut]
    hours: list[int] = Field(description="Plays by hour of the day, 24 of them.")
    top_genres: list[HeardOut]
    top_artists: list[HeardOut]
    top_songs: list[HeardOut]
    first: datetime | None
    last: datetime | None
    time_zone: str = Field(examples=["Europe/Stockholm"])


class PreferencesOut(Schema):
    """What you said you like; the latest likes and dislikes (all of them: /api/user/ratings)."""

    genres: list[GenreRef]
    artists: list[ArtistRef]
    likes: list[SongRef]
    dislikes: list[SongRef]
    like_count: int
    dislike_count: int


class PreferencesIn(Strict):
    """Genres and artists you like, by id, in place of the earlier ones."""

    genres: list[int] = Field(max_length=MAX_PICKS, examples=[[3, 14]])
    artists: list[int] = Field(max_length=MAX_PICKS, examples=[[12]])
