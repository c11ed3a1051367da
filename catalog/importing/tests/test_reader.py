"""What a catalogue file says, row by row, without a database."""

# ruff: noqa: RUF001
import gzip
import io
from pathlib import Path

import pytest

from catalog.features import FEATURE_NAMES
from catalog.importing.reading.reader import Chunk, Flaw, Reject, SongRow, read_catalogue
from catalog.importing.reading.source import BrokenSourceError, SourceError

ID = "5SuOikwiRyPMVoIQDJUgS"  # one letter short: tests add it
HEADER = (
    ",track_id,artists,album_name,track_name,popularity,duration_ms,explicit,danceability,energy,key,loudness,mode,"
    "speechiness,acousticness,instrumentalness,liveness,valence,tempo,time_signature,track_genre"
)
DEFAULTS = {
    "track_id": ID + "V", "artists": "Gen Hoshino", "album_name": "Pop", "track_name": "Comedy", "popularity": "73",
    "duration_ms": "230666", "explicit": "False", "danceability": "0.676", "energy": "0.461", "key": "1",
    "loudness": "-6.746", "mode": "0", "speechiness": "0.143", "acousticness": "0.0322",
    "instrumentalness": "1.01e-06", "liveness": "0.358", "valence": "0.715", "tempo": "87.917", "time_signature": "4",
    "track_genre": "acoustic",
}  # fmt: skip


def line(**values: str) -> str:
    """A row of the "Spotify Tracks" layout, fields as given, unquoted."""
    return ",".join(["0", *{**DEFAULTS, **values}.values()])


def read(data: str | bytes, **options: object) -> tuple[list[SongRow], list[Reject]]:
    """Rows and rejects of a file of that content."""
    content = data.encode() if isinstance(data, str) else data
    chunks: list[Chunk] = list(read_catalogue(io.BytesIO(content), name="songs.csv", **options))  # type: ignore[arg-type]
    return [row for chunk in chunks for row in chunk.rows], [reject for chunk in chunks for reject in chunk.rejects]


def read_flaws(data: str, **options: object) -> list[Flaw]:
    """The values of a file of that content that are taken as unknown."""
    chunks = read_catalogue(io.BytesIO(data.encode()), name="songs.csv", **options)  # type: ignore[arg-type]
    return [flaw for chunk in chunks for flaw in chunk.flaws]


def read_lines(*lines: str) -> tuple[list[SongRow], list[Reject]]:
    return read("\n".join([HEADER, *lines]) + "\n")


def features(row: SongRow) -> dict[str, float | int | None]:
    return dict(zip(FEATURE_NAMES, row.features, strict=True))


def test_every_field_of_the_layout_is_read() -> None:
    (row,), rejects = read_lines(line(artists="Ingrid Michaelson;ZAYN", explicit="True"))
    assert rejects == []
    assert row[:12] == (
        2, ID + "V", "Comedy", ("Ingrid Michaelson", "ZAYN"), "Pop", 73, 230666, True, None, "", "", ("acoustic",),
    )  # fmt: skip
    assert features(row) == {
        "danceability": 0.676, "energy": 0.461, "key": 1, "loudness": -6.746, "mode": 0, "speechiness": 0.143,
        "acousticness": 0.0322, "instrumentalness": 1.01e-06, "liveness": 0.358, "valence": 0.715, "tempo": 87.917,
        "time_signature": 4,
    }  # fmt: skip


