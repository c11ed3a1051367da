"""Spelling variants of one song: guests in the title or the artist field, several artists in one name."""

import re
from collections.abc import Sequence
from functools import lru_cache

from catalog.identity.text import base_title, fold

# Separators between several artists in one name: those found, and those that are possible.
_GUEST = re.compile(r"(?:(?<!\s)\s+)?(?:;|(?<!\bMC 900)\s[(\[]?(?:feat|ft|featuring)\b\.?)\s", re.IGNORECASE)
_BETWEEN_ARTISTS = re.compile(r"(?:(?<!\s)\s+)?(?:[,/]\s|\s&\s)\s*")
# "Florence & The Machine" is one artist: the part after the sign is not a name of its own.
_BAND = re.compile(r"(?:the|his|her|their|die|das|der|los|las|les|la|le|el|il|i|gli|os|as|de|het)\s", re.IGNORECASE)
# Anything that may separate two artists, or two halves of a band's name.
_JOINT = re.compile(
    r"(?:(?<!\s)\s+)?(?:[,;/&+、\uff0c·|]|\s[xX\u00d7]\s|"
    r"[(\[]?\b(?:feat|ft|featuring|with|vs|and|und|et|y|e|och|og|en|i|и)\b\.?(?=\s))\s*",
    re.IGNORECASE,
)
_TITLE_GUESTS = re.compile(
    r"[(\[]\s*(?:feat|ft|featuring|with)\b\.?\s([^)\]]++)|\s(?:feat|ft|featuring)\.?\s(.+)$", re.IGNORECASE
)
_AFTER_HEAD = re.compile(r"(?:(?<!\s)\s+)?[(\[{].*|(?<!\s)\s+[-\u2013\u2014|]\s.*")
# Words that are written in several ways within titles.
_AND = re.compile(r"\s(?:&|\+|and|und|et|y|n|'n'|\u2019n\u2019|'n|n')\s", re.IGNORECASE)
_PART = re.compile(r"\b(?:part|pt|teil|partie|parte)\b\.?\s?(?=(?:\d+|[IVX]+)\b)", re.IGNORECASE)
_ROMAN = re.compile(r"(?<=\bpart )(?:VIII|VII|VI|IV|IX|V|III|II|I|X)\b", re.IGNORECASE)
_NUMBERS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_JOINERS = (", ", " & ", " and ", " feat ", " x ", " + ", " with ", " vs ")


def artists_of(name: str) -> tuple[str, ...]:
    """Return the artists that came as one name: guests, and names of several words each ("Lena Voss & Jo Kern").

    "Earth, Wind & Fire", "Tyler, The Creator" and "Florence & The Machine" are one.
    """
    first, *guests = [part.strip(" ()[]") for part in _GUEST.split(name)]
    parts = _BETWEEN_ARTISTS.split(first)
    if len(parts) == 1 or not all(" " in part and not _BAND.match(part) for part in parts):
        parts = [first]
    return tuple(filter(None, [*parts, *guests])) or (name,)


@lru_cache(maxsize=20_000)
def parts_of(title: str, artists: str) -> frozenset[str]:
    """Return the folded parts of all names of artists, those of guests in the title among them.

    Two ways of writing the artists of one song have the same parts.
    """
    guests = [group for match in _TITLE_GUESTS.finditer(title) for group in match.groups() if group]
    names = [part.strip(" ()[]") for text in (artists, *guests) for part in _JOINT.split(text)]
    return frozenset(filter(None, map(fold, names)))


def joined_spellings(title: str, artists: Sequence[str]) -> list[str]:
    """Return the names that other sources may have written for several artists."""
    guests = [group for match in _TITLE_GUESTS.finditer(title) for group in match.groups() if group]
    parts = [part.strip(" ()[]") for text in (*artists, *guests) for part in _JOINT.split(text)]
    parts = list(dict.fromkeys(filter(None, parts)))
    if len(parts) < 2:
        return []
    head, last = ", ".join(parts[:-1]), parts[-1]
    return list(dict.fromkeys([parts[0], *(f"{head}{joiner}{last}" for joiner in _JOINERS)]))


def are_one_song(title: str, artists: str, other_title: str, other_artists: str) -> bool:
    """Return whether two sources may mean the same song, heard at the same time: title and an artist are alike."""
    if not parts_of(title, artists) & parts_of(other_title, other_artists):
        return False
    title_ways, other_ways = _titles(title), _titles(other_title)
    # What follows the head may be left out by one of them: "Intro (Part 1)" is not "Intro (Part 2)".
    heads, other_heads = _heads(title), _heads(other_title)
    return bool(title_ways & (other_ways | other_heads) or heads & other_ways)


@lru_cache(maxsize=20_000)
def _titles(title: str) -> frozenset[str]:
    """Return the ways in which the whole of ``title`` may be written, with and without its version."""
    return frozenset(filter(None, (_evened(title), _evened(base_title(title)))))


@lru_cache(maxsize=20_000)
def _heads(title: str) -> frozenset[str]:
    """Return ``title`` without brackets or what follows a dash."""
    return frozenset(filter(None, (_evened(_AFTER_HEAD.sub("", title)),)))


def _evened(title: str) -> str:
    """Return the folded title with one way of writing "and", and the numbers of parts."""
    title = _PART.sub("part ", _AND.sub(" and ", title))
    return fold(_ROMAN.sub(lambda match: str(_NUMBERS.index(match[0].lower()) + 1), title))
