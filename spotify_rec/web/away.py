"""What is answered while the database does not answer, or nothing can be written: 503, with the time to try again.

A read needs no write, so it goes on where only writing is impossible. What was not written is said to be so, and the
page sends it again (``site.js``; without JavaScript, by a button).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.views.defaults import server_error

from accounts.apikit.problems import problem
from jobs.patience import reason_of_absence, reconnect_if_lost

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5
# A request waits no longer for another writer; jobs and commands wait as long as the settings say.
WRITE_SECONDS = 5
_MAX_FIELDS = 50
_SECRET = ("password", "token", "secret")


class AnswerWhileAway:
    """Answer 503 where a view fails because the database or the disk does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the answer for an error of that kind; of others none."""
        reason = reason_of_absence(error)
        return None if reason is None else unavailable(request, reason)


def failure(request: HttpRequest) -> HttpResponse:
    """Answer what failed outside a view, in the middleware; Django calls it while the exception is handled."""
    error = sys.exc_info()[1]
    reason = reason_of_absence(error) if isinstance(error, Exception) else None
    return server_error(request) if reason is None else unavailable(request, reason)


def unavailable(request: HttpRequest, reason: str) -> HttpResponse:
    """Return the answer, in the form the request expects, and log the reason in one line."""
    logger.error("not available: %s", reason)
    reconnect_if_lost()
    headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
    if request.path_info.startswith(("/api/", "/recommend/")):
        return problem(503, headers=headers)
    if request.path_info.startswith("/player/"):
        return JsonResponse({"error": ""}, status=503, headers=headers)
    context = {"fields": _fields_to_send_again(request), "is_write": request.method not in ("GET", "HEAD")}
    # Without the request: nothing of it may need the database.
    return HttpResponse(render_to_string("503.html", context), status=503, headers=headers)


def _fields_to_send_again(request: HttpRequest) -> list[tuple[str, str]]:
    if request.method != "POST":
        return []
    try:
        sent = [] if request.FILES else request.POST.lists()
    except (BadRequest, SuspiciousOperation, MultiPartParserError, OSError):
        return []
    fields = [(name, str(value)) for name, values in sent for value in values]
    hidden = any(word in name.lower() for name, _value in fields for word in _SECRET if name != "csrfmiddlewaretoken")
    return [] if hidden or len(fields) > _MAX_FIELDS else fields


def wait_less() -> None:
    """Have this process wait ``WRITE_SECONDS`` at most for other writers and for a connection; for those that serve."""
    for alias in connections:
        database = connections.settings[alias]
        options = database.setdefault("OPTIONS", {})
        engine = database["ENGINE"].rsplit(".", 1)[-1]
        if engine == "sqlite3":
            options["timeout"] = min(options.get("timeout", WRITE_SECONDS), WRITE_SECONDS)
        elif engine == "postgresql":
            options["options"] = f"{options.get('options', '')} -c lock_timeout={WRITE_SECONDS}s".strip()
            options.setdefault("connect_timeout", WRITE_SECONDS)
        elif engine == "mysql":
            database["LOCK_SECONDS"] = WRITE_SECONDS
            waits = f"innodb_lock_wait_timeout={WRITE_SECONDS}, lock_wait_timeout={WRITE_SECONDS}"
            options["init_command"] = f"{options['init_command']}, {waits}"
            options.setdefault("connect_timeout", WRITE_SECONDS)
