"""A player's call as it was sent, and what of it the site reads."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl

from django.http import HttpRequest

from accounts.compat import client_address
from catalog.sources.subsonic.passing import CREDENTIALS, PassedRequest

VERBS = ("GET", "HEAD", "POST")
_FORM = "application/x-www-form-urlencoded"
_METHOD = re.compile(r"([A-Za-z0-9]{1,60})(?:\.view)?")
_CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,99}", re.ASCII)
_MOST_VALUES = 20_000
# What a player may say to the server; never a cookie, a proxy's word about who it is, or an address.
_PASSED_ON = (
    "Content-Type",
    "Range",
    "If-Range",
    "If-None-Match",
    "If-Modified-Since",
    "User-Agent",
    "Accept-Language",
)
_LONGEST_ID = 500
# So long a player waits.
ASK_SECONDS = 12.0


class BadCallError(Exception):
    """The request is no call of the protocol; the message says why."""


@dataclass(frozen=True)
class Call:
    """A call: ``method`` without ``.view``; ``values``: its parameters by name, from the address and the form.

    deadline: of the monotonic clock, for all that the site asks the server about it.
    """

    method: str
    values: Mapping[str, list[str]]
    request: PassedRequest
    address: str
    deadline: float = field(default_factory=lambda: time.monotonic() + ASK_SECONDS)

    def value(self, name: str, default: str = "") -> str:
        """Return the first value of a parameter."""
        return self.values.get(name, [default])[0]

    def number(self, name: str, default: int, most: int) -> int:
        """Return a parameter as a number between 1 and ``most``."""
        text = self.value(name)
        return max(1, min(int(text), most)) if text.isascii() and text.isdigit() and len(text) < 10 else default

    def ids(self, name: str = "id") -> list[str]:
        """Return the ids of a parameter that may come several times."""
        return [text for text in self.values.get(name, []) if 0 < len(text) <= _LONGEST_ID]

    @cached_property
    def credentials(self) -> dict[str, str]:
        """Return the log-in as it was sent."""
        return {name: self.value(name) for name in CREDENTIALS if self.value(name)}

    @property
    def has_login(self) -> bool:
        """Return whether there is any."""
        return bool(self.credentials.keys() & {"p", "t", "apiKey"})

    @property
    def client(self) -> str:
        """Return the name of the player."""
        name = self.value("c").encode("utf-8", "replace").decode().replace("\0", "").strip()
        return name[:60] or "player"


def call_of(request: HttpRequest, path: str) -> Call:
    """Return the call. Raise ``BadCallError``."""
    match = _METHOD.fullmatch(path)
    if match is None:
        raise BadCallError("There is no such method.")
    query = request.META.get("QUERY_STRING", "")
    body = request.body if request.method == "POST" else b""
    is_form = request.content_type in (_FORM, "")
    if body and not is_form:
        # The server might read a log-in in it that was not counted here.
        raise BadCallError("The body must be a form.")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_VALUES)
        if body:
            form = body.decode("utf-8", "replace")
            pairs += parse_qsl(form, keep_blank_values=True, max_num_fields=_MOST_VALUES)
    except ValueError as error:
        raise BadCallError("Too many parameters.") from error
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    _check(values)
    headers = {name: text for name in _PASSED_ON if (text := request.headers.get(name))}
    passed = PassedRequest(request.method or "GET", path, query, body, headers)
    return Call(match[1], values, passed, str(client_address(request)))


def _check(values: Mapping[str, list[str]]) -> None:
    """Raise ``BadCallError`` for what the server might read in another way than we do, and for what nobody means."""
    if any(len(set(values.get(name, ()))) > 1 for name in (*CREDENTIALS, "callback")):
        raise BadCallError("A log-in and a callback must come once.")
    if any("\0" in text for texts in values.values() for text in texts):
        raise BadCallError("This request can't be read.")
    if "callback" in values and not _CALLBACK.fullmatch(values["callback"][0]):
        raise BadCallError("callback: must be the name of a function.")
