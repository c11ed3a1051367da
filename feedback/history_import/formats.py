"""What the services' exports look like, told apart by content, and how each record becomes a play."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from feedback.history_import.parsing import array_items, line_items
from feedback.history_import.source import HistoryError, Member
from feedback.models import Play

STARTED, COMPLETED, SKIPPED = (outcome.value for outcome in Play.Outcome)
# Sound that nobody can have heard.
MIN_MS = 1000
_ID = re.compile(r"[0-9A-Za-z]{22}")
_TRACK_LIST = re.compile(r'"track"\s*:\s*\[')
# Reasons for leaving a record out. They are shown, so they are few and fixed.
NO_SONG = "names no song"
NO_TIME = "has no usable time"
NOT_A_SONG = "is a podcast, an audiobook or a video"
NOT_HEARD = "was heard for less than a second"
PLAYING_NOW = "was just playing"


class PlayRow(NamedTuple):
    """One play of a history.

    ``at``: whole seconds since 1970; ``key``: with the format's name it tells this play from all others;
    ``spotify_id``, ``isrc``, ``uri``: "" where unknown; ``artists``: at least one, none empty.
    """

    at: int
    key: str
    spotify_id: str
    isrc: str
    title: str
    artists: tuple[str, ...]
    album: str
    uri: str
    ms_played: int | None
    outcome: str
    is_counted: bool


Record = dict[str, Any]
Row = PlayRow | str


@dataclass(frozen=True)
class Format:
    """A kind of export. ``rows`` yields a play for each record, or the reason for leaving it out."""

    name: str
    label: str
    rows: Callable[[Member], Iterator[Row]]


def recognise(member: Member) -> Format | None:
    """Return the format of ``member``, by its content; ``None`` for what is no listening history."""
    head = member.head()
    try:
        text = head.decode("utf-8-sig", errors="ignore").lstrip()
    except ValueError:
        return None
    if text.startswith("["):
        return _of_first(next(iter(_first_item(member)), None))
    if text.startswith("{"):
        return _of_object(text)
    return _of_csv(text)


def _first_item(member: Member) -> Iterable[Any]:
    for item in array_items(member):
        return [item]
    return [{}]


def _of_first(record: Any) -> Format | None:
    if not isinstance(record, dict):
        return None
    keys = record.keys()
    for needed, found in (
        ({"ts", "ms_played"}, SPOTIFY),
        ({"endTime", "msPlayed", "trackName"}, SPOTIFY_ACCOUNT),
        ({"listened_at", "track_metadata"}, LISTENBRAINZ),
        ({"recenttracks"}, LASTFM_PAGES),
        ({"name", "artist", "date"}, LASTFM),
        ({"name", "artist", "@attr"}, LASTFM),
    ):
        if needed <= keys:
            return found
    return None


def _of_object(text: str) -> Format | None:
    first = text.split("\n", 1)[0].strip()
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        return LASTFM_OBJECT if '"recenttracks"' in text[:2000] and _TRACK_LIST.search(text) else None
    if isinstance(record, dict) and {"listened_at", "track_metadata"} <= record.keys():
        return LISTENBRAINZ_LINES
    if isinstance(record, dict) and "recenttracks" in record:
        return LASTFM_OBJECT
    return None


# --- Spotify ---------------------------------------------------------------------------------------------------------
def _spotify(record: Record) -> Row:
    title, artist = record.get("master_metadata_track_name"), record.get("master_metadata_album_artist_name")
    uri = record.get("spotify_track_uri")
    if not (title and artist and isinstance(title, str) and isinstance(artist, str)):
        is_other = record.get("episode_name") or record.get("spotify_episode_uri") or record.get("audiobook_title")
        return NOT_A_SONG if is_other else NO_SONG
    ms = record.get("ms_played")
    at = _iso(record.get("ts"))
    if at is None:
        return NO_TIME
    if not isinstance(ms, int) or ms < MIN_MS:
        return NOT_HEARD
    if record.get("reason_end") == "trackdone":
        outcome = COMPLETED
    else:
        outcome = SKIPPED if record.get("skipped") is True or record.get("reason_end") == "fwdbtn" else STARTED
    uri = uri if isinstance(uri, str) else ""
    album = _text(record.get("master_metadata_album_album_name"))
    # What was played in a private session was not meant to leave traces.
    is_counted = record.get("incognito_mode") is not True
    key = f"{at}\n{uri or title}\n{ms}"
    return PlayRow(at, key, _spotify_id(uri), "", title, (artist,), album, uri, ms, outcome, is_counted)


def _spotify_account(record: Record) -> Row:
    title, artist, ms = record.get("trackName"), record.get("artistName"), record.get("msPlayed")
    if not (title and artist and isinstance(title, str) and isinstance(artist, str)):
        return NO_SONG
    at = _iso(record.get("endTime"))
    if at is None:
        return NO_TIME
    if not isinstance(ms, int) or ms < MIN_MS:
        return NOT_HEARD
    return PlayRow(at, f"{at}\n{title}\n{artist}\n{ms}", "", "", title, (artist,), "", "", ms, STARTED, True)


# --- ListenBrainz ----------------------------------------------------------------------------------------------------
def _listenbrainz(record: Record) -> Row:
    meta = record.get("track_metadata")
    at = _number(record.get("listened_at"))
    if not isinstance(meta, dict):
        return NO_SONG
    title, artist = _text(meta.get("track_name")), _text(meta.get("artist_name"))
    if not (title and artist):
        return NO_SONG
    if at is None:
        return NO_TIME
    more = meta.get("additional_info")
    more = more if isinstance(more, dict) else {}
    names = more.get("artist_names")
    artists = tuple(filter(None, map(_text, names))) if isinstance(names, list) else ()
    address = _text(more.get("spotify_id")) or _text(more.get("origin_url"))
    # A submitted listen means half of the song or four minutes: it was heard.
    return PlayRow(
        at, f"{at}\n{title}\n{artist}", _spotify_id(address), _isrc(more.get("isrc")), title, artists or (artist,),
        _text(meta.get("release_name")), address, _milliseconds(more), COMPLETED, True,
    )  # fmt: skip


# --- Last.fm ---------------------------------------------------------------------------------------------------------
def _lastfm(record: Record) -> Row:
    attributes = record.get("@attr")
    if isinstance(attributes, dict) and attributes.get("nowplaying") in ("true", True):
        return PLAYING_NOW
    title, artist, album = _text(record.get("name")), _hashed(record.get("artist")), _hashed(record.get("album"))
    if not (title and artist):
        return NO_SONG
    date = record.get("date")
    at = _number(date.get("uts") if isinstance(date, dict) else date)
    if at is None:
        return NO_TIME
    return _scrobble(at, title, artist, album)


def _lastfm_page(page: Any) -> Iterator[Row]:
    tracks = page.get("recenttracks") if isinstance(page, dict) else None
    listed = tracks.get("track") if isinstance(tracks, dict) else None
    # A page with one play holds it alone, without a list.
    for record in [listed] if isinstance(listed, dict) else listed if isinstance(listed, list) else []:
        yield _lastfm(record) if isinstance(record, dict) else NO_SONG


def _scrobble(at: int, title: str, artist: str, album: str) -> PlayRow:
    # The CSV exports round to the minute, the JSON ones do not: by the minute both name the same play.
    return PlayRow(
        at, f"{at // 60}\n{title}\n{artist}".casefold(), "", "", title, (artist,), album, "", None, COMPLETED, True
    )


# --- CSV -------------------------------------------------------------------------------------------------------------
_COLUMNS = {
    "at": ("uts", "timestamp", "date", "utc_time", "added at"),
    "title": ("track", "track name", "title", "name"),
    "artist": ("artist", "artist name(s)", "artist name", "artists"),
    "album": ("album", "album name"),
    "uri": ("track uri", "spotify uri", "spotify id", "track id", "uri"),
    "isrc": ("isrc",),
    "artist_ids": ("artist uri(s)", "artist ids", "artist id"),
    "ms": ("duration (ms)", "track duration (ms)", "duration_ms"),
}
_HEADERLESS = ("artist", "album", "title", "at")


def _of_csv(text: str) -> Format | None:
    line = text.split("\n", 1)[0].strip()
    delimiter = ";" if line.count(";") > line.count(",") else ","
    columns = _header(line, delimiter)
    if columns is None:
        return None
    if "uri" in columns and "added at" in line.lower():
        return EXPORTIFY
    if {"at", "title", "artist"} <= columns.keys():
        return LASTFM_CSV
    return None


def _header(line: str, delimiter: str) -> dict[str, int] | None:
    """Return the place of each field; without a heading, those of the export that has none; else ``None``."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return None
    # One export calls the last column "Date#" with the listener's name.
    names = [cell.strip().lower().split("#")[0] for cell in cells]
    columns = {
        field: next(names.index(alias) for alias in aliases if alias in names)
        for field, aliases in _COLUMNS.items()
        if any(alias in names for alias in aliases)
    }
    if {"title", "artist"} <= columns.keys():
        return columns
    if len(cells) == len(_HEADERLESS) and _when(cells[3]) is not None:
        return {field: place for place, field in enumerate(_HEADERLESS)}
    return None


