"""Calls of the player: the current song, its state and its sources."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.http import conditional_page
from ninja import Query, Router, Status
from ninja.decorators import decorate_view

from accounts.apikit.auth import LISTENER, LISTENER_WHO_WRITES, limits, listener_of, require_own_page
from accounts.apikit.problems import responses
from catalog.models import Track
from catalog.schemas import RowId
from feedback.hidden import HiddenTrackError
from feedback.plays.services import OtherSongError, report_play
from feedback.queue import services as queue_services
from recommender.api.playback_state import playback_of
from recommender.api.player_schemas import NextQuery, PlaybackOut, PlayingIn, ReportIn, ShuffleIn
from recommender.pages.radio import next_song

router = Router(tags=["playback"])
_BODY = (400, 404, 413, 415)
_LIMITS = limits("api", "feedback")


@router.get("", summary="Get the player's state", auth=LISTENER, response=responses(PlaybackOut) | {304: None})
@decorate_view(conditional_page)
def state(request: HttpRequest) -> Any:
    """State of your player. Ask again with its ETag as If-None-Match: a 304 says that nothing has changed."""
    return playback_of(listener_of(request))


def _play(request: HttpRequest, song_id: int) -> Any:
    user, track = listener_of(request), get_object_or_404(Track.objects.active(), pk=song_id)
    queue_services.play_now(user=user, track=track)
    return playback_of(user)


@router.get(
    "/play/{song_id}",
    summary="Play a song (GET)",
    auth=LISTENER_WHO_WRITES,
    throttle=_LIMITS,
    response=responses(PlaybackOut, 404),
)
def play(request: HttpRequest, song_id: RowId) -> Any:
    """Play a song now. The rest of the queue follows.

    Needs a token, or a request that the browser says is of our own page.
    """
    require_own_page(request)
    return _play(request, song_id)


@router.post(
    "/play/{song_id}", summary="Play a song", auth=LISTENER, throttle=_LIMITS, response=responses(PlaybackOut, 404)
)
def play_by_post(request: HttpRequest, song_id: RowId) -> Any:
    """Play a song now. The rest of the queue follows."""
    return _play(request, song_id)


def _next(request: HttpRequest, after: int | None) -> Any:
    user = listener_of(request)
    next_song(user=user, after=after)
    return playback_of(user)


@router.get(
    "/next",
    summary="Skip to the next song (GET)",
    auth=LISTENER_WHO_WRITES,
    throttle=_LIMITS,
    response=responses(PlaybackOut),
)
def go_next(request: HttpRequest, query: Query[NextQuery]) -> Any:
    """Go to the next song, or to a recommended one at the end of the queue."""
    require_own_page(request)
    return _next(request, query.after)


@router.post("/next", summary="Skip to the next song", auth=LISTENER, throttle=_LIMITS, response=responses(PlaybackOut))
def go_next_by_post(request: HttpRequest, query: Query[NextQuery]) -> Any:
    """Go to the next song, or to a recommended one at the end of the queue."""
    return _next(request, query.after)


def _previous(request: HttpRequest) -> Any:
    user = listener_of(request)
    queue_services.go_previous(user=user)
    return playback_of(user)


@router.get(
    "/previous",
    summary="Go back one song (GET)",
    auth=LISTENER_WHO_WRITES,
    throttle=_LIMITS,
    response=responses(PlaybackOut),
)
def previous(request: HttpRequest) -> Any:
    """Go back one song."""
    require_own_page(request)
    return _previous(request)


@router.post("/previous", summary="Go back one song", auth=LISTENER, throttle=_LIMITS, response=responses(PlaybackOut))
def previous_by_post(request: HttpRequest) -> Any:
    """Go back one song."""
    return _previous(request)


def _set_playing(request: HttpRequest, is_playing: bool) -> Any:
    user = listener_of(request)
    queue_services.set_playing(user=user, is_playing=is_playing)
    return playback_of(user)


@router.get(
    "/pause", summary="Pause (GET)", auth=LISTENER_WHO_WRITES, throttle=_LIMITS, response=responses(PlaybackOut)
)
def pause(request: HttpRequest) -> Any:
    """Pause, on whatever device plays. Needs a token, or a request that the browser says is of our own page."""
    require_own_page(request)
    return _set_playing(request, False)


@router.post("/pause", summary="Pause", auth=LISTENER, throttle=_LIMITS, response=responses(PlaybackOut))
def pause_by_post(request: HttpRequest) -> Any:
    """Pause, on whatever device plays. Open pages follow within two seconds."""
    return _set_playing(request, False)


@router.post("/resume", summary="Resume", auth=LISTENER, throttle=_LIMITS, response=responses(PlaybackOut))
def resume(request: HttpRequest) -> Any:
    """Go on where it was paused. The page that played last follows within two seconds."""
    return _set_playing(request, True)


@router.put("/state", summary="Set the player's state", auth=LISTENER, response=responses(PlaybackOut, *_BODY))
def set_playback(request: HttpRequest, body: PlayingIn) -> Any:
    """Tell that your program plays or was paused, and where in the song it is. Pages that play then pause."""
    user = listener_of(request)
    queue_services.set_playing(user=user, is_playing=body.is_playing, song_ms=body.position_ms, device=body.device)
    return playback_of(user)


@router.put(
    "/shuffle",
    summary="Turn shuffle on or off",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(PlaybackOut, *_BODY),
)
def shuffle(request: HttpRequest, body: ShuffleIn) -> Any:
    """Turn shuffle on or off."""
    user = listener_of(request)
    queue_services.set_shuffle(user=user, is_on=body.is_on)
    return playback_of(user)


@router.post(
    "/report",
    summary="Report playback progress",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(None, 409, *_BODY, status=204),
)
def report(request: HttpRequest, body: ReportIn) -> Any:
    """Record how far a play has got."""
    track = get_object_or_404(Track.objects.active(), pk=body.song_id)
    try:
        report_play(
            user=listener_of(request),
            track=track,
            token=UUID(body.token),
            ms_played=body.ms_played,
            outcome=body.outcome,
        )
    except (HiddenTrackError, OtherSongError) as error:
        raise Http404 from error
    return Status(204, None)
