"""Exports in the shapes that tools really write: everything in them is read or named."""

import csv
import json
from io import StringIO
from typing import Any

import pytest

from feedback.history_import.reading.rows import PlayRow
from feedback.history_import.reading.source import PIECE_BYTES, HistoryError
from feedback.history_import.tests.histories import listen, packed, scrobble, spotify
from feedback.history_import.tests.test_formats import read

ID = "0123456789ABCDEFabcdef"


def titles(content: bytes | str) -> list[str]:
    """Return the titles of the plays and the reasons for what is left out."""
    return [row.title if isinstance(row, PlayRow) else row for row in read(content)[1]]


def page(*names: str, **attributes: Any) -> dict[str, Any]:
    return {"recenttracks": {"track": [scrobble(name) for name in names], "@attr": attributes}}


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(json.dumps(page(name)) for name in "ABC"),
        "".join(json.dumps(page(name)) for name in "ABC"),
        ",\n".join(json.dumps(page(name), indent=1) for name in "ABC"),
        json.dumps([page("A"), page("B", "C")]),
        json.dumps([page("A")["recenttracks"], page("B", "C")["recenttracks"]]),
        json.dumps([[scrobble("A")], [scrobble("B"), scrobble("C")]]),
        json.dumps([scrobble("A")]) + json.dumps([scrobble("B"), scrobble("C")]),
        json.dumps({"recenttracks": {"track": scrobble("A")}}) + json.dumps({"track": [scrobble("B"), scrobble("C")]}),
        json.dumps({"user": {"name": "me"}, "pages": [page("A"), page("B", "C")]}),
    ],
)
def test_pages_of_lastfm_in_all_shapes(content: str) -> None:
    assert titles(content) == ["A", "B", "C"]


def test_pages_far_longer_than_a_piece() -> None:
    names = [f"Sång {number}" for number in range(9000)]
    content = json.dumps({"recenttracks": {"track": [scrobble(name) for name in names], "@attr": {"page": "1"}}})
    assert len(content) > 5 * PIECE_BYTES
    assert titles(content) == names
    assert titles(content + "\n" + content) == names * 2


@pytest.mark.parametrize(
    ("behind", "message"),
    [
        ("x", "Line 2 of file is damaged. There is something after the end of the list."),
        ('{"recenttracks": {"tra', "Line 2 of file is damaged or incomplete."),
        ("]", "Line 2 of file is damaged. There is something after the end of the list."),
    ],
)
def test_what_follows_and_cannot_be_read_is_an_error_that_names_the_place(behind: str, message: str) -> None:
    with pytest.raises(HistoryError, match=message):
        read(json.dumps([scrobble()]) + "\n" + behind)


@pytest.mark.parametrize(
    "first",
    [
        {"endTime": "2024-05-04 09:00", "podcastName": "Talks", "episodeName": "1", "msPlayed": 1_000_000},
        {"endTime": "2024-05-04 09:00", "artistName": None, "trackName": None, "msPlayed": 1_000_000},
        {"comment": "an odd one"},
        7,
    ],
)
def test_the_first_record_alone_does_not_tell_the_format(first: Any) -> None:
    play = {"endTime": "2024-05-04 10:03", "artistName": "Someone", "trackName": "Song", "msPlayed": 201_500}
    content = json.dumps([first, play])
    assert read(content)[0] == ["spotify-year"]
    assert titles(content)[1:] == ["Song"]
    assert titles(packed(a_json=[first, play], b_json=[play]))[1:] == ["Song", "Song"]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_only_cr_and_lf_end_a_line(sign: str) -> None:
    title = f"Two{sign}halves"
    lines = [json.dumps(listen(name, at=1_700_000_000), ensure_ascii=False) for name in ("One", title)]
    assert titles("\r\n".join(lines)) == ["One", title]
    head = "artist,album,track,uts"
    for end in ("\n", "\r\n", "\r"):
        assert titles(end.join([head, "A,B,One,1700000000", f"A,B,{title},1700000100"])) == ["One", title]


def test_a_cell_of_several_lines_is_one_cell() -> None:
    _formats, rows = read('artist,album,track,uts\r\n"A\r\nB",C,One,1700000000\r\nA,B,Two,1700000100\r\n')
    assert [row.artists for row in rows if isinstance(row, PlayRow)] == [("A\r\nB",), ("A",)]


