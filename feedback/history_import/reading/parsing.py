"""Reading JSON item by item, so that memory does not grow with the file.

A file may contain one value or many, concatenated or one per line. All of it is read; anything that is not JSON is an
error that names the position.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_noop

from feedback.history_import.reading.source import HistoryError, Member

# No record of a play is longer; a page from Last.fm holds a thousand plays.
MAX_ITEM_SIGNS = 8_000_000
# An object that is longer is walked key by key, and not decoded whole.
MAX_OBJECT_SIGNS = 1_000_000
MAX_DEPTH = 8
_INCOMPLETE = gettext_noop("%(file)s is incomplete. Please download it again.")
DAMAGED = gettext_noop("Line %(line)d of %(file)s is damaged or incomplete.")
_FOREIGN = gettext_noop("%(file)s is damaged. It contains something that doesn't belong in an export.")
_FOLLOWS = gettext_noop("Line %(line)d of %(file)s is damaged. There is something after the end of the list.")
_BETWEEN = re.compile(r"[\s,]*")
_BLANK = re.compile(r"[\s\x1e]*")

# Suffix of the key of an object that is a member of another object and not an item of a list.
MEMBER = "{}"
# Lists whose items have a time but are not plays: loved songs of Last.fm.
_NO_PLAYS = frozenset({"lovedtracks", "bannedtracks", "loved", "banned"})
# The key under which an item stands ("" at the top), and the item.
Item = tuple[str, Any]


def json_items(member: Member) -> Iterator[Item]:
    """Yield the items of all lists, and all objects that are not in a list, of a file of JSON values.

    Raise ``HistoryError`` where the text ends early or is no JSON.
    """
    reader = _Reader(member)
    is_first = True
    while sign := reader.next_sign(_BLANK if is_first else _BETWEEN):
        if sign == "[":
            yield from reader.items("")
        elif sign == "{":
            yield from reader.object("", depth=0)
        elif is_first:
            raise HistoryError(gettext_noop("%(file)s contains no list of plays."), file=member.name)
        else:
            raise reader.error(_FOLLOWS)
        is_first = False


def is_of_plays(key: str) -> bool:
    """Return whether the values under the key may be plays."""
    return key.rstrip(MEMBER) not in _NO_PLAYS


def key_within(outer: str, key: str) -> str:
    """Return the key for what stands under ``key`` in the object that stands under ``outer``."""
    return key if is_of_plays(outer) else outer.rstrip(MEMBER)


class _Reader:
    """A moving window on the text."""

    def __init__(self, member: Member) -> None:
        self._name = member.name
        self._texts = member.texts()
        self._buffer = ""
        self._place = 0
        self._lines = 0
        self._decode = json.JSONDecoder().raw_decode

    def error(self, pattern: str) -> HistoryError:
        """Return an error that names the current position."""
        line = self._lines + self._buffer.count("\n", 0, self._place) + 1
        return HistoryError(pattern, file=self._name, line=line)

    def next_sign(self, between: "re.Pattern[str]") -> str:
        """Skip separators between values; return the next character, "" at the end of the file."""
        while True:
            self._place = between.match(self._buffer, self._place).end()  # type: ignore[union-attr]
            if self._place < len(self._buffer):
                return self._buffer[self._place]
            if not self._grow():
                return ""

    def items(self, key: str) -> Iterator[Item]:
        """Yield the items of the list that begins here."""
        self._place += 1
        while True:
            # The most frequent case is kept fast, because a history has a million items.
            position = _BETWEEN.match(self._buffer, self._place).end()  # type: ignore[union-attr]
            if position == len(self._buffer):
                self._place = position
                self._need()
                continue
            if self._buffer[position] == "]":
                self._place = position + 1
                return
            try:
                item, self._place = self._decode(self._buffer, position)
            except (ValueError, RecursionError):
                self._place = position
                item = self.value()
            yield key, item

    def value(self, most: int = MAX_ITEM_SIGNS) -> Any:
        """Return the value that begins here, which may go on in the next pieces."""
        while True:
            try:
                value, self._place = self._decode(self._buffer, self._place)
            except json.JSONDecodeError as error:
                # It probably continues in the next piece.
                if len(self._buffer) - self._place > most:
                    raise self.error(DAMAGED) from error
                self._need()
            except (ValueError, RecursionError) as error:
                raise self.error(_FOREIGN) from error
            else:
                return value

    def object(self, key: str, depth: int) -> Iterator[Item]:
        """Yield the object that begins here; where it is large, the items of the lists in it."""
        while True:
            try:
                value, self._place = self._decode(self._buffer, self._place)
            except json.JSONDecodeError:
                if len(self._buffer) - self._place > MAX_OBJECT_SIGNS:
                    break
                self._need(DAMAGED)
            except (ValueError, RecursionError) as error:
                raise self.error(_FOREIGN) from error
            else:
                yield key, value
                return
        yield from self._members(key, depth)

    def _members(self, outer: str, depth: int) -> Iterator[Item]:
        if depth > MAX_DEPTH:
            raise self.error(_FOREIGN)
        self._place += 1
        while (sign := self._sign()) != "}":
            if sign != '"':
                raise self.error(DAMAGED)
            key = key_within(outer, self.value())
            if self._sign(_BLANK) != ":":
                raise self.error(DAMAGED)
            self._place += 1
            sign = self._sign(_BLANK)
            if sign == "[":
                yield from self.items(key)
            elif sign == "{":
                yield from self.object(key + MEMBER, depth + 1)
            else:
                self._scalar()
        self._place += 1

    def _scalar(self) -> None:
        # A number at the end of a piece may continue in the next.
        if len(self._buffer) - self._place < 400:
            self._grow()
        self.value()

    def _sign(self, between: "re.Pattern[str]" = _BETWEEN) -> str:
        sign = self.next_sign(between)
        if not sign:
            raise self.error(_INCOMPLETE)
        return sign

    def _need(self, otherwise: str = _INCOMPLETE) -> None:
        if not self._grow():
            raise self.error(otherwise)

    def _grow(self) -> bool:
        text = next((text for text in self._texts if text), None)
        if text is None:
            return False
        self._lines += self._buffer.count("\n", 0, self._place)
        self._buffer = self._buffer[self._place :] + text
        self._place = 0
        return True
