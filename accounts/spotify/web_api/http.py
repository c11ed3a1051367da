"""HTTP that ends in time: one deadline holds for all the calls of a page."""

import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter

# A page never waits longer than 3 seconds for Spotify; some of it goes to our own work.
PAGE_SECONDS = 2.5
Result = TypeVar("Result")


class Deadline:
    """The moment by which all has to be done."""

    def __init__(self, seconds: float = PAGE_SECONDS, per_call: float = PAGE_SECONDS) -> None:
        self._end = time.monotonic() + seconds
        self._per_call = per_call

    def left(self) -> float:
        """Return how many seconds the next call may take, 0 or more."""
        return max(0.0, min(self._end - time.monotonic(), self._per_call))


class LimitedSession(requests.Session):
    """A session whose calls end by the deadline whatever the other side does, and that retries nothing by itself."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline
        # What the last call answered; spotipy keeps it to itself.
        self.last_status: int | None = None
        self.last_was_empty = False
        self.mount("http://", _adapter())
        self.mount("https://", _adapter())

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        """Send a request. Raise ``requests.RequestException``, ``Timeout`` among it."""
        self.last_status = None
        seconds = self._deadline.left()
        if seconds <= 0:
            raise requests.Timeout("no time left for this call")
        # A redirect would carry the token elsewhere; neither of Spotify's services sends one.
        options = {**options, "timeout": seconds, "allow_redirects": False}
        send = super().request
        response = within(seconds, lambda: send(method, url, *args, **options))
        self.last_status, self.last_was_empty = response.status_code, not response.content
        return response

    def close(self) -> None:
        """Do nothing: connections are shared by all sessions and stay open."""


@cache
def _adapter() -> HTTPAdapter:
    return HTTPAdapter(pool_maxsize=16, max_retries=0)


def within(seconds: float, call: Callable[[], Result]) -> Result:
    """Return what ``call`` returns; raise ``requests.Timeout`` when it takes longer than ``seconds``.

    requests' own time-outs hold for each piece that arrives, and not at all for looking up the host: an answer that
    drips in would hold the page for as long as it likes. So the call has a thread of its own, which is left behind.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # raised again below, in the thread that asked
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="spotify-call")
    thread.start()
    thread.join(seconds)
    if results:
        return results[0]
    if errors:
        raise errors[0]
    raise requests.Timeout(f"no answer within {seconds:.1f} s")
