"""Numbers and durations as tables write them."""

import math
import re
from collections.abc import Sequence

from django.utils.translation import gettext as _

MAX_DURATION_MS = 2**31 - 1
# As seconds it would be a song of almost three hours, so a plain number from here on is milliseconds.
SURELY_MS = 10_000
_SHORTEST_S = 20
DAY_MS = 86_400_000
# Nearly five hours, and half an hour.
_LONGEST_IN_DAYS = 0.2
_MIDDLE_IN_DAYS = 0.02
_SHORTEST_MS = 1000
# Words that stand for no value where a number, a date or a mark is expected.
NO_VALUE = frozenset({
    "", "na", "n/a", "#n/a", "#na", "n.a.", "<na>", "null", "<null>", "\\n", "none", "nan", "nil", "?", "-", "--",
    "\u2013", "\u2014", "empty_field", "unknown", "[unknown]", "<unknown>", "#value!", "#ref!", "#div/0!",
    "not available", "missing", "undefined", "nat", "n/d", "s/d", "(blank)", "(null)", "(none)", "(empty)", "#n/a!",
    ".", "..", "...", "---", "no data", "not applicable", "not found", "tbd",
    "#name?", "#num!", "#null!", "#error!", "<unset>",
})  # fmt: skip
NUMBER = re.compile(r"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
_THOUSANDS = {
    ".": re.compile(r"[+-]?[0-9]{1,3}(?:[, '\u2019\u00a0\u202f][0-9]{3})+(?:\.[0-9]+)?"),
    ",": re.compile(r"[+-]?[0-9]{1,3}(?:[. '\u2019\u00a0\u202f][0-9]{3})+(?:,[0-9]+)?"),
}
_NOT_DIGITS = re.compile(r"[, '\u2019\u00a0\u202f]")
_NOT_DIGITS_COMMA = re.compile(r"[. '\u2019\u00a0\u202f]")
_CLOCK = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,3}):([0-9]{2})(?:[.,][0-9]+)?")
# "0 days 00:03:20" is of pandas.
_NO_DAYS = re.compile(r"0 days?,? \+?(?=[0-9])", re.IGNORECASE)
_PRIMES = re.compile(r"([0-9]{1,3}) ?['\u2019\u2032] ?(?:([0-9]{1,2}) ?(?:[\"\u201d\u2033]|'')?)?")
_SIGNS_OF_TIME = re.compile(r"[:'\"\u2019\u201d\u2032\u2033]")
_WORDS = re.compile(
    r"(?:pt)?(?:([0-9]++) *+h(?:ours?|rs?)?\.?)?,? *+(?:([0-9]++) *+m(?:in(?:ute)?s?)?\.?)?,? *+"
    r"(?:([0-9]++(?:\.[0-9]++)?) *+s(?:ec(?:ond)?s?)?\.?)?",
    re.IGNORECASE,
)
_MS_WORD = re.compile(r"([0-9]+(?:\.[0-9]+)?) *(?:ms|msec|milliseconds?)", re.IGNORECASE)


def is_no_value(text: str) -> bool:
    """Return whether ``text`` says that there is no value."""
    return text.strip().lower() in NO_VALUE


def to_number(text: str, decimal: str = ".") -> float | None:
    """Return the finite number that ``text`` writes, with thousands parted or not; ``None`` where it is none."""
    text = text.strip()
    if decimal == "." and NUMBER.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else None
    if not text.isascii() and not _THOUSANDS[decimal].fullmatch(text):
        return None
    if decimal == ",":
        if _THOUSANDS[","].fullmatch(text):
            text = _NOT_DIGITS_COMMA.sub("", text)
        text = text.replace(",", ".")
    elif _THOUSANDS["."].fullmatch(text):
        text = _NOT_DIGITS.sub("", text)
    if NUMBER.fullmatch(text) is None:
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def parse_number(field: str, text: str, decimal: str = ".") -> float | None:
    """Return a finite number, or ``None`` where the text says that there is none.

    Raises:
        ValueError: it is something else.
    """
    number = to_number(text, decimal)
    if number is None and text.strip().lower() not in NO_VALUE:
        raise ValueError(_("%(field)s: %(text)s is not a number") % {"field": field, "text": shown(text.strip())})
    return number


