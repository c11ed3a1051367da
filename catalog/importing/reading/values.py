"""What a field's text means: checked values, ``None`` or "" where it means unknown, a reason where it is wrong.

Every parser takes the text of a field and returns its value, or raises ``ValueError`` with a reason that names field
and text. How a column is written (unit, separators, words for nothing) its
:class:`~catalog.importing.reading.layout.Layout` tells.
"""

import re
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.features import FEATURES, FeatureError, check_feature
from catalog.identity.nobody import NO_NAME, is_no_album
from catalog.importing.reading.layout import DURATION_UNITS, Layout
from catalog.importing.reading.lists import parse_list, unescaped
from catalog.importing.reading.numbers import (
    NO_VALUE,
    NUMBER,
    is_no_value,
    parse_duration,
    parse_number,
    parse_open_duration,
    shown,
)

TEXT_LENGTH = 1000
GENRE_LENGTH = 100
URL_LENGTH = 500
MEMO_SIZE = 10_000
_ID = re.compile(
    r"(?:spotify:track:|https?://(?:(?:open|play)\.spotify\.com/(?:intl-\w+/|embed/)?track/"
    r"|api\.spotify\.com/v1/(?:tracks|audio-features|audio-analysis)/))?([0-9A-Za-z]{22})/?(?:[?#]\S*)?"
)
_YEAR = re.compile(r"([0-9]{4})(?:\.0+|[-/.][0-9]{1,2}(?:[-/.][0-9]{1,2}(?:[T ].*)?)?)?")
# "31-12-85" and "85-12-31"; "5-Mar-99", "5 Mar 99" and "Mar-99".
SHORT_DATE = re.compile(r"([0-9]{1,2})([-/.])[0-9]{1,2}\2([0-9]{1,2})")
_SHORT_YEAR_BY_MONTH = re.compile(
    r"(?:[0-9]{1,2}[-/. ] ?[^\W\d_]{3,9}\.?[-/. ]|[^\W\d_]{3,9}\.?[-/'\u2019] ?)'?([0-9]{2})"
)
_YEAR_LAST = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.]([0-9]{4})")
# "June 14, 2019", "14 Jun 2019" and "20190614".
_YEAR_BY_MONTH = re.compile(
    r"(?:[0-9]{1,2}[-/.]?[ ]?)?[^\W\d_]{3,}\.?[-/ ](?:[0-9]{1,2}(?:st|nd|rd|th)?,? )?([0-9]{4})"
    r"|([0-9]{4})(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
)
_URL = re.compile(r"https?://[^\s<>\"]+")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_GENRE_SEPARATORS = re.compile(r"[;,|]")
_BOOLEANS = {
    **dict.fromkeys(("true", "1", "1.0", "yes", "y", "t", "wahr", "ja", "vrai", "oui", "verdadero", "sí", "si", "vero",
                     "verdadeiro", "sim", "waar", "sant", "sand", "prawda", "tak", "true()", "x", "e",
                     "explicit"), True),
    **dict.fromkeys(("false", "0", "0.0", "no", "n", "f", "falsch", "nein", "faux", "non", "falso", "não", "onwaar",
                     "falskt", "falsk", "fałsz", "nie", "nee", "false()", "clean", "not explicit"), False),
}  # fmt: skip
_KEYS = {name: number for number, names in enumerate(
    ("C", "C# Db", "D", "D# Eb", "E", "F", "F# Gb", "G", "G# Ab", "A", "A# Bb", "B")
) for name in names.split()}  # fmt: skip
_KEYS["H"] = _KEYS["B"]
_KEY = re.compile(r"([A-H][#b]?)(?: ?/ ?[A-G][#b]?)?(?: ?(?:m|min|minor|maj|major|moll|dur))?", re.IGNORECASE)
_MODES = {"major": 1, "maj": 1, "dur": 1, "minor": 0, "min": 0, "moll": 0}
_UNITS = {
    "loudness": re.compile(r"(?<!\s)\s*db(?:fs)?$", re.IGNORECASE),
    "tempo": re.compile(r"(?<!\s)\s*bpm$", re.IGNORECASE),
}
_BEATS = re.compile(r"([0-9]{1,2})(?:/[0-9]{1,2}| beats?)", re.IGNORECASE)
# Signs without width, which come with text that was copied from pages.
_INVISIBLE = {**dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad")), 0xA0: " ", 0x202F: " "}
_DIRECTIONS = "\u200e\u200f\u202a\u202c "

# What tables write where nothing was measured. A loudness can be that.
_UNMEASURED = -1
DAYS = 31
_NO_YEAR = frozenset({"0", "0.0", "-1", "-1.0", "9999"})
_NO_GENRE = NO_VALUE | {"-1", "no genre", "genreless"}
_NO_ADDRESS = NO_VALUE | {"no", "0", "false", "no preview"}

Parser = Callable[[str], Any]


class BadValue:
    """Stands where a value should be; ``reason`` names the field and the text."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Column(dict[str, Any]):
    """Caches the parsed value of each text of one column, because texts repeat.

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
        """Reset the flags, and the cache if it has grown large."""
        self.has_bad = False
        if len(self) > MEMO_SIZE:
            self.clear()


def parsers(layout: Layout, split_artists: Parser) -> dict[str, Parser]:
    """Return the parser of each field of ``layout``."""
    decimals = {field: "," if field in layout.decimal_commas else "." for field in layout.columns}
    known: dict[str, Parser] = {
        "spotify_id": parse_id_if_any,
        "title": parse_title,
        "artists": split_artists,
        "album": partial(parse_album, nothing=layout.nothing),
        "popularity": partial(
            parse_popularity, decimal=decimals.get("popularity", "."), is_share=layout.has_popularity_shares
        ),
        "duration": partial(
            parse_open_duration,
            unit_ms=layout.duration_unit_ms or 1,
            decimal=decimals.get("duration", "."),
            has_minutes_first=layout.has_minutes_first,
        ),
        "explicit": parse_explicit,
        "release_year": partial(parse_year, has_year_first=layout.has_year_first),
        "preview_url": parse_url,
        "isrc": parse_isrc,
        "genres": parse_genres,
        **{
            name: partial(
                parse_duration,
                unit_ms=layout.duration_unit_ms or unit,
                decimal=decimals.get(name, "."),
                has_minutes_first=layout.has_minutes_first,
            )
            for name, unit in DURATION_UNITS.items()
        },
    }
    return {
        field: known.get(field)
        or feature_parser(
            field, decimals[field], scale=layout.scales.get(field, 1), needs_sign=field in layout.percent_by_sign
        )
        for field in layout.columns
    }


def not_an_id(text: str) -> str:
    """Return why ``text`` is refused as an ID."""
    return _("spotify_id: %(text)s is not a Spotify track id (22 letters and digits)") % {"text": shown(text)}


def parse_id(text: str) -> str:
    """Return the 22 letters and digits of a Spotify id, URI or track address."""
    match = _ID.fullmatch(text.strip())
    if match is None:
        raise ValueError(not_an_id(text))
    return match[1]


def parse_id_if_any(text: str) -> str:
    """Return what :func:`parse_id` does, and "" where the text says that there is no id."""
    return "" if is_no_value(text) else parse_id(text)


def is_id(text: str) -> bool:
    """Return whether :func:`parse_id` takes ``text``."""
    return _ID.fullmatch(text.strip()) is not None


def parse_title(text: str) -> str:
    """Return the title, which must not be empty."""
    title = parse_text("title", _only_name(text))
    if title in NO_NAME:
        raise ValueError(_("title: must not be empty"))
    return title


def parse_album(text: str, nothing: Collection[str] = ()) -> str:
    """Return the album's title or ""; ``nothing`` are words that are none in this file."""
    album = parse_text("album", _only_name(text))
    return "" if is_no_album(album) or album in nothing else album


def _only_name(text: str) -> str:
    """Return the name in ``{'name': 'Alb'}`` or in a list of one, any other text as it is."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    names = parse_list(text)
    return names[0] if names is not None and len(names) == 1 else text


def parse_text(field: str, text: str, length: int = TEXT_LENGTH) -> str:
    """Return ``text`` without blanks around it, line ends within and signs that nobody sees."""
    text = unescaped(text) if "&" in text else text
    if not text.isascii():
        text = text.translate(_INVISIBLE).strip(_DIRECTIONS)
    text = text.strip() if text.isprintable() else " ".join(text.split())
    if len(text) > length:
        raise ValueError(_too_long(field, text, length))
    return text


def _too_long(field: str, text: str, limit: int) -> str:
    values = {"field": field, "text": shown(text), "length": len(text), "limit": limit}
    return _("%(field)s: %(text)s has %(length)d characters. The limit is %(limit)d.") % values


def parse_popularity(text: str, decimal: str = ".", *, is_share: bool = False) -> int | None:
    """Return a whole number of 0..100; with ``is_share`` .45 is 45, and "45%" is always."""
    number = parse_number("popularity", text.strip().removesuffix("%"), decimal)
    if number is None or number == _UNMEASURED:
        return None
    if is_share and number <= 1 and not text.strip().endswith("%"):
        number = round(number * 100)
    if not 0 <= number <= 100:
        raise ValueError(_("popularity: %(number)s is not between 0 and 100") % {"number": f"{number:g}"})
    if number != int(number):
        raise ValueError(
            _("%(field)s: %(number)s is not a whole number") % {"field": "popularity", "number": f"{number:g}"}
        )
    return int(number)


def parse_explicit(text: str) -> bool | None:
    """Return whether the lyrics are marked as explicit."""
    word = text.strip().lower()
    if word in NO_VALUE:
        return None
    if word not in _BOOLEANS:
        raise ValueError(_("explicit: %(text)s must be true or false") % {"text": shown(text)})
    return _BOOLEANS[word]


def parse_year(text: str, *, has_year_first: bool = False) -> int | None:
    """Return the year of a date (``2019``, ``2019-06``, ``2019-06-14``, ``14/06/2019``, ``14 Jun 2019``).

    Year 0 means unknown. Of a year of two digits the century is the last that has it: ``31-12-85`` is of 1985. With
    ``has_year_first`` ``04-03-12`` is of 2004.
    """
    text = text.strip()
    if (short := _short_year(text, has_year_first=has_year_first)) is not None:
        return short
    if text.lower() in NO_VALUE or text in _NO_YEAR:
        return None
    match = _YEAR.fullmatch(text) or _YEAR_LAST.fullmatch(text) or _YEAR_BY_MONTH.fullmatch(text)
    year = int(match[match.lastindex or 1]) if match else -1
    if match is None or 0 < year < 1000:
        raise ValueError(_("release_year: %(text)s must be a date or a year") % {"text": shown(text)})
    return year or None


def _short_year(text: str, *, has_year_first: bool) -> int | None:
    """Return the year of a date that writes it with two digits, which stand last unless they can only stand first."""
    if date := SHORT_DATE.fullmatch(text):
        first, last = int(date[1]), int(date[3])
        digits = first if (has_year_first and last <= DAYS) or first > DAYS >= last else last
    elif month := _SHORT_YEAR_BY_MONTH.fullmatch(text):
        digits = int(month[1])
    else:
        return None
    year = timezone.now().year // 100 * 100 + digits
    # Releases are announced a year before.
    return year if year <= timezone.now().year + 1 else year - 100


def parse_url(text: str) -> str:
    """Return a web address or ""."""
    text = text.strip()
    if text.lower() in _NO_ADDRESS:
        return ""
    if len(text) > URL_LENGTH or _URL.fullmatch(text) is None:
        reason = _("preview_url: %(text)s must be a web address of up to %(limit)d characters")
        raise ValueError(reason % {"text": shown(text), "limit": URL_LENGTH})
    return text


def parse_isrc(text: str) -> str:
    """Return the 12 characters of an ISRC (ISO 3901) in capitals, or ""."""
    code = text.strip().upper().replace("-", "").replace(" ", "")
    if is_no_value(text) or code == "0":
        return ""
    if _ISRC.fullmatch(code) is None:
        raise ValueError(_("isrc: %(text)s is not an ISRC") % {"text": shown(text)})
    return code


def parse_genres(text: str) -> tuple[str, ...]:
    """Return the genre tags in lower case, each once.

    They are parted by ``;``, ``,`` or ``|``, or stand in a list, or are words joined by underscores and parted by
    blanks ("hard_rock art_rock").
    """
    if is_no_value(text):
        return ()
    text = unescaped(text) if "&" in text else text
    items = parse_list(text, may_be_bare=True)
    if items is None:
        items = _GENRE_SEPARATORS.split(text)
        if len(items) == 1 and "_" in text:
            items = [item.replace("_", " ") for item in text.split()]
    tags = dict.fromkeys(" ".join(parse_text("genres", item.lower()).split()) for item in items)
    for tag in tags:
        if len(tag) > GENRE_LENGTH:
            raise ValueError(_too_long("genres", tag, GENRE_LENGTH))
    return tuple(tag for tag in tags if tag not in _NO_GENRE)


def feature_parser(name: str, decimal: str = ".", *, scale: int = 1, needs_sign: bool = False) -> Parser:
    """Return the parser of one audio feature: a number within the schema's range, or ``None`` where unknown.

    Keys as notes ("C#"), modes as words, time signatures as fractions ("4/4") and units ("120 BPM") are understood.
    ``scale`` is what stands for 1: 100 where the column is written as per cent. With ``needs_sign`` it is so by the
    sign "%": a number without it that is not above 1 is a share.
    """
    spellings = {"key": _KEYS, "mode": _MODES}.get(name, {})
    is_whole = FEATURES[name].is_integer
    # Nothing but a plain number is found in most fields.
    is_plain = decimal == "." and scale == 1

    def parse(text: str) -> float | int | None:
        word = text.strip()
        if is_plain and word[:1] != "-" and NUMBER.fullmatch(word) and "e" not in word:
            return _checked(name, float(word))
        word = word.replace("\u2212", "-")
        if is_whole:
            word = _whole(name, word)
            if word in spellings or word.lower() in spellings:
                return spellings.get(word, spellings.get(word.lower()))
        elif name in _UNITS:
            word = _UNITS[name].sub("", word)
        is_signed = word.endswith("%")
        number = parse_number(name, word.removesuffix("%") if scale > 1 else word, decimal)
        if number == _UNMEASURED and name != "loudness":
            return None
        if number is not None and scale > 1 and (is_signed or not needs_sign or number > 1):
            number = round(number / scale, 6)
        return _checked(name, number)

    return parse


def _whole(name: str, word: str) -> str:
    """Return a key as one note ("C#/Db minor" as "C#"), and a time signature as its beats."""
    word = word.replace("♯", "#").replace("♭", "b")
    if name == "key" and (note := _KEY.fullmatch(word)):
        return note[1][0].upper() + note[1][1:].lower()
    if name == "time_signature" and (beats := _BEATS.fullmatch(word)):
        return beats[1]
    return word


def _checked(name: str, number: float | None) -> float | int | None:
    try:
        return check_feature(name, number)
    except FeatureError as error:
        raise ValueError(str(error)) from error
