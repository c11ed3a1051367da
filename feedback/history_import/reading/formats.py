"""Recognises the format of a file from the content of its whole head, and yields its rows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from catalog.importing.reading.dialect import UTF_8
from feedback.history_import.reading import lists
from feedback.history_import.reading.encodings import encoding_for
from feedback.history_import.reading.parsing import is_of_plays, json_items
from feedback.history_import.reading.records import CONVERT, kind_of, plays_in
from feedback.history_import.reading.rows import MINUTES, NO_SONG, NOT_A_PLAY, PlayRow, Row
from feedback.history_import.reading.source import HistoryError, Member
from feedback.history_import.reading.tables import Table, recognise_table, table_rows
from feedback.history_import.reading.times import Times
from feedback.history_import.reading.values import text_of
from feedback.history_import.reading.youtube import shared_words, without

# Number of records that decide the format; the first may be podcasts, or the song being played.
HEAD_RECORDS = 1000
_SHORT_MS = 60_000
# Scrobbled songs are longer than half a minute.
_SHORTEST_SCROBBLED_MS = 31_000
_TOLD_TO_THE_MINUTE = frozenset({"spotify-year", "lastfm"})
LABELS = {
    "spotify": "Spotify (extended streaming history)",
    "spotify-year": "Spotify (account data, the last year)",
    "spotify-2018": "Spotify (account data of 2018)",
    "spotify-recent": "Spotify (recently played)",
    "listenbrainz": "ListenBrainz",
    "lastfm": "Last.fm",
    "maloja": "Maloja",
    "exportify": "Exportify",
    "youtube": "YouTube Music (Google Takeout, as JSON)",
    "apple": "Apple Music",
    "streams": "a table with the length of each play (Tidal, Deezer)",
    "rockbox": "Rockbox and other players (.scrobbler.log)",
    "own": "this site's own history and export",
}


@dataclass(frozen=True)
class Format:
    """A kind of export, as one file has it; ``table`` where it is one."""

    name: str
    table: Table | None = None
    # The words around each title in a YouTube file of an unknown language.
    words: tuple[str, str] = ("", "")

    @property
    def label(self) -> str:
        """Return the name of the kind."""
        return LABELS[self.name]

    @property
    def has_local_clock(self) -> bool:
        """Return whether its times are local times of an unknown zone."""
        return self.table is not None and self.table.has_local_clock

    def rows(self, member: Member, times: Times | None = None) -> Iterator[Row]:
        """Yield a play for each record, or the reason for skipping it."""
        times = times or Times()
        table = self.table
        rows = _json_rows(member, self.name, times, self.words) if table is None else table_rows(member, table, times)
        yield from _numbered(rows) if self.name in _TOLD_TO_THE_MINUTE else rows


def recognise(member: Member) -> Format | None:
    """Return the format of ``member`` by its content; ``None`` if it is not a listening history."""
    head = member.head()
    text = head.decode(encoding_for(head) or UTF_8, errors="replace").lstrip("\ufeff").lstrip()
    if text.startswith(("[", "{")):
        name = _of_records(member)
        return Format(name, words=_words_of(member) if name == "youtube" else ("", "")) if name else None
    if b"\0" in head[:1000]:
        return None
    if recognise_table(text) is None:
        return None
    member.settle_encoding()
    table = recognise_table(head.decode(member.encoding, errors="replace").lstrip())
    return Format(table.name, table) if table is not None else None


def why_no_history(member: Member, kind: Format | None) -> str:
    """Return why a list of songs holds no plays, a pattern with a place for the file; "" where it may be a history."""
    if kind is not None and kind.table is None:
        return lists.LOVED if kind.name == "lastfm" and lists.is_called_loved(member.name.rsplit("/", 1)[-1]) else ""
    text = member.head().decode(member.encoding, errors="replace").lstrip()
    if text.startswith(("[", "{")) or "\0" in text[:1000]:
        return ""
    return lists.why_no_history(member.name, text, kind.table if kind is not None else None)


def _of_records(member: Member) -> str:
    """Return the format of most records at the start; "" where none is a play."""
    kinds: Counter[str] = Counter()
    try:
        for key, record in islice(_records(member), HEAD_RECORDS):
            kinds[kind_of(record) if is_of_plays(key) else ""] += 1
            if key == "accounts.User":
                return "own"
    except HistoryError:
        # The records read so far decide; the damage is reported when the file is read.
        pass
    kinds.pop("", None)
    return max(kinds, key=kinds.__getitem__, default="")


def _records(member: Member) -> Iterator[tuple[str, object]]:
    for key, item in json_items(member):
        if kind_of(item):
            yield key, item
        else:
            yield from plays_in(key, item)


def _words_of(member: Member) -> tuple[str, str]:
    """Return what stands around the titles at the start of a file of YouTube's."""
    try:
        records = [record for _key, record in islice(_records(member), HEAD_RECORDS) if isinstance(record, dict)]
    except HistoryError:
        return "", ""
    return shared_words([text_of(record.get("title")) for record in records if kind_of(record) == "youtube"])


def _json_rows(member: Member, name: str, times: Times, words: tuple[str, str]) -> Iterator[Row]:
    if name == "own":
        # The complete export contains all tables of the listener, plays among them.
        plays = (record for key, record in _records(member) if key == "feedback.Play")
        yield from (_row(record, name, times) for record in plays)
        return
    items = json_items(member)
    for key, item in _without_words(items, words) if any(words) else items:
        if kind := kind_of(item):
            yield CONVERT[kind](item, times) if is_of_plays(key) else NOT_A_PLAY
        else:
            for inner, record in plays_in(key, item):
                yield _row(record, name, times) if is_of_plays(inner) else NOT_A_PLAY


def _without_words(items: Iterator[tuple[str, Any]], words: tuple[str, str]) -> Iterator[tuple[str, Any]]:
    for key, item in items:
        has_title = isinstance(item, dict) and "title" in item
        yield key, {**item, "title": without(text_of(item["title"]), words)} if has_title else item


def _row(record: object, name: str, times: Times) -> Row:
    """Return the row of a record that is not said to be of a kind of its own: then it is of the file's."""
    return CONVERT[kind_of(record) or name](record, times) if isinstance(record, dict) else NO_SONG


def _numbered(rows: Iterator[Row]) -> Iterator[Row]:
    """Number what looks the same: within the minute that this listing tells, a short song may be heard again."""
    last, number = "", 1
    for row in rows:
        ms = _length(row)
        if not isinstance(row, PlayRow) or ms >= _SHORT_MS:
            yield row
            continue
        number = number + 1 if row.key == last else 1
        last = row.key
        fits = number * ms <= 2 * _SHORT_MS
        yield row._replace(key=f"{row.key}\n{number}") if number > 1 and fits else row


def _length(row: Row) -> int:
    """Return the minimum length of a play whose listing has times to the minute."""
    if isinstance(row, str):
        return 0
    if row.ms_played is None:
        return _SHORTEST_SCROBBLED_MS if row.listing.endswith(MINUTES) else _SHORT_MS
    return row.ms_played or _SHORT_MS


def date_order(member: Member, kind: Format) -> tuple[str, list[str]]:
    """Return whether day or month comes first in the times of ``member``, and the times that leave it open.

    "" and no times: there is no ambiguity. The whole file is read where its first rows have such times.
    """
    times = Times()
    for _row in islice(kind.rows(member, times), HEAD_RECORDS):
        pass
    if times.is_numeric:
        times = Times()
        for _row in kind.rows(member, times):
            pass
    return times.settle(), times.examples
