"""One listen is one play, whichever way and in whichever order it comes."""

import json
from datetime import UTC, datetime
from io import StringIO
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.spotify.web_api.parsing import PlayedTrack, SpotifyTrack
from feedback.history_import import services
from feedback.history_import.models import HistoryImport
from feedback.history_import.tests.histories import listen, packed, scrobble, spotify
from feedback.plays.doubles import double_ids, put_doubles_back, remove_doubles
from feedback.plays.models import Play, RemovedDouble
from feedback.source import Source
from feedback.spotify_import.writes import record_plays
from feedback.tests.factories import PlayFactory, make_track
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db
# Of a song of 200 seconds.
START = int(datetime(2024, 5, 4, 10, 0, 7, tzinfo=UTC).timestamp())
ID = "0123456789ABCDEFabcdef"


@pytest.fixture(autouse=True)
def _own_uploads(tmp_path: Path, settings: Settings) -> None:
    settings.VAR_DIR = tmp_path


def bring(user: User, content: "bytes | str | list[Any]", name: str = "my data") -> HistoryImport:
    data = json.dumps(content) if isinstance(content, list) else content
    history = services.begin_import(user=user, upload=ContentFile(data, name=name), wants_own_songs=True)
    run_waiting()
    history.refresh_from_db()
    assert history.error_text == ""
    return history


def counts(history: HistoryImport) -> tuple[int, int, int]:
    return history.plays_added, history.plays_known, history.plays_known_elsewhere


def extended(end: int = START + 200, **values: Any) -> dict[str, Any]:
    return spotify(ts=f"{datetime.fromtimestamp(end, UTC):%Y-%m-%dT%H:%M:%SZ}", **values)


def account(end: int = START + 200, ms: int = 200_000) -> dict[str, Any]:
    moment = f"{datetime.fromtimestamp(end, UTC):%Y-%m-%d %H:%M}"
    return {"endTime": moment, "artistName": "Someone", "trackName": "Song", "msPlayed": ms}


TELLINGS: dict[str, Any] = {
    "extended": [extended()],
    "account": [account()],
    "lastfm": [scrobble(at=START + 1)],
    "minutes": "Someone,Record,Song,04 May 2024 10:00\n",
    "listenbrainz": json.dumps(listen(at=START - 2)),
}


@pytest.mark.parametrize("order", list(permutations(TELLINGS))[::11], ids="-".join)
def test_five_tellings_of_a_listen_are_one_play_in_any_order(user: User, order: tuple[str, ...]) -> None:
    results = [counts(bring(user, TELLINGS[name])) for name in order]
    assert [added for added, _known, _elsewhere in results] == [1, 0, 0, 0, 0]
    play = Play.objects.get()
    # The richest record is kept.
    assert (play.listing, play.ms_played, play.outcome) == ("spotify", 200_000, "completed")
    assert play.played_at == datetime.fromtimestamp(START + 200, UTC)
    for name in order:
        assert counts(bring(user, TELLINGS[name]))[:2] == (0, 1)


def test_the_report_says_how_many_came_from_another_source(user: User) -> None:
    bring(user, [extended()])
    assert counts(bring(user, [extended(), extended(START + 900)])) == (1, 1, 0)
    assert counts(bring(user, [scrobble(at=START), scrobble(at=START + 700)])) == (0, 2, 2)


def test_two_formats_in_one_zip_and_one_of_them_alone_afterwards(user: User) -> None:
    both = packed(a_csv="Someone,Record,Song,04 May 2024 10:00\n", b_json=[extended(), extended(START + 900)])
    assert counts(bring(user, both)) == (2, 1, 1)
    assert counts(bring(user, [extended(), extended(START + 900)])) == (0, 2, 0)


