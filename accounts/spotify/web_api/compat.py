"""The private part of spotipy that the client calls, in one place.

spotipy's public methods still use addresses that Spotify closed in 2026, so requests are made by the methods below
them. `accounts/spotify/tests/test_compat.py` names the versions it was tried with, and fails where they have changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import spotipy
from django.conf import settings
from spotipy.exceptions import SpotifyBaseException, SpotifyException

from accounts.spotify.web_api.http import LimitedSession

Method = Literal["GET", "POST", "PUT"]
METHODS: Mapping[Method, str] = {"GET": "_get", "POST": "_post", "PUT": "_put"}
"""Name of spotipy's method for each of HTTP's."""


@dataclass(frozen=True)
class ApiRequest:
    """A request below ``SPOTIFY_API_URL``. Values of ``query`` that are None are not sent."""

    method: Method
    path: str
    body: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)


class ErrorResponseError(Exception):
    """Spotify answered with an error. ``reason``: its code or sentence; ``retry_after``: the header's text."""

    def __init__(self, status: int, reason: str = "", retry_after: str | None = None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.reason = reason
        self.retry_after = retry_after


def send(request: ApiRequest, *, token: str, session: LimitedSession) -> Any:
    """Return what the answer's JSON says, None where there is no answer or no JSON.

    Raise ``ErrorResponseError`` and ``requests.RequestException``.
    """
    # Given a session, spotipy neither repeats nor sleeps; given a token, it never asks for one in a terminal.
    api = spotipy.Spotify(auth=token, requests_session=session)
    api.prefix = settings.SPOTIFY_API_URL
    # Looked up before the errors below are caught: a method that is gone must not look like an answer.
    method = getattr(api, METHODS[request.method])
    query = {name: value for name, value in request.query.items() if value is not None}
    try:
        return method(request.path, payload=request.body, **query)
    except SpotifyException as refused:
        # "UNKNOWN" says nothing: the sentence does.
        reason = refused.reason if refused.reason and refused.reason != "UNKNOWN" else refused.msg or ""
        headers = refused.headers or {}
        raise ErrorResponseError(refused.http_status, str(reason), headers.get("Retry-After")) from None
    except (AttributeError, TypeError, SpotifyBaseException):
        # spotipy stumbles over an error whose JSON is not shaped as Spotify's description says.
        raise ErrorResponseError(session.last_status or 0) from None