@pytest.mark.parametrize(
    ("ms", "expected"),
    [(201_500.0, 201_500), ("188000", 188_000), ("188000.0", 188_000), (True, None), ("long", None), (None, None)],
)
def test_lengths_as_tools_write_them(ms: Any, expected: int | None) -> None:
    row = read(json.dumps([spotify(ms_played=ms)]))[1][0]
    assert (row.ms_played if isinstance(row, PlayRow) else row) == (expected or "doesn't say how long it was played")


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        ({"scrobbles": [{"track": "S", "artist": "A", "album": "B", "date": 1_714_816_800_000}]}, "lastfm",
         ("S", ("A",), 1_714_816_800, None)),
        ({"scrobbles": [{"time": 1_714_816_800, "track": {"artists": ["A", "C"], "title": "S", "album": {"name": "B"}},
                         "duration": 100}]}, "maloja", ("S", ("A", "C"), 1_714_816_800, 100_000)),
        ([{"artist": "A", "title": "S", "timestamp": "1714816800"}], "lastfm", ("S", ("A",), 1_714_816_800, None)),
        ([{"header": "YouTube Music", "title": "S angesehen", "titleUrl": "https://x", "time": "2024-05-04T10:00:00Z",
           "subtitles": [{"name": "A - Topic"}]}], "youtube", ("S", ("A",), 1_714_816_800, None)),
        ({"items": [{"played_at": "2024-05-04T10:00:00Z", "track": {"name": "S", "artists": [{"name": "A"}]}}]},
         "spotify-recent", ("S", ("A",), 1_714_816_800, None)),
        ([{"artistName": "A", "trackName": "S", "time": "2024-05-04 10:00:00"}], "spotify-2018",
         ("S", ("A",), 1_714_816_800, None)),
        ({"payload": {"listens": [listen("S", "A", 1_714_816_800)]}}, "listenbrainz",
         ("S", ("A",), 1_714_816_800, None)),
        ({"accounts.User": [{"id": 1}], "feedback.Rating": [{"id": 2, "track": "No - Play"}],
          "feedback.Play": [{"id": 3, "played_at": "2024-05-04T10:00:00Z", "outcome": "skipped", "ms_played": 9000,
                             "source": "site", "track_id": 4, "track": "S - A"}]}, "own",
         ("S", ("A",), 1_714_816_800, 9000)),
    ],
)  # fmt: skip
def test_json_of_other_tools(content: Any, name: str, expected: tuple[Any, ...]) -> None:
    formats, rows = read(json.dumps(content))
    assert formats == [name]
    assert [(row.title, row.artists, row.at, row.ms_played) for row in rows if isinstance(row, PlayRow)] == [expected]
    assert len(rows) == 1


APPLE = "Artist Name,Song Name,Event Start Timestamp,Event End Timestamp,Play Duration Milliseconds,End Reason Type"


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        ("artist\talbum\ttrack\tuts\nA\tB\tS\t1714816800\n", "lastfm", ("S", "A", "B", 1_714_816_800)),
        ("sep=;\nArtist;Album;Track;Date\nA;B;S;2024-05-04 10:00\n", "lastfm", ("S", "A", "B", 1_714_816_800)),
        ('"sep=\t"\nArtist\tAlbum\tTrack\tDate\nA\tB\tS\t2024-05-04 10:00\n', "lastfm", ("S", "A", "B", 1_714_816_800)),
        ("A;B;Now;\nA;B;S;04 May 2024 10:00\n", "lastfm", ("S", "A", "B", 1_714_816_800)),
        ("URI de la piste,Nom de la piste,Nom(s) de l'artiste,Nom de l'album,Ajouté à\n"
         f"spotify:track:{ID},S,A,B,2024-05-04T10:00:00Z\n", "exportify", ("S", "A", "B", 1_714_816_800)),
        ("トラックURI,トラック名,アーティストURI,アーティスト名,アルバム名,追加日時\n"
         f"spotify:track:{ID},S,spotify:artist:x,A,B,2024-05-04T10:00:00Z\n", "exportify",
         ("S", "A", "B", 1_714_816_800)),
        ("x1,x2,x3,x4,x5,x6\n"
         f"spotify:track:{ID},S,A,B,201500,2024-05-04T10:00:00Z\n", "exportify", ("S", "A", "B", 1_714_816_800)),
        (f"{APPLE}\nA,S,2024-05-04T10:00:00Z,2024-05-04T10:03:00Z,180000,NATURAL_END_OF_TRACK\n", "apple",
         ("S", "A", "", 1_714_816_800)),
        ("Track Description,Date Played,Play Duration Milliseconds\nA - S,20240504,180000\n", "apple",
         ("S", "A", "", 1_714_780_800)),
        ("#AUDIOSCROBBLER/1.1\n#TZ/UTC\n#CLIENT/Rockbox\nA\tB\tS\t1\t201\tL\t1714816800\t\n", "rockbox",
         ("S", "A", "B", 1_714_816_800)),
        ("played_at,outcome,ms_played,source,title,artists,album,duration_ms,spotify_id,url\n"
         "2024-05-04T10:00:00+00:00,completed,9000,site,'=S,A,B,201500,,http://x/songs/1/\n", "own",
         ("=S", "A", "B", 1_714_816_800)),
        ("id,user_id,track_id,played_at,ms_played,outcome,source,is_counted,token,digest,track\n"
         "1,1,1,2024-05-04 10:00:00+00:00,9000,completed,site,True,,,S - A\n", "own", ("S", "A", "", 1_714_816_800)),
    ],
)  # fmt: skip
def test_tables_of_many_tools(content: str, name: str, expected: tuple[Any, ...]) -> None:
    formats, rows = read(content)
    assert formats == [name]
    plays = [row for row in rows if isinstance(row, PlayRow)]
    assert [(row.title, row.artists[0], row.album, row.at) for row in plays] == [expected]


