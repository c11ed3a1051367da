"""What calls about statistics take and give."""

from datetime import date, datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field, model_validator


class StatisticsQuery(Schema):
    """Which period: 4 weeks, 12 months or all time."""

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
    """How often something was played, and when first and last."""

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
    """Your listening statistics. Lists hold the most played items."""

    plays: int
    songs: int
    artists: int
    milliseconds: int = Field(description="Total listening time, as far as the length of plays is known.")
    by_month: bool = Field(description="True if `spans` are months, false if they are weeks.")
    spans: list[SpanOut]
    hours: list[int] = Field(description="Plays per hour of the day (24 values).")
    top_genres: list[HeardOut]
    top_artists: list[HeardOut]
    top_songs: list[HeardOut]
    first: datetime | None
    last: datetime | None
    time_zone: str = Field(examples=["Europe/Stockholm"])
