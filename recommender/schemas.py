"""What calls about recommendations take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from ninja import Path as PathParameter
from ninja import Schema
from pydantic import Field

from catalog.schemas import MAX_ID, SongRef

MAX_SONGS = 100
PageId = Annotated[UUID, PathParameter(..., description="`page` of the recommendations.")]


class CountQuery(Schema):
    """How many songs."""

    k: int = Field(20, ge=1, le=MAX_SONGS, examples=[20])


class RecommendQuery(Schema):
    """How many songs."""

    k: int = Field(5, ge=1, le=MAX_SONGS, examples=[5])


class SimilarQuery(Schema):
    """How many songs."""

    k: int = Field(10, ge=1, le=MAX_SONGS, examples=[10])


class JourneyQuery(Schema):
    """The two ends, and how many songs lie between them."""

    start: int = Field(ge=1, le=MAX_ID, examples=[1482])
    goal: int = Field(ge=1, le=MAX_ID, examples=[1502])
    between: int = Field(10, ge=1, le=50, examples=[10])


class SuggestionsQuery(Schema):
    """How many songs, and whether you may know them."""

    k: int = Field(25, ge=1, le=MAX_SONGS, examples=[25])
    only_new: bool = Field(True, description="None that you rated or played.")


class RecommendationOut(Schema):
    """A song with the arithmetic behind it."""

    song: SongRef = Field(validation_alias="track")
    score: float = Field(examples=[3.21])
    terms: dict[str, float] = Field(
        description="Named parts of the score (it can hold more than they sum up to).",
        examples=[{"artist": 1.2, "genre": 0.4}],
    )
    reason: str = Field(description="In words; may be empty.", examples=["Because you like Nordlys (North)"])
    is_explored: bool = Field(description="There because something new was tried.")


class RecommendationsOut(Schema):
    """Songs for you, best first."""

    items: list[RecommendationOut]
    page: UUID | None = Field(description="Names this answer, for asking why a song is in it; null without a model.")
    model_version: int | None = Field(description="null: nothing has been learned yet, these are the popular songs.")


class SimilarOut(Schema):
    """Songs that go with others, in order."""

    items: list[SongRef]
    is_known: bool = Field(description="False: what was asked about is newer than the last retrain.")


class ModelVersionOut(Schema):
    """A fitted model."""

    id: int
    created_at: datetime
    activated_at: datetime | None
    state: str = Field(examples=["active"])
    fitted_on: dict[str, object] = Field(description="Counts of what the fit read.")
