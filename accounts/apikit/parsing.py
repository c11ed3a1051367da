"""Parses request bodies: only JSON with the content type of JSON."""

import json
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from ninja.parser import Parser

# Far more than a valid body holds; each unknown name would be an error.
_MAX_NAMES = 20_000


class NotJsonError(Exception):
    """The body is not JSON, or contains values that JSON does not have."""


class UnsupportedTypeError(Exception):
    """The body has another content type. (Forms of other sites can send text without a preflight, but not JSON.)"""


class JsonParser(Parser):
    """Reads strict JSON in UTF-8: no NaN, no Infinity, no null byte or half a surrogate pair in a text."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the body's value. Raise ``UnsupportedTypeError``, ``NotJsonError`` and ``RequestDataTooBig``."""
        if request.content_type != "application/json":
            raise UnsupportedTypeError
        try:
            value = json.loads(request.body.decode("utf-8"), parse_constant=_refuse)
            if _check_texts(value) > _MAX_NAMES:
                raise RequestDataTooBig("too many names")
        except (ValueError, RecursionError) as error:
            raise NotJsonError from error
        return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _check_texts(value: Any) -> int:
    """Refuse texts that databases cannot store; return the number of names in the objects."""
    count = 0
    if isinstance(value, str):
        value.encode("utf-8")
        if "\x00" in value:
            raise ValueError("a null byte")
    elif isinstance(value, dict):
        count += len(value)
        for key, item in value.items():
            _check_texts(key)
            count += _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            count += _check_texts(item)
    return count
