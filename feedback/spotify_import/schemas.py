"""What calls about a listener's songs at Spotify take and give."""

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from accounts.schemas import Strict

Part = Literal["top", "saved", "followed", "recent"]
PLAYLIST_ID = r"^[0-9A-Za-z]{1,64}$"


_ERROR = "What stopped it last. Empty if nothing did."


class CountsOut(Schema):
    """How many were found on Spotify, are in the catalogue, and were added."""

    total: int = Field(0, description="How many there are on Spotify.", examples=[10412])
    fetched: int = Field(0, alias="found", description="How many were read so far.", examples=[50])
    unreadable: int = Field(
        0, description="How many of those read aren't songs, such as local files and podcasts.", examples=[0]
    )
    matched: int = Field(0, examples=[41])
    added: int = Field(0, examples=[38])


class SpotifyImportOut(Schema):
    """Your Spotify import."""

    parts: list[str] = Field(examples=[["top", "saved"]])
    counts: dict[str, CountsOut] = Field(description="Counts for each part.")
    error: str = Field(validation_alias="error_message", description=_ERROR)
    is_complete: bool = Field(description="True if everything was read.")
    consented_at: datetime
    finished_at: datetime | None = Field(description="null while it is running.")


class SavedOut(Schema):
    """A playlist that this site saved to your Spotify account."""

    kind: Literal["likes", "for_you"]
    song_count: int = Field(description="Songs that are in it so far.", examples=[100])
    wanted: int = Field(description="Songs that will be in it.", examples=[10412])
    error: str = Field(validation_alias="error_message", description=_ERROR)
    updated_at: datetime


class PlaylistImportOut(Schema):
    """A Spotify playlist that was imported or is being imported."""

    spotify_id: str = Field(examples=["37i9dQZF1DX0XUsuxWHRQd"])
    name: str = Field(examples=["Rainy Sunday"])
    into: Literal["likes", "list"] = Field(examples=["list"])
    playlist_id: int | None = Field(description="ID of the new playlist, or null for likes.")
    total: int = Field(description="How many songs it has on Spotify.", examples=[11000])
    songs_read: int = Field(serialization_alias="found", description="How many were read so far.", examples=[200])
    unreadable: int = Field(
        description="How many of those read aren't songs, such as local files and podcasts.", examples=[0]
    )
    matched: int = Field(examples=[150])
    added: int = Field(examples=[140])
    error: str = Field(validation_alias="error_message", description=_ERROR)
    is_complete: bool = Field(description="True if everything was read.")
    requested_at: datetime
    finished_at: datetime | None = Field(description="null while it is running.")


class SpotifyOut(Schema):
    """Your Spotify connection."""

    is_offered: bool = Field(description="Whether the site's operator has set up a Spotify app.")
    is_connected: bool
    needs_reconnect: bool = Field(description="The connection has expired. Reconnect in a browser.")
    display_name: str = Field(examples=["Ada"])
    ends_at: datetime | None = Field(description="Roughly when Spotify will end the connection.")
    wants_email: bool = Field(description="Whether you get an email a month before that.")
    bringing: SpotifyImportOut | None
    imports: list[PlaylistImportOut] = Field(description="Your latest playlist imports, up to 20.")
    saved: list[SavedOut]


class SpotifyIn(Strict):
    """What you can change of your Spotify connection."""

    wants_email: bool = Field(description="True for an email a month before the connection expires.")


class BringIn(Strict):
    """What to import, and your consent."""

    parts: list[Part] = Field(min_length=1, max_length=4, examples=[["top", "saved"]])
    consent: Literal[True] = Field(description="Read this from my Spotify account and use it for my recommendations.")


class DisconnectQuery(Schema):
    """What becomes of your imports."""

    keep_imports: bool = Field(False, description="True to keep what you imported from Spotify.")


class TakenOut(Schema):
    """Numbers of deleted items."""

    likes: int = Field(examples=[38])
    plays: int
    artists: int
    playlists: int
    songs: int = Field(description="Songs you added from Spotify that nobody uses.")


class TheirPlaylistOut(Schema):
    """A playlist on Spotify."""

    id: str = Field(examples=["37i9dQZF1DX0XUsuxWHRQd"])
    name: str = Field(examples=["Rainy Sunday"])
    total: int = Field(description="Songs.", examples=[40])
    is_own: bool = Field(description="Whether it is your own. Only then can its songs be read.")


class TheirPlaylistPage(Schema):
    """One page of your playlists on Spotify."""

    items: list[TheirPlaylistOut]
    next: str | None = Field(description="Cursor of the next page, or null on the last one.")


class PlaylistImportIn(Strict):
    """Which playlist, and whether its songs become likes or a private playlist."""

    playlist: str = Field(pattern=PLAYLIST_ID, examples=["37i9dQZF1DX0XUsuxWHRQd"])
    name: str = Field("", max_length=100, examples=["Rainy Sunday"])
    into: Literal["likes", "list"] = Field(examples=["list"])
