"""Calls to an OpenSubsonic server (https://opensubsonic.netlify.app): only to the address that the operator gave.

Redirects are not followed, the size and duration of responses are limited, and errors contain neither the password nor
an address with a token.
"""

import hashlib
import ipaddress
import json
import logging
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

VERSION = "1.16.1"
NAME = "earworm"
JSON_BYTES = 20_000_000
COVER_BYTES = 5_000_000
# Timeouts in seconds: to connect and between two pieces of a response; and for the whole response.
TIMEOUT = (5.0, 20.0)
JSON_SECONDS = 60.0
_LEAST_SECONDS = 0.1
_PIECE = 64 * 1024
# "Wrong username or password" and "token authentication not supported": supysonic says 10, "parameter missing".
_NO_TOKENS = frozenset({10, 41, 42})
WRONG_LOGIN, NOT_FOUND = 40, 70


class _NoQueries(logging.Filter):
    """Removes tokens from the addresses that the HTTP library logs at debug level."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.partition("?")[0] if isinstance(arg, str) and "/rest/" in arg else arg for arg in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_NoQueries())
Parameters = Mapping[str, str | int | list[str]]
"""The parameters of a call; a list is sent as a parameter that repeats."""


class SubsonicError(Exception):
    """A call failed; the message is for the operator, ``code`` is the server's error code or 0.

    ``is_refusal``: the server answered that it does not do it; else it did not answer as it should.
    """

    def __init__(self, message: str, code: int = 0, *, is_refusal: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.is_refusal = is_refusal


@dataclass(frozen=True)
class Login:
    """How to log in: a username and its password, or an API key without one."""

    username: str
    secret: str = field(repr=False)
    is_api_key: bool = False


@dataclass
class Abilities:
    """What a server can do, as it said: kept with the server."""

    software: str = ""
    has_form_post: bool = False
    wants_password: bool = False
    extensions: list[str] = field(default_factory=list)


class Answer:
    """A file that a server sends: its status, headers, and content up to a number of bytes."""

    def __init__(self, response: requests.Response, deadline: float) -> None:
        self._response = response
        self._deadline = deadline
        self.status = response.status_code
        self.headers = response.headers
        self.content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def read(self, limit: int, *, skip: int = 0) -> bytes:
        """Return at most ``limit`` bytes of the content, those after the first ``skip``, which are not kept.

        Raise ``SubsonicError`` where it takes too long.
        """
        content = bytearray()
        for piece in self.pieces():
            content += piece[skip:]
            skip = max(skip - len(piece), 0)
            if len(content) >= limit:
                break
        return bytes(content[:limit])

    def pieces(self) -> Iterator[bytes]:
        """Yield the content in pieces."""
        try:
            for piece in self._response.iter_content(_PIECE):
                if time.monotonic() > self._deadline:
                    raise SubsonicError("the server takes too long to answer")
                yield piece
        except requests.RequestException as error:
            raise SubsonicError(f"the server's answer broke off ({type(error).__name__})") from None
        finally:
            self._response.close()

    def close(self) -> None:
        """Read no more."""
        self._response.close()


class SubsonicClient:
    """Calls to one server. ``abilities`` are what :meth:`probe` returned, or what was stored of that."""

    def __init__(self, address: str, login: Login, abilities: Abilities | None = None) -> None:
        self._address = address.rstrip("/")
        self._login = login
        self.abilities = abilities or Abilities()

    def probe(self) -> Abilities:
        """Log in and return what the server can do. Raise ``SubsonicError`` where it refuses us or is none."""
        self.abilities = Abilities()
        try:
            listed = self.call("getOpenSubsonicExtensions").get("openSubsonicExtensions")
            names = [str(row.get("name")) for row in _rows(listed)]
            self.abilities.extensions = sorted(names)[:50]
            self.abilities.has_form_post = "formPost" in names
        except SubsonicError:
            # Servers without OpenSubsonic do not have this call.
            self.abilities.extensions = []
        try:
            answer = self.call("ping")
        except SubsonicError as error:
            if error.code not in _NO_TOKENS or self._login.is_api_key or not is_safe_for_passwords(self._address):
                raise
            self.abilities.wants_password = True
            answer = self.call("ping")
        kind, version = str(answer.get("type") or "Subsonic"), str(answer.get("serverVersion") or answer.get("version"))
        self.abilities.software = f"{kind} {version}"[:100]
        return self.abilities

    def call(self, method: str, parameters: Parameters | None = None) -> dict[str, Any]:
        """Return the content of the server's answer. Raise ``SubsonicError``."""
        answer = self._send(method, parameters or {}, seconds=self._seconds_left())
        if 300 <= answer.status < 400:
            answer.close()
            raise SubsonicError(f"{method}: the server sends us elsewhere. Enter the address it sends browsers to.")
        content = answer.read(JSON_BYTES + 1)
        if len(content) > JSON_BYTES:
            raise SubsonicError(f"{method}: the answer is longer than {JSON_BYTES // 1_000_000} MB")
        try:
            outer = json.loads(content)
            body = outer["subsonic-response"]
            status = body["status"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise SubsonicError(f"{method}: no answer of a Subsonic server (HTTP {answer.status})") from None
        if status != "ok":
            raise self._refusal(method, body.get("error"))
        return dict(body)

    def _seconds_left(self) -> float:
        """Return how long a call may take. Raise ``SubsonicError`` if there is no time left."""
        return JSON_SECONDS

    def fetch(
        self, method: str, parameters: Parameters, *, seconds: float, bounds: tuple[int, int] | None = None
    ) -> Answer:
        """Return a file, or the bytes of it within ``bounds`` (the last included); its content is not read yet."""
        headers = {"Range": f"bytes={bounds[0]}-{bounds[1]}"} if bounds else {}
        return self._send(method, parameters, seconds=seconds, headers=headers, is_file=True)

    def _send(
        self,
        method: str,
        parameters: Parameters,
        *,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        is_file: bool = False,
    ) -> Answer:
        pairs = {**self._credentials(), **parameters}.items()
        values = {key: value if isinstance(value, list) else str(value) for key, value in pairs}
        url, deadline = f"{self._address}/rest/{method}.view", time.monotonic() + seconds
        # Never nothing, which is no time to wait for an answer; the deadline holds all the same.
        patience = tuple(max(min(limit, seconds), _LEAST_SECONDS) for limit in TIMEOUT)
        options: dict[str, Any] = {"allow_redirects": False, "stream": True, "timeout": patience}
        # Compressed sound has other bounds.
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        try:
            with open_session() as session:
                # Bounds are defined for GET alone.
                if self.abilities.has_form_post and not is_file:
                    response = session.post(url, data=values, headers=sent, **options)
                else:
                    response = session.get(url, params=values, headers=sent, **options)
        except (requests.RequestException, UnicodeError) as error:
            # Its text holds the address with the token.
            raise SubsonicError(f"{method}: the server can't be reached ({type(error).__name__})") from None
        return Answer(response, deadline)

    def _credentials(self) -> dict[str, str]:
        common = {"v": VERSION, "c": NAME, "f": "json"}
        if self._login.is_api_key:
            return {**common, "apiKey": self._login.secret}
        if self.abilities.wants_password:
            return {**common, "u": self._login.username, "p": "enc:" + self._login.secret.encode().hex()}
        salt = secrets.token_hex(8)
        # The protocol's own way.
        token = hashlib.md5((self._login.secret + salt).encode()).hexdigest()  # noqa: S324
        return {**common, "u": self._login.username, "t": token, "s": salt}

    def _refusal(self, method: str, error: Any) -> SubsonicError:
        details = error if isinstance(error, dict) else {}
        code = details.get("code") if isinstance(details.get("code"), int) else 0
        text = str(details.get("message") or "")
        for secret in filter(None, (self._login.secret, self._login.secret.encode().hex())):
            text = text.replace(secret, "***")
        text = text[:200]
        return SubsonicError(f"{method}: {text or 'refused'} (code {code})", int(code or 0), is_refusal=True)


def is_safe_for_passwords(address: str) -> bool:
    """Return whether a password may go there as it is: over HTTPS, or within the operator's own network."""
    url = urlsplit(address)
    if url.scheme == "https":
        return True
    try:
        infos = socket.getaddrinfo(url.hostname or "", url.port or 80, type=socket.SOCK_STREAM)
    except OSError:
        return False
    addresses = [ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in infos]
    return bool(addresses) and all(each.is_private or each.is_loopback for each in addresses)


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


@cache
def _adapter() -> HTTPAdapter:
    return HTTPAdapter(pool_connections=4, pool_maxsize=16, max_retries=0)


class _Session(requests.Session):
    """A session on connections that all share, which reads no proxies or passwords from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.mount("http://", _adapter())
        self.mount("https://", _adapter())

    def close(self) -> None:
        """Do nothing: the connections stay open."""


def open_session() -> requests.Session:
    """Return a session whose connections are shared and stay open."""
    return _Session()
