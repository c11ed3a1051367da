"""Reading bodies: JSON that says it is JSON, and nothing else."""

import json
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from ninja.parser import Parser

# What a valid body holds is far less; each name that a call does not know would be an error of its own.
_MAX_NAMES = 20_000


class NotJsonError(Exception):
    """The body is no JSON, or has values that JSON does not know."""


class UnsupportedTypeError(Exception):
    """The body is of another content type: a form of another site can send text, but not JSON, without asking."""


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
    """Refuse texts that no database could keep; return how many names the objects have."""
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
