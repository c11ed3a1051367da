"""AudioScrobbler 1.2, which older players speak: a handshake, what plays now, and listens in plain text."""

import hashlib
import hmac
import re
import time

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from feedback.history_import.reading.values import whole
from feedback.scrobbling.keys import key_of_session, keys_of, session_of
from feedback.scrobbling.loving import love_by_name
from feedback.scrobbling.models import ScrobbleKey
from feedback.scrobbling.protocols.responses import BadCallError, WrongTokenError, for_players, teller_of
from feedback.scrobbling.receiving import note_playing, take_listens
from feedback.scrobbling.reported import ReportedListen, reported_listen

MAX_LISTENS = 50
# Limits how long an intercepted proof is valid.
_CLOCK_SECONDS = 3600
_INDEXED = re.compile(r"a\[(\d{1,4})\]")


def _text(line: str, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{line}\n", status=status, content_type="text/plain; charset=utf-8")


def _busy(_request: HttpRequest, _seconds: int) -> HttpResponse:
    return _text("FAILED busy at the moment, please try again later", 503)


def _no_handshake(_request: HttpRequest, error: Exception) -> HttpResponse:
    return _text("BADAUTH" if isinstance(error, WrongTokenError) else f"FAILED {error}")


def _no_session(_request: HttpRequest, error: Exception) -> HttpResponse:
    return _text("BADSESSION" if isinstance(error, WrongTokenError) else f"FAILED {error}")


@for_players("GET", busy=_busy, refused=_no_handshake)
def handshake(request: HttpRequest) -> HttpResponse:
    """Open a session and return the addresses of the other calls."""
    query = request.GET
    if query.get("hs") != "true" or not query.get("p", "").startswith("1.2"):
        raise BadCallError("this is AudioScrobbler 1.2")
    at = whole(query.get("t"))
    if at is None or abs(time.time() - at) > _CLOCK_SECONDS:
        return _text("BADTIME")
    key = teller_of(request, _key(query.get("u", ""), query.get("t", ""), query.get("a", ""))).key
    addresses = (request.build_absolute_uri(reverse(f"feedback:audioscrobbler_{name}")) for name in ("now", "submit"))
    return _text("\n".join(("OK", session_of(key), *addresses)))


@for_players("POST", busy=_busy, refused=_no_session)
def now_playing(request: HttpRequest) -> HttpResponse:
    """Take what plays now."""
    teller = teller_of(request, key_of_session(request.POST.get("s", "")))
    heard = _listen_of(request, "")
    if heard is not None:
        note_playing(teller=teller, heard=heard, received=int(time.time()))
    return _text("OK")


@for_players("POST", busy=_busy, refused=_no_session)
def submit(request: HttpRequest) -> HttpResponse:
    """Take listens, and the likes among them."""
    teller = teller_of(request, key_of_session(request.POST.get("s", "")))
    numbers = sorted({int(match[1]) for match in map(_INDEXED.fullmatch, request.POST) if match})
    if len(numbers) > MAX_LISTENS:
        raise BadCallError(f"up to {MAX_LISTENS} listens at once")
    rows = [(_listen_of(request, f"[{number}]"), request.POST.get(f"r[{number}]")) for number in numbers]
    take_listens(teller=teller, heard=[heard for heard, _mark in rows if heard is not None], received=int(time.time()))
    for heard, mark in rows:
        if heard is not None and mark == "L":
            love_by_name(user=teller.user, heard=heard, value=1)
    return _text("OK")


def _listen_of(request: HttpRequest, suffix: str) -> ReportedListen | None:
    sent = request.POST
    return reported_listen(
        title=sent.get(f"t{suffix}"),
        artist=sent.get(f"a{suffix}"),
        at=sent.get(f"i{suffix}"),
        album=sent.get(f"b{suffix}", ""),
        mbid=sent.get(f"m{suffix}", ""),
        seconds=sent.get(f"l{suffix}"),
    )


def _key(username: str, at: str, proof: str) -> ScrobbleKey | None:
    for key in keys_of(username):
        expected = hashlib.md5(f"{key.old_digest}{at}".encode(), usedforsecurity=False).hexdigest()
        if hmac.compare_digest(expected.encode(), proof.lower().encode()):
            return key
    return None
