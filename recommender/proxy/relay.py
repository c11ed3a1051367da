"""Passes a call on to the music server, and its answer back, piece by piece."""

import re
import threading
from collections.abc import Iterator
from itertools import chain

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from catalog.models import MusicServer
from catalog.sources.subsonic.client import Answer, SubsonicError
from catalog.sources.subsonic.passing import pass_on
from recommender.proxy.calls import Call
from recommender.proxy.formats import failure
from recommender.proxy.guessing import count_refusal, is_refusal

MAX_BYTES = 2_000_000_000
SECONDS = 3600.0
# So many threads of a process may wait for players that load sound; the others answer pages.
STREAMS = 3
_SOUND_BYTES = 1_000_000
_KEPT_HEADERS = (
    "Content-Type", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified", "Cache-Control", "Expires",
    "Content-Disposition", "X-Content-Duration", "X-Total-Count", "Retry-After",
)  # fmt: skip
_TEXT = re.compile(r"(?:application|text)/(?:json|xml|javascript|x-javascript)")
_OK = re.compile(rb'\bstatus"?[:=] ?"ok"')
# Browsers would run these as pages of this site.
_ACTIVE = re.compile(r".*(?:html|svg|xhtml|xslt).*")
_streams = threading.BoundedSemaphore(STREAMS)


class BusyError(Exception):
    """As many players load sound as may at once."""


def relay(server: MusicServer, call: Call) -> HttpResponseBase:
    """Return the server's answer to a call. Raise ``SubsonicError`` and ``BusyError``."""
    return response_of(pass_on(server.address, call.request, seconds=SECONDS), call)


def response_of(answer: Answer, call: Call) -> HttpResponseBase:
    """Return an answer of the server as ours; its content is passed on as it comes."""
    length = _length(answer)
    if length is not None and length > MAX_BYTES:
        answer.close()
        raise SubsonicError("the music server's answer is too long")
    is_text = _TEXT.fullmatch(answer.content_type) is not None
    content = _Content(answer)
    if is_text or answer.status >= 400:
        content.look_ahead()
        if is_refusal(answer.status, content.head):
            count_refusal(call)
    if call.request.verb == "HEAD" or answer.status in (204, 304):
        content.close()
        response: HttpResponseBase = HttpResponse(status=answer.status)
    else:
        response = _streamed(content, answer, is_small=is_text or _is_small(answer, length))
    for name in _KEPT_HEADERS:
        if value := answer.headers.get(name):
            response[name] = value
    if not answer.content_type or _ACTIVE.fullmatch(answer.content_type):
        response["Content-Type"] = "application/octet-stream"
    if length is not None and "Content-Encoding" not in answer.headers:
        response["Content-Length"] = str(length)
    return response


def _is_small(answer: Answer, length: int | None) -> bool:
    """Return whether an answer is no sound: covers may come without a length, and dozens at once."""
    return answer.content_type.startswith("image/") or (length is not None and length <= _SOUND_BYTES)


def _streamed(content: "_Content", answer: Answer, *, is_small: bool) -> HttpResponseBase:
    if not is_small and not content.hold_stream():
        content.close()
        raise BusyError
    response = StreamingHttpResponse(content, status=answer.status)
    response.relayed = content  # type: ignore[attr-defined]
    return response


class _Content:
    """The content of an answer, piece by piece, up to ``MAX_BYTES``; closing it lets the server go."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._pieces = answer.pieces()
        self._holds_stream = False
        self.head = b""

    def hold_stream(self) -> bool:
        """Take one of the streams until it is closed; return whether there was one."""
        self._holds_stream = _streams.acquire(blocking=False)
        return self._holds_stream

    def look_ahead(self) -> None:
        """Read the first piece."""
        self.head = next(self._pieces, b"")
        self._pieces = chain((self.head,), self._pieces)

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for piece in self._pieces:
            sent += len(piece)
            if sent > MAX_BYTES:
                # The connection breaks off, so that nobody takes it for the whole.
                raise SubsonicError("the music server's answer is too long")
            yield piece

    def close(self) -> None:
        """Read no more."""
        self._answer.close()
        if self._holds_stream:
            self._holds_stream = False
            _streams.release()


def is_accepted(response: HttpResponseBase) -> bool:
    """Return whether the server says that it did what a player asked for."""
    content = getattr(response, "relayed", None)
    return response.status_code == 200 and isinstance(content, _Content) and _OK.search(content.head) is not None


def _length(answer: Answer) -> int | None:
    text = answer.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def unreachable(call: Call) -> HttpResponse:
    """Return the answer while the server gives none."""
    return failure(call, "The music server can't be reached.", status=502)