def test_loved_tracks_are_no_plays() -> None:
    loved = {"lovedtracks": {"track": [scrobble("Loved")], "@attr": {"page": "1"}}}
    assert read(json.dumps(loved)) == ([], [])
    assert titles(json.dumps([page("A"), loved])) == ["A", "isn't a play but another event"]
    many = {"lovedtracks": {"track": [scrobble("Loved")] * 9000, "@attr": {"page": "1"}}}
    assert read(json.dumps(many)) == ([], [])
    both = json.dumps({**page("A"), **many})
    assert titles(both) == ["A"] + ["isn't a play but another event"] * 9000


def test_what_youtube_adds_to_names_is_taken_off() -> None:
    names = ["Watched Song", "Song angesehen", "聴いた曲: Song", "Obejrzano: Song", "Song を視聴しました"]
    artists = ["X - Topic", "X - Thema", "X \u2013 тема", "X - Temat", "X - トピック"]
    records = [
        {"header": "YouTube Music", "title": title, "titleUrl": "https://x", "time": "2024-05-04T10:00:00Z",
         "subtitles": [{"name": artist}]} for title, artist in zip(names, artists, strict=True)
    ]  # fmt: skip
    parsed = read(json.dumps(records))[1]
    assert {(row.title, row.artists) for row in parsed if isinstance(row, PlayRow)} == {("Song", ("X",))}
    assert len({row.key for row in parsed if isinstance(row, PlayRow)}) == 1


@pytest.mark.parametrize(("before", "behind"), [("Katsoit: ", ""), ("", " nézte meg")])
def test_words_around_all_titles_of_youtube_are_no_part_of_them(before: str, behind: str) -> None:
    names = [f"{sign} is a song of {sign}" for sign in "ABCDEFGHIJKL"]
    records = [
        {"header": "YouTube Music", "title": f"{before}{name}{behind}", "titleUrl": "https://x",
         "time": "2024-05-04T10:00:00Z", "subtitles": [{"name": "X"}]} for name in names
    ]  # fmt: skip
    assert titles(json.dumps(records)) == names
    # A few do not tell.
    assert titles(json.dumps(records[:3])) == [f"{before}{name}{behind}" for name in names[:3]]


@pytest.mark.parametrize(("ms", "expected"), [("201.500", 201_500), ("1,201,500", 1_201_500), ("201500.0", 201_500)])
def test_marks_of_thousands(ms: str, expected: int) -> None:
    head = "artist name,song name,event end timestamp,event start timestamp,play duration milliseconds\n"
    row = read(f'{head}A,S,2024-05-04T10:03:00Z,2024-05-04T10:00:00Z,"{ms}"\n')[1][0]
    assert isinstance(row, PlayRow)
    assert row.ms_played == expected


