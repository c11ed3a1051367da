"""Calls about the listener's own playlists."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.paging import PageQuery, newest_page, ranked_page
from accounts.apikit.problems import ProblemError, answers, file_answer, refuse_form
from catalog.models import Track
from catalog.schemas import RowId
from catalog.selectors import tracks_in_order
from feedback import playlist_services
from feedback.exports import page_address, playlist_file
from feedback.models import Playlist, PlaylistItem
from feedback.playlist_forms import PlaylistNameForm
from feedback.playlist_selectors import playlists_of, tracks_of
from feedback.playlist_services import PlaylistFullError
from feedback.steering_schemas import (
    FileQuery,
    NameIn,
    PlaceIn,
    PlaylistIn,
    PlaylistOut,
    PlaylistPage,
    PlaylistSongs,
    SongsIn,
)

router = Router(tags=["playlists"])
_BODY = (400, 404, 413, 415)
_LIMITS = limits("api", "feedback")
_SHOWN = 100


@router.get("/playlists", auth=LISTENER, response=answers(PlaylistPage))
def playlists(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Your playlists, the last changed first."""
    found, more = newest_page(playlists_of(listener_of(request)), name="playlists", by="updated_at", page=page)
    return {"items": found, "next": more}


@router.post("/playlists", auth=LISTENER, throttle=_LIMITS, response=answers(PlaylistOut, 409, *_BODY, status=201))
def create(request: HttpRequest, body: PlaylistIn) -> Any:
    """Make a playlist; songs that do not exist are left out."""
    name, user = _name(body.name), listener_of(request)
    try:
        made = playlist_services.create_playlist(owner=user, name=name, tracks=tracks_in_order(body.songs))
    except PlaylistFullError as error:
        raise ProblemError(409, str(error)) from error
    return Status(201, playlists_of(user).get(pk=made.pk))


@router.get("/playlists/{playlist_id}", auth=LISTENER, response=answers(PlaylistSongs, 404))
def playlist(request: HttpRequest, playlist_id: RowId, page: Query[PageQuery]) -> Any:
    """One playlist with its songs in order."""
    found = _mine(request, playlist_id)
    ids, more = ranked_page(tracks_of(found).values_list("pk", flat=True), name=f"playlist:{found.pk}", page=page)
    return {"playlist": found, "items": tracks_in_order(ids), "next": more}


@router.patch("/playlists/{playlist_id}", auth=LISTENER, throttle=_LIMITS, response=answers(PlaylistOut, *_BODY))
def rename(request: HttpRequest, playlist_id: RowId, body: NameIn) -> Any:
    """Give a playlist another name."""
    playlist_services.rename_playlist(playlist=_mine(request, playlist_id), name=_name(body.name))
    return _mine(request, playlist_id)


@router.delete("/playlists/{playlist_id}", auth=LISTENER, throttle=_LIMITS, response=answers(None, 404, status=204))
def delete(request: HttpRequest, playlist_id: RowId) -> Any:
    """Delete a playlist."""
    playlist_services.delete_playlist(playlist=_mine(request, playlist_id))
    return Status(204, None)


@router.post(
    "/playlists/{playlist_id}/songs", auth=LISTENER, throttle=_LIMITS, response=answers(PlaylistOut, 409, *_BODY)
)
def add_songs(request: HttpRequest, playlist_id: RowId, body: SongsIn) -> Any:
    """Append songs; those it holds already, and those that do not exist, are left out."""
    found = _mine(request, playlist_id)
    try:
        playlist_services.add_tracks(playlist=found, tracks=tracks_in_order(body.songs))
    except PlaylistFullError as error:
        raise ProblemError(409, str(error)) from error
    return _mine(request, playlist_id)


@router.put(
    "/playlists/{playlist_id}/songs/{song_id}", auth=LISTENER, throttle=_LIMITS, response=answers(PlaylistOut, *_BODY)
)
def move_song(request: HttpRequest, playlist_id: RowId, song_id: RowId, body: PlaceIn) -> Any:
    """Move a song to another place."""
    found = _mine(request, playlist_id)
    track = get_object_or_404(tracks_of(found), pk=song_id)
    playlist_services.move_track(playlist=found, track=track, place=body.place)
    return _mine(request, playlist_id)


@router.delete(
    "/playlists/{playlist_id}/songs/{song_id}", auth=LISTENER, throttle=_LIMITS, response=answers(PlaylistOut, 404)
)
def remove_song(request: HttpRequest, playlist_id: RowId, song_id: RowId) -> Any:
    """Take a song out."""
    found = _mine(request, playlist_id)
    track = get_object_or_404(Track, pk=song_id, playlist_items__playlist=found)
    playlist_services.remove_track(playlist=found, track=track)
    return _mine(request, playlist_id)


@router.get(
    "/playlists/{playlist_id}/file",
    auth=LISTENER,
    response=answers(bytes, 404),
    openapi_extra=file_answer("audio/x-mpegurl", "application/json", "text/csv"),
)
def export(request: HttpRequest, playlist_id: RowId, query: Query[FileQuery]) -> Any:
    """A playlist as a file for other players: M3U, JSPF or CSV."""
    return playlist_file(_mine(request, playlist_id), query.kind, page_address(request))


@router.get("/songs/{song_id}/playlists", auth=LISTENER, response=answers(list[PlaylistOut], 404))
def playlists_of_song(request: HttpRequest, song_id: RowId) -> Any:
    """Your playlists that hold a song."""
    track = get_object_or_404(Track.objects.active(), pk=song_id)
    held = PlaylistItem.objects.filter(track=track).values("playlist")
    return list(playlists_of(listener_of(request)).filter(pk__in=held)[:_SHOWN])


def _mine(request: HttpRequest, pk: int) -> Playlist:
    return get_object_or_404(playlists_of(listener_of(request)), pk=pk)


def _name(name: str) -> str:
    form = PlaylistNameForm({"name": name})
    if not form.is_valid():
        raise refuse_form(form)
    return str(form.cleaned_data["name"])
