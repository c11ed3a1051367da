"""Calls to a music server with somebody else's log-in: a player's, which is neither kept nor logged."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from catalog.sources.subsonic.client import (
    JSON_SECONDS,
    TIMEOUT,
    VERSION,
    Abilities,
    Answer,
    Login,
    SubsonicClient,
    SubsonicError,
    open_session,
)

CREDENTIALS = ("u", "p", "t", "s", "apiKey")


@dataclass(frozen=True)
class PassedRequest:
    """A player's request: ``path`` below ``/rest/``, and everything else as it was sent.

    headers: those that may be passed on.
    """

    verb: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]


def pass_on(address: str, request: PassedRequest, *, seconds: float) -> Answer:
    """Send a player's request to the server at ``address`` and return its answer, whose content is not read yet.

    Raise ``SubsonicError`` where it can't be reached, or sends us elsewhere.
    """
    url = f"{address.rstrip('/')}/rest/{request.path}" + (f"?{request.query}" if request.query else "")
    # Compressed sound has other bounds.
    headers = {"Accept-Encoding": "identity", "Accept": "*/*", **request.headers}
    # The answer to HEAD has no body, which says whether a log-in was refused; that of GET is not read any further.
    verb = "GET" if request.verb == "HEAD" else request.verb
    deadline = time.monotonic() + seconds
    try:
        with open_session() as connection:
            response = connection.request(
                verb, url, data=request.body or None, headers=headers,
                allow_redirects=False, stream=True, timeout=TIMEOUT,
            )  # fmt: skip
    except (requests.RequestException, UnicodeError, ValueError) as error:
        # Its text holds the address with the password.
        raise SubsonicError(f"the music server can't be reached ({type(error).__name__})") from None
    answer = Answer(response, deadline)
    if 300 <= answer.status < 400 and answer.status != 304:
        answer.close()
        raise SubsonicError("the music server sends us elsewhere")
    return answer


class PassedClient(SubsonicClient):
    """Calls with the log-in of a player, as it sent it: ``credentials`` by name, of ``CREDENTIALS``.

    All of them end by ``deadline``, of the monotonic clock.
    """

    def __init__(
        self, address: str, credentials: Mapping[str, str], *, client: str, has_form_post: bool, deadline: float
    ) -> None:
        secret = credentials.get("p") or credentials.get("t") or credentials.get("apiKey") or ""
        login = Login(credentials.get("u", ""), secret, is_api_key="apiKey" in credentials)
        super().__init__(address, login, Abilities(has_form_post=has_form_post))
        self._deadline = deadline
        self._values = {**credentials, "v": VERSION, "c": client, "f": "json"}

    def _credentials(self) -> dict[str, str]:
        return self._values

    def _seconds_left(self) -> float:
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise SubsonicError("the music server takes too long")
        return min(JSON_SECONDS, seconds)

    def envelope(self, method: str) -> dict[str, Any]:
        """Call a method; return what every answer tells of the server. Raise ``SubsonicError``."""
        answer = self.call(method)
        known = ("version", "type", "serverVersion", "openSubsonic")
        return {name: answer[name] for name in known if isinstance(answer.get(name), str | bool)}
