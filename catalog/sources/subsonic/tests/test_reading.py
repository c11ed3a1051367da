"""Reading a server's library into the catalogue."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.spotify.services import rotate_keys
from catalog.duplicates.merging import merge_tracks
from catalog.models import Artist, MusicServer, ServerSong, Track, TrackCode
from catalog.sources.servers.services import (
    LibraryError,
    connect_server,
    read_server,
    remove_server,
    set_server_active,
)
from catalog.sources.subsonic.client import SubsonicError
from catalog.sources.subsonic.tests.stand_in import StandIn, mbid, running
from catalog.tests.factories import make_track
from jobs.models import Job
from jobs.services import enqueue
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with running(StandIn(30)) as server:
        yield server


def connected(stand_in: StandIn) -> MusicServer:
    return connect_server(address=stand_in.address + "/", username=StandIn.user, secret=StandIn.password)


def test_a_library_comes_in_with_all_that_the_server_knows(stand_in: StandIn) -> None:
    report = read_server(connected(stand_in))
    assert (report.songs, report.created, report.matched, report.gone) == (30, 30, 0, 0)
    track = Track.objects.get(title="Song 3")
    assert (track.album, track.artist_names, track.release_year) == ("Album 0", "Artist 0, Guest 3", 1970)
    assert (track.duration_ms, track.isrc, track.mbid) == (183_000, "QZABC0000003", mbid(1, 3))
    assert (track.explicit, track.origin, track.is_active, track.has_file) == (False, "server", True, True)
    assert sorted(track.genres.values_list("name", flat=True)) == ["dream pop", "rock"]
    assert Artist.objects.get(name="Guest 3").mbid.startswith("00000003-")
    row = track.server_songs.get()
    assert (row.remote_id, row.suffix, row.bit_rate, row.size) == ("so-3", "mp3", 192, 4_000_003)
    assert (row.cover_id, row.release_mbid, row.gone_at) == ("mf-3", mbid(2, 0), None)


def test_a_second_reading_changes_nothing(stand_in: StandIn) -> None:
    server = connected(stand_in)
    read_server(server)
    before = list(Track.objects.order_by("pk").values())
    report = read_server(server)
    assert (report.unchanged, report.created, report.matched, report.changed, report.gone) == (30, 0, 0, 0, 0)
    assert list(Track.objects.order_by("pk").values()) == before


def test_what_the_server_lost_is_gone_and_comes_back(stand_in: StandIn) -> None:
    server = connected(stand_in)
    read_server(server)
    stand_in.removed = {4}
    assert read_server(server).gone == 1
    track = Track.objects.get(title="Song 4")
    assert (track.is_active, track.has_file) == (True, False)
    assert track.server_songs.get().gone_at is not None
    stand_in.removed = set()
    assert read_server(server).unchanged == 30
    track.refresh_from_db()
    assert (track.has_file, track.server_songs.get().gone_at) == (True, None)


def test_songs_that_are_there_get_what_they_lacked_and_keep_what_they_have(stand_in: StandIn) -> None:
    known = make_track("song 5", "ARTIST 0", duration_ms=186_500, album="Mine", genres=["folk"], origin="csv")
    by_code = make_track("Another title", "Another", isrc="QZABC0000006")
    hidden = make_track("Song 7", "Artist 0", is_active=False)
    own = make_track("Song 8", "Artist 0", is_active=False, origin="private")
    report = read_server(connected(stand_in))
    assert (report.created, report.matched) == (26, 4)
    known.refresh_from_db()
    assert (known.title, known.album, known.release_year, known.isrc) == ("song 5", "Mine", 1970, "QZABC0000005")
    assert (known.origin, known.has_file) == ("csv", True)
    assert list(known.genres.values_list("name", flat=True)) == ["folk"]
    by_code.refresh_from_db()
    assert (by_code.title, by_code.album, by_code.mbid) == ("Another title", "Album 0", mbid(1, 6))
    hidden.refresh_from_db()
    assert (hidden.is_active, hidden.has_file) == (False, True)
    own.refresh_from_db()
    assert (own.is_active, own.origin) == (True, "server")


def test_a_song_changed_on_the_server_is_changed_here(stand_in: StandIn) -> None:
    server = connected(stand_in)
    read_server(server)
    stand_in.changes[2] = {
        "title": "Better title",
        "artists": [{"id": "x", "name": "New Artist"}],
        "isrc": ["QZABC9999999"],
    }
    report = read_server(server)
    assert (report.changed, report.unchanged, report.created) == (1, 29, 0)
    track = ServerSong.objects.get(remote_id="so-2").track
    assert (track.title, track.artist_names, track.isrc) == ("Better title", "New Artist", "QZABC0000002")
    assert "better title" in track.search_text
    assert list(track.codes.values_list("scheme", "value")) == [("isrc", "QZABC9999999")]


def test_two_files_of_one_song_are_one_song(stand_in: StandIn) -> None:
    stand_in.changes[9] = {"title": "Song 8", "duration": 188, "musicBrainzId": mbid(1, 8), "isrc": []}
    assert read_server(connected(stand_in)).created == 29
    assert Track.objects.get(title="Song 8").server_songs.count() == 2


@pytest.mark.parametrize("page", [500, 7])
def test_a_server_without_an_empty_search_is_read_by_its_albums(stand_in: StandIn, page: int) -> None:
    stand_in.has_search, stand_in.page = False, page
    assert read_server(connected(stand_in)).created == 30
    assert ServerSong.objects.get(remote_id="so-29").release_mbid == mbid(2, 2)
    assert {method for _verb, method, _values, _headers in stand_in.calls} >= {"search3", "getAlbumList2", "getAlbum"}


def test_a_server_that_sends_shorter_pages_is_read_whole(stand_in: StandIn) -> None:
    stand_in.page = 7
    assert read_server(connected(stand_in)).songs == 30


def test_a_library_that_is_suddenly_empty_has_lost_nothing(stand_in: StandIn) -> None:
    server = connected(stand_in)
    read_server(server)
    stand_in.count = 0
    with pytest.raises(LibraryError, match="has no songs any more, 30 before"):
        read_server(server)
    assert Track.objects.filter(has_file=True).count() == 30
    server.refresh_from_db()
    assert "no songs any more" in server.error


def test_a_reading_that_breaks_off_marks_nothing_as_gone_and_is_finished_by_the_next(stand_in: StandIn) -> None:
    server = connected(stand_in)
    stand_in.page = 10

    def stop(done: int, _total: int) -> None:
        if done >= 20:
            stand_in.faults["search3"] = (500, {"Content-Type": "text/html"}, b"<h1>no</h1>")

    with pytest.raises(SubsonicError, match=r"search3: no answer of a Subsonic server \(HTTP 500\)"):
        read_server(server, stop)
    assert ServerSong.objects.filter(gone_at=None).count() == 20
    stand_in.faults.clear()
    report = read_server(server)
    assert (report.unchanged, report.created, report.gone) == (20, 10, 0)


def test_rows_that_are_no_songs_are_passed_over(stand_in: StandIn) -> None:
    stand_in.changes = {0: {"isDir": True}, 1: {"isVideo": True}, 2: {"title": " "}, 3: {"type": "podcast"}}
    stand_in.changes[4] = {"title": "N\x00ul\nline", "year": 0, "duration": 0, "size": 0, "genre": "", "genres": []}
    assert read_server(connected(stand_in)).created == 26
    track = Track.objects.get(title="Nul line")
    assert (track.release_year, track.duration_ms, track.genres.count()) == (None, None, 0)


def test_merged_songs_keep_their_files_and_codes(stand_in: StandIn) -> None:
    read_server(connected(stand_in))
    keep, duplicate = Track.objects.get(title="Song 1"), Track.objects.get(title="Song 2")
    merge_tracks(keep=keep, duplicates=[duplicate])
    assert sorted(keep.server_songs.values_list("remote_id", flat=True)) == ["so-1", "so-2"]
    assert set(keep.codes.values_list("scheme", "value")) == {("isrc", "QZABC0000002"), ("mbid", mbid(1, 2))}
    assert TrackCode.objects.exclude(track=keep).count() == 0


def test_a_server_switched_off_or_removed_leaves_its_songs_without_files(stand_in: StandIn) -> None:
    server = connected(stand_in)
    read_server(server)
    set_server_active(server=server, is_active=False)
    assert Track.objects.filter(has_file=True).count() == 0
    set_server_active(server=server, is_active=True)
    assert Track.objects.filter(has_file=True).count() == 30
    remove_server(server=server)
    assert (Track.objects.count(), Track.objects.filter(has_file=True).count()) == (30, 0)


def test_the_commands_connect_and_read(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(StandIn.password + "\n"))
    out = StringIO()
    call_command("connect_server", stand_in.address, "--user", "ada", "--password-stdin", stdout=out)
    call_command("read_server", stdout=out)
    assert out.getvalue() == (
        f"Connected {stand_in.address} (navidrome 0.60.0). Now run `manage.py read_server`.\n"
        f"{stand_in.address}: 30 songs read: 30 new, 0 already in the catalogue, 0 changed, 0 unchanged, 0 gone.\n"
    )
    with pytest.raises(CommandError, match="No such music server is connected"):
        call_command("read_server", "http://127.0.0.1:1")


def test_the_commands_name_what_is_wrong(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("wrong\n"))
    with pytest.raises(CommandError, match=r"^ping: Wrong username or pass \(code 40\)$"):
        call_command("connect_server", stand_in.address, "--user", "ada", "--password-stdin")
    with pytest.raises(CommandError, match=r"^address: must look like"):
        call_command("connect_server", "file:///etc", "--user", "ada", "--password-stdin")
    assert not MusicServer.objects.exists()


def test_the_job_reads_all_servers_and_names_those_it_cannot(stand_in: StandIn) -> None:
    connected(stand_in)
    MusicServer.objects.create(kind="subsonic", address="http://127.0.0.1:9", username="x", secret="y")
    enqueue(kind="read-servers", subject="now")
    run_waiting()
    job = Job.objects.get(subject="now")
    assert job.state == Job.State.FAILED
    assert "30 songs read: 30 new" in job.log
    assert "http://127.0.0.1:9: ping: the server can't be reached" in job.log


def test_the_secret_is_sealed_and_sealed_anew_with_the_other_keys(stand_in: StandIn, settings: Any) -> None:
    from cryptography.fernet import Fernet
    from django.db import connection

    server = connected(stand_in)

    def stored() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT secret FROM catalog_musicserver")
            return str(cursor.fetchone()[0])

    old = stored()
    assert StandIn.password not in old
    settings.SPOTIFY_TOKEN_KEYS = [Fernet.generate_key().decode(), *settings.SPOTIFY_TOKEN_KEYS]
    assert rotate_keys() == (1, 0)
    settings.SPOTIFY_TOKEN_KEYS = settings.SPOTIFY_TOKEN_KEYS[:1]
    assert stored() != old
    server.refresh_from_db()
    assert server.secret == StandIn.password
