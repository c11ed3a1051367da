"""Lists within one field, as JSON, Python, NumPy and PostgreSQL write them."""

import ast
import csv
import html
import json
import re
from collections.abc import Iterable
from typing import Any

# One whose end is missing goes on to the end of the text, and has no group: looked for again from each of its quotes,
# it would take the square of the time.
_QUOTED = re.compile(r"""[ubUB]?(?:'(?:[^'\\]|\\.)*+(')?|"(?:[^"\\]|\\.)*+(")?)""", re.DOTALL)
_WRAPPED = re.compile(r"(?:frozenset|set|list|tuple|array)\((.*?)(?:, *dtype=\w+)?\)", re.DOTALL)
_ENDS = {"[": "]", "(": ")", "{": "}"}
_QUOTED_STARTS = frozenset({'"[', '"{', '"('})
_NONE = frozenset({"none", "null", "nan"})
# HTML entities.
_ENTITY = re.compile(
    r"&(?:amp|quot|apos|lt|gt|nbsp|#[0-9]{2,5}|#x[0-9a-f]{2,4}|"
    r"[a-z]{1,2}(?:acute|grave|circ|uml|tilde|cedil|ring|lig|slash));",
    re.IGNORECASE,
)
_KEYS = re.compile(r"(?:spotify:artist:)?[0-9A-Za-z]{22}")
# A longer text is not a list in a table of songs.
_MAX_LENGTH = 20_000


def unescaped(text: str) -> str:
    """Return ``text`` with its HTML entities replaced."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def parse_list(text: str, *, may_be_bare: bool = False) -> list[str] | None:
    """Return the items of a list in square, round or curly brackets; ``None`` for any other text.

    Without ``may_be_bare`` the items must be quoted: ``[bsd.u]`` is a name. ``None`` among them is left out.
    """
    text = text.strip()
    if text[:2] in _QUOTED_STARTS and text[-1] == '"':
        # Written twice as a cell of CSV.
        text = text[1:-1].replace('""', '"')
    if not text or text[0] not in "[({sflta" or text[-1] not in "])}" or len(text) > _MAX_LENGTH:
        return None
    if wrapped := _WRAPPED.fullmatch(text):
        text = wrapped[1].strip() or "[]"
    if text[0] not in _ENDS or text[-1] != _ENDS[text[0]]:
        return None
    inner = text[1:-1].strip()
    if not inner:
        return []
    if inner.startswith('\\"'):
        # Quotes that were escaped once too often.
        inner = inner.replace('\\"', '"')
    if ":" in inner and "{" in text and (names := _names_of_objects(text)) is not None:
        return names
    if inner[0] in "'\"uUbB{Nn" and (items := _quoted_items(text[0], inner)) is not None:
        return items
    return _bare_items(inner) if may_be_bare else None


def parse_cut_list(text: str) -> list[str] | None:
    """Return the whole items of a list of quoted texts whose end is missing; ``None`` for any other text."""
    text = text.strip()
    if text[:2] not in {"['", '["'} or "]" in text or len(text) > _MAX_LENGTH:
        return None
    items = [_unescaped(match[0]) for match in _QUOTED.finditer(text) if match.lastindex]
    return items or [text[2:]]


def is_bracketed(text: str) -> bool:
    """Return whether ``text`` stands in brackets as a list does."""
    text = text.strip()
    return text == "set()" or (len(text) > 1 and _ENDS.get(text[0]) == text[-1])


def _quoted_items(start: str, inner: str) -> list[str] | None:
    if start == "[":
        try:
            return _names(json.loads(f"[{inner}]"))
        except (ValueError, RecursionError):
            pass
    places = [*_QUOTED.finditer(inner)]
    rest = _QUOTED.sub("", inner).replace(",", " ").split()
    if not all(match.lastindex for match in places) or any(word.lower() not in _NONE for word in rest):
        return None
    return [_unescaped(match[0]) for match in places]


def _names_of_objects(text: str) -> list[str] | None:
    """Return what the object, or the objects of the list, that Python or JSON wrote call ``name``.

    Or the names of an object that gives one for each id.
    """
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(value, dict) and value and all(map(_KEYS.fullmatch, map(str, value))):
            return _names(value.values())
        items = [value] if isinstance(value, dict) else value
        if items and all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items):
            return _names(items)
    return None


def _names(items: Iterable[Any]) -> list[str] | None:
    """Return texts as they are, and of objects what they call ``name``; ``None`` where neither is there."""
    names = [item.get("name") if isinstance(item, dict) else item for item in items]
    if all(item is None or isinstance(item, str) for item in names):
        return [_joined(item) for item in names if item is not None]
    return None


def _unescaped(literal: str) -> str:
    try:
        value = ast.literal_eval(literal.lstrip("ubUB"))
    except (ValueError, SyntaxError):
        return re.sub(r"\\(.)", r"\1", literal.lstrip("ubUB")[1:-1])
    return _joined(str(value))


def _joined(text: str) -> str:
    """Return ``text`` with the halves of characters, as JSON escapes them, put together."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _bare_items(inner: str) -> list[str]:
    delimiter = ";" if ";" in inner and "," not in inner else ","
    try:
        items = next(csv.reader([inner], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        items = inner.split(delimiter)
    stripped = [item.strip().strip("'") for item in items]
    return [item for item in stripped if item and item.lower() not in _NONE]