def test_what_means_unknown_stays_unknown() -> None:
    (row,), rejects = read_lines(
        line(tempo="0", time_signature="0", key="-1", duration_ms="0", popularity="", explicit="", mode="NA")
    )
    assert rejects == []
    known = features(row)
    assert [known[name] for name in ("tempo", "time_signature", "key", "mode")] == [None] * 4
    assert (row.duration_ms, row.popularity, row.explicit) == (None, None, None)
    assert known["danceability"] == 0.676


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"track_name": ""}, "title: must not be empty"),
        ({"track_name": "  "}, "title: must not be empty"),
        ({"track_name": "x" * 1001}, f"title: '{'x' * 57}...' has 1001 characters. The limit is 1000."),
        ({"artists": "x" * 301}, f"artists: '{'x' * 57}...' has 301 characters. The limit is 300."),
        ({"track_id": "abc"}, "spotify_id: 'abc' is not a Spotify track id (22 letters and digits)"),
        ({"track_id": "", "artists": ""}, "artists: must not be empty without an ID"),
        ({"track_id": ID + "-"}, f"spotify_id: '{ID}-' is not a Spotify track id (22 letters and digits)"),
    ],
)
def test_a_bad_value_rejects_its_row_alone(values: dict[str, str], reason: str) -> None:
    bad = line(**values)
    rows, rejects = read_lines(line(), bad, line(track_id=ID + "W"))
    assert rejects == [Reject(3, reason, bad)]
    assert [row.line for row in rows] == [2, 4]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"tempo": "abc"}, "tempo: 'abc' is not a number"),
        ({"energy": "inf"}, "energy: 'inf' is not a number"),
        ({"energy": "1e999"}, "energy: '1e999' is not a number"),
        ({"energy": "1_0"}, "energy: '1_0' is not a number"),
        ({"energy": "\N{FULLWIDTH DIGIT ONE}"}, "energy: '\N{FULLWIDTH DIGIT ONE}' is not a number"),
        ({"danceability": "1.7"}, "danceability: 1.7 is not between 0 and 1"),
        ({"tempo": "-3"}, "tempo: -3 is not between 20 and 300"),
        ({"key": "12"}, "key: 12 is not between 0 and 11"),
        ({"key": "1.5"}, "key: 1.5 is not a whole number"),
        ({"popularity": "101"}, "popularity: 101 is not between 0 and 100"),
        ({"popularity": "-2"}, "popularity: -2 is not between 0 and 100"),
        ({"popularity": "7.5"}, "popularity: 7.5 is not a whole number"),
        ({"duration_ms": "-5"}, "duration: '-5' is not between 0 and 2147483647 ms"),
        ({"duration_ms": "2147483648"}, "duration: '2147483648' is not between 0 and 2147483647 ms"),
        ({"explicit": "maybe"}, "explicit: 'maybe' must be true or false"),
        ({"album_name": "x" * 1001}, f"album: '{'x' * 57}...' has 1001 characters. The limit is 1000."),
        ({"track_genre": "x" * 101}, f"genres: '{'x' * 57}...' has 101 characters. The limit is 100."),
    ],
)
def test_a_bad_value_beside_the_song_is_unknown(values: dict[str, str], reason: str) -> None:
    content = "\n".join([HEADER, line(), line(**values), line(track_id=ID + "W")]) + "\n"
    rows, rejects = read(content)
    assert rejects == []
    (name,) = values
    field = {"album_name": "album", "track_genre": "genres"}.get(name, name)
    assert read_flaws(content) == [Flaw(3, field, reason)]
    (unknown,), _ = read_lines(line(**{name: ""}))
    assert rows[1] == unknown._replace(line=3)


def test_the_first_bad_field_gives_the_reason() -> None:
    content = "\n".join([HEADER, line(track_id="abc", track_name="", tempo="abc", popularity="101"), line()]) + "\n"
    _, rejects = read(content)
    assert [reject.reason.partition(":")[0] for reject in rejects] == ["spotify_id"]
    # The row is left out, so nothing of it is unknown.
    assert read_flaws(content) == []


def test_every_bad_value_of_a_row_is_named() -> None:
    content = "\n".join([HEADER, line(tempo="abc", popularity="101", track_genre="x" * 101), line()]) + "\n"
    assert sorted(flaw.field for flaw in read_flaws(content)) == ["genres", "popularity", "tempo"]


def test_too_few_and_too_many_columns() -> None:
    short, long = "0," + ID + "V,Gen Hoshino", line() + ",more"
    rows, rejects = read_lines(short, line(), long)
    assert rejects == [
        Reject(2, "too few columns: 3 instead of 21", short),
        Reject(4, "too many columns: 22 instead of 21", long),
    ]
    assert [row.line for row in rows] == [3]


def test_a_row_that_lacks_only_an_empty_last_field_is_too_short() -> None:
    data = "track_id,track_name,track_genre\n" + f"{ID}V,One,\n{ID}W,Two\n"
    rows, rejects = read(data)
    assert [row.title for row in rows] == ["One"]
    assert rejects == [Reject(3, "too few columns: 2 instead of 3", f"{ID}W,Two")]


