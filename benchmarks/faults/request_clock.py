"""A clock that each request may set: hours of listening pass in minutes, on a site that is otherwise as it is served.

``X-Second`` tells at which second a player speaks. Settings of a site with that clock are
``benchmarks.faults.clocked_settings``; what is measured by other clocks (caches, limits, sessions) goes on as ever.
"""

import threading
import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "X-Second"
_true_time = time.time
_of_request = threading.local()


def time_of_request() -> float:
    """Return the second that this thread's request names, else the true one."""
    second: float | None = getattr(_of_request, "second", None)
    return _true_time() if second is None else second


def clock(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Set the clock for as long as a request is answered."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        text = request.headers.get(HEADER)
        _of_request.second = float(text) if text else None
        try:
            return get_response(request)
        finally:
            _of_request.second = None

    return middleware
