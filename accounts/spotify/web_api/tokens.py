"""Access tokens that are good for a while yet, refreshed by one process at a time."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.spotify.errors import NeedsReconnect, NotConnected, RateLimited, Unavailable
from accounts.spotify.fields import Secret
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.services import end_connection, store_tokens
from accounts.spotify.web_api import circuit_breaker
from accounts.spotify.web_api.http import Deadline, LimitedSession

logger = logging.getLogger(__name__)

SERVICE = "accounts"
# Refreshed so long before they end.
AHEAD = timedelta(minutes=5)
# While another process refreshes, a token is used as long as it surely outlives the call.
_STILL_GOOD = timedelta(seconds=20)
# Longer than a refresh may take: a process that died holds the others up no longer than that.
_LEASE = timedelta(seconds=10)
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class AccessToken:
    """A token for Spotify's API, and when it ends."""

    value: Secret
    expires_at: datetime


def fresh_token(user_id: int, deadline: Deadline, refused: Secret | None = None) -> AccessToken:
    """Return a good access token of the listener, refreshed where it ends soon or is the ``refused`` one.

    The row holds a lease rather than a lock: SQLite knows no row locks, and no transaction should wait for another
    host. So call it outside a transaction.

    Raise ``NotConnected``, ``NeedsReconnect``, ``RateLimited`` and ``Unavailable``.
    """
    while True:
        account = _load(user_id)
        left = account.expires_at - timezone.now()
        is_usable = account.access_token != refused
        if is_usable and left > AHEAD:
            return _token(account)
        if _take_lease(account):
            return _renew(account, deadline, is_usable=is_usable and left > _STILL_GOOD)
        if is_usable and left > _STILL_GOOD:
            return _token(account)
        if deadline.left() <= 0:
            raise Unavailable("another process is refreshing the tokens and takes too long")
        time.sleep(_POLL_SECONDS)


def _load(user_id: int) -> SpotifyAccount:
    account = SpotifyAccount.objects.filter(user_id=user_id).first()
    if account is None:
        raise NotConnected
    if account.needs_reconnect or not account.refresh_token:
        raise NeedsReconnect
    return account


def _token(account: SpotifyAccount) -> AccessToken:
    return AccessToken(Secret(account.access_token), account.expires_at)


def _take_lease(account: SpotifyAccount) -> bool:
    """Become the one process that refreshes these very tokens."""
    now = timezone.now()
    # A lease that lasts longer than leases do was taken while the clock ran ahead.
    free = Q(lease_until=None) | Q(lease_until__lt=now) | Q(lease_until__gt=now + 2 * _LEASE)
    same = SpotifyAccount.objects.filter(free, pk=account.pk, version=account.version, needs_reconnect=False)
    return same.update(lease_until=now + _LEASE) == 1


def _renew(account: SpotifyAccount, deadline: Deadline, *, is_usable: bool) -> AccessToken:
    """Refresh; where that fails for now and the token in hand is good yet, return that."""
    try:
        answer = _refresh(account, deadline)
        expires_at = timezone.now() + timedelta(seconds=answer["expires_in"])
        store_tokens(
            account=account,
            access_token=answer["access_token"],
            refresh_token=answer["refresh_token"],
            expires_at=expires_at,
        )
        return AccessToken(answer["access_token"], expires_at)
    except (RateLimited, Unavailable):
        SpotifyAccount.objects.filter(pk=account.pk, version=account.version).update(lease_until=None)
        if is_usable:
            return _token(account)
        raise


def _refresh(account: SpotifyAccount, deadline: Deadline) -> dict[str, Any]:
    """Return Spotify's answer, checked; ``refresh_token`` is empty where the old one stays.

    Raise ``NeedsReconnect`` where Spotify has ended the connection, which is then recorded.
    """
    circuit_breaker.check(SERVICE)
    try:
        response = LimitedSession(deadline).request("POST", token_url(), **_question(account))
        status, answer = response.status_code, as_object(response)
    except requests.RequestException as error:
        failure = type(error).__name__
    else:
        if status == 429:
            raise circuit_breaker.limited(SERVICE, response.headers.get("Retry-After"))
        if status == 400 and answer.get("error") == "invalid_grant":
            circuit_breaker.succeeded(SERVICE)
            end_connection(account=account)
            raise NeedsReconnect
        if status == 200 and (tokens := checked_answer(answer)):
            circuit_breaker.succeeded(SERVICE)
            return tokens
        failure = f"{status} {answer.get('error', 'no tokens in the answer') if status != 200 else 'malformed answer'}"
    circuit_breaker.failed(SERVICE)
    # Nothing that Spotify sent stands in the line but its own name of the error.
    logger.warning("Spotify did not refresh the tokens of listener %s: %s", account.user_id, failure[:100])
    raise Unavailable(failure)


def token_url() -> str:
    """Return where codes and refresh tokens are turned into access tokens."""
    return f"{settings.SPOTIFY_ACCOUNTS_URL}/api/token"


def _question(account: SpotifyAccount) -> dict[str, Any]:
    data = {"grant_type": "refresh_token", "refresh_token": str(account.refresh_token)}
    if settings.SPOTIFY_CLIENT_SECRET:
        return {"data": data, "auth": (settings.SPOTIFY_CLIENT_ID, settings.SPOTIFY_CLIENT_SECRET)}
    # An app without a secret proves itself by PKCE alone, and is named in the body.
    return {"data": {**data, "client_id": settings.SPOTIFY_CLIENT_ID}}


def as_object(response: requests.Response) -> dict[str, Any]:
    """Return the JSON object of an answer; an empty one where it is none."""
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def checked_answer(answer: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a token answer holds, as ``Secret`` and seconds; ``None`` where it makes no sense."""
    access, refresh, seconds = answer.get("access_token"), answer.get("refresh_token") or "", answer.get("expires_in")
    if not isinstance(access, str) or not access or not isinstance(refresh, str):
        return None
    if not isinstance(seconds, int) or not 0 < seconds < 10**7:
        return None
    return {"access_token": Secret(access), "refresh_token": Secret(refresh), "expires_in": seconds}