def test_day_and_clock_in_columns_of_their_own() -> None:
    rows = "A,B,S,2024-05-04,10:00:07\nA,B,S,2024-05-04,15:30\n"
    parsed = read("Artist,Album,Track,Date,Time\n" + rows)[1]
    assert [row.at for row in parsed if isinstance(row, PlayRow)] == [1_714_816_807, 1_714_836_600]


def test_records_of_spotify_as_a_table_are_what_they_are_as_json() -> None:
    records = [
        spotify("True", spotify_track_uri=f"spotify:track:{ID}", offline=True, offline_timestamp=1_709_287_000),
        spotify("Two", ms_played=300, skipped=True),
        spotify("Three", ms_played=9000, skipped=True, incognito_mode=True),
    ]
    records = [{"offline_timestamp": None, **record} for record in records]
    lines = StringIO()
    table = csv.DictWriter(lines, list(records[0]))
    table.writeheader()
    table.writerows(records)
    assert read(lines.getvalue()) == read(json.dumps(records))
    year = [{"endTime": "2024-05-04 10:03", "artistName": "A", "trackName": "S", "msPlayed": 25_000}] * 2
    content = "endTime,artistName,trackName,msPlayed\n" + "2024-05-04 10:03,A,S,25000\n" * 2
    assert read(content) == read(json.dumps(year))
    assert len({row.key for row in read(content)[1] if isinstance(row, PlayRow)}) == 2


def test_a_line_that_counts_several_plays_is_several() -> None:
    head = "Track Description,Date Played,Play Duration Milliseconds,Play Count,Skip Count\n"
    parsed = read(head + "A - S,20240504,540000,3,0\nA - T,20240504,5000,0,1\n")[1]
    plays = [row for row in parsed if isinstance(row, PlayRow)]
    assert [(row.title, row.ms_played, row.outcome) for row in plays] == [
        *[("S", 180_000, "started")] * 3,
        ("T", 5000, "skipped"),
    ]
    assert len({row.key for row in plays}) == 4


def test_a_short_song_twice_within_a_minute_of_a_table() -> None:
    parsed = read("A,B,S,04 May 2024 10:00\n" * 2 + "A,B,T,04 May 2024 10:01\n")[1]
    assert len({row.key for row in parsed if isinstance(row, PlayRow)}) == 3


def test_a_table_behind_another_has_columns_of_its_own() -> None:
    content = "artist,album,track,uts\nOne,R,S,1700000000\nuts,track,album,artist\n1700000100,T,R,Two\n"
    parsed = read(content)[1]
    assert [(row.title, row.artists) for row in parsed if isinstance(row, PlayRow)] == [
        ("S", ("One",)),
        ("T", ("Two",)),
    ]
    assert len(parsed) == 2


@pytest.mark.parametrize(
    ("cell", "title"),
    [(r'"The \"Best\" Song"', 'The "Best" Song'), ('"Weird" Song', "Weird Song"), ('"One ""two"""', 'One "two"')],
)
def test_quotes_that_are_escaped_otherwise_cost_no_file(cell: str, title: str) -> None:
    assert titles(f"artist,album,track,uts\nA,B,One,1700000000\nA,B,{cell},1700000100\n") == ["One", title]


def test_windows_1252_is_read_in_tables() -> None:
    content = "Artist;Album;Track;Date\nBjörk;B;Été;2024-05-04 10:00\n"
    assert titles(content.encode("cp1252")) == titles(content) == ["Été"]


def test_a_row_with_more_cells_than_the_heading_is_said_to_be_that() -> None:
    rows = "A,B,One,1700000000,\nA,B,x,y,1700000000\n"
    assert titles("artist,album,track,uts\n" + rows) == ["One", "has more or fewer cells than the header row"]


def test_what_is_watched_elsewhere_on_youtube_is_no_song() -> None:
    record = {"header": "YouTube", "title": "Watched X", "titleUrl": "https://x", "time": "2024-05-04T10:00:00Z",
              "subtitles": [{"name": "Y"}]}  # fmt: skip
    assert titles(json.dumps([record])) == ["is a podcast, an audiobook or a video"]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([{"playlists": [{"name": "P", "items": [{"track": {"trackName": "S", "artistName": "A"}}]}]}]),
        json.dumps([{"searchTime": "2024-05-04T10:00:00Z", "searchQuery": "x"}]),
        "track_id,track_name,artists\nx,S,A\n",
        "title;date\nS;2024-05-04\n",
    ],
)
def test_other_files_are_no_histories(content: str) -> None:
    assert read(content) == ([], [])
