"""Answers in the format that a player asks for: JSON, JSONP or XML (the default), as Subsonic servers write them."""

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from django.http import HttpResponse

from recommender.proxy.calls import Call

VERSION = "1.16.1"
NAMESPACE = "http://subsonic.org/restapi"
# XML 1.0 has no other control characters.
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
GENERAL, NOT_AUTHORIZED, NOT_FOUND = 0, 50, 70


def answer(call: Call, content: Mapping[str, Any], envelope: Mapping[str, Any]) -> HttpResponse:
    """Return an answer; ``envelope``: what the server tells of itself in each."""
    return _response(call, {**_filled(envelope, "ok"), **content})


def failure(call: Call, message: str, *, code: int = GENERAL, status: int = 200) -> HttpResponse:
    """Return an error."""
    response = _response(call, {**_filled({}, "failed"), "error": {"code": code, "message": message}})
    response.status_code = status
    return response


def _filled(envelope: Mapping[str, Any], status: str) -> dict[str, Any]:
    known = {"version": VERSION, "type": "earworm", "serverVersion": "1", "openSubsonic": True}
    return {"status": status, **known, **envelope}


def _response(call: Call, body: Mapping[str, Any]) -> HttpResponse:
    form = call.value("f", "xml").lower()
    if form == "json":
        return HttpResponse(json.dumps({"subsonic-response": body}), content_type="application/json")
    if form == "jsonp":
        text = json.dumps({"subsonic-response": body}).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        script = f"{call.value('callback', 'callback')}({text});"
        return HttpResponse(script, content_type="application/javascript; charset=utf-8")
    root = _element("subsonic-response", body)
    root.set("xmlns", NAMESPACE)
    return HttpResponse(
        ElementTree.tostring(root, encoding="utf-8", xml_declaration=True), content_type="application/xml"
    )


def _element(name: str, value: Any) -> ElementTree.Element:
    """Return an object as an element: simple values are attributes, objects and lists are elements below it."""
    element = ElementTree.Element(name)
    if not isinstance(value, Mapping):
        element.text = _text(value)
        return element
    for key, item in value.items():
        if isinstance(item, Mapping):
            element.append(_element(key, item))
        elif isinstance(item, list):
            element.extend(_element(key, each) for each in item)
        elif key == "value":
            element.text = _text(item)
        elif item is not None:
            element.set(key, _text(item))
    return element


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _UNFIT.sub("\ufffd", str(value))
