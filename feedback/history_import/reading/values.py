"""Values as tools write them: texts, numbers, ids."""

import re
from typing import Any
from uuid import UUID

from catalog.identity.commas import has_escapes, in_so_many, number_of_ids, parts_of, plain

_ID = re.compile(r"[0-9A-Za-z]{22}")
_TRACK = "spotify:track:"
_TRACK_LENGTH = len(_TRACK) + 22
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:[.,'\u2019\u00a0\u202f ]\d{3})+")
_POWER = re.compile(r"\d(?:[.,]\d+)?E\+?\d{1,2}", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{2})(?:[.,]\d+)?")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d*)?")


# What spreadsheets and programs write for true and false, in their languages.
_TRUE = frozenset({
    "true", "1", "1.0", "yes", "y", "t", "on", "wahr", "ja", "j", "vrai", "oui", "verdadero", "sí", "si",
    "s", "verdadeiro", "sim", "vero", "sì", "waar", "sant", "prawda", "tak", "истина", "да", "pravda",
    "ano", "igaz", "igen", "doğru", "evet", "tosi", "kyllä", "sand", "adevărat", "da", "はい", "真", "是",
    "참", "예",
})  # fmt: skip
_FALSE = frozenset({
    "false", "0", "0.0", "no", "n", "f", "off", "falsch", "nein", "faux", "non", "falso", "não", "nao",
    "onwaar", "nee", "falskt", "nej", "usann", "nei", "fałsz", "nie", "ложь", "нет", "nepravda", "ne",
    "hamis", "nem", "epätosi", "ei", "falsk", "fals", "いいえ", "假", "否", "거짓", "아니요",
})  # fmt: skip


def is_true(value: Any) -> bool:
    """Return whether a flag is set, as JSON, spreadsheets and programs write it."""
    return value is True or (value is not False and value is not None and _flag(value) in _TRUE)


def is_false(value: Any) -> bool:
    """Return whether a flag is there and not set."""
    return value is False or (value is not True and value is not None and _flag(value) in _FALSE)


def _flag(value: Any) -> str:
    return str(value).strip().lower()


def text_of(value: Any) -> str:
    """Return text without blanks around it; "" for what is no text."""
    return value.strip() if isinstance(value, str) else ""


def name_of(value: Any) -> str:
    """Return a name, which may be in Last.fm's ``{"#text": name}``, in ``{"name": name}`` or in a list of these."""
    if isinstance(value, dict):
        return text_of(value.get("#text")) or text_of(value.get("name")) or text_of(value.get("title"))
    if isinstance(value, list):
        return name_of(value[0]) if value else ""
    return text_of(value)


def names_of(value: Any) -> tuple[str, ...]:
    """Return all names of a list of artists; of anything else the one name, where there is one."""
    names = map(name_of, value) if isinstance(value, list) else (name_of(value),)
    return tuple(name for name in names if name)


def whole(value: Any) -> int | None:
    """Return a whole number from a number or its text, with or without decimals; else ``None``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, float) and abs(value) < 2**53:
        return int(value)
    return None


def milliseconds(value: Any) -> int | None:
    """Return a whole number of milliseconds, which spreadsheets write in many ways: 188.000, 1,88E+05, 3:08."""
    number = whole(value)
    if number is not None and not (isinstance(value, str) and _THOUSANDS.fullmatch(value.strip())):
        return number
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _THOUSANDS.fullmatch(text):
        return int(re.sub(r"\D", "", text))
    if _POWER.fullmatch(text):
        return int(float(text.replace(",", ".")))
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return ((hours * 60 + minutes) * 60 + seconds) * 1000
    return None


def spotify_id(address: str) -> str:
    """Return the id at the end of ``spotify:track:...`` or a song's address at Spotify, or alone; else ""."""
    if address.startswith(_TRACK) and len(address) == _TRACK_LENGTH:
        tail = address[len(_TRACK) :]
        return tail if tail.isascii() and tail.isalnum() else ""
    if _ID.fullmatch(address):
        return address
    if "track" not in address:
        return ""
    tail = re.split(r"[:/]", address.split("?", 1)[0])[-1]
    return tail if _ID.fullmatch(tail) else ""


def isrc_of(value: Any) -> str:
    """Return an ISRC without its dashes, "" for what is none."""
    text = text_of(value).replace("-", "").upper()
    return text if len(text) == 12 and text.isascii() and text.isalnum() else ""


def mbid_of(value: Any) -> str:
    """Return a MusicBrainz id in its usual form, "" for what is none."""
    text = text_of(value)
    try:
        return str(UUID(text)) if len(text) == 36 else ""
    except ValueError:
        return ""


def several(names: str, ids: str = "") -> tuple[str, ...]:
    """Return the artists of one cell: as many as it names ids of, for there are bands with a comma in their name."""
    if ";" in names:
        return tuple(filter(None, map(plain, names.split(";"))))
    number = number_of_ids(ids) if ids else 0
    parts = parts_of(names) if has_escapes(names) or not number else in_so_many(names, number)
    return tuple(parts) or (names,)
