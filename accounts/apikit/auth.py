"""Authentication of calls: a browser's session with the CSRF token, or a program's personal token."""

import threading
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.security.base import AuthBase
from ninja.throttling import BaseThrottle
from ninja.utils import check_csrf

from accounts.apikit.problems import ProblemError
from accounts.limits.limiter import wait_of
from accounts.models import ApiToken, User
from accounts.tokens.services import find_token

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# In ``request.META`` of a HEAD, which is answered as a GET whose body is left out.
ASKED_BY_HEAD = "earworm.asked_by_head"


class TokenAuth(AuthBase):
    """A personal token in ``Authorization: Bearer``. Without that header the next method is tried."""

    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_name = "token"
    openapi_description = "An access token, created in your profile or with `POST /api/user/tokens`."

    def __init__(self, *, needs_write: bool | None = None) -> None:
        """``needs_write``: whether the call changes something; by default every method but GET does."""
        self.needs_write = needs_write
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
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED, _("This access token isn't valid. It may have expired or been revoked.")
            )
        request.user = token.user
        needs_write = request.method not in _SAFE_METHODS if self.needs_write is None else self.needs_write
        if needs_write and token.scope != ApiToken.Scope.WRITE:
            raise ProblemError(HTTPStatus.FORBIDDEN, _("This access token is read-only."))
        return token


class SessionAuth(AuthBase):
    """The session of a logged-in browser. What changes something needs the CSRF token in ``X-CSRFToken``, too."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = settings.SESSION_COOKIE_NAME
    openapi_description = "A browser session. Calls that change something also need the CSRF token in X-CSRFToken."

    def __init__(self, *, is_only_way: bool = False) -> None:
        """``is_only_way``: whether the call takes nothing else, no token either, and says so."""
        self.is_only_way = is_only_way
        super().__init__()

    def __call__(self, request: HttpRequest) -> Any:
        if not request.user.is_authenticated:
            if self.is_only_way:
                message = _("Log in first. Only a browser session can do this, not an access token.")
                raise ProblemError(HTTPStatus.UNAUTHORIZED, message)
            return None
        if check_csrf(request):
            raise ProblemError(HTTPStatus.FORBIDDEN, _("The CSRF token (X-CSRFToken) is missing or wrong."))
        return request.user


def visitor(request: HttpRequest) -> Any:
    """Accept everybody; the last method of calls that need no log-in."""
    return request.user or True


LISTENER = [TokenAuth(), SessionAuth()]
# For the few GETs that change something because programs expect them.
LISTENER_WHO_WRITES = [TokenAuth(needs_write=True), SessionAuth()]
# Actions that programs must never perform for a listener.
SESSION_ONLY = [SessionAuth(is_only_way=True)]
ANYBODY = [TokenAuth(), SessionAuth(), visitor]


def listener_of(request: HttpRequest) -> User:
    """Return the calling listener; the call's ``auth`` guarantees that there is one."""
    assert isinstance(request.user, User)
    return request.user


def refuse_other_sites(request: HttpRequest) -> None:
    """Raise a 403 when a page of another site asks for this, or may: for calls that change something, GETs among them.

    Programs send none of these headers and are accepted if they carry no session. On plain HTTP, browsers do not send
    them either, and another site can suppress the referrer, so a GET with a session and none of these headers is
    refused. A HEAD changes nothing, whoever sends it: 405.
    """
    _refuse_head(request)
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        is_foreign = site not in ("same-origin", "none")
    else:
        sender = request.headers.get("Origin") or request.headers.get("Referer")
        is_untold = request.method in _SAFE_METHODS and _has_session(request)
        is_foreign = is_untold if sender is None else not _is_ours(request, sender)
    if is_foreign:
        raise ProblemError(HTTPStatus.FORBIDDEN, _("Requests from other sites aren't allowed here."))


def is_asked_by_head(request: HttpRequest) -> bool:
    """Return whether the request is a HEAD, which must not change anything and whose content nobody sees."""
    return request.method == "HEAD" or ASKED_BY_HEAD in request.META


def _has_session(request: HttpRequest) -> bool:
    """Return whether the browser is, or may be, logged in: by its cookie, or by the word of a proxy before it."""
    if "Authorization" in request.headers:
        return False
    return settings.SESSION_COOKIE_NAME in request.COOKIES or request.user.is_authenticated


def _refuse_head(request: HttpRequest) -> None:
    if is_asked_by_head(request):
        raise ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, _("HEAD isn't available here."), headers={"Allow": "GET"})


def require_own_page(request: HttpRequest, *, advice: str = "") -> None:
    """Raise a 403 unless a token, or the browser, proves that no page of another site is behind this GET.

    ``advice`` is what the error says where the call takes neither tokens nor POST.

    A session alone proves nothing: the browser sends its cookie with a link of another site, too. On plain HTTP it does
    not say where a request comes from other than by a referrer.
    """
    _refuse_head(request)
    if isinstance(getattr(request, "auth", None), ApiToken):
        return
    names = ("Sec-Fetch-Site", "Origin", "Referer")
    if not any(request.headers.get(name) for name in names):
        usual = _("Send an access token, or use POST: nothing proves that this request comes from our own page.")
        raise ProblemError(HTTPStatus.FORBIDDEN, advice or usual)
    refuse_other_sites(request)


def too_many_calls(seconds: int) -> ProblemError:
    """Return the 429 with Retry-After."""
    headers = {"Retry-After": str(seconds)}
    return ProblemError(
        HTTPStatus.TOO_MANY_REQUESTS,
        _("Too many requests. Try again in %(seconds)d s.") % {"seconds": seconds},
        headers=headers,
    )


class CallLimit(BaseThrottle):
    """The limit ``name`` of :mod:`accounts.limits.limiter`, for a call of the API."""

    def __init__(self, name: str) -> None:
        self.name = name
        # One object serves all threads of a worker.
        self._state = threading.local()

    def allow_request(self, request: HttpRequest) -> bool:
        """Take one permit; return whether it was granted."""
        self._state.seconds = wait_of(request, self.name)
        return not self._state.seconds

    def wait(self) -> float | None:
        """Return the seconds until the next permit."""
        return float(self._state.seconds)


class AccountLimit(BaseThrottle):
    """One of allauth's limits (log-in, sign-up), taken before a byte of the body is read."""

    def __init__(self, action: str, seconds: int) -> None:
        self._action, self._seconds = action, seconds

    def allow_request(self, request: HttpRequest) -> bool:
        """Take one permit; return whether it was granted."""
        return bool(ratelimit.consume(request, action=self._action))

    def wait(self) -> float | None:
        """Return the seconds until the next attempt."""
        return float(self._seconds)


def limits(*names: str) -> list[BaseThrottle]:
    """Return these limits, for a call's ``throttle=``."""
    return [CallLimit(name) for name in names]


def _is_ours(request: HttpRequest, address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return (parts.scheme, parts.netloc) == (request.scheme, request.get_host())
