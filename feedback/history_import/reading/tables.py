"""Histories in tables: identifies the columns by headings in several languages or by their values."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from feedback.history_import.reading.cells import CELLS_TO_ROW, rockbox_rows
from feedback.history_import.reading.headings import columns_of, is_of_time, told_columns
from feedback.history_import.reading.parsing import DAMAGED
from feedback.history_import.reading.records import CONVERT
from feedback.history_import.reading.rows import (
    ANOTHER_WIDTH,
    NO_SONG,
    NO_TIME,
    SKIPPED,
    PlayRow,
    Row,
)  # fmt: skip
from feedback.history_import.reading.source import HistoryError, Member
from feedback.history_import.reading.times import Times
from feedback.history_import.reading.values import is_true, whole
from feedback.plays.identity import DAILY, DAY

HEAD_ROWS = 60
# Number of lines in which the header is searched: it may follow a title or a line that names the delimiter.
HEADING_ROWS = 5
_DELIMITERS = (",", ";", "\t", "|")
_MARK = "#AUDIOSCROBBLER"
# Spotify's own records written as a table: which headings tell them, in small letters, and those that have capitals.
RECORDS = {
    "spotify": {"ts", "ms_played", "master_metadata_track_name"},
    "spotify-year": {"endtime", "artistname", "trackname", "msplayed"},
}
# What tells them also where somebody renamed the columns of names.
_RECORD_HEADINGS = (
    *RECORDS.items(),
    *(("spotify", {"ts", "ms_played", other}) for other in ("reason_end", "conn_country", "incognito_mode")),
)
_RECORD_FIELDS = {"endtime": "endTime", "artistname": "artistName", "trackname": "trackName", "msplayed": "msPlayed",
                  "podcastname": "podcastName", "episodename": "episodeName",
                  "audiobookname": "audiobookName", "chaptername": "chapterName"}  # fmt: skip
_FLAGS = frozenset({"skipped", "offline", "incognito_mode", "shuffle"})
_DOUBTFUL = (NO_TIME, NO_SONG, ANOTHER_WIDTH)
_CLOCK = re.compile(r"\d{1,2}[:.h]\d{2}")
_EPOCH = re.compile(r"[1-9]\d{8,9}(?:\d{3})?(?:\.\d*)?")
# Maximum plausible number of plays of one song on one day.
_MOST_COUNTED = 500
HOURS = 24
_HEADERLESS = ("artist", "album", "title", "at")
_URI = re.compile(
    r"spotify:(track|local|episode):\S*|https?://open\.spotify\.com/(intl-\w+/)?track/\S+|(?=\w*\d)[0-9A-Za-z]{22}"
)
_NO_NAME = re.compile(
    r"[\d.,:%+/ -]*|spotify:\S+|[0-9A-Za-z]{22}|https?://\S+|true|false|wahr|falsch|[A-Z]{2}[A-Z0-9]{3}\d{7}|"
    r"\d{4}(?:-\d\d){0,2}(?:[T ]\S*)?",
    re.IGNORECASE,
)

_STEMS_ORDER = ("title", "artist", "album")
_MOST_NAMES = 6


@dataclass(frozen=True)
class Table:
    """How to read a table: ``columns`` gives the index of each field; ``skipped`` lines precede the rows."""

    name: str
    delimiter: str
    columns: dict[str, int]
    width: int
    skipped: int
    has_local_clock: bool = False


def recognise_table(head: str) -> Table | None:
    """Return how to read the table that begins with ``head``; ``None`` if it is not a history."""
    if head.startswith(_MARK):
        return Table("rockbox", "\t", {}, 0, 0, "\n#TZ/UTC" not in head[:500].replace("\r", "\n"))
    lines = list(head_lines(head))
    tables = [table for delimiter in delimiters_of(head) if (table := _with_delimiter(lines, delimiter))]
    return max(tables, key=lambda table: len(table.columns), default=None)


def delimiters_of(head: str) -> tuple[str, ...]:
    """Return the possible delimiters: the one that the first line names, or all."""
    first = next(head_lines(head), "").strip().strip('"').lower()
    return (first[4:] or "\t",) if first.startswith("sep=") and len(first) < 6 else _DELIMITERS


def table_rows(member: Member, table: Table, times: Times) -> Iterator[Row]:
    """Yield the rows of a table. Raise ``HistoryError`` where a quoted cell has no end."""
    if table.name == "rockbox":
        yield from rockbox_rows(member, times)
        return
    # The lines before the header were read by the same reader.
    rows = _cells(member, table)
    for number, cells in enumerate(rows):
        if number < table.skipped or not any(cells):
            continue
        row = _row(cells, table, times)
        if row in _DOUBTFUL and (other := _of_heading([cell.strip() for cell in cells], table.delimiter, 0)):
            # Another table follows.
            table = other
        elif isinstance(row, PlayRow) and table.name == "apple" and "plays" in table.columns:
            yield from _counted(row, cells, table)
        else:
            yield row


def _row(cells: Sequence[str], table: Table, times: Times) -> Row:
    if len(cells) <= max(table.columns.values()) or any(cells[table.width :]):
        return ANOTHER_WIDTH
    named = {field: cells[column].strip() for field, column in table.columns.items()}
    if table.name in RECORDS:
        return CONVERT[table.name]({field: _value(field, cell) for field, cell in named.items()}, times)
    if "clock" in named and ":" not in named["at"] and _CLOCK.match(named["clock"]):
        named["at"] += f" {named['clock']}"
    return CELLS_TO_ROW[table.name](named, times)


def _value(field: str, cell: str) -> str | bool | None:
    """Return a cell as the record has it; a song may be called "True"."""
    return is_true(cell) if field in _FLAGS else cell or None


def _counted(row: PlayRow, cells: Sequence[str], table: Table) -> Iterator[Row]:
    """Yield as many plays as the line counts, or as many skipped plays if it counts only skips."""
    plays = whole(cells[table.columns["plays"]]) or 0
    skips = (whole(cells[table.columns["skips"]]) or 0) if "skips" in table.columns else 0
    if plays < 1 and skips > 0:
        row = row._replace(outcome=SKIPPED)
    number = min(max(plays if plays > 0 else skips, 1), _MOST_COUNTED)
    ms = None if row.ms_played is None else row.ms_played // number
    times = _hours_of(row.at, cells, table)
    listing = DAILY if row.at % DAY == 0 else row.listing
    for count in range(number):
        key = f"{row.key}\n{count + 1}" if count else row.key
        yield row._replace(at=times[min(count, len(times) - 1)], key=key, ms_played=ms, listing=listing)


def _hours_of(day: int, cells: Sequence[str], table: Table) -> list[int]:
    """Return the seconds since 1970 of the hours that the line names ("10, 11"), or of the day where it has none."""
    named = re.findall(r"\d+", cells[table.columns["hours"]]) if "hours" in table.columns else []
    hours = [int(hour) for hour in named if int(hour) < HOURS] if day % DAY == 0 else []
    return [day + hour * (DAY // HOURS) for hour in hours] or [day]


def _cells(member: Member, table: Table) -> Iterator[list[str]]:
    """Yield the cells of each row. Raise ``HistoryError`` where a quoted cell has no end."""
    # The lines of the row being read.
    lines: list[str] = []

    def noted() -> Iterator[str]:
        for line in member.lines():
            lines.append(line)
            yield line

    reader = csv.reader(noted(), delimiter=table.delimiter, strict=True)
    while True:
        lines.clear()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # A quote within a single line can be repaired; one that swallowed other lines cannot.
            if len(lines) != 1 or (cells := _loosely(lines[0], table)) is None:
                raise HistoryError(DAMAGED, file=member.name, line=reader.line_num) from error
        if cells is None:
            return
        yield cells


def _loosely(line: str, table: Table) -> list[str] | None:
    """Return the cells of a line whose quotes are escaped with backslashes, or not at all."""
    if '\\"' in line:
        try:
            return next(csv.reader([line.replace('\\"', '""')], delimiter=table.delimiter, strict=True))
        except csv.Error:
            pass
    cells = next(csv.reader([line], delimiter=table.delimiter))
    return cells if len(cells) == table.width else None


def _of_heading(cells: Sequence[str], delimiter: str, skipped: int) -> Table | None:
    names = [cell.lower().lstrip("\ufeff") for cell in cells]
    for name, needed in _RECORD_HEADINGS:
        if needed <= set(names):
            return Table(
                name,
                delimiter,
                {_RECORD_FIELDS.get(field, field): column for column, field in enumerate(names)},
                len(cells),
                skipped,
            )
    columns = columns_of(cells)
    name = _name_of(columns)
    return Table(name, delimiter, columns, len(cells), skipped) if name else None


def head_lines(head: str) -> Iterator[str]:
    """Yield the first lines with their ends."""
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", head)
    # The last line may be cut.
    yield from lines[:-1] if len(lines) > HEAD_ROWS else lines


def _with_delimiter(lines: Sequence[str], delimiter: str) -> Table | None:
    if len(delimiter) != 1:
        return None
    rows: list[list[str]] = []
    try:
        for cells in csv.reader(lines, delimiter=delimiter):
            rows.append([cell.strip() for cell in cells])
            if len(rows) == HEAD_ROWS:
                break
    except csv.Error:
        return None
    for number, cells in enumerate(rows[:HEADING_ROWS]):
        if table := _of_heading(cells, delimiter, number + 1):
            return table
    return _lastexport(rows, delimiter) or _headerless(rows, delimiter) or _by_values(rows, delimiter)


def _name_of(columns: dict[str, int]) -> str:
    if "at" not in columns:
        return ""
    if {"outcome", "source", "ms"} <= columns.keys() and "title" in columns:
        return "own"
    if "both" in columns:
        return "apple"
    if not {"title", "artist"} <= columns.keys():
        return ""
    marks = (("apple", {"end", "event", "reason"}), ("streams", {"ms", "seconds"}), ("exportify", {"uri"}))
    return next((name for name, fields in marks if fields & columns.keys()), "lastfm")


def _headerless(rows: Sequence[Sequence[str]], delimiter: str) -> Table | None:
    """Return the table of the export without heading: artist, album, title and time, which is empty while playing.

    A header in an unknown language shows in a cell above the times that is not a time.
    """
    times = Times(order="day")
    full = [cells for cells in rows if len(cells) == len(_HEADERLESS)]
    dated = [cells for cells in full if times.read(cells[3]) is not None]
    if not dated or 2 * len(full) < len(rows) or any(times.read(cells[2]) is not None for cells in dated[:1]):
        return None
    columns = {field: column for column, field in enumerate(_HEADERLESS)}
    if rows[0] is full[0] and full[0][3] and times.read(full[0][3]) is None:
        return Table("lastfm", delimiter, {**columns, **_named(rows[0], (0, 1, 2))}, len(_HEADERLESS), 1)
    return Table("lastfm", delimiter, columns, len(_HEADERLESS), 0)


def _by_values(rows: Sequence[Sequence[str]], delimiter: str) -> Table | None:
    """Return the table whose headings are in a language that is not known here, where its values tell what it is.

    That is Exportify's: the song's address, the day it was put on the list, and the names in their fixed order. Or one
    with a time whose headings hold the words for song and artist of some more languages.
    """
    body = [cells for cells in rows[1:] if any(cells) and len(cells) == len(rows[0])]
    if not body:
        return None
    times = Times(order="day")
    uri = _place(body, lambda cell: bool(_URI.fullmatch(cell)))
    at = _place(body, lambda cell: ":" in cell and times.read(cell) is not None)
    if at is None:
        at = _epoch_place(rows[0], body)
    if at is not None and times.read(rows[0][at]) is not None:
        # There is no heading.
        return None
    names = [
        column
        for column in range(len(body[0]))
        if column not in (uri, at) and any(cells[column] and not _NO_NAME.fullmatch(cells[column]) for cells in body)
    ][:_MOST_NAMES]
    if at is None or len(names) < 2:
        return None
    if uri is None:
        columns = {**told_columns(rows[0], names), **_known_names(rows[0])}
        if not {"title", "artist"} <= columns.keys():
            return None
        lengths = {field: column for field, column in columns_of(rows[0]).items() if field in ("ms", "seconds")}
        name = "streams" if lengths else "lastfm"
        return Table(name, delimiter, {"at": at, **lengths, **columns}, len(body[0]), 1)
    columns = {"uri": uri, "at": at, **_named(rows[0], names)}
    return Table("exportify", delimiter, columns, len(body[0]), 1)


def _named(heading: Sequence[str], names: Sequence[int]) -> dict[str, int]:
    """Return which of the columns with names are title, artist and album: by their headings, else by their order."""
    columns = told_columns(heading, names)
    left = [column for column in names if column not in columns.values()]
    return {**dict(zip([field for field in _STEMS_ORDER if field not in columns], left, strict=False)), **columns}


def _known_names(heading: Sequence[str]) -> dict[str, int]:
    return {field: column for field, column in columns_of(heading).items() if field in _STEMS_ORDER}


def _epoch_place(heading: Sequence[str], body: Sequence[Sequence[str]]) -> int | None:
    """Return the column of seconds or milliseconds since 1970; its heading has to tell, for ids are numbers, too."""
    column = _place(body, lambda cell: bool(_EPOCH.fullmatch(cell)))
    return column if column is not None and is_of_time(heading[column]) else None


def _lastexport(rows: Sequence[Sequence[str]], delimiter: str) -> Table | None:
    """Return the table of lastexport, which has no heading: seconds since 1970, title, artist, album and ids."""
    rows = [cells for cells in rows if any(cells)]
    full = [cells for cells in rows if len(cells) > 2 and _EPOCH.fullmatch(cells[0]) and cells[1] and cells[2]]
    if delimiter != "\t" or not rows or 2 * len(full) <= len(rows) or rows[0] is not full[0]:
        return None
    columns = dict(zip(("at", "title", "artist", "album"), range(len(full[0])), strict=False))
    return Table("lastfm", delimiter, columns, len(full[0]), 0)


def _place(body: Sequence[Sequence[str]], is_such: Callable[[str], bool]) -> int | None:
    """Return the column in which most cells match."""
    counts = Counter(column for cells in body for column, cell in enumerate(cells) if is_such(cell))
    column, number = max(counts.items(), key=lambda item: (item[1], -item[0]), default=(0, 0))
    return column if 2 * number > len(body) else None