def test_a_short_song_heard_again_within_a_minute_is_another_play(user: User) -> None:
    times = (START, START + 30, START + 61)
    assert counts(bring(user, [scrobble(at=at) for at in times])) == (3, 0, 0)
    assert counts(bring(user, "\n".join(json.dumps(listen(at=at + 1)) for at in times))) == (0, 3, 3)
    # Spotify's account data tell the minute alone, so the same line stands there twice.
    user.plays.all().delete()
    assert counts(bring(user, [account(START + 25, 25_000), account(START + 52, 25_000)])) == (2, 0, 0)
    ends = (START + 25, START + 52)
    assert counts(bring(user, [extended(end, ms_played=25_000) for end in ends])) == (0, 2, 2)
    assert sorted(play.played_at.second for play in Play.objects.all()) == [32, 59]


def test_a_song_on_repeat_is_told_by_both_sources(user: User) -> None:
    ends = [extended(START + 200), extended(START + 400)]
    starts = [scrobble(at=START + 200), scrobble(at=START)]
    assert counts(bring(user, starts)) == (2, 0, 0)
    assert counts(bring(user, ends)) == (0, 2, 2)
    user.plays.all().delete()
    assert counts(bring(user, packed(a_json=starts, b_json=ends))) == (2, 2, 2)
    assert double_ids(Play.objects.all()) == {}


def test_a_skipped_version_is_not_the_song_scrobbled_after_it(user: User) -> None:
    bring(user, [extended(START + 3, title="Song - Live", ms_played=3000, skipped=True)])
    assert counts(bring(user, [scrobble(at=START + 4)])) == (1, 0, 0)


def test_offline_plays_of_one_time_stamp_stay_apart(user: User) -> None:
    records = [extended(offline=True, offline_timestamp=1_714_000_000 + number) for number in range(3)]
    assert counts(bring(user, records)) == (3, 0, 0)
    assert counts(bring(user, records)) == (0, 3, 0)


@pytest.mark.parametrize("moments", [(1_714_000_000, 1_714_000_000_000), (1_714_000_000_000, 1_714_000_000)])
def test_a_later_export_tells_milliseconds_of_what_was_heard_offline(user: User, moments: tuple[int, int]) -> None:
    first, other = ([extended(offline=True, offline_timestamp=moment)] for moment in moments)
    assert counts(bring(user, first)) == (1, 0, 0)
    assert counts(bring(user, other)) == (0, 1, 0)
    # In still another export it does not say that it was offline.
    assert counts(bring(user, [extended()])) == (0, 1, 0)


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (extended(spotify_track_uri=f"spotify:track:{ID}"), extended(spotify_track_uri=f"spotify:track:{'f' * 22}")),
        (extended(spotify_track_uri=f"spotify:track:{ID}"), extended()),
        (listen("Song", "Someone"), listen("Song", "Someone feat. X")),
        (listen("Don\u2019t Stop", "Beyoncé"), listen("Don't Stop", "Beyonce")),
    ],
)
def test_a_later_export_of_the_same_kind_writes_the_song_otherwise(user: User, first: Any, other: Any) -> None:
    assert counts(bring(user, [first])) == (1, 0, 0)
    assert counts(bring(user, [other])) == (0, 1, 0)
    assert counts(bring(user, [first])) == (0, 1, 0)


def test_two_exports_in_one_zip_that_name_the_song_otherwise(user: User) -> None:
    first, other = ([extended(spotify_track_uri=f"spotify:track:{uri}")] for uri in (ID, "f" * 22))
    assert counts(bring(user, packed(a_json=first, b_json=other))) == (1, 1, 0)


def test_a_third_source_joins_two_that_were_too_far_apart(user: User) -> None:
    tellings = [[listen(at=START + 15)], [scrobble(at=START - 15)], [extended()]]
    assert [counts(bring(user, telling))[0] for telling in tellings] == [1, 1, 0]
    assert Play.objects.get().listing == "spotify"
    assert RemovedDouble.objects.count() == 1
    for telling in tellings:
        assert counts(bring(user, telling))[:2] == (0, 1)
    Play.objects.all().delete()
    RemovedDouble.objects.all().delete()
    assert counts(bring(user, packed(**dict(zip(("a_json", "b_json", "c_json"), tellings, strict=True)))))[:2] == (1, 2)


