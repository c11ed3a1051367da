"""Carries out a visitor's click once they have an account."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.models import User
from catalog.models import Track
from feedback.hidden import HiddenTrackError
from feedback.queue.services import play_now
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from feedback.web.http import WAITING_KEY

_VALUES = {"like": Rating.Value.LIKE, "dislike": Rating.Value.DISLIKE}


def waiting_act(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Do what waits in the session with the first request of a listener (middleware).

    Log-in and sign-up keep what a visitor's session holds. Without a session cookie nothing is looked up.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        if (
            request.method != "HEAD"
            and has_session
            and WAITING_KEY in request.session
            and isinstance(request.user, User)
        ):
            _do(request.user, request.session.pop(WAITING_KEY))
        return get_response(request)

    return middleware


def _do(user: User, waiting: dict[str, Any]) -> None:
    """Like, dislike or put into the player; a song that was hidden meanwhile is let go."""
    track = Track.objects.active().filter(pk=waiting["track"]).first()
    if track is None:
        return
    try:
        if waiting["act"] == "play":
            play_now(user=user, track=track)
        else:
            rate(user=user, track=track, value=_VALUES[str(waiting["act"])])
    except HiddenTrackError:
        return
