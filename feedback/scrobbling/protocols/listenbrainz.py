"""The calls of ListenBrainz that players make: https://listenbrainz.readthedocs.io/en/latest/users/api/core.html."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.models import User
from feedback.history_import.reading.values import text_of, whole
from feedback.plays.models import Play
from feedback.scrobbling.keys import find_key
from feedback.scrobbling.loving import love_by_id, msid_of
from feedback.scrobbling.models import ScrobbleKey
from feedback.scrobbling.now_playing import playing
from feedback.scrobbling.protocols.responses import (
    BadCallError,
    WrongTokenError,
    for_players,
    json_answer,
    teller_of,
)
from feedback.scrobbling.receiving import Teller, note_playing, take_listens
from feedback.scrobbling.reported import ReportedListen, of_listenbrainz
from feedback.scrobbling.selectors import listens_of_listener

MAX_LISTENS = 1000
_MOST_PER_PAGE, _PER_PAGE = 1000, 25
_KINDS = ("single", "import", "playing_now")
_SCHEMES = ("token", "bearer")


def _busy(_request: HttpRequest, _seconds: int) -> HttpResponse:
    return json_answer({"code": 503, "error": "Busy at the moment. Please try again later."}, 503)


def _refused(_request: HttpRequest, error: Exception) -> HttpResponse:
    if isinstance(error, WrongTokenError):
        return json_answer({"code": 401, "error": "Invalid authorization token."}, 401)
    return json_answer({"code": 400, "error": str(error)}, 400)


def _refused_listens(request: HttpRequest, error: Exception) -> HttpResponse:
    if isinstance(error, WrongTokenError):
        # Navidrome discards a play on a JSON 401; without JSON it retries until the token is corrected.
        return HttpResponse("Invalid authorization token.\n", status=401, content_type="text/plain")
    return _refused(request, error)


@for_players("GET", busy=_busy, refused=_refused)
def validate_token(request: HttpRequest) -> HttpResponse:
    """Return whose token it is."""
    try:
        teller = teller_of(request, _key(request))
    except WrongTokenError:
        return json_answer({"code": 200, "message": "Token invalid.", "valid": False})
    name = teller.user.username
    return json_answer({"code": 200, "message": "Token valid.", "valid": True, "user_name": name})


@for_players("POST", busy=_busy, refused=_refused_listens)
def submit_listens(request: HttpRequest) -> HttpResponse:
    """Take listens, or what plays now."""
    received = int(time.time())
    key = _key(request)
    teller = teller_of(request, key)
    body = _json(request)
    kind, payload = body.get("listen_type"), body.get("payload")
    if kind not in _KINDS or not isinstance(payload, list):
        raise BadCallError("listen_type and payload are needed.")
    if len(payload) > MAX_LISTENS:
        raise BadCallError(f"payload: up to {MAX_LISTENS} listens at once.")
    heard = [item for item in map(of_listenbrainz, payload) if item is not None]
    if kind == "import":
        heard = [item for item in heard if item.at is not None]
    for one_teller, items in _by_client(teller, heard):
        if kind == "playing_now":
            note_playing(teller=one_teller, heard=items[-1], received=received)
        else:
            take_listens(teller=one_teller, heard=items, received=received, is_import=kind == "import")
    return json_answer({"status": "ok"})


@for_players("POST", busy=_busy, refused=_refused)
def recording_feedback(request: HttpRequest) -> HttpResponse:
    """Take a like (1), a dislike (-1), or take it back (0)."""
    teller = teller_of(request, _key(request))
    body = _json(request)
    score = body.get("score")
    mbid, msid = text_of(body.get("recording_mbid")), text_of(body.get("recording_msid"))
    if isinstance(score, bool) or score not in (1, 0, -1):
        raise BadCallError("score: must be 1, 0 or -1.")
    if not (mbid or msid):
        raise BadCallError("recording_mbid or recording_msid is needed.")
    love_by_id(user=teller.user, mbid=mbid, msid=msid, value=int(score))
    return json_answer({"status": "ok"})


@for_players("GET", busy=_busy, refused=_refused)
def listens(request: HttpRequest, username: str) -> HttpResponse:
    """List the listener's own plays, the latest first."""
    user = _own(request, username)
    if user is None:
        return _nobody(username)
    plays = listens_of_listener(user)
    for name, lookup in (("max_ts", "lt"), ("min_ts", "gt")):
        second = whole(request.GET.get(name))
        if second is not None and 0 <= second < 2**33:
            plays = plays.filter(**{f"played_at__{lookup}": _moment(second)})
    count = whole(request.GET.get("count")) or _PER_PAGE
    rows = [_listen(user, play) for play in plays.order_by("-played_at", "-pk")[: max(1, min(count, _MOST_PER_PAGE))]]
    times = [row["listened_at"] for row in rows]
    payload = {"count": len(rows), "user_id": user.username, "listens": rows}
    payload |= {"latest_listen_ts": max(times, default=0), "oldest_listen_ts": min(times, default=0)}
    return json_answer({"payload": payload})


