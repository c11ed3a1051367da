"""Joining what the rows of one file say of one song.

The first row wins, later rows fill what it leaves unknown, and genres add up. ``Ledger`` carries that rule over chunks:
it remembers of each song which values this run has already taken from the file, so that the end is the same whatever
the size of a chunk.
"""

from array import array
from collections.abc import Hashable, Iterable
from functools import lru_cache

from catalog.features import FEATURE_NAMES
from catalog.importing.reader import SongRow
from catalog.text import artist_key, fold

# The fields of a row that can be unknown, in the order of their bits in the ledger; the features follow.
VALUE_FIELDS = (
    "title",
    "artists",
    "album",
    "popularity",
    "duration_ms",
    "explicit",
    "release_year",
    "preview_url",
    "isrc",
)
FEATURE_BIT = len(VALUE_FIELDS)
CREATED = 1 << (FEATURE_BIT + len(FEATURE_NAMES))
UPDATED = CREATED << 1
SEEN = UPDATED << 1
_PAGE_BITS = 12
_FIRST_VALUE = SongRow._fields.index(VALUE_FIELDS[0])
_END_OF_VALUES = _FIRST_VALUE + FEATURE_BIT
_ALL_FEATURES = ((1 << len(FEATURE_NAMES)) - 1) << FEATURE_BIT

Identity = tuple[str, tuple[str, ...]]


def identity(title: str, artists: Iterable[str]) -> Identity:
    """Return what makes a song without id the same song: folded title and artists."""
    return fold(title), tuple(map(artist_key, artists))


def merge_rows(rows: Iterable[SongRow]) -> dict[Hashable, SongRow]:
    """Return one row per song, keyed by Spotify id or, without one, by :func:`identity`."""
    songs: dict[Hashable, SongRow] = {}
    for row in rows:
        key: Hashable = row.spotify_id or identity(row.title, row.artists)
        first = songs.setdefault(key, row)
        if first is not row:
            songs[key] = _merged(first, row)
    return songs


def provided(row: SongRow) -> int:
    """Return the bits of the values that ``row`` knows."""
    values = row[_FIRST_VALUE:_END_OF_VALUES]
    bits = _bits(tuple([value is None or value in ("", ()) for value in values]))
    if None not in row.features:
        return bits | _ALL_FEATURES
    return bits | _bits(tuple([value is None for value in row.features])) << FEATURE_BIT


@lru_cache(maxsize=4096)
def _bits(unknown: tuple[bool, ...]) -> int:
    return sum(1 << place for place, is_unknown in enumerate(unknown) if not is_unknown)


def _merged(first: SongRow, later: SongRow) -> SongRow:
    genres = first.genres
    if later.genres != genres:
        genres = tuple(dict.fromkeys(genres + later.genres))
    # Most repeated rows differ in their genre alone.
    if first[2:-2] == later[2:-2] and first.features == later.features:
        return first._replace(genres=genres)
    gaps = {field: getattr(later, field) for field in VALUE_FIELDS if getattr(first, field) in (None, "", ())}
    features = tuple(b if a is None else a for a, b in zip(first.features, later.features, strict=True))
    return first._replace(**gaps, genres=genres, features=features)


class Ledger:
    """What this run has done to each song: bits by primary key, in pages of four bytes a song."""

    def __init__(self) -> None:
        self._pages: dict[int, array[int]] = {}

    def __getitem__(self, pk: int) -> int:
        page = self._pages.get(pk >> _PAGE_BITS)
        return page[pk & ((1 << _PAGE_BITS) - 1)] if page else 0

    def __setitem__(self, pk: int, bits: int) -> None:
        number = pk >> _PAGE_BITS
        if number not in self._pages:
            self._pages[number] = array("I", bytes(array("I").itemsize << _PAGE_BITS))
        self._pages[number][pk & ((1 << _PAGE_BITS) - 1)] = bits
