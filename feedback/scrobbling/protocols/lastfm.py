"""The calls of Last.fm 2.0 with which players scrobble: https://www.last.fm/api/scrobbling. XML, or JSON if asked."""

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from django.http import HttpRequest, HttpResponse

from accounts.models import User
from feedback.scrobbling.keys import key_of_session, keys_of, session_of
from feedback.scrobbling.loving import love_by_name, unlove_by_name
from feedback.scrobbling.models import ScrobbleKey
from feedback.scrobbling.protocols.responses import (
    UNREADABLE,
    BadCallError,
    WrongTokenError,
    for_players,
    json_answer,
    teller_of,
)
from feedback.scrobbling.receiving import note_playing, take_listens
from feedback.scrobbling.reported import ReportedListen, reported_listen
from feedback.scrobbling.selectors import listens_of_listener

MAX_LISTENS = 50
# The API key that our page names for programs that ask for one; the secrets of other programs are unknown to us.
KNOWN_SECRETS = {"earworm": "earworm"}
_NO_METHOD, _NO_LOGIN, _BAD_PARAMETERS, _NO_SESSION, _BAD_SIGNATURE, _BUSY = 3, 4, 6, 9, 13, 16
_STATUS = {_NO_LOGIN: 403, _NO_SESSION: 403, _BUSY: 503}
_UNSIGNED = ("format", "callback", "api_sig")
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INDEXED = re.compile(r"artist\[(\d{1,4})\]")
Parameters = Mapping[str, str]


class _FailedError(BadCallError):
    """A call failed with one of Last.fm's codes."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _busy(request: HttpRequest, _seconds: int) -> HttpResponse:
    return _failure(request, _BUSY, "Busy at the moment. Please try again later.")


def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
    if isinstance(error, WrongTokenError):
        return _failure(request, _NO_SESSION, "Invalid session key. Please log in again.")
    return _failure(request, error.code if isinstance(error, _FailedError) else _BAD_PARAMETERS, str(error))


def _failure(request: HttpRequest, code: int, message: str) -> HttpResponse:
    status = _STATUS.get(code, 400)
    if _wants_json(request):
        return json_answer({"error": code, "message": message}, status)
    root = ET.Element("lfm", status="failed")
    ET.SubElement(root, "error", code=str(code)).text = message
    return _xml(root, status)


def _wants_json(request: HttpRequest) -> bool:
    try:
        return "json" in (request.GET.get("format"), request.POST.get("format"))
    except UNREADABLE:
        return False


@for_players("GET", "POST", busy=_busy, refused=_refused)
def call(request: HttpRequest) -> HttpResponse:
    """Answer one call."""
    parameters = {**request.GET.dict(), **request.POST.dict()}
    method = parameters.get("method", "").lower()
    if request.method != "POST" and method != "user.getinfo":
        raise _FailedError(_NO_METHOD, "This method needs POST.")
    _check_signature(parameters)
    if method == "auth.getmobilesession":
        key = _key_by_password(parameters)
        try:
            teller = teller_of(request, key)
        except WrongTokenError as error:
            raise _FailedError(_NO_LOGIN, "Wrong username or token, or the old protocols are off.") from error
        return _answer(parameters, "session", _session(teller.user, teller.key))
    act = _METHODS.get(method)
    if act is None:
        raise _FailedError(_NO_METHOD, "No such method.")
    return act(request, parameters)


def _now_playing(request: HttpRequest, parameters: Parameters) -> HttpResponse:
    teller = teller_of(request, key_of_session(parameters.get("sk", "")))
    heard = _listen_of(parameters)
    if heard is None:
        raise _FailedError(_BAD_PARAMETERS, "artist and track are needed.")
    note_playing(teller=teller, heard=heard, received=int(time.time()))
    return _answer(parameters, "nowplaying", _understood(parameters, "", heard))


def _scrobble(request: HttpRequest, parameters: Parameters) -> HttpResponse:
    teller = teller_of(request, key_of_session(parameters.get("sk", "")))
    numbers = sorted({int(match[1]) for match in map(_INDEXED.fullmatch, parameters) if match})
    suffixes = [f"[{number}]" for number in numbers] or [""]
    if len(suffixes) > MAX_LISTENS:
        raise _FailedError(_BAD_PARAMETERS, f"Up to {MAX_LISTENS} scrobbles at once.")
    rows = {suffix: _listen_of(parameters, suffix) for suffix in suffixes}
    heard = [row for row in rows.values() if row is not None]
    take_listens(teller=teller, heard=heard, received=int(time.time()))
    scrobbles = [
        _understood(parameters, suffix, row) | {"timestamp": parameters.get(f"timestamp{suffix}", "")}
        for suffix, row in rows.items()
    ]
    counts = {"accepted": len(heard), "ignored": len(rows) - len(heard)}
    return _answer(
        parameters, "scrobbles", {"scrobble": scrobbles[0] if len(rows) == 1 else scrobbles, "@attr": counts}
    )


def _understood(parameters: Parameters, suffix: str, heard: ReportedListen | None) -> dict[str, Any]:
    """Return what Last.fm says of each listen: what was understood, nothing of it corrected, or why it was ignored."""
    names = ("track", "artist", "album", "albumArtist")
    fields = {name: {"corrected": "0", "#text": parameters.get(f"{name}{suffix}", "")} for name in names}
    code, why = ("0", "") if heard else ("1", "artist and track are needed")
    return {**fields, "ignoredMessage": {"code": code, "#text": why}}


def _love(request: HttpRequest, parameters: Parameters) -> HttpResponse:
    teller = teller_of(request, key_of_session(parameters.get("sk", "")))
    heard = _listen_of(parameters)
    if heard is None:
        raise _FailedError(_BAD_PARAMETERS, "artist and track are needed.")
    if parameters["method"].lower() == "track.love":
        love_by_name(user=teller.user, heard=heard, value=1)
    else:
        unlove_by_name(user=teller.user, heard=heard)
    return _answer(parameters, "", {})


def _info(request: HttpRequest, parameters: Parameters) -> HttpResponse:
    user = teller_of(request, key_of_session(parameters.get("sk", ""))).user
    if User.normalize_username(parameters.get("user", "") or user.username) != user.username:
        raise _FailedError(_BAD_PARAMETERS, "User not found.")
    count = listens_of_listener(user).count()
    return _answer(parameters, "user", {"name": user.username, "playcount": str(count), "subscriber": "0"})


_METHODS = {
    "track.updatenowplaying": _now_playing,
    "track.scrobble": _scrobble,
    "track.love": _love,
    "track.unlove": _love,
    "user.getinfo": _info,
}


def _listen_of(parameters: Parameters, suffix: str = "") -> ReportedListen | None:
    return reported_listen(
        title=parameters.get(f"track{suffix}"),
        artist=parameters.get(f"artist{suffix}"),
        at=parameters.get(f"timestamp{suffix}"),
        album=parameters.get(f"album{suffix}", ""),
        mbid=parameters.get(f"mbid{suffix}", ""),
        seconds=parameters.get(f"duration{suffix}"),
    )


def _key_by_password(parameters: Parameters) -> ScrobbleKey | None:
    """Return the listener's token that the call proves to know, by the token itself or by its MD5."""
    name, password = parameters.get("username", ""), parameters.get("password", "").lower()
    heard = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    proof = parameters.get("authToken", "").lower()
    for key in keys_of(name):
        expected = hashlib.md5(f"{name}{key.old_digest}".encode(), usedforsecurity=False).hexdigest()
        if (password and hmac.compare_digest(key.old_digest, heard)) or hmac.compare_digest(
            expected.encode(), proof.encode()
        ):
            return key
    return None