def to_clock_ms(text: str) -> int | None:
    """Return the milliseconds of ``3:45``, ``1:02:03``, ``3m 45s``, ``3'45"`` or ``PT3M45S``; ``None`` of others."""
    text = _NO_DAYS.sub("", text.strip())
    if primes := _PRIMES.fullmatch(text):
        return (int(primes[1]) * 60 + int(primes[2] or 0)) * 1000
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return ((hours * 60 + minutes) * 60 + seconds) * 1000
    if match := _MS_WORD.fullmatch(text):
        return round(float(match[1]))
    match = _WORDS.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    return round(((int(match[1] or 0) * 60 + int(match[2] or 0)) * 60 + float(match[3] or 0)) * 1000)


def implausible_unit(numbers: Sequence[float], unit_ms: float) -> float | None:
    """Return the unit of lengths that cannot be in ``unit_ms``, ``None`` where they can.

    Spreadsheets write 3:20 as 0.0023 of a day; 200000 can only be milliseconds, and of 215 minutes 215 are seconds.
    """
    above = sorted(number for number in numbers if number > 0)
    middle = above[(len(above) - 1) // 2] if above else 0
    if above and above[-1] < _LONGEST_IN_DAYS and middle < _MIDDLE_IN_DAYS:
        return DAY_MS
    if unit_ms > 1 and middle * unit_ms > SURELY_MS * 1000:
        return 1 if middle >= SURELY_MS else 1000
    return None


def parse_duration(text: str, unit_ms: float, decimal: str = ".", *, has_minutes_first: bool = False) -> int | None:
    """Return milliseconds of a duration in units of ``unit_ms``; 0 and -1 mean unknown.

    With ``has_minutes_first`` the third part of ``03:45:00`` is less than a second.

    Raises:
        ValueError: no duration, or one that is too long.
    """
    if text[-1:].isalpha() or _SIGNS_OF_TIME.search(text):
        is_short = has_minutes_first and text.count(":") > 1
        milliseconds = to_clock_ms(text.rpartition(":")[0] if is_short else text)
        if milliseconds is not None and milliseconds <= MAX_DURATION_MS:
            return milliseconds or None
    number = parse_number("duration", text, decimal)
    if number is None or number == -1:
        return None
    milliseconds = round(number * (1 if unit_ms > 1 and number >= SURELY_MS else unit_ms))
    if number < 0 or milliseconds > MAX_DURATION_MS:
        reason = _("duration: %(text)s is not between 0 and %(limit)d ms")
        raise ValueError(reason % {"text": shown(text), "limit": MAX_DURATION_MS})
    return milliseconds or None


def parse_open_duration(
    text: str, unit_ms: float, decimal: str = ".", *, has_minutes_first: bool = False
) -> int | None:
    """Return milliseconds where the heading leaves the unit open and the column as a whole tells ``unit_ms``.

    In a column of seconds or minutes a number that can only be milliseconds is that; one that would be a few seconds
    long and has a fraction ("3.45" among "215") may be minutes, and counts as unknown. In a column of milliseconds
    "215" can only be seconds.
    """
    number = to_number(text, decimal)
    if number is not None and unit_ms > 1:
        if number >= SURELY_MS:
            unit_ms = 1
        elif unit_ms == 1000 and 0 < number < _SHORTEST_S and number % 1:
            return None
    elif number is not None and unit_ms == 1 and _SHORTEST_S <= number < _SHORTEST_MS:
        unit_ms = 1000
    return parse_duration(text, unit_ms, decimal, has_minutes_first=has_minutes_first)


def shown(text: str) -> str:
    """Return ``text`` quoted, and shortened where it is long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
