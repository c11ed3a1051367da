"""Lists of songs that are no plays, and clocks without a time zone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from accounts.models import User
from feedback.history_import import services
from feedback.history_import.models import HistoryImport
from feedback.history_import.notes import told_notes
from feedback.history_import.tests.histories import packed
from feedback.plays.models import Play
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db
LOVED = "is a list of songs that were loved, not of plays"
ONE_TIME = "have the same date and time, so it is a list of songs"
NO_TIMES = "names songs, but not when they were played"


@pytest.fixture(autouse=True)
def _own_uploads(tmp_path: Path, settings: Settings) -> None:
    settings.VAR_DIR = tmp_path


def bring(user: User, content: "str | bytes", name: str) -> HistoryImport:
    history = services.begin_import(user=user, upload=ContentFile(content, name=name), wants_own_songs=True)
    run_waiting()
    history.refresh_from_db()
    return history


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("lovedtracks.csv", "artist,track,date\nA,One,2024-05-04 10:00:00\nB,Two,2024-05-05 10:00:00\n", LOVED),
        ("lastfm_loved_2024.csv", "A,R,One,04 May 2024 10:00\nB,R,Two,05 May 2024 11:00\n", LOVED),
        ("Lieblingssongs.csv", "Künstler;Titel;Datum\nA;One;2024-05-04 10:00:00\nB;Two;2024-05-05 10:00:00\n", LOVED),
        ("titres préférés.tsv", "artiste\ttitre\tdate\nA\tOne\t2024-05-04 10:00:00\n", LOVED),
        ("export.csv", "Loved tracks of lena\nartist,track,date\nA,One,2024-05-04 10:00:00\n", LOVED),
        ("a.csv", "artist,track,date\nA,One,1714816800\nB,Two,1714816800\nC,Three,1714816800\n", ONE_TIME),
        ("a.csv", "artist,track\nA,One\nB,Two\n", NO_TIMES),
        ("a.csv", "artist;track;loved\nA;One;1\nB;Two;1\n", LOVED),
        ("お気に入り.csv", "artist,title\nA,One\n", LOVED),
    ],
)
def test_what_lists_songs_without_plays_is_refused_with_what_to_do(
    user: User, name: str, content: str, reason: str
) -> None:
    history = bring(user, content, name)
    assert reason in history.error_text
    assert history.error_text.startswith(("All songs in " + name, name))
    assert "like them" in history.error_text
    assert not Play.objects.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        # A column marks some songs as loved: the others, and these, were played all the same.
        ("s.csv", "artist,track,date,loved\nA,One,2024-05-04 10:00:00,1\nB,Two,2024-05-04 10:04:00,0\n"),
        # Two plays may share a minute.
        ("s.csv", "artist,track,date\nA,One,04 May 2024 10:00\nB,Two,04 May 2024 10:00\n"),
        ("s.csv", "artist,track,date\nLoved,One,2024-05-04 10:00:00\nB,Loved,2024-05-04 10:04:00\n"),
        ("scrobbles of gloved.csv", "artist,track,date\nA,One,2024-05-04 10:00:00\nB,Two,2024-05-04 10:04:00\n"),
    ],
)
def test_plays_stay_plays(user: User, name: str, content: str) -> None:
    history = bring(user, content, name)
    assert (history.error_text, history.plays_added) == ("", 2)


def test_a_loved_list_in_a_zip_is_named_and_the_plays_are_read(user: User) -> None:
    history = bring(
        user,
        packed(
            lovedtracks_csv="artist,track,date\nA,One,2024-05-04 10:00:00\n",
            scrobbles_csv="artist,track,date\nA,Two,2024-05-04 10:00:00\n",
        ),
        "lastfm.zip",
    )
    assert [play.track.title for play in Play.objects.all()] == ["Two"]
    (note,) = told_notes(history)
    assert note.startswith("lovedtracks.csv is a list of songs that were loved, not of plays")


@pytest.mark.parametrize(
    ("zone", "hour"), [("UTC", 10), ("Europe/Berlin", 8), ("America/New_York", 14), ("Asia/Kolkata", 4)]
)
@pytest.mark.parametrize("heading", ["#AUDIOSCROBBLER/1.1\n#TZ/UNKNOWN\n#CLIENT/Rockbox\n", "#AUDIOSCROBBLER/1.0\n"])
def test_a_players_clock_is_read_in_the_listeners_zone(user: User, zone: str, hour: int, heading: str) -> None:
    user.time_zone = zone
    user.save()
    history = bring(user, f"{heading}A\tR\tOne\t1\t201\tL\t1714816800\n", ".scrobbler.log")
    minute = 30 if zone == "Asia/Kolkata" else 0
    assert Play.objects.get().played_at == datetime(2024, 5, 4, hour, minute, tzinfo=UTC)
    (note,) = told_notes(history)
    assert f"so they were read in yours, {zone}. If the clock was set to another one, undo" in note


def test_a_players_clock_that_is_utc_needs_no_word(user: User) -> None:
    user.time_zone = "Europe/Berlin"
    user.save()
    history = bring(user, "#AUDIOSCROBBLER/1.1\n#TZ/UTC\nA\tR\tOne\t1\t201\tL\t1714816800\n", "scrobbler.log")
    assert Play.objects.get().played_at == datetime(2024, 5, 4, 10, tzinfo=UTC)
    assert told_notes(history) == []
