"""Reading JSON item by item, so that memory does not grow with the file."""

import json
import re
from collections.abc import Iterator
from typing import Any

from feedback.history_import.source import HistoryError, Member

# No record of a play is longer; a page of Last.fm's holds a thousand plays.
MAX_ITEM_SIGNS = 8_000_000
_BETWEEN = re.compile(r"[\s,]*")


def array_items(member: Member, start: "re.Pattern[str] | None" = None) -> Iterator[Any]:
    """Yield the items of the array that the file is, or of the one that begins after ``start`` near its top.

    Raises ``HistoryError`` where the text ends early or is no JSON.
    """
    texts = member.texts()
    buffer, place = _beginning(member, texts, start)
    decode = json.JSONDecoder().raw_decode
    while True:
        place = _BETWEEN.match(buffer, place).end()  # type: ignore[union-attr]
        if place == len(buffer):
            buffer, place = _more(member, texts), 0
            continue
        if buffer[place] == "]":
            break
        try:
            item, place = decode(buffer, place)
        except json.JSONDecodeError as error:
            # Most likely the item goes on in the next piece.
            if len(buffer) - place > MAX_ITEM_SIGNS:
                raise HistoryError(f"{member.name}: is damaged: {error.msg}") from error
            buffer, place = buffer[place:] + _more(member, texts), 0
            continue
        except (ValueError, RecursionError) as error:
            raise HistoryError(f"{member.name}: is damaged: it holds what no export does") from error
        yield item
    if start is None and (buffer[place + 1 :].strip() or any(text.strip() for text in texts)):
        raise HistoryError(f"{member.name}: is damaged: something follows the end of the list")


def line_items(member: Member) -> Iterator[Any]:
    """Yield the value of each line that is not empty. Raises ``HistoryError`` for a line that is no JSON."""
    for number, line in enumerate(member.lines(), start=1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            raise HistoryError(f"{member.name}: line {number:,} is damaged or breaks off") from error


def _beginning(member: Member, texts: Iterator[str], start: "re.Pattern[str] | None") -> tuple[str, int]:
    buffer = ""
    for text in texts:
        buffer += text
        if start is None:
            stripped = buffer.lstrip()
            if not stripped:
                continue
            if stripped[0] != "[":
                break
            return buffer, len(buffer) - len(stripped) + 1
        found = start.search(buffer)
        if found:
            return buffer, found.end()
        if len(buffer) > MAX_ITEM_SIGNS:
            break
    raise HistoryError(f"{member.name}: holds no list of plays")


def _more(member: Member, texts: Iterator[str]) -> str:
    text = next(texts, None)
    while text == "":
        text = next(texts, None)
    if text is None:
        raise HistoryError(f"{member.name}: breaks off in the middle")
    return text
