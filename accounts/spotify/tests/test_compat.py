"""The private part of spotipy that the client calls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from typing import Any

import pytest
import spotipy
from django.test import override_settings

from accounts.spotify.web_api.compat import METHODS, ApiRequest, ErrorResponseError, Method, send
from accounts.spotify.web_api.http import Deadline, LimitedSession

TRIED = ("2.26",)
"""Versions that the tests of this folder passed with; after an upgrade run them, then add the new one."""


def test_the_version_was_tried() -> None:
    assert version("spotipy").startswith(tuple(f"{tried}." for tried in TRIED))


def test_the_methods_below_the_public_ones_are_there() -> None:
    for name in METHODS.values():
        assert callable(vars(spotipy.Spotify)[name])


@contextmanager
def server(status: int, body: bytes, headers: dict[str, str] | None = None) -> Iterator[list[tuple[str, str, bytes]]]:
    """Run a server that always answers so, and point the site at it; yield what it was sent."""
    requests: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["Authorization"] == "Bearer secret"
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            requests.append((self.command, self.path, content))
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        with override_settings(SPOTIFY_API_URL=f"http://127.0.0.1:{listening.server_port}/v1/"):
            yield requests
        listening.shutdown()


def sent(request: ApiRequest) -> Any:
    return send(request, token="secret", session=LimitedSession(Deadline(5.0)))


@pytest.mark.parametrize("method", METHODS)
def test_what_is_sent_and_what_comes_back(method: Method) -> None:
    with server(200, b'{"id": "ada"}') as requests:
        body = None if method == "GET" else {"play": True}
        assert sent(ApiRequest(method, "me/x", body, {"limit": 2, "device_id": None})) == {"id": "ada"}
    content = b"" if body is None else json.dumps(body).encode()
    assert requests == [(method, "/v1/me/x?limit=2", content)]


@pytest.mark.parametrize("body", [b"", b"<html>"])
def test_no_answer_and_no_json_are_none(body: bytes) -> None:
    with server(200, body):
        assert sent(ApiRequest("PUT", "me/player/pause")) is None


def test_an_error_comes_with_its_code_and_its_wait() -> None:
    body = {"error": {"status": 429, "message": "too many", "reason": "QUOTA"}}
    answer = server(429, json.dumps(body).encode(), {"Retry-After": "7"})
    with answer as requests, pytest.raises(ErrorResponseError) as raised:
        sent(ApiRequest("GET", "me/"))
    assert (raised.value.status, raised.value.reason, raised.value.retry_after) == (429, "QUOTA", "7")
    assert len(requests) == 1


@pytest.mark.parametrize("error", ["gone", None, ["gone"], {"error": "gone"}, {"error": None}, {"error": [1]}])
def test_an_error_of_another_shape_is_still_one_of_its_status(error: Any) -> None:
    with server(404, json.dumps(error).encode()), pytest.raises(ErrorResponseError) as raised:
        sent(ApiRequest("GET", "tracks/x"))
    assert (raised.value.status, raised.value.reason) == (404, "")


def test_a_code_that_is_no_text_is_read_as_one() -> None:
    with server(403, b'{"error": {"message": "no", "reason": 5}}'), pytest.raises(ErrorResponseError) as raised:
        sent(ApiRequest("GET", "me/"))
    assert (raised.value.status, raised.value.reason) == (403, "5")
