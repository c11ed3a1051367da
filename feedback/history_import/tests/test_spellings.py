"""One song under several spellings is one, and several songs of one name are several."""

from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import User
from catalog.models import Track
from feedback.history_import.reading.values import several
from feedback.history_import.tests.histories import listen, packed, scrobble, spotify
from feedback.history_import.tests.test_one_listen import bring
from feedback.plays.models import Play
from feedback.plays.spellings import are_one_song, artists_of, parts_of
from feedback.tests.factories import make_track

pytestmark = pytest.mark.django_db
AT = 1_700_000_000


@pytest.fixture(autouse=True)
def _own_uploads(tmp_path: Path, settings: Settings) -> None:
    settings.VAR_DIR = tmp_path


def end(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


SPELLINGS: list[tuple[tuple[str, str], tuple[str, str]]] = [
    (("Song (feat. Bo)", "Ana"), ("Song", "Ana")),
    (("Song (feat. Bo)", "Ana"), ("Song", "Ana feat. Bo")),
    (("Song", "Ana & Bo"), ("Song", "Ana, Bo")),
    (("Song", "Ana und Bo"), ("Song", "Ana x Bo")),
    (("Song", "Ana & Bo"), ("Song", "Ana")),
    (("Song [with Bo]", "Ana"), ("Song", "Ana; Bo")),
    (("Song", "Анна и Бо"), ("Song", "Анна, Бо")),
    (("Song - Remastered 2011", "Ana"), ("Song", "Ana, Bo & Cy")),
    (("Song (Official Video)", "Ana"), ("Song", "Ana")),
    (("歌", "艺人、乐队"), ("歌", "艺人 & 乐队")),
]


@pytest.mark.parametrize(("first", "second"), [pair for known in SPELLINGS for pair in permutations(known)])
def test_spellings_of_one_listen_in_one_zip_are_one_play(
    user: User, first: tuple[str, str], second: tuple[str, str]
) -> None:
    bring(user, packed(a_json=[listen(*first, at=AT)], b_json=[scrobble(*second, at=AT + 3)]))
    assert Play.objects.count() == 1
    # No song is left that nobody played.
    assert Track.objects.count() == 1


@pytest.mark.parametrize(("first", "second"), SPELLINGS)
def test_spellings_of_one_listen_in_two_imports_are_one_play(
    user: User, first: tuple[str, str], second: tuple[str, str]
) -> None:
    bring(user, [listen(*first, at=AT)])
    history = bring(user, [scrobble(*second, at=AT + 3)])
    assert (history.plays_added, history.plays_known, history.plays_known_elsewhere) == (0, 1, 1)
    assert (Play.objects.count(), Track.objects.count(), history.songs_created) == (1, 1, 0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("Intro (Part 1)", "Ana"), ("Intro (Part 2)", "Ana")),
        (("Song", "Ana"), ("Song", "Bo")),
        (("One", "Ana"), ("Two", "Ana")),
        (("Song", "Ana & Bo"), ("Song", "Cy & Di")),
    ],
)
def test_other_songs_at_the_same_time_are_other_plays(
    user: User, first: tuple[str, str], second: tuple[str, str]
) -> None:
    bring(user, packed(a_json=[listen(*first, at=AT)], b_json=[scrobble(*second, at=AT + 3)]))
    assert Play.objects.count() == Track.objects.count() == 2


def test_parts_are_those_of_all_spellings() -> None:
    assert parts_of("Song (feat. Bo)", "Ana & Cy") == {"ana", "bo", "cy"} == parts_of("Song", "Cy, Bo / Ana")
    assert are_one_song("Song (Live)", "Ana", "Song", "Ana & Bo")
    assert not are_one_song("Intro (Part 1)", "Ana", "Intro (Part 2)", "Ana")


