"""Folding of names: for search, and for deciding which artists or recordings are the same.

Searching is lenient: :func:`fold` leaves words without case, marks and signs. Identity is not: :func:`fold_name` keeps
the marks of every script except the accents of Latin, Greek and Cyrillic, and the signs that distinguish names
(``+44``, ``$NOT``, ``&ME``). What it still drops ("Magic!", "Zøe") :func:`exact_name` keeps; it decides where one file
contains both spellings.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from catalog.identity.versions import is_version

TITLE_LENGTH = 1000
SEARCH_LENGTH = 700
_NOT_WORD = re.compile(r"[\W_]+")
# The same for ASCII text, several times as fast as the expression.
_ASCII_NOT_WORD = {code: " " for code in range(128) if not chr(code).isalnum()}
# "Don't" is one word, and people type it "dont"; but "L'amour" is two.
_CONTRACTION = re.compile("['\u2019\u02bc](?=[^\\W_]{1,2}\\b)")
_BRACKETS = re.compile(r"[(\[{]([^)\]}]*+)([)\]}]?)")
# Letters that Unicode does not decompose but people type without their strokes.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"})
_TRAILING_FEAT = re.compile(r"(?<!\s)\s+(?:feat|ft|featuring)\.?\s.*$", re.IGNORECASE)
# Punctuation that distinguishes names; symbols ("$", "+", "=") always do.
_TELLING = "&#%@*§†‡"
# ASCII names with none of these are folded alike by all functions.
_TELLING_ASCII = re.compile(r"[$+=<>&#%@*]")
_ASCII_NAME = {**_ASCII_NOT_WORD, **{ord(sign): f" {sign} " for sign in "$+=<>&#%@*"}}
_PLAIN_ASCII = re.compile(r"[0-9A-Za-z]+(?: [0-9A-Za-z]+)*")
# Marks of trade, what only asks for another picture of the sign before it, and the stroke that makes Arabic words
# longer.
_MEANINGLESS = dict.fromkeys([*map(ord, "\u0640™®©℠℗\u00ad\u200b\u200c\u200d\u2060\ufeff"), *range(0xFE00, 0xFE10)])
_MARK = re.compile(r"[\u0300-\u036f]")
# Letters whose marks are accents: Latin, Greek and Cyrillic.
_ACCENTED = re.compile(r"[A-Za-z\u00c0-\u024f\u0370-\u052f\u1c80-\u1c8f\u1e00-\u1fff\u2c60-\u2c7f\ua640-\ua69f]")
# Й and й are letters of their own, but people also write them without the breve.
_SHORT_I = "\u0438\u0306"
_UNTOLD = str.maketrans({",": " ", **dict.fromkeys("'\"\u2018\u2019\u201a\u02bc\u2032`\xb4“”„«»\u2033"),
                         **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")})  # fmt: skip
_STOP = re.compile(r"(?<![^\W_])([^\W\d_]|[jsdm]r|m[rs]s?|st|no)\.")
_INNER_DASH = re.compile(r"(?<=[\w.]) *-+ *(?=\w)")
# "10²" is not "102".
_RAISED = re.compile("(?<=[0-9])(?=[\u00b2\u00b3\u00b9\u2070-\u2079\u2080-\u2089])")
# In Turkish, "I" in lower case is the dotless letter.
_DOTLESS = str.maketrans({"\u0131": "i"})
_SIGNS = re.compile("[!?\uff01\uff1f]")
_BLANKS_BY_SIGNS = re.compile(r"(?:(?<!\s)\s+)?([^\w\s])\s*")


class TrackText(NamedTuple):
    """The columns of a track that follow from its title, album and artists."""

    artist_names: str
    recording_key: str
    search_key: str
    search_text: str


def track_text(title: str, album: str, artist_names: Sequence[str]) -> TrackText:
    """Return the derived columns of a track; ``artist_names`` are in credit order."""
    searched = f"{title} {' '.join(artist_names)}"
    folded = fold(searched)
    return TrackText(
        artist_names=", ".join(artist_names)[:TITLE_LENGTH],
        recording_key=recording_key(title, artist_names[0] if artist_names else ""),
        search_key=folded[:SEARCH_LENGTH],
        search_text=fold(f"{searched} {album}") if album else folded,
    )


def fold(text: str) -> str:
    """Return ``text`` without case, accents and punctuation, words separated by one space, as search compares it.

    A name made of nothing but signs ("!!!") keeps them, so that it stays a name.
    """
    if "'" in text or "\u2019" in text or "\u02bc" in text:
        text = _CONTRACTION.sub("", text)
    if text.isascii():
        plain = text.lower()
        words = " ".join(plain.translate(_ASCII_NOT_WORD).split())
    else:
        decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
        plain = "".join([sign for sign in decomposed if not unicodedata.combining(sign)])
        words = _NOT_WORD.sub(" ", plain).strip()
    return words or " ".join(plain.split())


def fold_name(text: str) -> str:
    """Return the form that two spellings of one name share: words and distinguishing signs, separated by one space.

    Case, the accents of Latin, Greek and Cyrillic letters, and punctuation do not count; marks of other scripts and
    symbols do. A name made of nothing but punctuation ("!!!") keeps it.
    """
    if "'" in text or "\u2019" in text or "\u02bc" in text:
        text = _CONTRACTION.sub("", text)
    if text.isascii():
        plain = text.lower()
        return " ".join(plain.translate(_ASCII_NAME).split()) or " ".join(plain.split())
    plain = _without_accents(text.casefold().translate(_LETTERS).translate(_MEANINGLESS))
    return " ".join(plain.translate(_TOLD).split()) or " ".join(plain.split())


def exact_name(text: str) -> str:
    """Return ``text`` folded so far that only other ways of writing it are equal: signs and stroked letters count.

    Case, accents, quotes, commas, dashes between words, blanks beside signs and the full stops of initials do not.
    """
    if _PLAIN_ASCII.fullmatch(text):
        return text.lower()
    plain = text.casefold().translate(_UNTOLD)
    if not text.isascii():
        plain = plain.translate(_DOTLESS)
        plain = _without_accents(plain.translate(_MEANINGLESS), keeps_short_i=True)
    plain = _INNER_DASH.sub(" ", _STOP.sub(r"\1 ", plain))
    return _BLANKS_BY_SIGNS.sub(r"\1", " ".join(plain.split()))


def artist_key(name: str) -> str:
    """Return the 32 hexadecimal digits that identify an artist: equal for names equal by :func:`fold_name`."""
    return _digest(fold_name(name))


def exact_artist_key(name: str) -> str:
    """Return the key of an artist whom only :func:`exact_name` distinguishes from another."""
    return _digest(f"exactly\n{exact_name(name)}")


def recording_key(title: str, first_artist: str) -> str:
    """Return the 32 hexadecimal digits shared by all versions of a song (remaster, live, acoustic, remix ...)."""
    return _digest(f"{fold_name(base_title(title))}\n{_folded_artist(first_artist)}")


def own_recording_key(title: str, first_artist: str, album: str) -> str:
    """Return the key of a song that shares title and artist with another recording; ``album`` distinguishes them."""
    return _digest(f"{fold_name(base_title(title))}\n{fold_name(first_artist)}\n{fold_name(album)}")


def told_recording_key(title: str, first_artist: str) -> str:
    """Return the key of a song that only signs in its title or artist distinguish from another recording."""
    return _digest(f"exactly\n{exact_name(base_title(title))}\n{exact_name(first_artist)}")


def signs_of(title: str) -> str:
    """Return the signs at which one hears the difference between "What?" and "What!"."""
    if title.isascii() and "!" not in title and "?" not in title:
        return ""
    return "".join(_SIGNS.findall(title)).translate({0xFF01: "!", 0xFF1F: "?"})


def is_plain(name: str) -> bool:
    """Return whether ``name`` is ASCII letters and digits parted by single blanks: only its case can be folded."""
    return _PLAIN_ASCII.fullmatch(name) is not None


def is_told_by_signs(folded: str, exact: str) -> bool:
    """Return whether a name has more distinguishing signs than :func:`fold_name` (``folded``) keeps."""
    return folded.replace(" ", "") != exact.replace(" ", "")


def is_folded_alike(text: str) -> bool:
    """Return whether :func:`fold` and :func:`fold_name` make the same of ``text``; a migration asks."""
    return text.isascii() and _TELLING_ASCII.search(text) is None


def base_title(title: str) -> str:
    """Return ``title`` without the parts that only name the version."""
    head, *tails = title.split(" - ")
    parts = [head, *(tail for tail in tails if not is_version(tail))] if tails else [head]
    base = " - ".join(parts)
    # A plain search first is cheaper than a pattern that matches nothing, as in most titles.
    if "(" in base or "[" in base or "{" in base:
        base = _BRACKETS.sub(lambda match: "" if match[2] and is_version(match[1]) else match[0], base)
    lower = base.lower()
    if "feat" in lower or "ft" in lower:
        base = _TRAILING_FEAT.sub("", base)
    return base.strip() or title


def _without_accents(text: str, *, keeps_short_i: bool = False) -> str:
    """Return ``text`` in compatibility form, without the accents of Latin, Greek and Cyrillic letters."""
    decomposed = unicodedata.normalize("NFKD", _RAISED.sub(" ", text))
    signs: list[str] = []
    is_accented = True
    for sign in decomposed:
        if not unicodedata.combining(sign):
            is_accented = _ACCENTED.match(sign) is not None
        elif is_accented and not (keeps_short_i and signs and signs[-1] + sign == _SHORT_I):
            continue
        signs.append(sign)
    return unicodedata.normalize("NFC", "".join(signs))


# Cached, because rows of one artist often follow each other.
_folded_artist = lru_cache(maxsize=5000)(fold_name)


class _Told(dict[int, str]):
    """By code point: a sign that is part of a word, between blanks where it tells names apart, else a blank."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        category = unicodedata.category(sign)
        replacement = sign if category[0] in "LMN" else " "
        if category in ("Sc", "Sm", "So") or sign in _TELLING:
            replacement = f" {sign} "
        self[code] = replacement
        return replacement


_TOLD = _Told()


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
