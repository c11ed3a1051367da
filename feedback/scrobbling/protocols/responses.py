"""Responses to players: for tokens only, without a session, and never so that a player discards a play. Players resend
a play after a 503 or any response that is not JSON, while an error code in JSON makes some of them discard it. So a
play that cannot be accepted now is answered with 503, even if a limit was reached.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from accounts.compat import client_address
from accounts.limits.limiter import Limit, wait_seconds
from feedback.scrobbling.keys import note_use
from feedback.scrobbling.models import ScrobbleKey
from feedback.scrobbling.receiving import Teller
from jobs.patience import reason_of_absence, reconnect_if_lost

View = Callable[..., HttpResponse]
Answer = Callable[..., HttpResponseBase]
Busy = Callable[[HttpRequest, int], HttpResponse]
Refused = Callable[[HttpRequest, Exception], HttpResponse]
RETRY_SECONDS = 60
UNREADABLE = (BadRequest, SuspiciousOperation, MultiPartParserError, UnicodeError, RecursionError)
"""What Django raises for a body that it can't read, such as a form in another encoding than UTF-8."""
# A player reports a few listens an hour, an import a few hundred per request.
_CALLS = Limit("scrobbles", 600)
_WRONG_TOKENS = Limit("wrong player tokens", 60)
_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_logger = logging.getLogger(__name__)


class BusyError(Exception):
    """Nothing can be accepted now; ``seconds``: when to retry."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"busy for {seconds} s")
        self.seconds = seconds


class WrongTokenError(Exception):
    """The request names no token that is valid."""


class BadCallError(Exception):
    """The request does not follow the protocol; the message says why."""


def for_players(*methods: str, busy: Busy, refused: Refused) -> Callable[[View], Answer]:
    """Make a view of one of the protocols; ``busy`` and ``refused`` format its errors."""

    def decorate(view: View) -> Answer:
        @csrf_exempt
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "OPTIONS":
                response = HttpResponse(status=204)
            elif request.method not in (*methods, *(["HEAD"] if "GET" in methods else [])):
                response = HttpResponse(status=405, headers={"Allow": ", ".join((*methods, "OPTIONS"))})
            else:
                response = _answer(view, busy, refused, request, *args, **kwargs)
            for name, value in _HEADERS.items():
                response[name] = value
            return response

        return wrapper

    return decorate


def _answer(
    view: View,
    busy: Busy,
    refused: Refused,
    request: HttpRequest,
    *args: Any,
    **kwargs: Any,
) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except (WrongTokenError, BadCallError) as error:
        return refused(request, error)
    except UNREADABLE:
        return refused(request, BadCallError("This request can't be read."))
    except BusyError as error:
        seconds = error.seconds
    except Exception as error:
        # The player resends the play later; the log has the reason.
        _logger.log(
            logging.ERROR,
            "a player's call was put off: %s",
            reason_of_absence(error) or type(error).__name__,
            exc_info=None if reason_of_absence(error) else error,
        )
        reconnect_if_lost()
        seconds = RETRY_SECONDS
    response = busy(request, seconds)
    response["Retry-After"] = str(seconds)
    return response


def teller_of(request: HttpRequest, key: ScrobbleKey | None, client: str = "") -> Teller:
    """Return the caller. Raise ``WrongTokenError`` without a token, and ``BusyError`` if a limit is reached."""
    if key is None:
        if seconds := wait_seconds(_WRONG_TOKENS, f"address {client_address(request)}"):
            raise BusyError(seconds)
        raise WrongTokenError
    if seconds := wait_seconds(_CALLS, f"listener {key.user_id}"):
        raise BusyError(seconds)
    name = client or _product(request)
    note_use(key, name)
    return Teller(key.user, key, name)


def _product(request: HttpRequest) -> str:
    """Return the program's name without its version, because an update is not another player."""
    text = request.headers.get("User-Agent", "").split("/", 1)[0].strip()
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:60]


def json_answer(value: Any, status: int = 200) -> HttpResponse:
    """Return JSON."""
    return JsonResponse(value, status=status)
