"""What calls about the catalogue give."""

from typing import Annotated, Any

from ninja import Field, Schema
from ninja import Path as PathParameter
from pydantic import Field as Bounds

from catalog.models import Track

MAX_ID = 2**63 - 1
# An id as it may stand in an address; larger numbers would be too much for the database.
RowId = Annotated[int, PathParameter(..., ge=1, le=MAX_ID, examples=[12])]


class ArtistRef(Schema):
    """An artist."""

    id: int = Field(examples=[12])
    name: str = Field(examples=["Nordlys"])


class GenreRef(Schema):
    """A genre."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["folk"])


class SongRef(Schema):
    """A song as lists show it."""

    id: int = Field(examples=[1482])
    title: str = Field(examples=["Winter Lights"])
    artists: list[ArtistRef]
    album: str = Field(examples=["North"])
    duration_ms: int | None = Field(examples=[214000])
    explicit: bool | None = Field(description="null: unknown.")
    popularity: int | None = Field(description="0 to 100; null: unknown.", examples=[64])
    release_year: int | None = Field(examples=[2019])
    spotify_id: str | None = Field(examples=["4uLU6hMCjMI75M1A2tKUQC"])
    preview_url: str = Field(description="Empty where there is none.", examples=["https://audio.example.org/1.mp3"])
    cover_url: str = Field(description="Empty where none is known.", examples=["https://i.scdn.co/image/ab67616d"])

    @staticmethod
    def resolve_artists(song: Track | dict[str, Any]) -> Any:
        """Return the artists in the order of the credits."""
        if isinstance(song, dict):
            return song["artists"]
        return [credit.artist for credit in song.credits.all()]

    @staticmethod
    def resolve_spotify_id(song: Track | dict[str, Any]) -> str | None:
        """Return the id where it really is one of Spotify's."""
        if isinstance(song, dict):
            return song.get("spotify_id")
        return song.spotify_id if song.is_on_spotify else None


class SongOut(SongRef):
    """A song with all that is known of it."""

    genres: list[GenreRef]
    features: dict[str, float] = Field(description="Audio features; unknown ones are left out.")
    features_origin: str = Field(description="Where the features come from; empty where there are none.")
    versions: list[SongRef] = Field(description="Other versions of the same recording, the most popular first.")


class SongPage(Schema):
    """One page of songs."""

    items: list[SongRef]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class SearchPage(SongPage):
    """One page of the songs found; on the first page also the artists and genres of that name."""

    artists: list[ArtistRef]
    genres: list[GenreRef]
    is_partial: bool = Field(description="There were too many songs to rank them all.")


class ArtistOut(ArtistRef):
    """An artist with their genres, the most frequent first."""

    genres: list[GenreRef]
    songs: list[SongRef] = Field(description="The most popular songs, each in one version.")


class GenreTileOut(GenreRef):
    """A genre with the number of its songs and a few well-known artists."""

    count: int
    artists: list[str]


class SearchQuery(Schema):
    """What to look for."""

    q: str = Bounds(
        min_length=1,
        max_length=200,
        description="Words of title, artist or album; the last one may be incomplete.",
        examples=["winter li"],
    )


Percent = Annotated[int | None, Bounds(ge=0, le=100, description="Percent; at its end it leaves out nothing.")]


class BrowseQuery(Schema):
    """Which songs, in which order."""

    genre: int | None = Bounds(None, ge=1, le=MAX_ID, description="Only songs of this genre.")
    sort: str = Bounds("popularity", pattern="^(popularity|title|newest)$", examples=["popularity"])
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
