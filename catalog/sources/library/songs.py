"""A song as a music server or the tags of a file describe it."""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, NamedTuple

from catalog.identity.nobody import is_no_album, is_no_artist
from catalog.identity.text import TITLE_LENGTH

_NAME_LENGTH = 300
_GENRE_LENGTH = 100
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_MBID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MAX_MS = 2**31 - 1
# Unambiguous separators of artists. "&", "/" and commas occur in the names of bands.
_JOINER = re.compile(r";|\u2022|\s(?:feat|ft|featuring)\.?\s", re.IGNORECASE)
_GAIN = re.compile(r"\s?([-+]?\d{1,2}(?:\.\d{1,6})?)\s?(?:dB)?\s?$", re.IGNORECASE)
_MAX_GAIN_DB = 60
# Of a year, a date or a time.
_YEAR = re.compile(r"(?<!\d)([12]\d{3})(?!\d)")


class SourceSong(NamedTuple):
    """A song as its source describes it; ``None``, "" and () mean unknown.

    ``artist_mbids``: the MusicBrainz ids of artists, where known, by name. ``path``: within a folder. ``stamp``: what
    tells of a file that it has changed, without its tags. ``gain_db``: the track gain of ReplayGain.
    """

    remote_id: str
    title: str
    artists: tuple[str, ...]
    album: str = ""
    duration_ms: int | None = None
    release_year: int | None = None
    explicit: bool | None = None
    isrcs: tuple[str, ...] = ()
    mbid: str = ""
    release_mbid: str = ""
    artist_mbids: tuple[tuple[str, str], ...] = ()
    genres: tuple[str, ...] = ()
    suffix: str = ""
    bit_rate: int | None = None
    size: int | None = None
    cover_id: str = ""
    path: str = ""
    stamp: str = ""
    gain_db: float | None = None

    @property
    def digest(self) -> str:
        """Return 32 hexadecimal digits that differ when anything of the song does."""
        content = self.stamp or repr(tuple(self))
        return blake2b(content.encode(errors="replace"), digest_size=16).hexdigest()


def clean_text(value: Any, length: int = TITLE_LENGTH) -> str:
    """Return a text in one line, truncated, without characters that databases refuse; "" for anything else."""
    if not isinstance(value, str):
        return ""
    # JSON can contain half a surrogate pair.
    whole = value.replace("\x00", "").encode(errors="replace").decode()
    return " ".join(whole.split())[:length].strip()


def clean_album(value: Any) -> str:
    """Return the name of an album; "" where it only says that there is none."""
    album = clean_text(value)
    return "" if is_no_album(album) else album


def clean_artists(names: Iterable[Any]) -> tuple[str, ...]:
    """Return the artists, each once; joined names are split where that is unambiguous."""
    parts = [clean_text(part, _NAME_LENGTH) for name in names for part in _JOINER.split(clean_text(name))]
    return tuple(dict.fromkeys(part for part in parts if part and not is_no_artist(part)))


def clean_genres(names: Iterable[Any]) -> tuple[str, ...]:
    """Return genres as the catalogue writes them."""
    parts = [part for name in names for part in clean_text(name).split(";")]
    return tuple(dict.fromkeys(filter(None, (clean_text(part, _GENRE_LENGTH).lower() for part in parts))))


def clean_isrcs(values: Iterable[Any]) -> tuple[str, ...]:
    """Return those values that are ISRCs, in capitals and without dashes."""
    codes = (clean_text(value).upper().replace("-", "").replace(" ", "") for value in values)
    return tuple(dict.fromkeys(code for code in codes if _ISRC.fullmatch(code)))


def clean_mbid(value: Any) -> str:
    """Return a MusicBrainz id in small letters, or ""."""
    text = clean_text(value).lower()
    return text if _MBID.fullmatch(text) else ""


def clean_ms(seconds: Any) -> int | None:
    """Return a length in seconds as milliseconds."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < _MAX_MS / 1000:
        return None
    return round(seconds * 1000) or None


def clean_year(value: Any) -> int | None:
    """Return the year of a number or a date."""
    match = _YEAR.search(str(value)) if isinstance(value, int | str) and not isinstance(value, bool) else None
    return int(match[1]) if match else None


def clean_gain(value: Any) -> float | None:
    """Return a gain in dB of a number or a tag such as "-6.48 dB"; ``None`` for what no song has."""
    if isinstance(value, str) and (match := _GAIN.match(value)):
        value = float(match[1])
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return round(float(value), 2) if is_number and -_MAX_GAIN_DB < value < _MAX_GAIN_DB else None


def clean_count(value: Any) -> int | None:
    """Return a positive number that fits into every database."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 < value < _MAX_MS else None


def clean_size(value: Any) -> int | None:
    """Return a number of bytes."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62 else None