def test_plays_of_this_site_and_of_the_connection_are_known(user: User) -> None:
    track = make_track("Song", spotify_id=ID)
    here = PlayFactory(user=user, track=track, played_at=datetime.fromtimestamp(START, UTC))
    spotify_song = SpotifyTrack(ID, "Song", ("Someone",), "", "", 200_000, None, None, "", "")
    played = [PlayedTrack(spotify_song, datetime.fromtimestamp(START + seconds, UTC)) for seconds in (200, 900)]
    record_plays(user=user, plays=played[1:])
    assert counts(bring(user, [extended(), extended(START + 901)])) == (0, 2, 2)
    assert set(Play.objects.values_list("source", flat=True)) == {Source.SITE, Source.SPOTIFY}
    # The other way round.
    here.delete()
    bring(user, [extended()])
    assert record_plays(user=user, plays=played)["added"] == 0


def old_doubles(user: User) -> tuple[Play, Play, Play]:
    """Make the plays that imports left when each format was told apart only by its name."""
    track = make_track("Song")
    plays = []
    for name, at, ms in (
        ("spotify-year", START + 193, 200_000),
        ("spotify", START + 200, 200_000),
        ("lastfm", START, None),
    ):
        history = HistoryImport.objects.create(user=user, name=name, format=name)
        moment = datetime.fromtimestamp(at, UTC)
        plays.append(
            PlayFactory(
                user=user,
                track=track,
                played_at=moment,
                ms_played=ms,
                source="history",
                digest=at,
                history_import=history,
            )
        )
    return plays[0], plays[1], plays[2]


def test_doubles_of_earlier_imports_are_found_shown_removed_and_put_back(user: User, listener: Client) -> None:
    year, full, lastfm = old_doubles(user)
    again = PlayFactory(user=user, track=full.track, played_at=datetime.fromtimestamp(START + 500, UTC))
    assert double_ids(Play.objects.all()) == {year.pk: full.pk, lastfm.pk: full.pk}
    page = listener.get("/history/doubles/").content.decode()
    assert "2 plays are in your history twice." in page
    assert listener.post("/history/doubles/remove/").status_code == 302
    run_waiting()
    assert set(Play.objects.all()) == {full, again}
    assert "2 duplicates were removed." in listener.get("/history/doubles/").content.decode()
    assert listener.post("/history/doubles/put-back/").status_code == 302
    run_waiting()
    assert set(Play.objects.values_list("played_at", "ms_played", "digest", "history_import")) == {
        (play.played_at, play.ms_played, play.digest, play.history_import_id) for play in (year, full, lastfm, again)
    }
    assert not RemovedDouble.objects.exists()


def test_the_operator_finds_and_removes_doubles(user: User) -> None:
    old_doubles(user)

    def said(**options: Any) -> str:
        out = StringIO()
        call_command("history_doubles", stdout=out, **options)
        return out.getvalue().splitlines()[-1]

    assert [said(), said(remove=True), said(), said(put_back=True), said()] == [
        "Found 2 duplicates.",
        "Removed 2 duplicates.",
        "Found 0 duplicates.",
        "Restored 2 duplicates.",
        "Found 2 duplicates.",
    ]


def test_what_was_removed_does_not_come_back_with_the_next_import(user: User) -> None:
    old_doubles(user)
    assert remove_doubles(user=user) == 2
    assert counts(bring(user, TELLINGS["lastfm"])) == (0, 1, 1)
    assert put_doubles_back(user=user) == 2


ACTIVITY = (
    "Song Name,Artist Name,Event Start Timestamp,Event End Timestamp,Play Duration Milliseconds,End Reason Type\n"
)
DAILY = "Date Played,Hours,Play Duration Milliseconds,Play Count,Skip Count,Track Description\n"


def activity(*clocks: str, day: str = "2024-05-04", title: str = "Song") -> str:
    lines = [f"{title},Someone,{day}T{clock}:07Z,{day}T{clock}:57Z,50000,NATURAL_END_OF_TRACK\n" for clock in clocks]
    return ACTIVITY + "".join(lines)


def daily(hours: str, plays: int, day: str = "20240504", title: str = "Song") -> str:
    return f'{DAILY}{day},"{hours}",{50_000 * plays},{plays},0,Someone - {title}\n'


