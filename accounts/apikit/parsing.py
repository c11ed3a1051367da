"""Reading bodies: JSON that says it is JSON, and nothing else."""

import json
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser


class NotJsonError(Exception):
    """The body is no JSON, or has values that JSON does not know."""


class UnsupportedTypeError(Exception):
    """The body is of another content type: a form of another site can send text, but not JSON, without asking."""


class JsonParser(Parser):
    """Reads strict JSON in UTF-8: no NaN, no Infinity, no null byte or half a surrogate pair in a text."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the body's value. Raises ``UnsupportedTypeError`` and ``NotJsonError``."""
        if request.content_type != "application/json":
            raise UnsupportedTypeError
        try:
            value = json.loads(request.body.decode("utf-8"), parse_constant=_refuse)
            _check_texts(value)
        except (ValueError, RecursionError) as error:
            raise NotJsonError from error
        return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _check_texts(value: Any) -> None:
    """Refuse texts that no database could keep."""
    if isinstance(value, str):
        value.encode("utf-8")
        if "\x00" in value:
            raise ValueError("a null byte")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(key)
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)
