"""One listen is one play, whoever tells it and with whichever stamp."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import time_machine

from accounts.models import User
from catalog.models import Track
from feedback.history_import.matching import Matcher
from feedback.history_import.models import HistoryImport
from feedback.history_import.reading.rows import PlayRow
from feedback.history_import.writing import PlayWriter
from feedback.plays.models import Play
from feedback.plays.services import record_play, remove_play, report_play, restore_play
from feedback.scrobbling.keys import create_key
from feedback.scrobbling.models import Scrobble
from feedback.scrobbling.tests.conftest import START, Call, listen
from feedback.scrobbling.tests.test_listenbrainz import plays

pytestmark = pytest.mark.django_db
MS = 180_000


@pytest.fixture
def phone(user: User) -> str:
    return create_key(user=user, name="Phone")[1]


def at(second: int) -> "time_machine.travel":
    return time_machine.travel(datetime.fromtimestamp(START + second, UTC), tick=False)


def test_server_and_phone_stamp_start_middle_and_end_of_one_listen(submit: Call, phone: str, song: Track) -> None:
    submit(listen(at=START, duration_ms=MS))
    submit(listen(at=START + 90, duration_ms=MS), key=phone)
    submit(listen(at=START + 180, duration_ms=MS), key=phone, agent="other")
    assert plays() == [("Song 01", 0, "completed")]
    assert Scrobble.objects.filter(play__isnull=False).count() == 3


def test_a_song_on_repeat_is_as_many_plays_as_it_was_heard(submit: Call, phone: str, song: Track) -> None:
    # One player stamps starts, the other ends, and sends everything late.
    for second in (0, 180, 360):
        submit(listen(at=START + second, duration_ms=MS))
    for second in (180, 360, 540):
        submit(listen(at=START + second, duration_ms=MS), key=phone)
    assert [second for _title, second, _outcome in plays()] == [0, 180, 360]


def test_one_player_that_says_it_again_a_little_later_means_the_same_listen(submit: Call, song: Track) -> None:
    submit(listen(at=START, duration_ms=MS))
    submit(listen(at=START + 60, duration_ms=MS))
    submit(listen(at=START + 180, duration_ms=MS))
    assert [second for _title, second, _outcome in plays()] == [0, 180]


def test_the_site_s_own_player_told_it_already(submit: Call, user: User, song: Track) -> None:
    record_play(user=user, track=song, played_at=datetime.fromtimestamp(START, UTC))
    submit(listen(at=START + 2))
    play = Play.objects.get()
    assert (play.source, play.outcome) == ("site", "completed")


@pytest.mark.parametrize(("second", "ms"), [(0, MS), (90, MS), (180, MS), (90, None)])
def test_the_site_s_own_player_tells_it_afterwards(
    submit: Call, user: User, song: Track, second: int, ms: int | None
) -> None:
    token = uuid4()
    with at(max(second, 95)):
        submit(listen(at=START + second, duration_ms=ms))
    with at(180):
        for _time in range(2):
            report_play(user=user, track=song, token=token, ms_played=MS, outcome="completed")
    play = Play.objects.get()
    assert (play.source, play.outcome, play.token) == ("site", "completed", token)
    assert plays() == [("Song 01", 0, "completed")]


def test_the_site_s_next_play_is_another_listen(submit: Call, user: User, song: Track) -> None:
    with at(0):
        submit(listen(duration_ms=MS), kind="playing_now")
    with at(100):
        submit(listen(at=START, duration_ms=MS))
    with at(182):
        record_play(user=user, track=song, token=uuid4())
    assert [second for _title, second, _outcome in plays()] == [0, 182]


def test_an_end_stamp_is_told_from_what_began(submit: Call, song: Track) -> None:
    with at(0):
        submit(listen(duration_ms=MS), kind="playing_now")
    with at(180):
        submit(listen(at=START + 180, duration_ms=MS))
    assert plays() == [("Song 01", 0, "completed")]
    assert Play.objects.get().listing == "scrobble"


def test_a_stamp_that_is_too_late_for_a_start_is_none(submit: Call, song: Track) -> None:
    with at(180):
        submit(listen(at=START + 180, duration_ms=MS))
    assert plays() == [("Song 01", 90, "completed")]
    assert Play.objects.get().listing == "scrobble-about"


def test_starts_that_are_known_and_lie_apart_are_two_listens(submit: Call, phone: str, song: Track) -> None:
    for key, second in (("", 0), (phone, 60)):
        more = {"key": key} if key else {}
        with at(second):
            submit(listen(duration_ms=MS), kind="playing_now", **more)
        with at(second + 100):
            submit(listen(at=START + second, duration_ms=MS), **more)
    assert [second for _title, second, _outcome in plays()] == [0, 60]


def test_a_song_that_another_follows_too_soon_was_skipped(submit: Call, song: Track, other_song: Track) -> None:
    with at(0):
        submit(listen(), kind="playing_now")
    with at(30):
        submit(listen("Song 02"), kind="playing_now")
    play = Play.objects.get()
    assert (plays(), play.ms_played) == ([("Song 01", 0, "skipped")], 30_000)
    with at(31):
        submit(listen("Song 02"), kind="playing_now")
    assert Play.objects.count() == 1


def test_what_looked_like_a_skip_and_is_told_as_heard_was_heard(submit: Call, song: Track, other_song: Track) -> None:
    with at(0):
        submit(listen(), kind="playing_now")
    with at(30):
        submit(listen("Song 02"), kind="playing_now")
    with at(100):
        submit(listen(at=START, duration_ms=MS))
    assert plays() == [("Song 01", 0, "completed")]


@pytest.mark.parametrize("second", [85, 120, 400])
def test_no_skip_is_told_of_what_may_have_been_heard(submit: Call, song: Track, other_song: Track, second: int) -> None:
    with at(0):
        submit(listen(), kind="playing_now")
    with at(second):
        submit(listen("Song 02"), kind="playing_now")
    assert plays() == []


def test_no_skip_is_told_of_a_song_of_unknown_length_or_of_another_player(
    submit: Call, phone: str, song: Track, other_song: Track
) -> None:
    Track.objects.update(duration_ms=None)
    with at(0):
        submit(listen(), kind="playing_now")
    with at(30):
        submit(listen("Song 02"), kind="playing_now")
    with at(40):
        submit(listen(duration_ms=MS), kind="playing_now", key=phone)
    assert plays() == []


def test_a_pause_is_no_skip_and_the_next_round_another_listen(submit: Call, song: Track) -> None:
    with at(0):
        submit(listen(), kind="playing_now")
    with at(50):
        submit(listen(), kind="playing_now")
    with at(90):
        submit(listen(at=START, duration_ms=MS))
    with at(100):
        submit(listen(), kind="playing_now")
    with at(180):
        submit(listen(), kind="playing_now")
    with at(270):
        submit(listen(at=START + 180, duration_ms=MS))
    assert plays() == [("Song 01", 0, "completed"), ("Song 01", 180, "completed")]


def test_ends_that_come_late_are_told_from_the_starts_of_the_next_round(submit: Call, phone: str, song: Track) -> None:
    for second in (0, 180):
        with at(second):
            submit(listen(duration_ms=MS), kind="playing_now")
        with at(second + 100):
            submit(listen(at=START + second, duration_ms=MS), key=phone)
    ends = [listen(at=START + second, duration_ms=MS) for second in (180, 360)]
    with at(370):
        submit(*ends)
        # The answer was lost: what comes again marks nothing.
        submit(*ends)
    assert plays() == [("Song 01", 0, "completed"), ("Song 01", 180, "completed")]
    assert {play.listing for play in Play.objects.all()} == {"scrobble"}


def test_ends_that_come_at_once_show_that_they_are_ends(submit: Call, phone: str, song: Track) -> None:
    for second in (0, 180):
        with at(second + 100):
            submit(listen(at=START + second, duration_ms=MS), key=phone)
    # What it said of the first round is lost.
    with at(180):
        submit(listen(duration_ms=MS), kind="playing_now")
    with at(360):
        submit(*(listen(at=START + second, duration_ms=MS) for second in (180, 360)))
    assert plays() == [("Song 01", 0, "completed"), ("Song 01", 180, "completed")]


def test_a_start_is_no_end_of_the_round_before(submit: Call, phone: str, song: Track) -> None:
    with at(0):
        submit(listen(duration_ms=MS), kind="playing_now")
    with at(100):
        submit(listen(at=START, duration_ms=MS))
    # This time the player didn't say that it began.
    with at(280):
        submit(listen(at=START + 180, duration_ms=MS))
        submit(listen(at=START + 180, duration_ms=MS), key=phone)
    assert plays() == [("Song 01", 0, "completed"), ("Song 01", 180, "completed")]


def test_a_time_of_sending_means_what_was_not_skipped(submit: Call, song: Track, other_song: Track) -> None:
    for second, title in ((0, "Song 01"), (20, "Song 02"), (40, "Song 01")):
        with at(second):
            submit(listen(title, duration_ms=MS), kind="playing_now")
    with at(130):
        submit(listen(at=START + 130, duration_ms=MS))
    assert plays() == [("Song 01", 0, "skipped"), ("Song 02", 20, "skipped"), ("Song 01", 40, "completed")]


@pytest.mark.parametrize("is_file_first", [True, False])
@pytest.mark.parametrize(("listing", "second"), [("lastfm", 0), ("listenbrainz", 3), ("spotify", 180)])
def test_a_history_file_tells_the_same_listen(
    submit: Call, user: User, song: Track, listing: str, second: int, is_file_first: bool
) -> None:
    def import_file() -> None:
        row = PlayRow(
            START + second, "k", "", "", "Song 01", ("Ada Lane",), "", "", MS if listing == "spotify" else None,
            "completed", True, listing,
        )  # fmt: skip
        history = HistoryImport.objects.create(user=user, name="history.json")
        PlayWriter(history, Matcher(creates=True)).write([row])

    if is_file_first:
        import_file()
    submit(listen(at=START, duration_ms=MS))
    if not is_file_first:
        import_file()
    assert Play.objects.count() == 1


def test_a_play_that_the_listener_removed_does_not_come_back(submit: Call, phone: str, user: User, song: Track) -> None:
    submit(listen(at=START, duration_ms=MS))
    removed = remove_play(play=Play.objects.get())
    submit(listen(at=START, duration_ms=MS))
    assert plays() == []
    restore_play(user=user, removed=removed)
    submit(listen(at=START + 3, duration_ms=MS), key=phone)
    assert len(plays()) == 1