@pytest.mark.parametrize("is_daily_first", [False, True])
def test_apples_daily_counts_add_only_what_no_exact_play_accounts_for(user: User, is_daily_first: bool) -> None:
    files = [activity("10:00", "22:30"), daily("10, 15, 22", 3)]
    results = [counts(bring(user, file)) for file in (files[::-1] if is_daily_first else files)]
    assert results == ([(3, 0, 0), (0, 2, 2)] if is_daily_first else [(2, 0, 0), (1, 2, 2)])
    assert [f"{play.played_at:%H:%M:%S}" for play in Play.objects.order_by("played_at")] == [
        "10:00:07",
        "15:00:00",
        "22:30:07",
    ]
    assert [counts(bring(user, file))[:2] for file in files] == [(0, 2), (0, 3)]
    assert double_ids(Play.objects.all()) == {}


def test_apples_two_files_in_a_zip_and_other_days_and_spellings(user: User) -> None:
    other = daily("9", 1, day="20240505").removeprefix(DAILY)
    spelled = daily("10", 1, title="Song (feat. Jo Kern)").removeprefix(DAILY)
    files = packed(a_csv=daily("10", 1) + other, b_csv=activity("10:00"))
    assert counts(bring(user, files)) == (2, 1, 1)
    assert counts(bring(user, DAILY + spelled)) == (0, 1, 1)
    # Another source tells the play of the other day to the second.
    moment = int(datetime(2024, 5, 5, 21, tzinfo=UTC).timestamp())
    assert counts(bring(user, [scrobble(at=moment)])) == (0, 1, 1)
    assert counts(bring(user, [scrobble(at=moment), scrobble(at=moment + 600)])) == (1, 1, 0)
    assert set(Play.objects.values_list("listing", flat=True)) == {"apple", "lastfm"}


@pytest.mark.parametrize("second", [START, START + 203, START + 190])
@pytest.mark.parametrize("is_known_first", [False, True])
def test_what_others_read_from_spotify_tells_the_start_or_the_end(
    user: User, second: int, is_known_first: bool
) -> None:
    played_at = datetime.fromtimestamp(second, UTC).isoformat()
    track = {"name": "Song", "artists": [{"name": "Someone"}], "album": {"name": "Record"}}
    texts = [
        json.dumps([extended()]),
        json.dumps(listen(at=second, music_service="spotify.com", duration_ms=200_000)),
        json.dumps(listen(at=second, listening_from="spotify")),
        json.dumps({"items": [{"played_at": played_at, "track": track}]}),
    ]
    results = [counts(bring(user, text)) for text in (texts if is_known_first else texts[::-1])]
    assert [added for added, _known, _elsewhere in results] == [1, 0, 0, 0]
    assert Play.objects.get().listing == "spotify"


@pytest.mark.parametrize("is_scrobble_first", [False, True])
@pytest.mark.parametrize(
    ("begun", "added"),
    # In the pause; before it; at the start; within what was heard before; while it went on.
    [(1, 1), (-30, 2), (120, 1), (-190, 2), (180, 2)],
)
def test_a_paused_song_is_one_listen(user: User, is_scrobble_first: bool, begun: int, added: int) -> None:
    stream = [extended(START, title="Before"), extended(START + 320)]
    files = [stream, [scrobble(at=START + begun)]]
    for file in files[::-1] if is_scrobble_first else files:
        bring(user, file)
    assert Play.objects.filter(track__title="Song").count() == added
    assert [counts(bring(user, file))[0] for file in files] == [0, 0]


def test_a_pause_in_which_something_else_was_heard_or_that_is_too_long_is_none(user: User) -> None:
    # Something else ended 60 seconds before the song went on, if it did.
    bring(user, [extended(START, title="Before"), extended(START + 60, ms_played=40_000, title="Other")])
    bring(user, [extended(START + 320), extended(START + 1720)])
    bring(user, [scrobble(at=START + 1), scrobble(at=START + 400)])
    assert Play.objects.filter(track__title="Song").count() == 4