def _check_signature(parameters: Parameters) -> None:
    secret = KNOWN_SECRETS.get(parameters.get("api_key", ""))
    if secret is None:
        return
    signed = "".join(f"{name}{parameters[name]}" for name in sorted(parameters) if name not in _UNSIGNED)
    expected = hashlib.md5(f"{signed}{secret}".encode(), usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(expected.encode(), parameters.get("api_sig", "").encode()):
        raise _FailedError(_BAD_SIGNATURE, "Invalid method signature supplied.")


def _session(user: User, key: ScrobbleKey) -> dict[str, str]:
    return {"name": user.username, "key": session_of(key), "subscriber": "0"}


def _answer(parameters: Parameters, name: str, values: Mapping[str, Any]) -> HttpResponse:
    if parameters.get("format") == "json":
        return json_answer({name: values} if name else {})
    root = ET.Element("lfm", status="ok")
    if name:
        _add(root, name, values)
    return _xml(root, 200)


def _add(parent: ET.Element, name: str, value: Any) -> None:
    """Add a value of the JSON answer as XML has it: ``@attr`` and what stands beside ``#text`` are attributes."""
    if isinstance(value, list):
        for entry in value:
            _add(parent, name, entry)
    elif not isinstance(value, Mapping):
        ET.SubElement(parent, name).text = _NOT_IN_XML.sub("", value)
    elif "#text" in value:
        _add(parent, name, value["#text"])
        parent[-1].attrib.update({key: text for key, text in value.items() if key != "#text"})
    else:
        element = ET.SubElement(parent, name, {key: str(number) for key, number in value.get("@attr", {}).items()})
        for key, child in value.items():
            if key != "@attr":
                _add(element, key, child)


def _xml(root: ET.Element, status: int) -> HttpResponse:
    content = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return HttpResponse(content, status=status, content_type="text/xml; charset=utf-8")
