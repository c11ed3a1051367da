"""Answers to requests for a part of a file, without which browsers cannot seek in sound."""

import re

from django.http import HttpRequest, HttpResponse

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def ranged_response(request: HttpRequest, content: bytes, *, content_type: str, etag: str) -> HttpResponse:
    """Return ``content`` or, where one range of it is asked for, that part (RFC 9110, section 14).

    Several ranges, other units and a range of another version (``If-Range``) are answered with the whole, as the RFC
    allows; a range that lies outside with 416.
    """
    quoted = f'"{etag}"'
    if quoted in request.headers.get("If-None-Match", ""):
        return _described(HttpResponse(status=304), quoted)
    requested = request.headers.get("Range", "")
    is_same = request.headers.get("If-Range", quoted) == quoted
    match = _RANGE.fullmatch(requested.strip()) if requested and is_same else None
    if match is None or match.group(1) == match.group(2) == "":
        return _described(HttpResponse(content, content_type=content_type), quoted)
    first, last = _bounds(match, len(content))
    if first >= len(content) or first > last:
        answer = HttpResponse(status=416, content_type=content_type)
        answer["Content-Range"] = f"bytes */{len(content)}"
        return _described(answer, quoted)
    answer = HttpResponse(content[first : last + 1], status=206, content_type=content_type)
    answer["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return _described(answer, quoted)


def _bounds(match: "re.Match[str]", size: int) -> tuple[int, int]:
    """Return the first and last byte asked for; without a first one the last bytes are meant."""
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size - 1 if int(last) else -1
    return int(first), min(int(last), size - 1) if last else size - 1


def _described(answer: HttpResponse, quoted: str) -> HttpResponse:
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = quoted
    return answer