def intro(album: str, index: int, seconds: int, **more: Any) -> dict[str, Any]:
    return spotify(
        "Intro", ts=end(AT + 1000 * index), ms_played=1000 * seconds, master_metadata_album_album_name=album,
        spotify_track_uri=f"spotify:track:{index:022}", **more,
    )  # fmt: skip


def test_feet_are_no_guest() -> None:
    assert artists_of("MC 900 Ft. Jesus") == ("MC 900 Ft. Jesus",)
    assert artists_of("Sum 41 ft. Lena Voss") == ("Sum 41", "Lena Voss")


@pytest.mark.parametrize("order", list(permutations([("First", 0, 45), ("Second", 1, 90), ("Third", 2, 200)])))
def test_songs_of_one_name_on_other_albums_and_of_other_lengths_stay_several(
    user: User, order: list[tuple[str, int, int]]
) -> None:
    bring(user, [intro(*values) for values in order])
    assert sorted(Track.objects.values_list("album", "duration_ms")) == [
        ("First", 45_000), ("Second", 90_000), ("Third", 200_000),
    ]  # fmt: skip
    assert len(set(Track.objects.values_list("recording_key", flat=True))) == 3
    # By their albums, what tells no id is of the same three, and the same plays.
    scrobbles = [scrobble("Intro", at=AT + 1000 * index - seconds + 2) for _, index, seconds in order]
    for record, (album, *_) in zip(scrobbles, order, strict=True):
        record["album"]["#text"] = album
    history = bring(user, scrobbles)
    assert (history.plays_added, history.songs_created) == (0, 0)


def test_songs_of_one_name_come_apart_whichever_import_brings_them(user: User) -> None:
    for values in (("First", 0, 45), ("Second", 1, 90), ("Third", 2, 200)):
        bring(user, [intro(*values)])
    assert Track.objects.count() == 3
    # The same plays as Spotify's account data tells them, without album and id.
    account = [
        {"endTime": end(AT + 1000 * index)[:16].replace("T", " "), "artistName": "Someone", "trackName": "Intro",
         "msPlayed": 1000 * seconds}
        for index, seconds in ((0, 45), (1, 90), (2, 200))
    ]  # fmt: skip
    history = bring(user, account)
    assert (history.plays_added, history.plays_known) == (0, 3)


def test_two_releases_of_one_recording_stay_one_song(user: User) -> None:
    bring(user, [intro("Single", 0, 200), intro("Album", 1, 201), intro("Album (Deluxe)", 2, 199)])
    assert Track.objects.count() == 1


def test_what_was_not_heard_to_its_end_tells_no_length(user: User) -> None:
    bring(user, [intro("Single", 0, 200), intro("Album", 1, 40, reason_end="fwdbtn", skipped=True)])
    assert Track.objects.count() == 1


def test_a_song_of_the_catalogue_on_another_album_and_of_another_length_is_not_meant(user: User) -> None:
    track = make_track("Intro", artist="Someone", album="First", duration_ms=45_000)
    bring(user, [intro("Second", 1, 200), intro("First", 2, 45)])
    assert [play.track.album for play in Play.objects.order_by("played_at")] == ["Second", "First"]
    assert Play.objects.filter(track=track).count() == 1


@pytest.mark.parametrize(
    ("names", "ids", "artists"),
    [
        ("Earth\\, Wind & Fire", "", ("Earth, Wind & Fire",)),
        ("Tyler\\, The Creator, Kylie", "a, b", ("Tyler, The Creator", "Kylie")),
        ("Tyler, The Creator,Z", "a,b", ("Tyler, The Creator", "Z")),
        ("Oh, Sleeper", "a", ("Oh, Sleeper",)),
        ("Oh\\, Sleeper;Ana", "a;b", ("Oh, Sleeper", "Ana")),
        ("Ana, Bo", "", ("Ana", "Bo")),
    ],
)
def test_artists_of_one_cell(names: str, ids: str, artists: tuple[str, ...]) -> None:
    assert several(names, ids) == artists
