"""What calls about a listener's songs at Spotify take and give."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field

from accounts.schemas import Strict

Part = Literal["top", "saved", "followed", "recent"]
PLAYLIST_ID = r"^[0-9A-Za-z]{1,64}$"


class CountsOut(Schema):
    """What came of it: at Spotify, in the catalogue here, and new here."""

    found: int = Field(0, examples=[50])
    matched: int = Field(0, examples=[41])
    added: int = Field(0, examples=[38])


class BringingOut(Schema):
    """What you brought, or are bringing."""

    parts: list[str] = Field(examples=[["top", "saved"]])
    counts: dict[str, CountsOut] = Field(description="By part.")
    error: str = Field(description="Why it failed; empty where it did not.")
    consented_at: datetime
    finished_at: datetime | None = Field(description="null: it is on its way.")


class SavedOut(Schema):
    """A playlist that this site keeps in your Spotify account."""

    kind: Literal["likes", "for_you"]
    song_count: int
    updated_at: datetime


class SpotifyOut(Schema):
    """Your connection with Spotify."""

    is_offered: bool = Field(description="Has the operator of this site set up an app?")
    is_connected: bool
    needs_reconnect: bool = Field(description="The connection has ended; a browser has to connect again.")
    display_name: str = Field(examples=["Ada"])
    ends_at: datetime | None = Field(description="When Spotify will end the connection, about.")
    bringing: BringingOut | None
    saved: list[SavedOut]


class BringIn(Strict):
    """What to bring, and that you want it."""

    parts: list[Part] = Field(min_length=1, max_length=4, examples=[["top", "saved"]])
    consent: Literal[True] = Field(description="Read this from my Spotify account and use it for my recommendations.")


class TakenOut(Schema):
    """How much was deleted."""

    likes: int = Field(examples=[38])
    plays: int
    artists: int
    playlists: int


class TheirPlaylistOut(Schema):
    """A playlist at Spotify."""

    id: str = Field(examples=["37i9dQZF1DX0XUsuxWHRQd"])
    name: str = Field(examples=["Rainy Sunday"])
    total: int = Field(description="Songs.", examples=[40])
    is_own: bool = Field(description="Yours: its songs can be read.")


class TheirPlaylistPage(Schema):
    """One page of playlists at Spotify."""

    items: list[TheirPlaylistOut]
    next: str | None = Field(description="The `offset` of the next page; null on the last.")


class OffsetQuery(Schema):
    """Where the page begins."""

    offset: Annotated[str, Field(pattern="^[0-9]{1,6}$")] = Field("0", examples=["0"])


class PlaylistImportIn(Strict):
    """Which playlist, and what becomes of its songs: likes, or a private playlist here."""

    playlist: str = Field(pattern=PLAYLIST_ID, examples=["37i9dQZF1DX0XUsuxWHRQd"])
    name: str = Field("", max_length=100, examples=["Rainy Sunday"])
    into: Literal["likes", "list"] = Field(examples=["list"])


class PlaylistImportOut(CountsOut):
    """What came in."""

    playlist_id: int | None = Field(description="The new playlist here; null for likes.")
