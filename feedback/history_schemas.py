"""What calls about a history that is brought along give."""

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from feedback.history_import.job import UNDO
from feedback.history_models import HistoryImport


class HistoryImportOut(Schema):
    """How far an import is, or what it brought."""

    id: int = Field(examples=[4])
    name: str = Field(description="What the file was called.", examples=["my_spotify_data.zip"])
    size: int = Field(description="Bytes.", examples=[1_200_000])
    format: str = Field(description="What the file was found to be.", examples=["Spotify, extended streaming history"])
    state: Literal["waiting", "running", "undoing", "done", "failed", "stopped"] = Field(examples=["running"])
    percent: int = Field(examples=[40])
    error: str = Field(description="Why it failed; empty where it did not.")
    plays_added: int = Field(examples=[1200])
    plays_known: int = Field(description="They were there already.")
    plays_unmatched: int = Field(description="Of songs that this site does not know.")
    plays_skipped: int = Field(description="Left out, for the reasons in `skipped`.")
    songs_created: int
    skipped: dict[str, int] = Field(examples=[{"no time": 3}])
    created_at: datetime
    finished_at: datetime | None

    @staticmethod
    def resolve_state(history: HistoryImport) -> str:
        """Return where it is: at work, or how that ended."""
        job = history.job()
        if job is not None and job.is_active:
            return "undoing" if job.kind == UNDO else str(job.state)
        if history.finished_at is not None:
            return "failed" if history.error else "done"
        return str(job.state) if job is not None else "stopped"

    @staticmethod
    def resolve_percent(history: HistoryImport) -> int:
        """Return how much of the latest work is done."""
        job = history.job()
        return job.percent if job is not None else 100


class HistoryImportPage(Schema):
    """One page of imports, the latest first."""

    items: list[HistoryImportOut]
    next: str | None


class UnmatchedOut(Schema):
    """A song of a history that this site does not know."""

    title: str = Field(examples=["Winter Lights"])
    artist: str = Field(examples=["Nordlys"])
    album: str
    uri: str = Field(examples=["spotify:track:4uLU6hMCjMI75M1A2tKUQC"])
    plays: int = Field(examples=[12])


class UnmatchedPage(Schema):
    """One page of unknown songs, the most played first."""

    items: list[UnmatchedOut]
    next: str | None