@pytest.mark.parametrize("chunk_bytes", [1, 300, 1 << 20])
def test_a_quoted_field_never_closed_rejects_its_row_alone(chunk_bytes: int) -> None:
    bad = line(track_name='"Never closed')
    lines = [HEADER, line(), bad, line(track_id=ID + "W"), line(track_id=ID + "X", track_name='"a, b"'), ""]
    content = "\n".join(lines)
    rows, rejects = read(content, chunk_bytes=chunk_bytes)
    assert rejects == [Reject(3, "a quoted field has no closing quote", bad)]
    assert [(row.line, row.title) for row in rows] == [(2, "Comedy"), (4, "Comedy"), (5, "a, b")]


@pytest.mark.parametrize("chunk_bytes", [1, 300, 1 << 20])
def test_a_quoted_field_never_closed_in_the_last_row(chunk_bytes: int) -> None:
    bad = line(track_name='"Never closed')
    rows, rejects = read("\n".join([HEADER, line(), bad]), chunk_bytes=chunk_bytes)
    assert rejects == [Reject(3, "a quoted field has no closing quote", bad)]
    assert [row.line for row in rows] == [2]


def test_many_fields_never_closed() -> None:
    lines = [line(track_name='"Never closed') if number % 3 == 0 else line() for number in range(90)]
    rows, rejects = read_lines(*lines)
    assert [reject.line for reject in rejects] == list(range(2, 92, 3))
    assert len(rows) == 60


@pytest.mark.parametrize("chunk_bytes", [1, 300, 1 << 20])
def test_a_quoted_field_may_run_over_lines(chunk_bytes: int) -> None:
    content = "\n".join([HEADER, line(track_name='"Two\nlines"'), line(track_id=ID + "W"), ""])
    rows, rejects = read(content, chunk_bytes=chunk_bytes)
    assert rejects == []
    assert [(row.line, row.title) for row in rows] == [(2, "Two lines"), (4, "Comedy")]


@pytest.mark.parametrize("chunk_bytes", [1, 30, 1 << 20])
def test_a_quoted_first_field_may_run_over_lines(chunk_bytes: int) -> None:
    content = 'track_name,artists,album_name\n"Line one\nLine two",Ann,Z\n"Never closed,Bo,Z\nOther,Cleo,Z\n'
    rows, rejects = read(content, chunk_bytes=chunk_bytes)
    assert [(row.line, row.title, row.artists) for row in rows] == [
        (2, "Line one Line two", ("Ann",)), (5, "Other", ("Cleo",)),
    ]  # fmt: skip
    assert rejects == [Reject(4, "a quoted field has no closing quote", '"Never closed,Bo,Z')]


def test_quotes_within_a_quoted_field() -> None:
    (row,), _ = read_lines(line(track_name='"Say ""hi"", you"'))
    assert row.title == 'Say "hi", you'


@pytest.mark.parametrize("chunk_bytes", [1, 300, 1 << 20])
def test_invalid_utf8_rejects_its_row_alone(chunk_bytes: int) -> None:
    content = "\n".join([HEADER, line(), line(track_name="Caf@"), line(track_id=ID + "W", artists="Zoé"), ""]).encode()
    rows, rejects = read(content.replace(b"Caf@", b"Caf\xe9"), chunk_bytes=chunk_bytes)
    slot = line(track_name="Caf@").index("@") + 1
    assert rejects == [
        Reject(
            3,
            f"invalid UTF-8: byte 0xe9 at position {slot} in the row. Save the file as UTF-8.",
            line(track_name="Caf\\xe9"),
        )
    ]
    assert [row.line for row in rows] == [2, 4]


def test_a_zero_byte_rejects_its_row_alone() -> None:
    rows, rejects = read_lines(line(), line(track_name="a\0b"), line(track_id=ID + "W"))
    assert [(reject.line, reject.reason) for reject in rejects] == [(3, "the row contains a null byte")]
    assert [row.line for row in rows] == [2, 4]


