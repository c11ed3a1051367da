"""What a field's text means: checked values, ``None`` or "" where it means unknown, a reason where it is wrong.

Every parser takes the text of a field and returns its value, or raises ``ValueError`` with a reason that names field
and text.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from catalog.features import FEATURES, FeatureError, check_feature
from catalog.importing.layout import Layout

TEXT_LENGTH = 1000
GENRE_LENGTH = 100
URL_LENGTH = 500
MAX_DURATION_MS = 2**31 - 1
MEMO_SIZE = 10_000

_ID = re.compile(r"(?:spotify:track:|https?://open\.spotify\.com/(?:intl-\w+/)?track/)?([0-9A-Za-z]{22})(?:\?\S*)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_YEAR = re.compile(r"([0-9]{4})(?:\.0+|[-/.][0-9]{1,2}(?:[-/.][0-9]{1,2}(?:[T ].*)?)?)?")
_YEAR_LAST = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.]([0-9]{4})")
_URL = re.compile(r"https?://[^\s<>\"]+")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_CLOCK = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,3}):([0-9]{2})(?:\.[0-9]+)?")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_GENRE_SEPARATORS = re.compile(r"[;,|]")
# Only for numbers and tags: songs and artists really are called "None" or "NA".
_UNKNOWN = frozenset({"", "na", "n/a", "null", "none"})
_UNKNOWN_GENRES = _UNKNOWN | {"unknown", "nan"}
_BOOLEANS = {
    **dict.fromkeys(("true", "1", "1.0", "yes", "y", "t"), True),
    **dict.fromkeys(("false", "0", "0.0", "no", "n", "f"), False),
}
_KEYS = {name: number for number, names in enumerate(
    ("C", "C# Db", "D", "D# Eb", "E", "F", "F# Gb", "G", "G# Ab", "A", "A# Bb", "B")
) for name in names.split()}  # fmt: skip
_MODES = {"major": 1, "minor": 0}
_BEATS = re.compile(r"([0-9]{1,2})/[0-9]{1,2}")

Parser = Callable[[str], Any]


class BadValue:
    """Stands where a value should be; ``reason`` names the field and the text."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Column(dict[str, Any]):
    """Remembers what each text of one column means, where texts come again and again.

    Asking for a text that cannot be read returns a :class:`BadValue` and sets ``has_bad``.
    """

    def __init__(self, parser: Parser, *, remembers: bool = True) -> None:
        super().__init__()
        self._parser = parser
        self._remembers = remembers
        self.has_bad = False

    def __missing__(self, text: str) -> Any:
        try:
            value = self._parser(text)
        except ValueError as error:
            self.has_bad = True
            return BadValue(str(error))
        if self._remembers:
            self[text] = value
        return value

    def start_chunk(self) -> None:
        """Forget flags, and the memory itself where it has grown large."""
        self.has_bad = False
        if len(self) > MEMO_SIZE:
            self.clear()


def parsers(layout: Layout, split_artists: Parser) -> dict[str, Parser]:
    """Return the parser of each field of ``layout``."""
    known: dict[str, Parser] = {
        "spotify_id": parse_id,
        "title": parse_title,
        "artists": split_artists,
        "album": parse_album,
        "popularity": parse_popularity,
        "duration_ms": lambda text: parse_duration(text, 1),
        "duration_s": lambda text: parse_duration(text, 1000),
        "duration_min": lambda text: parse_duration(text, 60_000),
        "duration": parse_any_duration,
        "explicit": parse_explicit,
        "release_year": parse_year,
        "preview_url": parse_url,
        "isrc": parse_isrc,
        "genres": parse_genres,
    }
    return {field: known.get(field) or feature_parser(field) for field in layout.columns}


def parse_id(text: str) -> str:
    """Return the 22 letters and digits of a Spotify id, URI or track address."""
    match = _ID.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"spotify_id: {_shown(text)} is not a Spotify track id (22 letters and digits)")
    return match[1]


def parse_title(text: str) -> str:
    """Return the title, which must not be empty."""
    title = parse_text("title", text)
    if not title:
        raise ValueError("title: empty")
    return title


def parse_album(text: str) -> str:
    """Return the album's title or ""."""
    return parse_text("album", text)


def parse_text(field: str, text: str, length: int = TEXT_LENGTH) -> str:
    """Return ``text`` without blanks around it and line ends within."""
    text = " ".join(text.split()) if "\n" in text or "\r" in text else text.strip()
    if len(text) > length:
        raise ValueError(f"{field}: {_shown(text)} has {len(text)} characters, at most {length} are kept")
    return text


def parse_number(field: str, text: str) -> float | None:
    """Return a finite number, or ``None`` where the text says that there is none."""
    text = text.strip()
    if text.lower() in _UNKNOWN:
        return None
    if _NUMBER.fullmatch(text) is None or not math.isfinite(number := float(text)):
        raise ValueError(f"{field}: {_shown(text)} is not a number")
    return number


