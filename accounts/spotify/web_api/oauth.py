"""The two calls with which a connection begins: the code for the tokens, and who it is."""

import logging
from typing import Any

import requests
from allauth.socialaccount.providers.base import ProviderException
from django.conf import settings

from accounts.spotify.errors import RateLimited, Unavailable
from accounts.spotify.fields import Secret
from accounts.spotify.web_api import circuit_breaker
from accounts.spotify.web_api.http import PAGE_SECONDS, Deadline, LimitedSession
from accounts.spotify.web_api.tokens import SERVICE, as_object, checked_answer, token_url

logger = logging.getLogger(__name__)


class HandshakeError(ProviderException):  # type: ignore[misc]
    """The connection could not be made; ``kind`` says which sentence the listener gets."""

    def __init__(self, kind: str, error: Exception | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.error = error


# Two calls, one page: each has half of the time.
_EACH = PAGE_SECONDS / 2


def exchange_code(code: str, verifier: Secret, redirect_uri: str) -> dict[str, Any]:
    """Return ``access_token``, ``refresh_token`` (``Secret``), ``expires_in`` (seconds) and ``scopes``.

    Raise ``HandshakeError``.
    """
    data = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    # spotipy's and our own refresh do the same: an app with a secret proves itself in a header.
    known = {} if settings.SPOTIFY_CLIENT_SECRET else {"client_id": settings.SPOTIFY_CLIENT_ID}
    auth = (settings.SPOTIFY_CLIENT_ID, settings.SPOTIFY_CLIENT_SECRET) if settings.SPOTIFY_CLIENT_SECRET else None
    body = {**data, **known, "code_verifier": str(verifier)}
    status, answer = _ask(SERVICE, "POST", token_url(), data=body, auth=auth)
    tokens = checked_answer(answer) if status == 200 else None
    if tokens is None or not tokens["refresh_token"]:
        logger.warning("Spotify gave no tokens for a code: %s %s", status, str(answer.get("error", ""))[:100])
        raise HandshakeError("refused" if 400 <= status < 500 else "unavailable")
    return {**tokens, "scopes": str(answer.get("scope") or "").split()}


def profile_of(token: Secret) -> dict[str, Any]:
    """Return what ``/me`` says. Raise ``HandshakeError``."""
    headers = {"Authorization": f"Bearer {token}"}
    status, answer = _ask("api", "GET", f"{settings.SPOTIFY_API_URL}me", headers=headers)
    if status == 403:
        raise HandshakeError("not_permitted")
    if status != 200 or not answer:
        raise HandshakeError("unavailable")
    return answer


def _ask(service: str, method: str, url: str, **options: Any) -> tuple[int, dict[str, Any]]:
    try:
        circuit_breaker.check(service)
        response = LimitedSession(Deadline(_EACH)).request(method, url, **options)
    except (RateLimited, Unavailable) as error:
        raise HandshakeError("known", error) from None
    except requests.RequestException as error:
        circuit_breaker.failed(service)
        logger.warning("Spotify: %s while connecting", type(error).__name__)
        raise HandshakeError("unavailable") from None
    if response.status_code == 429:
        raise HandshakeError("known", circuit_breaker.limited(service, response.headers.get("Retry-After")))
    answer = as_object(response)
    is_up = response.status_code < 500 and (response.status_code != 200 or bool(answer))
    (circuit_breaker.succeeded if is_up else circuit_breaker.failed)(service)
    return response.status_code, answer
