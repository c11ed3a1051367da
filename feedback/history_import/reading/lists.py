"""Recognises lists of songs that are not histories: loved songs, and lists whose times are not times of listening."""

import csv
import re
from collections.abc import Sequence

from django.utils.translation import gettext_noop

from feedback.history_import.reading.headings import columns_of
from feedback.history_import.reading.tables import HEAD_ROWS, HEADING_ROWS, Table, delimiters_of, head_lines

# Reasons for refusing a list. Each says what to do instead.
LOVED = gettext_noop(
    "%(file)s is a list of songs that were loved, not of plays, so nothing was added to your history. Search for the "
    "songs here and like them, or upload the export of all plays."
)
ONE_TIME = gettext_noop(
    "All songs in %(file)s have the same date and time, so it is a list of songs and not of plays. Search for the "
    "songs here and like them, or upload the export of all plays."
)
NO_TIMES = gettext_noop(
    "%(file)s names songs, but not when they were played. Search for the songs here and like them, or upload an export "
    "that has the date of each play."
)
WEB_PAGE = gettext_noop(
    "%(file)s is a web page. Request your data from Google Takeout again and choose JSON instead of HTML for the "
    "history."
)
_LOVED = re.compile(
    r"\b(?:(?:loved?|liked|favou?rites?|starred)(?:tracks?|songs?)?|loves|likes|favs?|hearted|geliebte?\w*|lieblings\w*|favoriten|aimée?s|"
    r"préférée?s|coups? de c(?:œ|oe)ur|favoritos|favoritas|amados|preferiti|preferite|ulubione|favorieten|gillade|"
    r"любим\w*|избранн\w*)\b|お気に入り|ラブ|收藏|喜欢|喜歡|좋아요",
    re.IGNORECASE,
)
_NO_WORD = re.compile(r"[\W\d_]+")
_NAMES_OF_TIMES = ("at", "title", "artist")
_FEWEST = 3
# A list with this many songs of one day and no time of day is not a history.
_FEWEST_OF_A_DAY = 10


def is_called_loved(text: str) -> bool:
    """Return whether a file's name or a heading says that its songs were loved."""
    return _LOVED.search(_NO_WORD.sub(" ", text)) is not None


def why_no_history(name: str, head: str, table: Table | None) -> str:
    """Return why a table that begins with ``head`` holds no plays, though it names songs; "" where it may."""
    if table is None and head.startswith("<"):
        return WEB_PAGE if "youtube" in head.lower() and "-cell" in head else ""
    if table is None:
        return _without_times(name, head)
    if table.name not in ("lastfm", "exportify"):
        return ""
    rows = _rows(head, table.delimiter)
    if table.name == "lastfm" and (is_called_loved(name.rsplit("/", 1)[-1]) or _is_headed_loved(rows, table)):
        return LOVED
    return ONE_TIME if _has_one_time(rows[table.skipped :], table) else ""


def _is_headed_loved(rows: Sequence[Sequence[str]], table: Table) -> bool:
    """Return whether a title above the columns says so, or the heading of a column that is read.

    A separate column that marks loved songs among others ("loved": 0 or 1) does not count.
    """
    if not table.skipped:
        return False
    *titles, headings = rows[: table.skipped]
    read = [headings[table.columns[field]] for field in _NAMES_OF_TIMES if field in table.columns]
    return any(map(is_called_loved, [*read, *(cell for cells in titles for cell in cells)]))


def _has_one_time(rows: Sequence[Sequence[str]], table: Table) -> bool:
    time_column, title = table.columns["at"], table.columns["title"]
    last = max(time_column, title)
    cells = [row for row in rows if len(row) > last and row[time_column]]
    times = {row[time_column] for row in cells}
    songs = len({row[title] for row in cells})
    has_clock = any(":" in time or time.isdecimal() for time in times)
    return len(times) == 1 and songs >= (_FEWEST if has_clock else _FEWEST_OF_A_DAY)


def _without_times(name: str, head: str) -> str:
    for delimiter in delimiters_of(head):
        for cells in _rows(head, delimiter)[:HEADING_ROWS]:
            columns = columns_of(cells)
            if {"title", "artist"} <= columns.keys() and "at" not in columns:
                return LOVED if is_called_loved(name) or any(map(is_called_loved, cells)) else NO_TIMES
    return ""


def _rows(head: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for cells in csv.reader(head_lines(head), delimiter=delimiter):
            rows.append([cell.strip() for cell in cells])
            if len(rows) == HEAD_ROWS:
                break
    except csv.Error:
        pass
    return rows
