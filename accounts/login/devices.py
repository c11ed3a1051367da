"""Remembers the devices of listeners by a signed cookie that names the device's listeners."""

from collections.abc import Callable

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.login.notices import send_notice
from accounts.models import User

COOKIE = "earworm_device"
_SALT = "accounts.login.devices"
# Browsers keep none longer.
_SECONDS = 400 * 24 * 3600
# A shared device (a library's) remembers the latest listeners.
_MOST = 20
Answer = Callable[[HttpRequest], HttpResponseBase]


def note_log_in(request: HttpRequest, user: User, *, is_new_account: bool) -> None:
    """Remember the listener on the device; notify them by e-mail if the device is new."""
    known = _listeners_of(request)
    if user.pk not in known and not is_new_account:
        send_notice("account/email/new_device", user=user)
    request.known_on_device = [user.pk, *(pk for pk in known if pk != user.pk)][:_MOST]  # type: ignore[attr-defined]


def remember_device(get_response: Answer) -> Answer:
    """Send the cookie along with the answer to a log-in."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        known = getattr(request, "known_on_device", None)
        if known:
            response.set_cookie(
                COOKIE,
                signing.dumps(known, salt=_SALT),
                max_age=_SECONDS,
                path=settings.SESSION_COOKIE_PATH,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    return middleware


def _listeners_of(request: HttpRequest) -> list[int]:
    try:
        known = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_SECONDS)
    except signing.BadSignature:
        return []
    return known if isinstance(known, list) else []
