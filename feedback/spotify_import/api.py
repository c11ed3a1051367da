"""Calls about a listener's songs at Spotify. Connecting itself needs a browser: /api/auth/spotify."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Status

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.paging import CursorQuery, read_cursor, write_cursor
from accounts.apikit.problems import ProblemError, responses
from accounts.spotify.reminders import set_reminder
from accounts.spotify.selectors import connection_of, is_connected
from accounts.spotify.web_api.client import client_for, is_configured
from feedback.playlists.services import PlaylistFullError
from feedback.spotify_import import services
from feedback.spotify_import.forms import PlaylistImportForm
from feedback.spotify_import.models import SpotifyPlaylist
from feedback.spotify_import.playlists import import_playlist as import_from_spotify
from feedback.spotify_import.saving import liked_ids, save_playlist
from feedback.spotify_import.schemas import (
    BringIn,
    DisconnectQuery,
    PlaylistImportIn,
    PlaylistImportOut,
    SavedOut,
    SpotifyIn,
    SpotifyOut,
    TakenOut,
    TheirPlaylistPage,
)
from feedback.spotify_import.selectors import progress_of

router = Router(by_alias=True, tags=["spotify"])
_BODY = (400, 413, 415)
_LIMITS = limits("api", "feedback")
# What Spotify may answer: not (any more) connected, not there, not now.
_THEIRS = (404, 409, 503)


@router.get("/user/spotify", summary="Get your Spotify connection", auth=LISTENER, response=responses(SpotifyOut))
def spotify(request: HttpRequest) -> Any:
    """Your Spotify connection and what you imported. Doesn't contact Spotify."""
    user = listener_of(request)
    connection = connection_of(user)
    progress = progress_of(user)
    return {
        "is_offered": is_configured(),
        "is_connected": connection is not None and not connection.needs_reconnect,
        "needs_reconnect": connection is not None and connection.needs_reconnect,
        "display_name": connection.display_name if connection else "",
        "ends_at": connection.ends_at if connection else None,
        "wants_email": connection is not None and connection.wants_email,
        "bringing": progress.spotify_import.record if progress.spotify_import is not None else None,
        "imports": [transfer.record for transfer in progress.imports],
        "saved": [transfer.record for transfer in progress.saved],
    }


@router.patch(
    "/user/spotify",
    summary="Change your Spotify connection",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(None, 404, *_BODY, status=204),
)
def change_connection(request: HttpRequest, body: SpotifyIn) -> Any:
    """Turn the email before the connection expires on or off."""
    if not set_reminder(user=listener_of(request), is_wanted=body.wants_email):
        raise ProblemError(404, _("Spotify isn't connected."))
    return Status(204, None)


@router.delete(
    "/user/spotify",
    summary="Disconnect Spotify",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(None, 404, 409, status=204),
)
def end_connection(request: HttpRequest, query: Query[DisconnectQuery]) -> Any:
    """Disconnect Spotify and delete its access tokens at once, and what you imported unless you keep it."""
    if services.disconnect_spotify(user=listener_of(request), keeps_imports=query.keep_imports) is None:
        raise ProblemError(404, _("Spotify isn't connected."))
    return Status(204, None)


@router.post(
    "/user/spotify/songs",
    summary="Import from Spotify",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(None, 409, *_BODY, status=202),
)
def bring(request: HttpRequest, body: BringIn) -> Any:
    """Import songs from Spotify in the background. Check `/api/user/spotify` for progress."""
    user = listener_of(request)
    if not is_connected(user):
        raise ProblemError(409, _("Spotify isn't connected. Connect it in a browser first."))
    latest = progress_of(user).spotify_import
    if latest is not None and latest.is_busy:
        raise ProblemError(409, _("Your Spotify import is already running."))
    services.start_import(user=user, parts=list(dict.fromkeys(body.parts)))
    return Status(202, None)


@router.delete(
    "/user/spotify/songs",
    summary="Delete Spotify imports",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(TakenOut, 409),
)
def take_back(request: HttpRequest) -> Any:
    """Delete everything you imported from Spotify. What you liked, disliked or played here stays."""
    return services.take_back(user=listener_of(request))


@router.get(
    "/user/spotify/playlists",
    summary="List your playlists on Spotify",
    auth=LISTENER,
    throttle=limits("api", "search"),
    response=responses(TheirPlaylistPage, *_THEIRS),
)
def playlists(request: HttpRequest, query: Query[CursorQuery]) -> Any:
    """Your playlists on Spotify, one page at a time."""
    client = client_for(listener_of(request))
    offset = read_cursor("spotify-playlists", query.cursor)[0] if query.cursor else "0"
    page = client.my_playlists(my_id=client.my_id(), offset=offset)
    more = write_cursor("spotify-playlists", [page.next]) if page.next else None
    return {"items": page.items, "next": more}


@router.post(
    "/user/spotify/playlists",
    summary="Import a Spotify playlist",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(PlaylistImportOut, *_THEIRS, *_BODY, status=201),
)
def import_playlist(request: HttpRequest, body: PlaylistImportIn) -> Any:
    """Like all songs of one of your Spotify playlists, or copy them to a private playlist.

    Long playlists continue in the background. Check `/api/user/spotify` for progress.
    """
    form = PlaylistImportForm(body.dict())
    name = form.cleaned_data["name"] if form.is_valid() else ""
    try:
        record = import_from_spotify(
            user=listener_of(request), playlist_id=body.playlist, name=name, as_likes=body.into == "likes"
        )
    except PlaylistFullError as error:
        raise ProblemError(409, str(error)) from error
    return Status(201, record)


@router.put(
    "/user/spotify/playlists/likes",
    summary="Save your likes to Spotify",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(SavedOut, *_THEIRS),
)
def save_likes(request: HttpRequest) -> Any:
    """Save your likes as a playlist in your Spotify account, or update it.

    More than 100 likes continue in the background. Check `/api/user/spotify` for progress.
    """
    user = listener_of(request)
    return save_playlist(user=user, kind=SpotifyPlaylist.Kind.LIKES, name=_("My likes"), spotify_ids=liked_ids(user))
