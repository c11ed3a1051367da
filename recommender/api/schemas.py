"""What calls about recommendations take and give."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Path as PathParameter
from ninja import Schema
from pydantic import Field

from catalog.schemas import MAX_ID, SongRef

MAX_SONGS = 100
PageId = Annotated[UUID, PathParameter(..., description="The `page` you got with the recommendations.")]


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
    """The two ends of the journey, and the number of songs in between."""

    start: int = Field(ge=1, le=MAX_ID, examples=[1482])
    goal: int = Field(ge=1, le=MAX_ID, examples=[1502])
    between: int = Field(10, ge=1, le=50, examples=[10])


class SuggestionsQuery(Schema):
    """How many songs, and whether to include ones you know."""

    k: int = Field(25, ge=1, le=MAX_SONGS, examples=[25])
    only_new: bool = Field(True, description="Leave out songs you have rated or played.")


class RecommendationOut(Schema):
    """A recommended song with its score."""

    song: SongRef = Field(validation_alias="track")
    score: float = Field(examples=[3.21])
    terms: dict[str, float] = Field(
        description="Named parts of the score. They may add up to less than the score.",
        examples=[{"artist": 1.2, "genre": 0.4}],
    )
    reason: str = Field(
        description="The reason in words. May be empty.", examples=["Because you like North by Nordlys"]
    )
    is_explored: bool = Field(description="True if it is here to try something new.")


class RecommendationsOut(Schema):
    """Songs for you, best first."""

    items: list[RecommendationOut]
    page: UUID | None = Field(
        description="Identifies this response. Use it to ask why a song is in it. null if there is no model."
    )
    model_version: int | None = Field(
        description="null if no model has been trained yet. You then get the most popular songs."
    )


class SimilarOut(Schema):
    """Songs that go well with others, in order."""

    items: list[SongRef]
    is_known: bool = Field(description="False if the song is newer than the last retraining.")


class ModelVersionOut(Schema):
    """A model version."""

    id: int
    created_at: datetime
    activated_at: datetime | None
    state: str = Field(examples=["active"])
    fitted_on: dict[str, object] = Field(description="Amounts of data the model was trained on.")


class ModelVersionPage(Schema):
    """One page of model versions."""

    items: list[ModelVersionOut]
    next: str | None = Field(description="Cursor of the next page, or null on the last one.")


class WeekOut(Schema):
    """A weekly list, what was expected of it and how it went."""

    id: int = Field(examples=[12])
    title: str = Field(examples=["Your week, 30 Nov"])
    week: date = Field(description="Monday of the ISO week.")
    day: date = Field(description="The day it is dated.")
    created_at: datetime
    song_count: int
    expected: float = Field(
        description="Number of songs you were expected to like or finish, if you hear all.", examples=[17.4]
    )
    basis: Literal["fitted", "prior"] = Field(
        description="`fitted` if learned from answers on this site, `prior` if a starting value.", examples=["fitted"]
    )
    answers: int = Field(description="Number of answers the expectation was learned from.")
    heard: int = Field(description="Number of songs you heard or rated within 7 days.")
    expected_of_heard: float = Field(description="The expectation for the songs you heard.")
    succeeded: int = Field(description="Number of songs you liked or finished.")


class WeekPage(Schema):
    """One page of weekly lists."""

    items: list[WeekOut]
    next: str | None


class WeekSongOut(Schema):
    """A song of a weekly list."""

    song: SongRef | None = Field(description="null if the song isn't in the catalogue any more.")
    title: str
    artists: str
    probability: float = Field(description="Probability that you like or finish it, if you hear it.", examples=[0.58])


class WeekSongs(Schema):
    """A weekly list with its songs."""

    week: WeekOut
    items: list[WeekSongOut]
