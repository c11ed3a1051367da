"""What an import asks, notes and leads to."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from catalog.models import Track
from feedback.history_import import services
from feedback.history_import.models import HistoryImport
from feedback.history_import.notes import told_notes
from feedback.history_import.tests.histories import packed, spotify
from feedback.plays.models import Play
from feedback.tests.factories import UserFactory, make_track
from jobs.services import JobError
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db
HEAD = "Artist,Album,Track,Date\n"


@pytest.fixture(autouse=True)
def _own_uploads(tmp_path: Path, settings: Settings) -> None:
    settings.VAR_DIR = tmp_path


def bring(user: User, content: "bytes | str | list[Any]", name: str = "scrobbles.csv") -> HistoryImport:
    data = json.dumps(content) if isinstance(content, list) else content
    history = services.begin_import(user=user, upload=ContentFile(data, name=name), wants_own_songs=True)
    run_waiting()
    history.refresh_from_db()
    return history


def times_of(user: User) -> list[str]:
    return [f"{play.played_at:%Y-%m-%d %H:%M}" for play in user.plays.order_by("played_at")]


@pytest.mark.parametrize(("answer", "day"), [("day-first", "2017-10-12"), ("month-first", "2017-12-10")])
def test_day_and_month_are_asked_once_for_a_file(listener: Client, user: User, answer: str, day: str) -> None:
    rows = [f'A,B,Song {hour},"12/10/2017 {hour}:47"\n' for hour in range(10, 15)]
    history = bring(user, HEAD + "".join(rows))
    address = f"/history/import/{history.pk}/"
    page = listener.get(address).content.decode()
    assert "Which number is the day?" in page
    assert [f"12/10/2017 {hour}:47" in page for hour in range(10, 15)] == [True, True, True, False, False]
    assert "waiting for your answer" in listener.get("/history/import/").content.decode()
    assert not Play.objects.exists()
    assert listener.post(f"{address}{answer}/").status_code == 302
    run_waiting()
    assert times_of(user) == [f"{day} {hour}:47" for hour in range(10, 15)]
    page = listener.get(address).content.decode()
    assert "Which number" not in page
    assert 'href="/history/"' in page
    history.refresh_from_db()
    assert (history.question, history.finished_at is not None) == (None, True)
    with pytest.raises(JobError, match="nothing is asked"):
        services.answer_question(history=history, order="day")


def test_each_file_of_a_zip_is_asked_about_by_itself(user: User) -> None:
    first, two = (HEAD + f'A,B,{title},"12/10/2017 21:47"\n' for title in ("One", "Two"))
    three = HEAD + 'A,B,Three,"12/10/2017 21:47"\nA,B,Four,"13/10/2017 21:47"\n'
    history = bring(user, packed(one_csv=first, two_csv=two, three_csv=three))
    for order, name in (("day", "one.csv"), ("month", "two.csv")):
        history.refresh_from_db()
        assert history.question == {"name": name, "examples": ["12/10/2017 21:47"]}
        services.answer_question(history=history, order=order)
        run_waiting()
    assert times_of(user) == ["2017-10-12 21:47", "2017-10-12 21:47", "2017-10-13 21:47", "2017-12-10 21:47"]


def test_an_import_that_asks_can_be_undone_and_does_not_block_the_next(user: User) -> None:
    history = bring(user, HEAD + 'A,B,Song,"12/10/2017 21:47"\n')
    assert bring(user, HEAD + 'A,B,Song,"2017-10-12 21:47"\n').plays_added == 1
    services.undo_import(history=history)
    run_waiting()
    assert not HistoryImport.objects.filter(pk=history.pk).exists()


def test_a_file_of_which_nothing_can_be_used_failed_and_says_why(user: User) -> None:
    history = bring(user, HEAD + "A,B,One,soon\nA,B,Two,later\n,B,Three,2017-10-12\n")
    assert history.error_text == (
        "None of the 3 records in scrobbles.csv can be used. The reason for 2 of them: has no valid date or time."
    )
    assert history.finished_at is not None


def test_what_was_not_read_is_named_and_so_is_the_encoding(listener: Client, user: User) -> None:
    table = "Artist;Album;Track;Date\nBjörk;B;Été;2024-05-04 10:00\n".encode("cp1252")
    content = packed(old_csv=table, Playlist1_json='{"playlists": []}', ReadMe_pdf=b"%PDF")
    history = bring(user, content)
    page = listener.get(f"/history/import/{history.pk}/").content.decode()
    assert "Playlist1.json isn&#x27;t a listening history and was skipped." in page
    assert "old.csv isn&#x27;t UTF-8 text, so it was read as Windows-1252." in page
    assert "ReadMe.pdf" not in page
    assert Play.objects.get().track.title == "Été"


def test_every_member_that_may_be_a_history_is_read_or_named(user: User) -> None:
    log = "#AUDIOSCROBBLER/1.1\n#TZ/UNKNOWN\nA\tB\tS\t1\t201\tL\t1714816800\t\n"
    inner = packed(b_json=[spotify()])
    content = packed(a_json=[spotify()], older_zip=inner, more_xlsx=b"PK\x03\x04", x__scrobbler_log=log, old_gz=b"\x1f")
    content = content.replace(b"x/scrobbler.log", b"x/.scrobblerlog")
    history = bring(user, content, "all.zip")
    assert (history.format, history.plays_added) == ("spotify, rockbox", 2)
    assert history.notes == [
        ["packed", "older.zip"],
        ["packed", "old.gz"],
        ["unread", "more.xlsx"],
        ["zone", "x/.scrobblerlog", "UTC"],
    ]
    assert told_notes(history)[0] == (
        "older.zip is an archive within the archive and was skipped. Unpack it and import it separately."
    )
    assert told_notes(history)[3].startswith("The times in x/.scrobblerlog come from a player's clock")


def test_a_song_without_names_is_found_by_its_id_alone(user: User) -> None:
    spotify_id, other = "0123456789ABCDEFabcdef", "f" * 22
    track = make_track("Known", spotify_id=spotify_id)
    names: dict[str, Any] = {"master_metadata_track_name": None, "master_metadata_album_artist_name": None}
    records = [
        spotify(ts=f"2024-05-04T10:0{number}:00Z", spotify_track_uri=f"spotify:track:{track_id}", **names)
        for number, track_id in enumerate((spotify_id, other))
    ]
    history = bring(user, records)
    assert (history.plays_added, history.skipped) == (1, {"has no song": 1})
    assert Play.objects.get().track == track


def test_several_artists_in_one_name_are_known_by_the_first(user: User) -> None:
    track = make_track("Song", artist="Lena Voss")
    bands = make_track("Other", artist="Earth, Wind & Fire")
    rows = "Lena Voss, Jo Kern,Song,1714816800\n" + "Earth, Wind & Fire,Other,1714817800\n"
    quoted = "".join(f'"{line.rsplit(",", 2)[0]}",{",".join(line.rsplit(",", 2)[1:])}\n' for line in rows.splitlines())
    bring(user, "artist,track,uts\n" + quoted)
    assert [play.track for play in Play.objects.order_by("played_at")] == [track, bands]


@pytest.mark.parametrize(
    ("title", "short", "name"),
    [
        ("Hello", "Florence", "Florence & The Machine"),
        ("Home", "Tyler", "Tyler, The Creator"),
        ("September", "Earth", "Earth, Wind & Fire"),
    ],
)
def test_a_band_is_not_the_artist_its_name_begins_with(user: User, title: str, short: str, name: str) -> None:
    make_track(title, artist=short)
    bring(user, [spotify(title, name)])
    assert Play.objects.get().track.artist_names == name


def test_of_several_songs_of_one_name_the_album_tells(user: User) -> None:
    tracks = {album: make_track("Intro", artist="Someone", album=album) for album in "ABC"}
    hidden = make_track("Intro", artist="Someone", album="D", is_active=False)
    rows = [f"Someone,{album},Intro,{1_709_287_000 + 900 * index}\n" for index, album in enumerate("CBAD")]
    bring(user, "artist,album,track,uts\n" + "".join(rows))
    plays = [play.track for play in user.plays.order_by("played_at")]
    assert plays[:3] == [tracks["C"], tracks["B"], tracks["A"]]
    assert hidden not in plays


def test_artists_of_one_word_are_known_where_the_catalogue_names_them_all(user: User) -> None:
    track = make_track("Song", artist="Someone")
    Track.objects.filter(pk=track.pk).update(artist_names="Someone, Other")
    bring(user, "artist,album,track,uts\nSomeone & Other,Record,Song,1709287000\n")
    assert Play.objects.get().track == track


@pytest.mark.parametrize("is_first", [True, False])
def test_several_artists_in_one_name_are_one_song_in_any_order(user: User, is_first: bool) -> None:
    table = '"Lena Voss & Jo Kern",Record,Song,1709287000\n"Jo Kern feat. Lena Voss",Record,Other,1709288000\n'
    table = f"artist,album,track,uts\n{table}"
    records = [spotify("Song", "Lena Voss", ts="2024-03-01T10:00:00Z"),
               spotify("Other", "Jo Kern", ts="2024-03-01T10:16:40Z")]  # fmt: skip
    for content in (table, records) if is_first else (records, table):
        bring(user, content)
    assert sorted(play.track.title for play in Play.objects.all()) == ["Other", "Song"]


@pytest.mark.parametrize(
    "name", ["null", "-", "[unknown]", "N/A", "Unknown Artist", "n.a.", "#REF!", "<unset>", "Artiste inconnu", "不明"]
)
def test_what_says_that_there_is_no_artist_is_no_artist(user: User, name: str) -> None:
    known = make_track("Known", spotify_id="f" * 22)
    records = [
        spotify("Song", name),
        spotify("Known", name, spotify_track_uri=f"spotify:track:{'f' * 22}", ts="2024-03-01T11:00:00Z"),
        spotify("Other", "Someone", master_metadata_album_album_name="(null)", ts="2024-03-01T12:00:00Z"),
    ]
    history = bring(user, records)
    assert history.skipped == {"has no song": 1}
    assert [play.track for play in user.plays.order_by("played_at")] == [known, Track.objects.get(title="Other")]
    assert Track.objects.get(title="Other").album == ""


def test_ones_own_songs_are_seen_by_oneself_alone(listener: Client, user: User) -> None:
    shown = make_track("Shown", artist="The Band")
    make_track("Hidden", is_active=False)
    records = [spotify(title, "The Band", ts=f"2019-05-04T10:0{n}:00Z") for n, title in enumerate(("Shown", "Demo"))]
    bring(user, [*records, spotify("Basement", "Neighbour", ts="2019-05-04T11:00:00Z")])
    page = listener.get("/history/").content.decode()
    assert page.count("only yours") == 2
    assert f'href="{shown.get_absolute_url()}"' in page
    for title in ("Demo", "Basement"):
        assert f'href="{Track.objects.get(title=title).get_absolute_url()}"' not in page
    rows = list(csv.DictReader(StringIO(b"".join(listener.get("/history.csv")).decode(), newline="")))
    assert [(row["title"], row["own_song"], bool(row["url"])) for row in rows] == [
        ("Basement", "yes", False),
        ("Demo", "yes", False),
        ("Shown", "", True),
    ]
    answer = listener.get("/statistics/")
    # All the plays are of 2019, so the page opens on all time.
    assert (answer.context["period"], answer.context["stats"].plays, answer.context["stats"].songs) == ("all", 3, 3)
    groups = {id_: [(line.label, bool(line.url)) for line in lines] for _t, id_, lines, _h in answer.context["groups"]}
    assert sorted(groups["songs"]) == [("Basement", False), ("Demo", False), ("Shown", True)]
    assert sorted(groups["artists"]) == [("Neighbour", False), ("The Band", True)]
    # Nobody else sees them: neither in the lists nor by their address.
    other = Client()
    other.force_login(UserFactory())
    assert "Basement" not in other.get("/history/").content.decode()
    for title in ("Demo", "Basement"):
        assert other.get(Track.objects.get(title=title).get_absolute_url()).status_code == 404


def test_ones_own_history_comes_back_in(listener: Client, user: User) -> None:
    make_track("=Sum", artist="Earth, Wind & Fire")
    make_track("Song", artist="Someone")
    records = [spotify("=Sum", "Earth, Wind & Fire", ts="2024-05-04T10:00:07Z"), spotify("Song", "Someone"),
               spotify("Unknown", "Nobody", ts="2024-05-04T11:00:07Z")]  # fmt: skip
    first = bring(user, records)
    content = b"".join(listener.get("/history.csv"))
    again = bring(user, content, "history.csv")
    assert (again.format, again.plays_added, again.plays_known) == ("own", 0, 3)
    everything = {kind: b"".join(listener.get(f"/profile/data/everything.{kind}")) for kind in ("json", "zip")}
    for kind, export in everything.items():
        again = bring(user, export, f"export.{kind}")
        assert (again.format, again.plays_added, again.plays_known) == ("own", 0, 3)
    services.undo_import(history=first)
    run_waiting()
    assert not user.plays.exists()
    for kind, export in everything.items():
        history = bring(user, export, f"export.{kind}")
        assert sorted(play.track.title for play in user.plays.all()) == ["=Sum", "Song", "Unknown"]
        services.undo_import(history=history)
        run_waiting()
    bring(user, content, "history.csv")
    assert sorted(play.track.title for play in user.plays.all()) == ["=Sum", "Song", "Unknown"]
