"""Calls about the listener's own playlists."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.paging import PageQuery, newest_page, ranked_page
from accounts.apikit.problems import ProblemError, file_response, refuse_form, responses
from catalog.models import Track
from catalog.schemas import RowId
from catalog.selectors import tracks_in_order, unknown_ids
from feedback.playlists import services as playlist_services
from feedback.playlists.exports import playlist_file
from feedback.playlists.forms import PlaylistNameForm
from feedback.playlists.models import Playlist, PlaylistItem
from feedback.playlists.schemas import (
    ChangedPlaylistOut,
    FileQuery,
    NameIn,
    PlaceIn,
    PlaylistIn,
    PlaylistOut,
    PlaylistPage,
    PlaylistSongs,
    SongsIn,
)
from feedback.playlists.selectors import playlists_of, tracks_of
from feedback.playlists.services import PlaylistFullError
from feedback.web.exports import page_address

router = Router(tags=["playlists"])
_BODY = (400, 404, 413, 415)
_LIMITS = limits("api", "feedback")


@router.get("/playlists", summary="List your playlists", auth=LISTENER, response=responses(PlaylistPage))
def playlists(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Your playlists, most recently changed first."""
    items, more = newest_page(playlists_of(listener_of(request)), name="playlists", by="updated_at", page=page)
    return {"items": items, "next": more}


@router.post(
    "/playlists",
    summary="Create a playlist",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(ChangedPlaylistOut, 409, *_BODY, status=201),
)
def create(request: HttpRequest, body: PlaylistIn) -> Any:
    """Create a playlist. Unknown songs are left out and named in `unknown_songs`."""
    name, user, tracks = _name(body.name), listener_of(request), tracks_in_order(body.songs)
    try:
        made = playlist_services.create_playlist(owner=user, name=name, tracks=tracks)
    except PlaylistFullError as error:
        raise ProblemError(409, str(error)) from error
    return Status(201, _changed(playlists_of(user).get(pk=made.pk), unknown_ids(body.songs, tracks)))


@router.get("/playlists/{playlist_id}", summary="Get a playlist", auth=LISTENER, response=responses(PlaylistSongs, 404))
def playlist(request: HttpRequest, playlist_id: RowId, page: Query[PageQuery]) -> Any:
    """One playlist with its songs in order."""
    shown = _mine(request, playlist_id)
    ids, more = ranked_page(tracks_of(shown).values_list("pk", flat=True), name=f"playlist:{shown.pk}", page=page)
    return {"playlist": shown, "items": tracks_in_order(ids), "next": more}


@router.patch(
    "/playlists/{playlist_id}",
    summary="Rename a playlist",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(PlaylistOut, *_BODY),
)
def rename(request: HttpRequest, playlist_id: RowId, body: NameIn) -> Any:
    """Rename a playlist."""
    playlist_services.rename_playlist(playlist=_mine(request, playlist_id), name=_name(body.name))
    return _mine(request, playlist_id)


@router.delete(
    "/playlists/{playlist_id}",
    summary="Delete a playlist",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(None, 404, status=204),
)
def delete(request: HttpRequest, playlist_id: RowId) -> Any:
    """Delete a playlist."""
    playlist_services.delete_playlist(playlist=_mine(request, playlist_id))
    return Status(204, None)


@router.post(
    "/playlists/{playlist_id}/songs",
    summary="Add songs to a playlist",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(ChangedPlaylistOut, 409, *_BODY),
)
def add_songs(request: HttpRequest, playlist_id: RowId, body: SongsIn) -> Any:
    """Add songs at the end. Songs already in the playlist are ignored.

    Unknown songs are left out and named in `unknown_songs`.
    """
    target = _mine(request, playlist_id)
    tracks = tracks_in_order(body.songs)
    try:
        playlist_services.add_tracks(playlist=target, tracks=tracks)
    except PlaylistFullError as error:
        raise ProblemError(409, str(error)) from error
    return _changed(_mine(request, playlist_id), unknown_ids(body.songs, tracks))


@router.put(
    "/playlists/{playlist_id}/songs/{song_id}",
    summary="Move a song in a playlist",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(PlaylistOut, *_BODY),
)
def move_song(request: HttpRequest, playlist_id: RowId, song_id: RowId, body: PlaceIn) -> Any:
    """Move a song to another position."""
    target = _mine(request, playlist_id)
    track = get_object_or_404(tracks_of(target), pk=song_id)
    playlist_services.move_track(playlist=target, track=track, index=body.position)
    return _mine(request, playlist_id)


@router.delete(
    "/playlists/{playlist_id}/songs/{song_id}",
    summary="Remove a song from a playlist",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(PlaylistOut, 404),
)
def remove_song(request: HttpRequest, playlist_id: RowId, song_id: RowId) -> Any:
    """Remove a song."""
    target = _mine(request, playlist_id)
    track = get_object_or_404(Track, pk=song_id, playlist_items__playlist=target)
    playlist_services.remove_track(playlist=target, track=track)
    return _mine(request, playlist_id)


@router.get(
    "/playlists/{playlist_id}/file",
    summary="Download a playlist",
    auth=LISTENER,
    response=responses(bytes, 404),
    openapi_extra=file_response("audio/x-mpegurl", "application/jspf+json", "text/csv"),
)
def export(request: HttpRequest, playlist_id: RowId, query: Query[FileQuery]) -> Any:
    """A playlist as an M3U, JSPF or CSV file."""
    return playlist_file(_mine(request, playlist_id), query.kind, page_address(request))


@router.get(
    "/songs/{song_id}/playlists",
    summary="List playlists with a song",
    auth=LISTENER,
    response=responses(PlaylistPage, 404),
)
def playlists_of_song(request: HttpRequest, song_id: RowId, page: Query[PageQuery]) -> Any:
    """Your playlists that contain a song, most recently changed first."""
    track = get_object_or_404(Track.objects.active(), pk=song_id)
    rows = playlists_of(listener_of(request)).filter(pk__in=PlaylistItem.objects.filter(track=track).values("playlist"))
    items, more = newest_page(rows, name=f"playlists:{track.pk}", by="updated_at", page=page)
    return {"items": items, "next": more}


def _changed(playlist: Playlist, unknown_songs: list[int]) -> Playlist:
    playlist.unknown_songs = unknown_songs  # type: ignore[attr-defined]
    return playlist


def _mine(request: HttpRequest, pk: int) -> Playlist:
    return get_object_or_404(playlists_of(listener_of(request)), pk=pk)


def _name(name: str) -> str:
    form = PlaylistNameForm({"name": name})
    if not form.is_valid():
        raise refuse_form(form)
    return str(form.cleaned_data["name"])
