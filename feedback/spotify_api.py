"""Calls about a listener's songs at Spotify. Connecting itself needs a browser: /api/auth/spotify."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Status

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.problems import ProblemError, answers
from accounts.models import User
from accounts.spotify.client import client_for, is_configured
from accounts.spotify.selectors import connection_of, is_connected
from accounts.spotify.services import disconnect
from feedback import spotify_services as services
from feedback.playlist_services import PlaylistFullError
from feedback.spotify_forms import PlaylistImportForm
from feedback.spotify_models import SpotifyBringing, SpotifyPlaylist
from feedback.spotify_schemas import (
    BringIn,
    OffsetQuery,
    PlaylistImportIn,
    PlaylistImportOut,
    SavedOut,
    SpotifyOut,
    TakenOut,
    TheirPlaylistPage,
)

router = Router(tags=["spotify"])
_BODY = (400, 413, 415)
_LIMITS = limits("api", "feedback")
# What Spotify may answer: not (any more) connected, not there, not now.
_THEIRS = (404, 409, 503)


@router.get("/user/spotify", auth=LISTENER, response=answers(SpotifyOut))
def spotify(request: HttpRequest) -> Any:
    """Your connection with Spotify, and what you brought from there. Spotify is not asked."""
    user = listener_of(request)
    connection = connection_of(user)
    return {
        "is_offered": is_configured(),
        "is_connected": connection is not None and not connection.needs_reconnect,
        "needs_reconnect": connection is not None and connection.needs_reconnect,
        "display_name": connection.display_name if connection else "",
        "ends_at": connection.ends_at if connection else None,
        "bringing": SpotifyBringing.objects.filter(user=user).first(),
        "saved": list(SpotifyPlaylist.objects.filter(user=user)),
    }


@router.delete("/user/spotify", auth=LISTENER, throttle=_LIMITS, response=answers(None, 404, status=204))
def end_connection(request: HttpRequest) -> Any:
    """Disconnect: the tokens are deleted at once. What you brought stays until you take it back."""
    if not disconnect(user=listener_of(request)):
        raise ProblemError(404, "There is no connection.")
    return Status(204, None)


@router.post("/user/spotify/songs", auth=LISTENER, throttle=_LIMITS, response=answers(None, 409, *_BODY, status=202))
def bring(request: HttpRequest, body: BringIn) -> Any:
    """Bring songs from Spotify, in the background: `/api/user/spotify` says how far it is."""
    user = listener_of(request)
    if not is_connected(user):
        raise ProblemError(409, "There is no connection with Spotify: a browser has to make it.")
    if _is_busy(user):
        raise ProblemError(409, "Your songs are on their way already.")
    services.begin_bringing(user=user, parts=list(dict.fromkeys(body.parts)))
    return Status(202, None)


@router.delete("/user/spotify/songs", auth=LISTENER, throttle=_LIMITS, response=answers(TakenOut))
def take_back(request: HttpRequest) -> Any:
    """Delete all that came from Spotify; what you said or heard here since stays."""
    return services.take_back(user=listener_of(request))


@router.get(
    "/user/spotify/playlists",
    auth=LISTENER,
    throttle=limits("api", "search"),
    response=answers(TheirPlaylistPage, *_THEIRS),
)
def playlists(request: HttpRequest, query: Query[OffsetQuery]) -> Any:
    """Your playlists at Spotify."""
    client = client_for(listener_of(request))
    return client.my_playlists(my_id=client.my_id(), offset=query.offset)


@router.post(
    "/user/spotify/playlists",
    auth=LISTENER,
    throttle=_LIMITS,
    response=answers(PlaylistImportOut, *_THEIRS, *_BODY, status=201),
)
def import_playlist(request: HttpRequest, body: PlaylistImportIn) -> Any:
    """Like the songs of a playlist of yours at Spotify, or make a private playlist of them."""
    form = PlaylistImportForm(body.dict())
    name = form.cleaned_data["name"] if form.is_valid() else ""
    try:
        counts, made = services.import_playlist(
            user=listener_of(request), playlist_id=body.playlist, name=name, as_likes=body.into == "likes"
        )
    except PlaylistFullError as error:
        raise ProblemError(409, "You have too many playlists already.") from error
    return Status(201, {**counts, "playlist_id": made.pk if made else None})


@router.put("/user/spotify/playlists/likes", auth=LISTENER, throttle=_LIMITS, response=answers(SavedOut, *_THEIRS))
def save_likes(request: HttpRequest) -> Any:
    """Save your likes as a playlist in your Spotify account, or bring it up to date."""
    user = listener_of(request)
    tracks = services.liked_tracks(user)
    return services.save_playlist(user=user, kind=SpotifyPlaylist.Kind.LIKES, name=_("My likes"), tracks=tracks)


def _is_busy(user: User) -> bool:
    bringing = SpotifyBringing.objects.filter(user=user, finished_at=None).first()
    job = bringing.job() if bringing is not None else None
    return job is not None and job.is_active