def _csv_rows(member: Member, convert: Callable[[dict[str, str]], Row]) -> Iterator[Row]:
    lines = member.lines()
    first = next((line for line in lines if line.strip()), "")
    delimiter = ";" if first.count(";") > first.count(",") else ","
    columns = _header(first.strip(), delimiter)
    if columns is None:
        raise HistoryError(f"{member.name}: has no columns for songs and times")
    if _when(first.strip().rsplit(delimiter, 1)[-1].strip('"')) is not None:
        lines = _with_first(first, lines)
    width = max(columns.values()) + 1
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if not cells:
                continue
            if len(cells) < width:
                yield NO_SONG
            else:
                yield convert({field: cells[place].strip() for field, place in columns.items()})
    except csv.Error as error:
        raise HistoryError(f"{member.name}: line {reader.line_num + 1:,} is damaged: {error}") from error


def _with_first(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _lastfm_csv(cells: dict[str, str]) -> Row:
    if not (cells["title"] and cells["artist"]):
        return NO_SONG
    at = _when(cells["at"])
    return NO_TIME if at is None else _scrobble(at, cells["title"], cells["artist"], cells.get("album", ""))


def _exportify(cells: dict[str, str]) -> Row:
    """Return the day a song was put on a playlist as a play that was heard to its end: somebody wanted it."""
    if not (cells["title"] and cells["artist"]):
        return NO_SONG
    at = _when(cells.get("at", ""))
    if at is None:
        return NO_TIME
    uri = cells["uri"]
    spotify_id = uri if _ID.fullmatch(uri) else _spotify_id(uri)
    artists = _several(cells["artist"], cells.get("artist_ids", ""))
    title, album = cells["title"], cells.get("album", "")
    key = f"{at}\n{uri or title + chr(10) + cells['artist']}"
    return PlayRow(at, key, spotify_id, _isrc(cells.get("isrc", "")), title, artists, album, uri, None, COMPLETED, True)


def _several(names: str, ids: str) -> tuple[str, ...]:
    """Return the artists of one cell: as many as it names ids of, for there are bands with a comma in their name."""
    if ";" in names:
        return tuple(filter(None, (name.strip() for name in names.split(";"))))
    parts = tuple(filter(None, (name.strip() for name in names.split(","))))
    is_one = len(re.split(r"[,;]", ids)) == 1 if ids else False
    return (names,) if is_one or not parts else parts


# --- values ----------------------------------------------------------------------------------------------------------
def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _hashed(value: Any) -> str:
    """Return the name in Last.fm's ``{"#text": name}``, or ``{"name": name}`` of its longer answers."""
    if isinstance(value, dict):
        return _text(value.get("#text")) or _text(value.get("name"))
    return _text(value)


def _spotify_id(address: str) -> str:
    """Return the id at the end of ``spotify:track:...`` or a song's address at Spotify; else ""."""
    if "track" not in address:
        return ""
    tail = re.split(r"[:/]", address.split("?", 1)[0])[-1]
    return tail if _ID.fullmatch(tail) else ""


def _isrc(value: Any) -> str:
    text = _text(value).replace("-", "").upper()
    return text if len(text) == 12 and text.isascii() and text.isalnum() else ""


def _milliseconds(more: Record) -> int | None:
    for name, factor in (("duration_ms", 1), ("duration", 1000), ("duration_played", 1000)):
        value = more.get(name)
        if isinstance(value, int) and 0 < value * factor < 2**31:
            return value * factor
    return None


def _number(value: Any) -> int | None:
    """Return seconds since 1970, from whole seconds or milliseconds, as a number or its digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 15:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value // 1000 if value > 100_000_000_000 else value


def _iso(value: Any) -> int | None:
    """Return seconds since 1970 of ISO 8601 text; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _when(text: str) -> int | None:
    """Return seconds since 1970 of any of the ways in which CSV exports write a time."""
    text = text.strip()
    at = _number(text)
    if at is not None:
        return at
    at = _iso(text)
    if at is not None:
        return at
    for pattern in ("%d %b %Y %H:%M", "%d %b %Y, %H:%M"):
        try:
            return int(datetime.strptime(text, pattern).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    return None


def _each(items: Callable[[Member], Iterator[Any]], convert: Callable[[Record], Row]) -> Callable[..., Iterator[Row]]:
    def rows(member: Member) -> Iterator[Row]:
        for item in items(member):
            yield convert(item) if isinstance(item, dict) else NO_SONG

    return rows


def _page_rows(member: Member) -> Iterator[Row]:
    for page in array_items(member):
        yield from _lastfm_page(page)


SPOTIFY = Format("spotify", "Spotify (extended streaming history)", _each(array_items, _spotify))
SPOTIFY_ACCOUNT = Format("spotify-year", "Spotify (account data, the last year)", _each(array_items, _spotify_account))
LISTENBRAINZ = Format("listenbrainz", "ListenBrainz", _each(array_items, _listenbrainz))
LISTENBRAINZ_LINES = Format("listenbrainz", "ListenBrainz", _each(line_items, _listenbrainz))
LASTFM = Format("lastfm", "Last.fm", _each(array_items, _lastfm))
LASTFM_PAGES = Format("lastfm", "Last.fm", _page_rows)
LASTFM_OBJECT = Format("lastfm", "Last.fm", _each(lambda member: array_items(member, _TRACK_LIST), _lastfm))
LASTFM_CSV = Format("lastfm", "Last.fm", lambda member: _csv_rows(member, _lastfm_csv))
EXPORTIFY = Format("exportify", "Exportify", lambda member: _csv_rows(member, _exportify))
