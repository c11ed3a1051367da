"""Schemas of the calls about history imports."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from feedback.history_import.job import UNDO
from feedback.history_import.models import HistoryImport
from feedback.history_import.notes import told_notes


def _true_or_false(value: object) -> object:
    """Read a form's text: true or false, which some clients write True and False, and nothing else."""
    text = str(value).lower()
    if text not in ("true", "false"):
        raise PydanticCustomError("bool_parsing", "must be true or false")
    return text == "true"


FormBool = Annotated[bool, BeforeValidator(_true_or_false)]


class QuestionOut(Schema):
    """What only you know: which number is the day, in times like these."""

    name: str = Field(description="The file.", examples=["scrobbles.csv"])
    examples: list[str] = Field(examples=[["12/10/2017 21:47"]])


class HistoryImportOut(Schema):
    """Progress or result of an import."""

    id: int = Field(examples=[4])
    name: str = Field(description="Name of the uploaded file.", examples=["my_spotify_data.zip"])
    size: int = Field(description="Bytes.", examples=[1_200_000])
    format: str = Field(description="Detected format.", examples=["Spotify, extended streaming history"])
    state: Literal["waiting", "running", "undoing", "asking", "done", "failed", "stopped"] = Field(examples=["running"])
    percent: int = Field(examples=[40])
    error: str = Field(description="Why it failed. Empty if it didn't.")
    plays_added: int = Field(examples=[1200])
    plays_known: int = Field(description="Already in your history.")
    plays_known_elsewhere: int = Field(description="Of these, the ones another source had already told.")
    plays_unmatched: int = Field(description="Skipped because the song isn't in the catalogue.")
    plays_skipped: int = Field(description="Skipped for the reasons in `skipped`.")
    songs_created: int
    skipped: dict[str, int] = Field(examples=[{"no time": 3}])
    notes: list[str] = Field(description="What is worth knowing of how the file was read.")
    question: QuestionOut | None = Field(description="Answer with the call `day-first` or `month-first`.")
    created_at: datetime
    finished_at: datetime | None

    @staticmethod
    def resolve_error(history: HistoryImport) -> str:
        """Return why it failed, in the language of the request."""
        return history.error_text

    @staticmethod
    def resolve_state(history: HistoryImport) -> str:
        """Return the state: running, or how it ended."""
        job = history.job()
        if job is not None and job.is_active:
            return "undoing" if job.kind == UNDO else str(job.state)
        if history.finished_at is not None:
            return "failed" if history.error else "done"
        if history.question:
            return "asking"
        return str(job.state) if job is not None else "stopped"

    @staticmethod
    def resolve_notes(history: HistoryImport) -> list[str]:
        """Return the notes as sentences."""
        return told_notes(history)

    @staticmethod
    def resolve_percent(history: HistoryImport) -> int:
        """Return how much of the latest work is done."""
        job = history.job()
        return job.percent if job is not None else 100


class HistoryImportPage(Schema):
    """One page of imports, latest first."""

    items: list[HistoryImportOut]
    next: str | None


class UnmatchedOut(Schema):
    """A song from an import that isn't in the catalogue."""

    title: str = Field(examples=["Winter Lights"])
    artist: str = Field(examples=["Nordlys"])
    album: str
    uri: str = Field(examples=["spotify:track:4uLU6hMCjMI75M1A2tKUQC"])
    plays: int = Field(examples=[12])


class UnmatchedPage(Schema):
    """One page of songs that aren't in the catalogue, most played first."""

    items: list[UnmatchedOut]
    next: str | None
