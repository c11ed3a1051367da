"""The address of the proxy: ``/rest/METHOD``. It knows no session and answers to the music server's log-ins alone."""

import logging

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from catalog.models import MusicServer
from catalog.sources.subsonic.client import SubsonicError
from jobs.patience import reason_of_absence, reconnect_if_lost
from recommender.proxy.answers import answer_of
from recommender.proxy.calls import VERBS, BadCallError, Call, call_of
from recommender.proxy.formats import failure
from recommender.proxy.guessing import LOCKED_SECONDS, is_locked
from recommender.proxy.learning import METHODS, learn
from recommender.proxy.relay import BusyError, is_accepted, relay, unreachable
from recommender.proxy.selectors import proxied_server

_RETRY_SECONDS = 5
_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Range, If-Range, If-None-Match, If-Modified-Since",
    "Access-Control-Expose-Headers": (
        "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, X-Content-Duration, X-Total-Count"
    ),
    "Access-Control-Max-Age": "600",
    # What a server sends is no page of this site.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_logger = logging.getLogger(__name__)


@csrf_exempt
def rest(request: HttpRequest, path: str) -> HttpResponseBase:
    """Answer a player, or pass its call on."""
    response = _response(request, path)
    for name, value in _HEADERS.items():
        response[name] = value
    if not response.has_header("Cache-Control"):
        response["Cache-Control"] = "no-store"
    return response


def _response(request: HttpRequest, path: str) -> HttpResponseBase:
    server = proxied_server()
    if server is None:
        return HttpResponse("No music server is proxied here.\n", status=404, content_type="text/plain")
    if request.method == "OPTIONS":
        return HttpResponse(status=204)
    if request.method not in VERBS:
        return HttpResponse(status=405, headers={"Allow": ", ".join((*VERBS, "OPTIONS"))})
    if request.headers.get("Sec-Fetch-Dest") == "script" and request.headers.get("Sec-Fetch-Site") == "same-origin":
        # JSONP would let whoever can write a tag into a page of this site run a function there.
        return HttpResponse(status=403)
    try:
        call = call_of(request, path)
    except (BadCallError, SuspiciousOperation) as error:
        text = str(error) if isinstance(error, BadCallError) else "This request can't be read."
        return HttpResponse(f"{text}\n", status=400, content_type="text/plain")
    return _answer(server, call)


def _answer(server: MusicServer, call: Call) -> HttpResponseBase:
    if is_locked(call):
        response = failure(call, "Too many wrong log-ins. Please try again in a few minutes.", status=429)
        response["Retry-After"] = str(LOCKED_SECONDS)
        return response
    try:
        return _own_answer(server, call) or _passed(server, call)
    except BusyError:
        response = failure(call, "Too many players load music at once. Please try again.", status=503)
        response["Retry-After"] = str(_RETRY_SECONDS)
        return response
    except SubsonicError as error:
        _logger.warning("a player's call failed: %s", error)
        return unreachable(call)


def _own_answer(server: MusicServer, call: Call) -> HttpResponse | None:
    """Return the site's answer; ``None`` where the server's is as good, or ours fails."""
    try:
        return answer_of(server, call)
    except Exception as error:
        _logger.log(
            logging.WARNING if isinstance(error, SubsonicError) else logging.ERROR,
            "a player's call is left to the music server: %s",
            reason_of_absence(error) or type(error).__name__,
            exc_info=None if isinstance(error, SubsonicError) or reason_of_absence(error) else error,
        )
        reconnect_if_lost()
        return None


def _passed(server: MusicServer, call: Call) -> HttpResponseBase:
    response = relay(server, call)
    if call.method in METHODS and is_accepted(response):
        learn(server, call)
    return response