def parse_popularity(text: str) -> int | None:
    """Return a whole number of 0..100."""
    number = parse_number("popularity", text)
    if number is None:
        return None
    if not 0 <= number <= 100:
        raise ValueError(f"popularity: {number:g} is not between 0 and 100")
    if number != int(number):
        raise ValueError(f"popularity: {number:g} is not a whole number")
    return int(number)


def parse_duration(text: str, unit_ms: int) -> int | None:
    """Return milliseconds of a duration in units of ``unit_ms``; 0 means unknown."""
    number = parse_number("duration", text)
    if number is None:
        return None
    milliseconds = round(number * unit_ms)
    if number < 0 or milliseconds > MAX_DURATION_MS:
        raise ValueError(f"duration: {_shown(text)} is not between 0 and {MAX_DURATION_MS} ms")
    return milliseconds or None


def parse_any_duration(text: str) -> int | None:
    """Return milliseconds of a duration whose unit the heading leaves open.

    ``3:45`` and ``1:02:03`` are clear. A plain number from 10,000 on can only be milliseconds (as seconds it would be
    a song of almost three hours); a smaller one may be either and counts as unknown.
    """
    if clock := _CLOCK.fullmatch(text.strip()):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return ((hours * 60 + minutes) * 60 + seconds) * 1000 or None
    milliseconds = parse_duration(text, 1)
    return milliseconds if milliseconds and milliseconds >= 10_000 else None


def parse_explicit(text: str) -> bool | None:
    """Return whether the lyrics are marked as explicit."""
    word = text.strip().lower()
    if word in _UNKNOWN:
        return None
    if word not in _BOOLEANS:
        raise ValueError(f"explicit: {_shown(text)} is neither true nor false")
    return _BOOLEANS[word]


def parse_year(text: str) -> int | None:
    """Return the year of a date (``2019``, ``2019-06``, ``2019-06-14``, ``14/06/2019``); year 0 means unknown."""
    text = text.strip()
    if text.lower() in _UNKNOWN or text in {"0", "0.0"}:
        return None
    match = _YEAR.fullmatch(text) or _YEAR_LAST.fullmatch(text)
    year = int(match[1]) if match else -1
    if match is None or 0 < year < 1000:
        raise ValueError(f"release_year: {_shown(text)} is not a date or year")
    return year or None


def parse_url(text: str) -> str:
    """Return a web address or ""."""
    text = text.strip()
    if text.lower() in _UNKNOWN:
        return ""
    if len(text) > URL_LENGTH or _URL.fullmatch(text) is None:
        raise ValueError(f"preview_url: {_shown(text)} is not a web address of up to {URL_LENGTH} characters")
    return text


def parse_isrc(text: str) -> str:
    """Return the 12 characters of an ISRC (ISO 3901) in capitals, or ""."""
    code = text.strip().upper().replace("-", "")
    if code.lower() in _UNKNOWN:
        return ""
    if _ISRC.fullmatch(code) is None:
        raise ValueError(f"isrc: {_shown(text)} is not an ISRC")
    return code


def parse_genres(text: str) -> tuple[str, ...]:
    """Return the genre tags in lower case, each once.

    They are parted by ``;``, ``,`` or ``|``, or stand in a list, or are words joined by underscores and parted by
    blanks ("hard_rock art_rock").
    """
    items = parse_list(text)
    if items is None:
        items = _GENRE_SEPARATORS.split(text)
        if len(items) == 1 and "_" in text:
            items = [item.replace("_", " ") for item in text.split()]
    tags = dict.fromkeys(" ".join(item.lower().split()) for item in items)
    for tag in tags:
        if len(tag) > GENRE_LENGTH:
            raise ValueError(f"genres: {_shown(tag)} has {len(tag)} characters, at most {GENRE_LENGTH} are kept")
    return tuple(tag for tag in tags if tag not in _UNKNOWN_GENRES)


def parse_list(text: str) -> list[str] | None:
    """Return the items of a list as Python or JSON writes it, ``['A', "B"]``; ``None`` for any other text."""
    text = text.strip()
    if text == "[]":
        return []
    if not (text.startswith(("['", '["')) and text.endswith("]")):
        return None
    if _QUOTED.sub("", text[1:-1]).replace(",", "").strip():
        return None
    return [re.sub(r"\\(.)", r"\1", single or double) for single, double in _QUOTED.findall(text)]


def feature_parser(name: str) -> Parser:
    """Return the parser of one audio feature: a number within the schema's range, or ``None`` where unknown.

    Keys as notes ("C#"), modes as words and time signatures as fractions ("4/4") are understood.
    """
    spellings = {"key": _KEYS, "mode": _MODES}.get(name, {})
    is_whole = FEATURES[name].is_integer

    def parse(text: str) -> float | int | None:
        word = text.strip()
        if (is_whole and word in spellings) or (word := word.lower()) in spellings:
            return spellings[word]
        if name == "time_signature" and (beats := _BEATS.fullmatch(word)):
            word = beats[1]
        number = parse_number(name, word)
        try:
            return check_feature(name, number)
        except FeatureError as error:
            raise ValueError(str(error)) from error

    return parse


def _shown(text: str) -> str:
    """Return ``text`` quoted, and shortened where it is long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
