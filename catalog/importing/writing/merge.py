"""Merges the rows of one file that describe one song.

The first row wins, later rows fill what it leaves unknown, and genres add up (artists, too, where a file has a row for
each of them). ``ImportState`` carries that rule over chunks:
it remembers of each song which values this run has already taken from the file, so that the end is the same whatever
the size of a chunk.
"""

from array import array
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache

from catalog.features import FEATURE_NAMES
from catalog.identity.compilers import is_compiler
from catalog.identity.lengths import differ_clearly
from catalog.identity.text import artist_key, base_title, fold, fold_name, signs_of
from catalog.importing.reading.reader import SongRow

# The fields of a row that can be unknown, in the order of their bits in the state; the features follow.
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

# Lengths of one recording differ by no more from release to release.
SAME_LENGTH_MS = 2000

Identity = tuple[str, tuple[str, ...]]


def identity(title: str, artist_keys: Iterable[str]) -> Identity:
    """Return the identity of a song without id: folded title with distinguishing signs, and artists."""
    return f"{fold_name(title)}\n{signs_of(title)}", tuple(artist_keys)


def may_be_one(row: SongRow, album: str, duration_ms: int | None) -> bool:
    """Return whether ``row`` may be one with a song of its identity that has that album and length.

    Clearly different lengths are two songs. So are two albums, unless both lengths are known and hardly differ, and it
    is known who plays: every compilation has an "Intro".
    """
    own_ms = row.duration_ms
    if own_ms is not None and duration_ms is not None and differ_clearly(own_ms, duration_ms):
        return False
    if not row.album or not album or fold_name(row.album) == fold_name(album):
        return True
    if own_ms is None or duration_ms is None or all(map(is_compiler, row.artists)):
        return False
    return abs(own_ms - duration_ms) <= SAME_LENGTH_MS


def is_other_song(row: SongRow, title: str, artists: Sequence[str]) -> bool:
    """Return whether ``row`` cannot be the song of that title and those artists, though both have one id.

    Other scripts are no evidence, because charts of different countries write a song's names in different scripts.
    """
    if row.title == title or not row.artists or not artists:
        return False
    if _is_latin(row.title) != _is_latin(title) or _is_latin(row.artists[0]) != _is_latin(artists[0]):
        return False
    if fold_name(base_title(row.title)) == fold_name(base_title(title)):
        return False
    return not set(map(fold_name, row.artists)) & set(map(fold_name, artists))


def _is_latin(text: str) -> bool:
    return fold(text).isascii()


def merge_rows(
    rows: Iterable[SongRow], file_key: Callable[[str], str] = artist_key, *, joins_artists: bool = False
) -> dict[Hashable, SongRow]:
    """Return one row per song, keyed by Spotify id or, without one, by :func:`identity`, album and length.

    A row that has the id of another song is a song without id. ``file_key`` gives an artist's key; ``joins_artists``:
    each row names one artist of its song.
    """
    songs: dict[Hashable, SongRow] = {}
    alike: dict[Identity, list[Hashable]] = {}
    rows = list(rows)
    has_rows_without_id = not all(row.spotify_id for row in rows)
    for read_row in rows:
        row = read_row
        same_id = songs.get(row.spotify_id) if row.spotify_id else None
        if same_id is not None and is_other_song(row, same_id.title, same_id.artists):
            row = row._replace(spotify_id="")
        key: Hashable = row.spotify_id or _key_without_id(row, songs, alike, file_key)
        first = songs.setdefault(key, row)
        if first is not row:
            songs[key] = _merged(first, row, joins_artists=joins_artists)
        elif row.spotify_id and has_rows_without_id:
            alike.setdefault(identity(row.title, map(file_key, row.artists)), []).append(key)
    return songs


def _key_without_id(
    row: SongRow,
    songs: dict[Hashable, SongRow],
    alike: dict[Identity, list[Hashable]],
    file_key: Callable[[str], str],
) -> Hashable:
    """Return the key of the song that ``row`` may be, the first on the same album before all others, or a new one."""
    base = identity(row.title, map(file_key, row.artists))
    keys = alike.setdefault(base, [])
    key = best_match(row, [(key, songs[key].album, songs[key].duration_ms) for key in keys])
    if key is None:
        key = (*base, fold_name(row.album))
        if key in songs:
            key = (*key, row.duration_ms)
        keys.append(key)
    return key


def best_match(row: SongRow, others: Sequence[tuple[Hashable, str, int | None]]) -> Hashable:
    """Return the key of that of ``others`` (key, album, length) which ``row`` may be one with, or ``None``."""
    matches = [other for other in others if may_be_one(row, other[1], other[2])]
    same_album = [key for key, album, _ in matches if album and fold_name(album) == fold_name(row.album)]
    if same_album:
        return same_album[0]
    return matches[0][0] if matches else None


def known_fields(row: SongRow) -> int:
    """Return the bits of the values that ``row`` knows."""
    values = row[_FIRST_VALUE:_END_OF_VALUES]
    bits = _bits(tuple([value is None or value in ("", ()) for value in values]))
    if None not in row.features:
        return bits | _ALL_FEATURES
    return bits | _bits(tuple([value is None for value in row.features])) << FEATURE_BIT


@lru_cache(maxsize=4096)
def _bits(unknown: tuple[bool, ...]) -> int:
    return sum(1 << bit for bit, is_unknown in enumerate(unknown) if not is_unknown)


def _merged(first: SongRow, later: SongRow, *, joins_artists: bool) -> SongRow:
    if joins_artists and later.artists != first.artists:
        first = first._replace(artists=tuple(dict.fromkeys(first.artists + later.artists)))
        later = later._replace(artists=first.artists)
    genres = first.genres
    if later.genres != genres:
        genres = tuple(dict.fromkeys(genres + later.genres))
    # Most repeated rows differ in their genre alone.
    if first[2:-2] == later[2:-2] and first.features == later.features:
        return first._replace(genres=genres)
    gaps = {field: getattr(later, field) for field in VALUE_FIELDS if getattr(first, field) in (None, "", ())}
    features = tuple(b if a is None else a for a, b in zip(first.features, later.features, strict=True))
    return first._replace(**gaps, genres=genres, features=features)


class ImportState:
    """What this run has done to each song: bits by primary key, in pages of four bytes a song.

    A million songs take 4 MB; in a dictionary they took 102 MB.
    """

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
