"""Schemas of the catalogue's calls."""

from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import Field as Bounds

from accounts.apikit.parameters import MAX_ID, RowId
from catalog.models import SPOTIFY_ID_PATTERN, Track

__all__ = ["MAX_ID", "RowId"]


ISRC_PATTERN = "^[A-Za-z]{2}[A-Za-z0-9]{3}[0-9]{7}$"
MBID_PATTERN = "^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$"


class ArtistRef(Schema):
    """An artist."""

    id: int = Field(examples=[12])
    name: str = Field(examples=["Nordlys"])


class GenreRef(Schema):
    """A genre."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["folk"])


class SongRef(Schema):
    """A song, as shown in lists."""

    id: int = Field(examples=[1482])
    title: str = Field(examples=["Winter Lights"])
    artists: list[ArtistRef]
    album: str = Field(examples=["North"])
    duration_ms: int | None = Field(examples=[214000])
    explicit: bool | None = Field(description="null if unknown.")
    popularity: int | None = Field(description="0 to 100, or null if unknown.", examples=[64])
    release_year: int | None = Field(examples=[2019])
    spotify_id: str | None = Field(examples=["4uLU6hMCjMI75M1A2tKUQC"])
    preview_url: str = Field(description="Empty if there is none.", examples=["https://audio.example.org/1.mp3"])
    cover_url: str = Field(description="Empty if unknown.", examples=["https://i.scdn.co/image/ab67616d"])

    @staticmethod
    def resolve_artists(song: Track | dict[str, Any]) -> Any:
        """Return the artists in the order of the credits."""
        if isinstance(song, dict):
            return song["artists"]
        return [credit.artist for credit in song.credits.all()]

    @staticmethod
    def resolve_spotify_id(song: Track | dict[str, Any]) -> str | None:
        """Return the id if it is really one of Spotify's."""
        if isinstance(song, dict):
            return song.get("spotify_id")
        return song.spotify_id if song.is_on_spotify else None


class SongOut(SongRef):
    """A song with all its details."""

    isrc: str = Field(description="Empty if unknown.", examples=["GBAYE0601498"])
    mbid: str = Field(
        description="The recording's ID at MusicBrainz. Empty if unknown.",
        examples=["b1a9c0e9-d987-4042-ae91-78d6a3267d69"],
    )
    has_file: bool = Field(description="True if this site has the recording: see `/api/songs/{song_id}/file`.")
    genres: list[GenreRef]
    features: dict[str, float] = Field(description="Audio features. Unknown ones are omitted.")
    features_origin: str = Field(description="Source of the features. Empty if there are none.")
    versions: list[SongRef] = Field(description="Other versions of the same recording, the most popular first.")


class SongPage(Schema):
    """One page of songs."""

    items: list[SongRef]
    next: str | None = Field(description="Cursor of the next page, or null on the last one.")


class LookupQuery(Schema):
    """Which songs: up to 100 of each."""

    id: list[Annotated[int, Bounds(ge=1, le=MAX_ID)]] = Bounds([], max_length=100, examples=[[1482, 77]])
    spotify_id: list[Annotated[str, Bounds(pattern=SPOTIFY_ID_PATTERN)]] = Bounds(
        [], max_length=100, examples=[["4uLU6hMCjMI75M1A2tKUQC"]]
    )
    isrc: list[Annotated[str, Bounds(pattern=ISRC_PATTERN)]] = Bounds([], max_length=100, examples=[["GBAYE0601498"]])
    mbid: list[Annotated[str, Bounds(pattern=MBID_PATTERN)]] = Bounds(
        [], max_length=100, examples=[["b1a9c0e9-d987-4042-ae91-78d6a3267d69"]]
    )


class LookupOut(Schema):
    """The songs, and what you asked for that isn't in the catalogue."""

    items: list[SongRef]
    unknown_ids: list[int] = Field(examples=[[99]])
    unknown_spotify_ids: list[str] = Field(examples=[["4uLU6hMCjMI75M1A2tKUQC"]])
    unknown_isrcs: list[str] = Field(examples=[["GBAYE0601498"]])
    unknown_mbids: list[str] = Field(examples=[["b1a9c0e9-d987-4042-ae91-78d6a3267d69"]])


class SearchPage(SongPage):
    """One page of matching songs. The first page also has the matching artists and genres."""

    artists: list[ArtistRef]
    genres: list[GenreRef]
    is_partial: bool = Field(description="True if there were too many matches to rank them all.")
    corrected: str = Field(description="The words searched for instead, if nothing matched the query; otherwise empty.")


class ArtistOut(ArtistRef):
    """An artist with their genres, the most frequent first."""

    genres: list[GenreRef]
    songs: list[SongRef] = Field(description="Most popular songs, one version of each.")


class GenreTileOut(GenreRef):
    """A genre with its number of songs and some popular artists."""

    count: int
    artists: list[str]


class GenrePage(Schema):
    """One page of genres, by name."""

    items: list[GenreTileOut]
    next: str | None = Field(description="Cursor of the next page, or null on the last one.")


class SearchQuery(Schema):
    """What to search for."""

    q: str = Bounds(
        min_length=1,
        max_length=200,
        description="Words from the title, artist or album. The last one may be incomplete.",
        examples=["winter li"],
    )


Percent = Annotated[
    int | None, Bounds(ge=0, le=100, description="Percent. At the end of its range it excludes nothing.", examples=[40])
]


class BrowseQuery(Schema):
    """Which songs to list, and in what order."""

    genre: int | None = Bounds(None, ge=1, le=MAX_ID, description="Only songs of this genre.", examples=[3])
    sort: Literal["popularity", "title", "newest"] = Bounds("popularity", examples=["popularity"])
    year_from: int | None = Bounds(None, ge=1000, le=9999, examples=[1990])
    year_to: int | None = Bounds(None, ge=1000, le=9999, examples=[2019])
    tempo_min: int | None = Bounds(None, ge=40, le=220, description="BPM.", examples=[90])
    tempo_max: int | None = Bounds(None, ge=40, le=220, description="BPM.", examples=[140])
    energy_min: Percent = None
    energy_max: Percent = None
    valence_min: Percent = None
    valence_max: Percent = None
    danceability_min: Percent = None
    danceability_max: Percent = None
    acousticness_min: Percent = None
    acousticness_max: Percent = None
    instrumentalness_min: Percent = None
    instrumentalness_max: Percent = None
