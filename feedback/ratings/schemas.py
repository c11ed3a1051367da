"""What calls about likes and dislikes take and give."""

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from accounts.schemas import Strict
from catalog.schemas import MAX_ID, SongRef

Mark = Literal["like", "dislike", "clear"]


class FeedbackIn(Strict):
    """A rating."""

    song_id: int = Field(ge=1, le=MAX_ID, examples=[1482])
    value: Mark = Field(description="`clear` removes the rating.", examples=["like"])


class FeedbackOut(Schema):
    """Your rating of a song."""

    song_id: int = Field(examples=[1482])
    value: Literal["like", "dislike"] | None = Field(description="null if not rated.", examples=["like"])


class FeedbacksIn(Strict):
    """Several ratings. The last one of a song counts."""

    items: list[FeedbackIn] = Field(min_length=1, max_length=100)


class FeedbacksOut(Schema):
    """Your ratings of the songs."""

    items: list[FeedbackOut]
    unknown_songs: list[int] = Field(description="IDs that aren't in the catalogue.", examples=[[99]])


class RatingOut(Schema):
    """A like or dislike."""

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
    q: str = Field("", max_length=200, description="Words from the title or artist.", examples=["winter"])
