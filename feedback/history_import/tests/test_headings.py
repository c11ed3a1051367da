"""Headings and flags as tools and spreadsheets of several languages write them."""

import pytest

from feedback.history_import.reading.rows import PlayRow
from feedback.history_import.tests.test_formats import play, read

AT = 1_714_816_800


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        ("Played At (UTC)", "2024-05-04 10:00:00"),
        ("playedAt", "2024-05-04T10:00:00Z"),
        ("Date (UTC)", "2024-05-04T10:00:00"),
        ("timestamp_utc", "1714816800"),
        ("utc_timestamp", "1714816800000"),
        ("unixtime", "1714816800"),
        ("Epoch (ms)", "1714816800000"),
        ("Gespielt am", "04.05.2024 10:00:00"),
        ("Écouté le", "2024-05-04 10:00:00"),
        ("listenedAt [UTC]", "2024-05-04 10:00:00"),
        # Only the value, or a part of the heading, tells these.
        ("Moment", "2024-05-04 10:00:00"),
        ("time_of_listening", "1714816800"),
        ("Zeitstempel des Abspielens", "1714816800"),
    ],
)
@pytest.mark.parametrize("names", ["title,artist", "name,artist", "Track,Artist"])
def test_headings_of_times(heading: str, cell: str, names: str) -> None:
    rows = "".join(f"Song {number},Someone,{cell},{number}\n" for number in range(2))
    _formats, parsed = read(f"{names},{heading},number\n{rows}")
    assert [(row.title, row.artists, row.at) for row in parsed if isinstance(row, PlayRow)] == [
        (f"Song {number}", ("Someone",), AT) for number in range(2)
    ]


def test_an_id_is_no_time() -> None:
    assert read("title,artist,id\nSong,Someone,1714816800\n")[0] == []


def test_lastexport_has_no_headings() -> None:
    row = play(f"{AT}\tSong\tSomeone\tRecord\t\t\t\n")
    assert (row.at, row.title, row.artists, row.album) == (AT, "Song", ("Someone",), "Record")
    assert play(f"{AT}\tSong\tSomeone\n").album == ""
    assert play(f"{AT}\tSong\tSomeone\tRecord\n").artists == ("Someone",)


def test_a_length_is_no_date() -> None:
    row = play("Name\tArtist\tTime\tPlays\tLast Played\nSong\tSomeone\t200\t3\t2024-05-04 10:00:00\n")
    assert (row.title, row.at) == ("Song", AT)


@pytest.mark.parametrize(
    ("cell", "is_private"),
    [("TRUE", True), ("1", True), ("yes", True), ("WAHR", True), ("VRAI", True), ("verdadero", True), ("ИСТИНА", True),
     ("FALSE", False), ("0", False), ("no", False), ("FALSCH", False), ("FAUX", False), ("", False)],
)  # fmt: skip
def test_flags_of_spotifys_table(cell: str, is_private: bool) -> None:
    head = "ts,ms_played,master_metadata_track_name,master_metadata_album_artist_name,incognito_mode,skipped"
    row = play(f"{head}\n2024-05-04T10:03:20Z,200000,Song,Someone,{cell},{cell}\n")
    assert (row.is_counted, row.outcome) == (not is_private, "skipped" if is_private else "started")


@pytest.mark.parametrize(("cell", "is_counted"), [("False", False), ("FALSCH", False), ("0", False), ("WAHR", True)])
def test_the_flag_of_our_own_history_that_a_spreadsheet_saved(cell: str, is_counted: bool) -> None:
    head = "played_at,track,artist,album,ms_played,outcome,source,is_counted"
    assert (
        play(f"{head}\n2024-05-04T10:00:00Z,Song,Someone,,200000,completed,history,{cell}\n").is_counted is is_counted
    )
