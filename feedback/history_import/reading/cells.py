"""Parsers of table rows, one for each kind of table."""

from collections.abc import Iterator

from feedback.history_import.reading.records import MIN_MS, PLAY_EVENTS, own_play, scrobble
from feedback.history_import.reading.rows import (
    ANOTHER_WIDTH,
    COMPLETED,
    NO_SONG,
    NO_TIME,
    NOT_A_PLAY,
    NOT_A_SONG,
    NOT_HEARD,
    PLAYING_NOW,
    SKIPPED,
    STARTED,
    PlayRow,
    Row,
)  # fmt: skip
from feedback.history_import.reading.source import Member
from feedback.history_import.reading.times import Times
from feedback.history_import.reading.values import isrc_of, milliseconds, several, spotify_id, whole

_GUARDED = tuple(f"'{sign}" for sign in "=+-@\uff1d\uff0b\uff0d\uff20")
Cells = dict[str, str]


def _lastfm(cells: Cells, times: Times) -> Row:
    if cells.get("kind", "").lower() not in PLAY_EVENTS:
        return NOT_A_PLAY
    if not (cells["title"] and cells["artist"]):
        return NO_SONG
    if not cells["at"]:
        return PLAYING_NOW
    at = times.read(cells["at"])
    if at is None:
        return NO_TIME
    return scrobble(at, cells["title"], (cells["artist"],), cells.get("album", ""), times.has_seconds)


def _exportify(cells: Cells, times: Times) -> Row:
    """Return a song on a playlist as a completed play at the time it was added."""
    if not (cells["title"] and cells["artist"]):
        return NO_SONG
    at = times.read(cells["at"])
    if at is None:
        return NO_TIME
    uri = cells["uri"]
    artists = several(cells["artist"], cells.get("artist_ids", ""))
    title, album = cells["title"], cells.get("album", "")
    key = f"{at}\n{uri or title + chr(10) + cells['artist']}"
    return PlayRow(
        at, key, spotify_id(uri), isrc_of(cells.get("isrc", "")), title, artists, album, uri, None, COMPLETED, True,
        "exportify",
    )  # fmt: skip


def _own(cells: Cells, times: Times) -> Row:
    plain = {field: _plain(cell) for field, cell in cells.items()}
    record = {**plain, "played_at": plain["at"], "ms_played": plain.get("ms"), "spotify_id": plain.get("uri", "")}
    if not plain.get("artist"):
        # The complete export has the song and its artists in one cell.
        title, _, artists = plain["title"].rpartition(" - ")
        return own_play(record, title, artists, times)
    return own_play(record, plain["title"], plain["artist"], times)


def _plain(cell: str) -> str:
    """Return a cell without the apostrophe that this site's exports put before formulas."""
    return cell[1:] if cell.startswith(_GUARDED) else cell


def _apple(cells: Cells, times: Times) -> Row:
    if cells.get("event", "PLAY_END") not in ("PLAY_END", ""):
        return NOT_A_PLAY
    if cells.get("media", "AUDIO") == "VIDEO":
        return NOT_A_SONG
    title, artist = cells.get("title", ""), cells.get("artist", "")
    if cells.get("both"):
        artist, _, title = cells["both"].partition(" - ")
    if not (title and artist):
        return NO_SONG
    ms = milliseconds(cells.get("ms", ""))
    if ms is not None and ms < 1000:
        return NOT_HEARD
    at = times.read(cells["at"])
    if at is None or cells.get("end") == cells["at"]:
        end = times.read(cells.get("end", ""))
        at = None if end is None else end - (ms or 0) // 1000
    if at is None:
        return NO_TIME
    reason = cells.get("reason", "")
    outcome = COMPLETED if reason.startswith("NATURAL") else SKIPPED if "SKIP" in reason else STARTED
    key = f"{at}\n{title}\n{artist}\n{ms}"
    return PlayRow(at, key, "", "", title, (artist,), cells.get("album", ""), "", ms, outcome, True, "apple")


def _streams(cells: Cells, times: Times) -> Row:
    """Return the play of a table with listening times, such as those of Tidal and Deezer."""
    title, artist, uri = cells["title"], cells["artist"], cells.get("uri", "")
    if not (title and artist):
        return NO_SONG
    at = times.read(cells["at"])
    if at is None:
        return NO_TIME
    seconds = cells.get("seconds", "")
    ms = milliseconds(cells["ms"]) if cells.get("ms") else (milliseconds(seconds) if ":" in seconds else None)
    if ms is None and (heard := whole(seconds)) is not None:
        ms = heard * 1000
    if ms is not None and ms < MIN_MS:
        return NOT_HEARD
    key = f"{at}\n{title}\n{artist}\n{ms}"
    return PlayRow(
        at, key, spotify_id(uri), isrc_of(cells.get("isrc", "")), title, several(artist), cells.get("album", ""), uri,
        ms, STARTED, True, "streams",
    )  # fmt: skip


CELLS_TO_ROW = {"lastfm": _lastfm, "streams": _streams, "exportify": _exportify, "own": _own, "apple": _apple}


def rockbox_rows(member: Member, times: Times) -> Iterator[Row]:
    """Yield the rows of an Audioscrobbler log: artist, album, title, number, seconds, L or S, time, MusicBrainz id."""
    for line in member.lines():
        if line.startswith("#") or not line.strip():
            continue
        cells = [cell.strip() for cell in line.rstrip("\r\n").split("\t")]
        if len(cells) < 7:
            yield ANOTHER_WIDTH
            continue
        artist, album, title, _number, seconds, rating, moment = cells[:7]
        at = times.read_clock(moment)
        if not (title and artist):
            yield NO_SONG
        elif at is None:
            yield NO_TIME
        else:
            length = whole(seconds)
            is_heard = rating != "S"
            ms = length * 1000 if length and length > 0 and is_heard else None
            outcome = COMPLETED if is_heard else SKIPPED
            key = f"{at}\n{title}\n{artist}"
            yield PlayRow(at, key, "", "", title, (artist,), album, "", ms, outcome, True, "rockbox")
