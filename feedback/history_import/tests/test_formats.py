"""Each service's export is known by its content, and each record becomes a play or a reason."""

import io
import json
from datetime import UTC, datetime

import pytest

from feedback.history_import.reading.formats import recognise
from feedback.history_import.reading.rows import PlayRow, Row
from feedback.history_import.reading.source import PIECE_BYTES, History
from feedback.history_import.tests.histories import listen, packed, scrobble, spotify

ID = "0123456789ABCDEFabcdef"


def read(content: bytes | str, name: str = "file") -> tuple[list[str], list[Row]]:
    """Return the formats of the members, and their rows."""
    data = content.encode() if isinstance(content, str) else content
    history = History(io.BytesIO(data), name)
    parsed = [(member, kind) for member in history.members if (kind := recognise(member)) is not None]
    return [kind.name for _member, kind in parsed], [row for member, kind in parsed for row in kind.rows(member)]


def play(content: bytes | str) -> PlayRow:
    _formats, rows = read(content)
    assert len(rows) == 1
    assert isinstance(rows[0], PlayRow), rows
    return rows[0]


def moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def test_spotify_extended_history_in_a_zip() -> None:
    records = [
        spotify("One", spotify_track_uri=f"spotify:track:{ID}"),
        spotify("Two", reason_end="fwdbtn"),
        spotify("Three", reason_end="endplay", incognito_mode=True),
        spotify("Four", skipped=True, reason_end="unknown"),
        spotify(master_metadata_track_name=None, episode_name="A talk"),
        spotify(master_metadata_track_name=None),
        spotify("Short", ms_played=999),
        spotify("When", ts="yesterday"),
    ]
    formats, rows = read(packed(Spotify__Streaming_History_Audio_0_json=records, ReadMeFirst_pdf=b"%PDF"))
    assert formats == ["spotify"]
    plays = [row for row in rows if isinstance(row, PlayRow)]
    assert [(p.title, p.outcome, p.is_counted) for p in plays] == [
        ("One", "completed", True),
        ("Two", "skipped", True),
        ("Three", "started", False),
        ("Four", "skipped", True),
    ]
    assert plays[0] == PlayRow(
        1709287200, f"1709287200\nspotify:track:{ID}\n200000", ID, "", "One", ("Someone",), "Record",
        f"spotify:track:{ID}", 200_000, "completed", True, "spotify", True,
    )  # fmt: skip
    assert [row for row in rows if isinstance(row, str)] == [
        "is a podcast, an audiobook or a video",
        "has no song",
        "was played for less than a second",
        "has no valid date or time",
    ]


def test_spotify_account_data() -> None:
    record = {"endTime": "2023-06-01 10:20", "artistName": "Someone", "trackName": "Song", "msPlayed": 1234}
    row = play(json.dumps([record]))
    assert (moment(row.at), row.title, row.artists, row.ms_played) == (
        "2023-06-01T10:20:00+00:00", "Song", ("Someone",), 1234,
    )  # fmt: skip


@pytest.mark.parametrize("lines", [True, False])
def test_listenbrainz(lines: bool) -> None:
    record = listen(
        isrc="us-abc-12-34567", spotify_id=f"https://open.spotify.com/track/{ID}", artist_names=["A", "B"], duration=180
    )
    row = play(f"{json.dumps(record)}\n" if lines else json.dumps([record]))
    assert (row.at, row.spotify_id, row.isrc, row.artists, row.ms_played, row.outcome) == (
        1_700_000_000, ID, "USABC1234567", ("A", "B"), 180_000, "completed",
    )  # fmt: skip


def test_listenbrainz_zip_has_a_file_for_each_month() -> None:
    first, second = (json.dumps(listen(title)) for title in ("One", "Two"))
    formats, rows = read(packed(listens__2023__1_jsonl=first, listens__2023__2_jsonl=second, user_json='{"id": 1}'))
    assert formats == ["listenbrainz", "listenbrainz"]
    assert [row.title for row in rows if isinstance(row, PlayRow)] == ["One", "Two"]


def test_lastfm_json_in_its_shapes_and_csv_to_the_second_name_the_same_play() -> None:
    playing = {**scrobble("Now"), "@attr": {"nowplaying": "true"}}
    page = {"recenttracks": {"@attr": {"page": "1"}, "track": [playing, scrobble()]}}
    expected = ["was still playing when exported"]
    keys = set()
    for content in (
        json.dumps(page),
        json.dumps(page, indent=1),
        json.dumps([page]),
        json.dumps([playing, scrobble()]),
    ):
        formats, rows = read(content)
        assert formats == ["lastfm"]
        assert [row for row in rows if isinstance(row, str)] == expected
        keys |= {row.key for row in rows if isinstance(row, PlayRow)}
    for table in (
        '"uts","utc_time","artist","artist_mbid","album","album_mbid","track","track_mbid"\n'
        '"1700000000","14 Nov 2023, 22:13","Someone","","Record","","Song",""\n',
        "Artist;Album;AlbumId;Track;Date#me\nSomeone;Record;;Song;1700000000000\n",
    ):
        keys.add(play(table).key)
    assert len(keys) == 1
    # To the minute it is another listing: the second is not known.
    rough = play("Someone,Record,Song,14 Nov 2023 22:13\n")
    assert (rough.at, rough.key, rough.listing) == (1_699_999_980, "28333333\nsong\nsomeone", "lastfm-min")


def test_exportify_tells_several_artists_from_a_comma_in_a_name() -> None:
    head = '"Track URI","Track Name","Artist URI(s)","Artist Name(s)","Album Name","Added At","ISRC"\n'
    _formats, rows = read(
        head
        + f'"spotify:track:{ID}","Song","a:1","Earth, Wind & Fire","Record","2020-01-02T03:04:05Z","USABC1234567"\n'
        + '"spotify:track:x","Duet","a:1,a:2","One, Two","Record","2020-01-02T03:04:05Z",""\n'
        + '"spotify:local:x","Never","a:1","One","Record","",""\n'
    )
    plays = [row for row in rows if isinstance(row, PlayRow)]
    assert [(p.spotify_id, p.isrc, p.artists, p.outcome) for p in plays] == [
        (ID, "USABC1234567", ("Earth, Wind & Fire",), "completed"),
        ("", "", ("One", "Two"), "completed"),
    ]
    assert rows[2] == "has no valid date or time"


def test_a_list_far_longer_than_a_piece_is_read_whole() -> None:
    records = [spotify(f"Sång {number}") for number in range(2000)]
    content = json.dumps(records, indent=2, ensure_ascii=False)
    assert len(content) > 3 * PIECE_BYTES
    _formats, rows = read(content)
    assert [row.title for row in rows if isinstance(row, PlayRow)] == [f"Sång {number}" for number in range(2000)]


def test_records_of_the_wrong_kind_are_left_out_one_by_one() -> None:
    _formats, rows = read(json.dumps([spotify("One"), 7, None, {"ts": 1}, spotify(ms_played="long")]))
    assert rows[1:] == ["has no song"] * 3 + ["doesn't say how long it was played"]


@pytest.mark.parametrize("content", ["[]", '{"a": 1}', "just words", '[{"name": "x"}]', "a,b,c\n1,2,3\n", '["x"]'])
def test_what_is_no_history_is_not_taken_for_one(content: str) -> None:
    assert read(content) == ([], [])