def test_a_stray_carriage_return_rejects_its_row_alone() -> None:
    rows, rejects = read_lines(line(), line(track_name="a\rb"), line(track_id=ID + "W"))
    assert [(r.line, r.reason) for r in rejects] == [(3, "an unquoted field contains a carriage return")]
    assert [row.line for row in rows] == [2, 4]


def test_a_field_without_end_rejects_its_row_alone() -> None:
    rows, rejects = read_lines(line(), line(track_name="x" * 200_000), line(track_id=ID + "W"))
    assert [(r.line, r.reason) for r in rejects] == [(3, "a field is longer than 131072 characters")]
    assert [row.line for row in rows] == [2, 4]


def test_empty_lines_count_as_lines_but_not_as_rows() -> None:
    rows, rejects = read("\n" + HEADER + "\n\n" + line() + "\n\n\n" + line(track_id="abc") + "\n\n")
    assert [row.line for row in rows] == [4]
    assert [reject.line for reject in rejects] == [7]


def test_byte_order_mark_windows_line_ends_and_no_line_end_at_last() -> None:
    rows, rejects = read(b"\xef\xbb\xbftrack_id,track_name\r\n" + f"{ID}V,One\r\n{ID}W,Two".encode())
    assert rejects == []
    assert [(row.spotify_id, row.title) for row in rows] == [(ID + "V", "One"), (ID + "W", "Two")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    lines = [["Track ID", "Track Name", "Artist Name(s)"], [ID + "V", "One", "Ann"]]
    (row,), _ = read("\n".join(delimiter.join(fields) for fields in lines))
    assert (row.spotify_id, row.title, row.artists) == (ID + "V", "One", ("Ann",))


@pytest.mark.parametrize(
    "text",
    [ID + "V", f"spotify:track:{ID}V", f"https://open.spotify.com/track/{ID}V?si=1"],
)
def test_ids_uris_and_addresses(text: str) -> None:
    (row,), _ = read(f"uri,name\n{text},One\n")
    assert row.spotify_id == ID + "V"


@pytest.mark.parametrize(
    ("heading", "text", "field", "expected"),
    [
        ("name", "Two", "title", "Two"),
        ("title", "Two", "title", "Two"),
        ("track_album_name", "Two", "album", "Two"),
        ("track_popularity", "5.0", "popularity", 5),
        ("duration_s", "200.5", "duration_ms", 200_500),
        ("duration_min", "3.5", "duration_ms", 210_000),
        ("duration", "3:45", "duration_ms", 225_000),
        ("duration", "1:02:03", "duration_ms", 3_723_000),
        ("duration", "225000", "duration_ms", 225_000),
        ("duration", "225", "duration_ms", 225_000),
        ("duration", "3.75", "duration_ms", 225_000),
        ("duration", "3m 45s", "duration_ms", 225_000),
        ("duration_ms", "225,000", "duration_ms", 225_000),
        ("year", "2019", "release_year", 2019),
        ("year", "0", "release_year", None),
        ("track_album_release_date", "2019-06-14", "release_year", 2019),
        ("track_album_release_date", "1971-03", "release_year", 1971),
        ("release_date", "14/06/2019", "release_year", 2019),
        ("isrc", "gb-ayE-06-01498", "isrc", "GBAYE0601498"),
        ("preview_url", "https://example.org/a.mp3", "preview_url", "https://example.org/a.mp3"),
        ("genres", "['K-Pop', 'pop']", "genres", ("k-pop", "pop")),
        ("genres", "[]", "genres", ()),
        ("genres", "Rock, indie |rock", "genres", ("rock", "indie")),
        ("genres", "hard_rock art_rock", "genres", ("hard rock", "art rock")),
        ("genre", "unknown", "genres", ()),
        ("playlist_genre", "rap", "genres", ()),
        ("playlist_subgenre", "southern hip hop", "genres", ()),
    ],
)
def test_headings_and_spellings(heading: str, text: str, field: str, expected: object) -> None:
    title = "" if heading in ("name", "title") else "One"
    header, row_text = (f"track_id,{heading}", f'{ID}V,"{text}"')
    if title:
        header, row_text = header + ",track_name", row_text + ",One"
    (row,), rejects = read(f"{header}\n{row_text}\n")
    assert rejects == []
    assert getattr(row, field) == expected


@pytest.mark.parametrize(
    ("heading", "text", "reason"),
    [
        ("year", "soon", "release_year: 'soon' must be a date or a year"),
        ("year", "20222", "release_year: '20222' must be a date or a year"),
        ("release_date", "31/31", "release_year: '31/31' must be a date or a year"),
        ("isrc", "12", "isrc: '12' is not an ISRC"),
        ("preview_url", "javascript:alert(1)", "preview_url: 'javascript:alert(1)' must be a web address of up to "
         "500 characters"),
    ],
)  # fmt: skip
def test_bad_dates_codes_and_addresses(heading: str, text: str, reason: str) -> None:
    content = f"track_id,track_name,{heading}\n{ID}V,One,{text}\n{ID}W,Two,\n"
    rows, rejects = read(content)
    assert rejects == []
    assert [(flaw.line, flaw.reason) for flaw in read_flaws(content)] == [(2, reason)]
    assert [row.title for row in rows] == ["One", "Two"]
    assert rows[0]._replace(line=3, spotify_id=ID + "W", title="Two") == rows[1]


def test_notes_modes_and_measures_as_words() -> None:
    (row,), _ = read(f"track_id,track_name,key,mode,time_signature\n{ID}V,One,C#,Minor,4/4\n")
    known = features(row)
    assert (known["key"], known["mode"], known["time_signature"]) == (1, 0, 4)


def test_a_file_without_ids_is_read_without() -> None:
    (row,), _ = read("name,artist\nOne,Ann\n")
    assert (row.spotify_id, row.title, row.artists) == ("", "One", ("Ann",))


def test_limit_counts_rejected_rows_too() -> None:
    lines = [HEADER, line(), line(track_id="abc"), line(track_id=ID + "W", tempo="a"), line(tempo="b"), ""]
    rows, rejects = read("\n".join(lines), limit=3)
    assert [row.line for row in rows] == [2, 4]
    assert [reject.line for reject in rejects] == [3]
    assert [flaw.line for flaw in read_flaws("\n".join(lines), limit=3)] == [4]


def test_chunks_do_not_change_what_is_read() -> None:
    lines = [line(track_name=name) for name in ("Ä", '"b\nc"', '"open', "", "x" * 999, '"d, ""e"""')] * 7
    content = "\n".join([HEADER, *lines]).encode() + b"\n0,\xff\xfe,\n"
    expected = read(content)
    assert len(expected[0]) == 28
    assert len(expected[1]) == 15
    for size in (1, 64, 333, 1000, 5000):
        assert read(content, chunk_bytes=size) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty."),
        (b"\n\n", "the file is empty."),
        (b"track_id,track_name\n", "has a header but no rows."),
        (b"track_id,track_name\n\n\n", "has a header but no rows."),
        (b"a,b\n1,2\n", "no usable columns. The first line must name a title (track_name, name or title) and an ID "
         "(track_id) or artists. It is 'a,b'. Use --map title=HEADING to name a column."),
        (b"track_name,popularity\nOne,2\n", "no usable columns. The first line must name a title (track_name, "
         "name or title) and an ID (track_id) or artists. It is 'track_name,popularity'. Use --map title=HEADING to "
         "name a column."),
        (b"PK\x03\x04abc", "isn't a CSV file. It looks like a zip archive or a spreadsheet."),
        (b"\x89PNG\0\0\0", "isn't a CSV file. It looks like binary data."),
        ("track_id,name\n".encode("utf-16"), "isn't a CSV file. It looks like UTF-16 text. Save it as UTF-8."),
        (b"track_id,name\r1,2\r", "uses old Mac line endings (CR). Save it with Unix or Windows line endings."),
        (b"\x1f\x8b\x08\x00garbage", "isn't a valid gzip file."),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_in_one_line(content: bytes, message: str) -> None:
    with pytest.raises(SourceError) as error:
        read(content)
    assert str(error.value) == f"songs.csv: {message}"


def test_a_missing_file_a_directory_and_a_wrong_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"missing\.csv: no such file\.$"):
        list(read_catalogue(tmp_path / "missing.csv"))
    with pytest.raises(SourceError, match=r"is a folder, not a file\.$"):
        list(read_catalogue(tmp_path))
    path = tmp_path / "songs.csv.gz"
    path.write_text(HEADER)
    with pytest.raises(SourceError, match=r"ends in \.gz but isn't a gzip file\.$"):
        list(read_catalogue(path))


