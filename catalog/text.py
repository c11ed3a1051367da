"""Folding of names: what counts as the same word, artist or recording."""

import re
import unicodedata
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

TITLE_LENGTH = 1000
SEARCH_LENGTH = 700
_NOT_WORD = re.compile(r"[\W_]+")
# The same for ASCII text, several times as fast as the expression.
_ASCII_NOT_WORD = {code: " " for code in range(128) if not chr(code).isalnum()}
# "Don't" is one word, and people type it "dont"; but "L'amour" is two.
_CONTRACTION = re.compile("['\u2019\u02bc](?=[^\\W_]{1,2}\\b)")
_BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")
# What follows " - " or stands in brackets and only tells the version. A part must hold one of these words; other
# parts ("Part 2", "The Kiss") name a different song.
_VERSION = re.compile(
    r"\b(?:remaster(?:ed)?|acoustic|live|remix(?:ed)?|mix|edit|version|demo|mono|stereo|instrumental|karaoke|unplugged|"
    r"reprise|bonus track|radio|session|sessions|re-?recorded|feat|ft|featuring|with|sped up|slowed|nightcore|cover|"
    r"extended|deluxe|explicit|clean|original|rework|bootleg|vip|a cappella|acapella)\b",
    re.IGNORECASE,
)
# Letters that Unicode does not decompose but people type without their strokes.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"})
_TRAILING_FEAT = re.compile(r"\s+(?:feat|ft|featuring)\.?\s.*$", re.IGNORECASE)


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
    """Return ``text`` without case, accents and punctuation, words parted by one space.

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


def artist_key(name: str) -> str:
    """Return the 32 hexadecimal digits that identify an artist: equal for equal folded names."""
    return _digest(fold(name))


def recording_key(title: str, first_artist: str) -> str:
    """Return the 32 hexadecimal digits shared by all versions of a song (remaster, live, acoustic, remix ...)."""
    return _digest(f"{fold(base_title(title))}\n{fold(first_artist)}")


def base_title(title: str) -> str:
    """Return ``title`` without the parts that only tell which version it is."""
    head, *tails = title.split(" - ")
    kept = [head, *(tail for tail in tails if not _VERSION.search(tail))]
    base = " - ".join(kept)
    # Looking first is cheaper than an expression that finds nothing, as it does in most titles.
    if "(" in base or "[" in base or "{" in base:
        base = _BRACKETS.sub(lambda match: "" if _VERSION.search(match[1]) else match[0], base)
    lower = base.lower()
    if "feat" in lower or "ft" in lower:
        base = _TRAILING_FEAT.sub("", base)
    return base.strip() or title


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