@for_players("GET", busy=_busy, refused=_refused)
def listen_count(request: HttpRequest, username: str) -> HttpResponse:
    """Count the listener's own plays."""
    user = _own(request, username)
    if user is None:
        return _nobody(username)
    return json_answer({"payload": {"count": listens_of_listener(user).count()}})


@for_players("GET", busy=_busy, refused=_refused)
def playing_now(request: HttpRequest, username: str) -> HttpResponse:
    """Return what the listener is playing now."""
    user = _own(request, username)
    if user is None:
        return _nobody(username)
    notes = playing(user.pk, int(time.time()))[:1]
    rows = [
        {"track_metadata": {"track_name": note.title, "artist_name": note.artist}, "playing_now": True}
        for note in notes
    ]
    return json_answer(
        {"payload": {"count": len(rows), "user_id": user.username, "playing_now": True, "listens": rows}}
    )


def _own(request: HttpRequest, username: str) -> User | None:
    user = teller_of(request, _key(request)).user
    return user if User.normalize_username(username) == user.username else None


def _nobody(username: str) -> HttpResponse:
    return json_answer({"code": 404, "error": f"Cannot find user: {username}"}, 404)


def _listen(user: User, play: Play) -> dict[str, Any]:
    more: dict[str, Any] = {"recording_msid": msid_of(play.track_id)}
    if play.track.duration_ms:
        more["duration_ms"] = play.track.duration_ms
    if play.track.isrc:
        more["isrc"] = play.track.isrc
    return {
        "user_name": user.username,
        "listened_at": int(play.played_at.timestamp()),
        "inserted_at": int(play.played_at.timestamp()),
        "recording_msid": msid_of(play.track_id),
        "track_metadata": {
            "track_name": play.track.title,
            "artist_name": play.track.artist_names,
            "release_name": play.track.album,
            "additional_info": more,
        },
    }


def _by_client(teller: Teller, heard: list[ReportedListen]) -> list[tuple[Teller, list[ReportedListen]]]:
    """Return the listens by the program that each names; without one, it is who calls."""
    groups: dict[str, list[ReportedListen]] = {}
    for item in heard:
        groups.setdefault(item.client or teller.client, []).append(item)
    return [(replace(teller, client=client), items) for client, items in groups.items()]


def _key(request: HttpRequest) -> ScrobbleKey | None:
    scheme, _space, text = request.headers.get("Authorization", "").strip().partition(" ")
    return find_key(text.strip()) if scheme.lower() in _SCHEMES else None


def _json(request: HttpRequest) -> dict[str, Any]:
    """Return the body's object, whichever content type it has: some players name none."""
    try:
        # As bytes: some programs send UTF-16, or a byte order mark.
        value = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BadCallError("The body must be JSON.") from error
    if not isinstance(value, dict):
        raise BadCallError("The body must be a JSON object.")
    return value


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