def test_gzip_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "songs.csv"
    path.write_bytes(gzip.compress(f"track_id,track_name\n{ID}V,One\n".encode()))
    ((row,), _, _, position) = next(read_catalogue(path))
    assert row.title == "One"
    assert position == path.stat().st_size


def test_a_broken_gzip_gives_what_comes_before() -> None:
    lines = "".join(f"{ID}{letter},Song {number}\n" for number in range(2000) for letter in "VWXYZ")
    packed = gzip.compress(("track_id,track_name\n" + lines).encode())
    chunks = read_catalogue(io.BytesIO(packed[: len(packed) // 2]), name="songs.csv", chunk_bytes=1000)
    rows: list[SongRow] = []
    with pytest.raises(BrokenSourceError, match=r"songs\.csv: incomplete or damaged after [0-9,]+ unpacked bytes."):
        rows.extend(row for chunk in chunks for row in chunk.rows)
    assert 0 < len(rows) < 10_000
    assert [row.line for row in rows] == list(range(2, len(rows) + 2))


def test_a_file_that_unpacks_to_too_much_is_refused() -> None:
    bomb = gzip.compress(f"track_id,track_name\n{ID}V,One\n".encode() + b"\n" * 1_000_000)
    assert len(bomb) < 5000
    with pytest.raises(SourceError, match=r"songs\.csv: unpacks to more than 100,000 bytes, which is the limit."):
        read(bomb, max_bytes=100_000)


@pytest.mark.parametrize(
    ("encoding", "titles"),
    [
        ("cp1250", ["Łódź", "Pięć minut", "Żółw"]),
        ("cp1250", ["Dvořák", "Můj svět", "Píseň"]),
        ("cp1250", ["Petrović", "Đorđević"]),
        ("mac_roman", ["Beyoncé", "Björk", "Für Elise", "Señor"]),
        ("cp1253", ["Γειά σου", "Αθήνα"]),
        ("koi8_r", ["Кино", "Группа Крови"]),
        ("shift_jis", ["さくら", "恋するフォーチュン"]),
        ("gbk", ["周杰伦", "青花瓷"]),
        ("euc_kr", ["아이유", "방탄소년단"]),
    ],
)
def test_text_of_an_encoding_that_is_not_read_is_refused_and_not_garbled(encoding: str, titles: list[str]) -> None:
    content = "track_name,artists\nOne,Ann\n" + "".join(f"{title},Ann\n" for title in titles)
    chunks = list(read_catalogue(io.BytesIO(content.encode(encoding)), name="songs.csv"))
    assert [row.title for chunk in chunks for row in chunk.rows] == ["One"]
    reasons = [reject.reason for chunk in chunks for reject in chunk.rejects]
    assert len(reasons) == len(titles)
    assert all(reason.endswith("in the row. Save the file as UTF-8.") for reason in reasons)


@pytest.mark.parametrize(
    ("encoding", "titles"),
    [
        ("cp1252", ["Café", "Don’t – Stop", "¿Qué?", "50 °C", "Cube³", "Paral·lel", "Straße", "Œuvre", "Smørrebrød"]),
        ("cp1252", ["MØ", "RÜFÜS DU SOL", "Sigur Rós", "Così", "Où", "Não", "Ænima", "„Über“", "»Ärger«"]),
        ("cp1251", ["Группа Крови", "ДДТ", "Любэ", "Ёлка", "Океан Ельзи", "Київ"]),
    ],
)
def test_text_of_the_encodings_of_spreadsheets_is_read(encoding: str, titles: list[str]) -> None:
    content = "track_name,artists\n" + "".join(f"{title},Ann\n" for title in titles)
    chunks = list(read_catalogue(io.BytesIO(content.encode(encoding)), name="songs.csv"))
    assert [row.title for chunk in chunks for row in chunk.rows] == titles
