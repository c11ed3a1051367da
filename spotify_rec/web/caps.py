"""What is answered where a cap refuses: 409, with the sentence that names it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails

from accounts.limits.caps import CapError


class AnswerAtCap:
    """Turn uncaught ``CapError``s of views into responses for pages, fragments and the player."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the answer for a ``CapError``; for others none."""
        if not isinstance(error, CapError):
            return None
        if request.path_info.startswith("/player/"):
            return JsonResponse({"error": str(error)}, status=409)
        htmx: HtmxDetails | None = getattr(request, "htmx", None)
        if htmx and not htmx.boosted:
            return HttpResponse(str(error), status=409, content_type="text/plain; charset=utf-8")
        return render(request, "409.html", {"text": str(error)}, status=409)
