"""Who calls: a browser with a session (and the CSRF token), or a program with a personal token."""

import threading
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from ninja.security.base import AuthBase
from ninja.throttling import BaseThrottle
from ninja.utils import check_csrf

from accounts.apikit.problems import ProblemError
from accounts.limits import wait_of
from accounts.models import ApiToken, User
from accounts.tokens import find_token

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class TokenAuth(AuthBase):
    """A personal token in ``Authorization: Bearer``. Without that header it leaves the question to the next one."""

    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_name = "token"
    openapi_description = "A personal token, made on the profile page."

    def __init__(self, *, needs_write: bool | None = None) -> None:
        """``needs_write``: whether the call changes something; by default every method but GET does."""
        self._needs_write = needs_write
        super().__init__()

    def __call__(self, request: HttpRequest) -> Any:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _space, key = header.partition(" ")
        token = find_token(key.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            if seconds := wait_of(request, "api"):
                raise too_many_calls(seconds)
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "This token is not, or no longer, valid.")
        request.user = token.user
        needs_write = request.method not in _SAFE_METHODS if self._needs_write is None else self._needs_write
        if needs_write and token.scope != ApiToken.Scope.WRITE:
            raise ProblemError(HTTPStatus.FORBIDDEN, "This token may only read.")
        return token


class SessionAuth(AuthBase):
    """The session of a logged-in browser. What changes something needs the CSRF token in ``X-CSRFToken``, too."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = "sessionid"
    openapi_description = "The session of a log-in; unsafe methods need the CSRF token in X-CSRFToken as well."

    def __call__(self, request: HttpRequest) -> Any:
        if not request.user.is_authenticated:
            return None
        if check_csrf(request):
            raise ProblemError(HTTPStatus.FORBIDDEN, "The CSRF token (X-CSRFToken) is missing or wrong.")
        return request.user


def visitor(request: HttpRequest) -> Any:
    """Let everybody in: stands last where a call needs no log-in."""
    return request.user or True


LISTENER = [TokenAuth(), SessionAuth()]
# For the few GETs that change something, because programs expect these addresses.
LISTENER_WHO_WRITES = [TokenAuth(needs_write=True), SessionAuth()]
# What a program must never do in somebody's name.
SESSION_ONLY = [SessionAuth()]
ANYBODY = [TokenAuth(), SessionAuth(), visitor]


def listener_of(request: HttpRequest) -> User:
    """Return the listener who calls; the call's ``auth`` has seen to it that there is one."""
    assert isinstance(request.user, User)
    return request.user


def refuse_other_sites(request: HttpRequest) -> None:
    """Raise a 403 when the browser says that a page of another site asks for this.

    Programs send none of these headers, and are let through: they carry no session that somebody else could use.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        is_foreign = site not in ("same-origin", "none")
    else:
        sender = request.headers.get("Origin") or request.headers.get("Referer")
        is_foreign = sender is not None and not _is_ours(request, sender)
    if is_foreign:
        raise ProblemError(HTTPStatus.FORBIDDEN, "Another site may not ask for this.")


def too_many_calls(seconds: int) -> ProblemError:
    """Return the 429 that says when to come back."""
    headers = {"Retry-After": str(seconds)}
    return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, f"Too many requests: try again in {seconds} s.", headers=headers)


class CallLimit(BaseThrottle):
    """The limit ``name`` of :mod:`accounts.limits`, for a call of the API."""

    def __init__(self, name: str) -> None:
        self.name = name
        # One object serves all threads of a worker.
        self._state = threading.local()

    def allow_request(self, request: HttpRequest) -> bool:
        """Take one turn; whether it was allowed."""
        self._state.seconds = wait_of(request, self.name)
        return not self._state.seconds

    def wait(self) -> float | None:
        """Return the seconds until the next turn."""
        return float(self._state.seconds)


def limits(*names: str) -> list[BaseThrottle]:
    """Return these limits, for a call's ``throttle=``."""
    return [CallLimit(name) for name in names]


def _is_ours(request: HttpRequest, address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return (parts.scheme, parts.netloc) == (request.scheme, request.get_host())
