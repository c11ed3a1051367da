"""Calls that search Spotify on the listener's behalf and add songs."""

from typing import Any

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.problems import responses
from accounts.schemas import Strict
from accounts.spotify.web_api.client import client_for
from catalog import selectors
from catalog.models import SPOTIFY_ID_PATTERN
from catalog.schemas import SearchQuery, SongRef
from catalog.sources.spotify.songs import HiddenSongError, add_from_spotify, known_songs

router = Router(tags=["spotify"])
_THEIRS = (404, 409, 503)


class FoundOut(Schema):
    """A song on Spotify."""

    spotify_id: str = Field(examples=["4uLU6hMCjMI75M1A2tKUQC"])
    title: str = Field(examples=["Winter Lights"])
    artists: list[str] = Field(examples=[["Nordlys"]])
    album: str
    song_id: int | None = Field(description="Its ID on this site, or null if it isn't in the catalogue yet.")


class AddIn(Strict):
    """Which song."""

    spotify_id: str = Field(pattern=SPOTIFY_ID_PATTERN, examples=["4uLU6hMCjMI75M1A2tKUQC"])


@router.get(
    "/spotify/songs",
    summary="Search Spotify",
    auth=LISTENER,
    throttle=limits("api", "search"),
    response=responses(list[FoundOut], *_THEIRS),
)
def find(request: HttpRequest, query: Query[SearchQuery]) -> Any:
    """Songs on Spotify that match a search."""
    songs = client_for(listener_of(request)).search_tracks(query.q)
    known = known_songs(songs)
    return [
        {
            "spotify_id": song.id,
            "title": song.title,
            "artists": list(song.artists),
            "album": song.album,
            "song_id": known[song.id].pk if song.id in known else None,
        }
        for song in songs
    ]


@router.post(
    "/spotify/songs",
    summary="Add a song from Spotify",
    auth=LISTENER,
    throttle=limits("api", "feedback"),
    response=responses(SongRef, 400, 413, 415, *_THEIRS, status=201),
)
def add(request: HttpRequest, body: AddIn) -> Any:
    """Add a song from Spotify to the catalogue. If it's already there, returns it unchanged."""
    try:
        track, _is_new = add_from_spotify(user=listener_of(request), spotify_id=body.spotify_id)
    except HiddenSongError as error:
        raise Http404 from error
    return Status(201, selectors.tracks_in_order([track.pk])[0])
