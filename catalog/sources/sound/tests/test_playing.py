"""Recordings of a music server, and their covers, through the site."""

from collections.abc import Iterator
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import MusicServer, ServerSong, SoundAnalysis, Track
from catalog.sources.servers.services import connect_server, read_server, set_server_active
from catalog.sources.sound import transcoded
from catalog.sources.sound.pieces import PIECE, bounds_of
from catalog.sources.sound.selectors import file_url
from catalog.sources.subsonic.tests.stand_in import StandIn, running
from catalog.tests.factories import make_track

pytestmark = pytest.mark.django_db
SOUND = bytes(range(256)) * 3000


@pytest.fixture
def stand_in(settings: Any, tmp_path: Path) -> Iterator[StandIn]:
    settings.VAR_DIR = tmp_path
    with running(StandIn(3)) as server:
        server.files["so-1"] = ("audio/mpeg", SOUND)
        server.covers["mf-1"] = ("image/jpeg", b"\xff\xd8\xff")
        read_server(connect_server(address=server.address, username=StandIn.user, secret=StandIn.password))
        server.calls.clear()
        yield server


@pytest.fixture
def listener(client: Client) -> Client:
    client.force_login(User.objects.create_user("ada"))
    return client


def track() -> Track:
    return Track.objects.get(title="Song 1")


def get(client: Client, text: str = "bytes=0-", query: str = "", **headers: str) -> Any:
    return client.get(f"/songs/{track().pk}/file{query}", headers={"Range": text, **headers} if text else headers)


def test_an_open_range_is_answered_with_a_short_piece(stand_in: StandIn, listener: Client) -> None:
    answer = get(listener)
    assert (answer.status_code, answer.content) == (206, SOUND[:PIECE])
    assert answer["Content-Range"] == f"bytes 0-{PIECE - 1}/{len(SOUND)}"
    assert (answer["Content-Type"], answer["Accept-Ranges"]) == ("audio/mpeg", "bytes")
    assert (answer["X-Content-Type-Options"], answer["Content-Disposition"]) == ("nosniff", "inline")
    assert answer["Cache-Control"] == "private, max-age=3600"
    method, values, headers = stand_in.calls[-1][1:]
    assert (method, values["id"], values["format"], headers["Range"]) == ("stream", "so-1", "raw", "bytes=0-262143")


def test_the_pieces_put_together_are_the_file(stand_in: StandIn, listener: Client) -> None:
    content, total = b"", 1
    while len(content) < total:
        answer = get(listener, f"bytes={len(content)}-")
        content += answer.content
        total = int(answer["Content-Range"].rpartition("/")[2])
    assert content == SOUND
    assert len(stand_in.calls) == 3


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("bytes=0-1", (0, 1)),
        ("bytes=5-", (5, 5 + PIECE - 1)),
        ("bytes=5-99999999", (5, 5 + PIECE - 1)),
        ("bytes=5-4", None),
        ("bytes=-5", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_bounds(text: str, bounds: tuple[int, int] | None) -> None:
    assert bounds_of(text) == bounds


def test_what_is_no_piece_is_refused(stand_in: StandIn, listener: Client) -> None:
    assert get(listener, "").status_code == 416
    assert get(listener, "bytes=0-", **{"If-Range": '"other"'}).status_code == 416
    assert not stand_in.calls
    beyond = get(listener, f"bytes={len(SOUND)}-")
    assert beyond.status_code in (416, 502)


def test_a_server_that_knows_no_ranges_is_played_from(stand_in: StandIn, listener: Client) -> None:
    stand_in.faults["stream"] = (200, {"Content-Type": "audio/flac"}, SOUND)
    answer = get(listener, "bytes=300000-300009")
    assert (answer.status_code, answer.content) == (206, SOUND[300_000:300_010])
    assert (answer["Content-Range"], answer["Content-Type"]) == (f"bytes 300000-300009/{len(SOUND)}", "audio/flac")
    assert get(listener, f"bytes={len(SOUND)}-")["Content-Range"] == f"bytes */{len(SOUND)}"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"Content-Type": "text/html"}, b"<script>alert(1)</script>"),
        (200, {"Content-Type": "image/svg+xml"}, b"<svg/>"),
        (206, {"Content-Type": "audio/mpeg", "Content-Range": "bytes 7-9/10"}, b"abc"),
        (206, {"Content-Type": "audio/mpeg"}, b"abc"),
        (206, {"Content-Type": "audio/mpeg", "Content-Range": "bytes 0-2/999999999999"}, b"abc"),
        (302, {"Content-Type": "audio/mpeg", "Location": "http://169.254.169.254/"}, b""),
        (404, {"Content-Type": "audio/mpeg"}, b"gone"),
        (200, {"Content-Type": "audio/mpeg"}, b""),
    ],
)
def test_what_is_no_sound_is_not_passed_on(
    stand_in: StandIn, listener: Client, status: int, headers: dict[str, str], body: bytes
) -> None:
    stand_in.faults["stream"] = (status, headers, body)
    answer = get(listener)
    assert (answer.status_code, answer["Content-Type"]) == (502, "text/plain")
    assert answer.content == b"The recording isn't available now."


def test_strangers_hear_and_see_nothing(stand_in: StandIn, client: Client) -> None:
    for address in (f"/songs/{track().pk}/file", f"/songs/{track().pk}/cover"):
        assert client.get(address)["Location"].startswith("/accounts/login/")
        assert client.get(f"/api{address}", headers={"Range": "bytes=0-"}).status_code == 401
    assert not stand_in.calls


def test_songs_that_are_hidden_gone_or_switched_off_have_no_file(stand_in: StandIn, listener: Client) -> None:
    server = ServerSong.objects.get(remote_id="so-1").server
    set_server_active(server=server, is_active=False)
    assert get(listener).status_code == 404
    set_server_active(server=server, is_active=True)
    Track.objects.filter(pk=track().pk).update(is_active=False)
    assert get(listener).status_code == 404
    Track.objects.update(is_active=True)
    stand_in.removed = {1}
    read_server(server)
    assert get(listener).status_code == 404
    assert listener.get("/songs/999999/file").status_code == 404


def test_a_file_that_no_browser_plays_is_made_an_mp3_once(stand_in: StandIn, listener: Client) -> None:
    ServerSong.objects.filter(remote_id="so-1").update(suffix="wma")
    stand_in.files["so-1.mp3"] = ("audio/mpeg", SOUND[::-1])
    address = file_url(track())
    assert address == f"/songs/{track().pk}/file?format=mp3"
    assert get(listener, "bytes=10-19", "?format=mp3").content == SOUND[::-1][10:20]
    assert get(listener, "bytes=20-29", "?format=mp3").content == SOUND[::-1][20:30]
    assert [values["format"] for _verb, _method, values, _headers in stand_in.calls] == ["mp3"]


def test_a_server_that_makes_no_mp3_leaves_nothing_behind(stand_in: StandIn, listener: Client, settings: Any) -> None:
    assert get(listener, "bytes=0-9", "?format=mp3").status_code == 502
    stand_in.faults["stream"] = (
        200,
        {"Content-Type": "audio/mpeg", "Content-Length": "99", "Connection": "close"},
        b"abc",
    )
    assert get(listener, "bytes=0-9", "?format=mp3").status_code == 502
    assert list((settings.VAR_DIR / "transcoded").iterdir()) == []


def test_few_threads_wait_for_mp3s(stand_in: StandIn, listener: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in.files["so-1.mp3"] = ("audio/mpeg", SOUND)
    monkeypatch.setattr(transcoded, "_makers", BoundedSemaphore(1))
    monkeypatch.setattr(transcoded, "_SECONDS", 0.1)
    with transcoded._makers:
        assert get(listener, "bytes=0-9", "?format=mp3").status_code == 502
    assert not stand_in.calls
    monkeypatch.undo()
    assert get(listener, "bytes=0-9", "?format=mp3").status_code == 206


def test_an_mp3_that_may_not_be_kept_is_not_made_and_one_too_large_is_not_kept(
    stand_in: StandIn, listener: Client, settings: Any
) -> None:
    stand_in.files["so-1.mp3"] = ("audio/mpeg", b"x" * 1_000_001)
    settings.TRANSCODED_CACHE_MB = 0
    assert get(listener, "bytes=0-9", "?format=mp3").status_code == 502
    assert not stand_in.calls
    settings.TRANSCODED_CACHE_MB = 1
    assert get(listener, "bytes=0-9", "?format=mp3").status_code == 502
    assert list((settings.VAR_DIR / "transcoded").iterdir()) == []


def test_a_server_tells_how_loud_a_song_is_else_it_is_measured(stand_in: StandIn, listener: Client) -> None:
    server = MusicServer.objects.get()
    gains: list[float | None] = []

    def told() -> float | None:
        listener.post("/player/play/", {"track": track().pk})
        gain: float | None = listener.get("/player/state/").json()["current"]["track"]["gain_db"]
        return gain

    assert told() is None
    song = ServerSong.objects.get(remote_id="so-1")
    values = {"engine": "sonara", "version": "1", "digest": song.digest}
    row = SoundAnalysis.objects.create(server_song=song, state="measured", loudness=-11.5, **values)
    assert told() == -6.5
    SoundAnalysis.objects.filter(pk=row.pk).update(digest="another file")
    assert told() is None
    for gain in ({"trackGain": -4.25, "trackPeak": 1}, {"trackGain": 0}, {"albumGain": -3.5}, {"trackGain": 900}):
        stand_in.changes[1] = {"replayGain": gain}
        read_server(server)
        gains.append(ServerSong.objects.get(remote_id="so-1").gain_db)
    assert gains == [-4.25, None, None, None]
    stand_in.changes[1] = {"replayGain": {"trackGain": -4.25}}
    read_server(server)
    assert told() == -4.25


def test_of_two_files_the_one_that_browsers_play_is_the_means(stand_in: StandIn, listener: Client) -> None:
    row = ServerSong.objects.get(remote_id="so-1")
    ServerSong.objects.filter(pk=row.pk).update(suffix="ape")
    assert file_url(track()).endswith("format=mp3")
    row.pk, row.remote_id, row.suffix = None, "other", "flac"
    row.save()
    assert file_url(track()) == f"/songs/{track().pk}/file"
    assert file_url(make_track("Without")) == ""


def test_covers_come_through_the_site(stand_in: StandIn, listener: Client) -> None:
    answer = listener.get(f"/songs/{track().pk}/cover")
    assert (answer.status_code, answer["Content-Type"], answer.content) == (200, "image/jpeg", b"\xff\xd8\xff")
    assert stand_in.calls[-1][2]["size"] == "300"
    stand_in.covers["mf-1"] = ("image/svg+xml", b"<svg/>")
    assert listener.get(f"/songs/{track().pk}/cover").status_code == 404
    stand_in.covers["mf-1"] = ("image/png", b"x" * 5_000_001)
    assert listener.get(f"/songs/{track().pk}/cover").status_code == 404
    assert listener.get(f"/songs/{make_track('Without').pk}/cover").status_code == 404


def test_no_page_and_no_header_tells_where_the_server_is(stand_in: StandIn, listener: Client, caplog: Any) -> None:
    listener.post("/player/play/", {"track": track().pk})
    pages = [get(listener), listener.get("/player/state/"), listener.get(f"/songs/{track().pk}/")]
    stand_in.faults["stream"] = (500, {"Content-Type": "text/html"}, b"")
    pages.append(get(listener))
    port = stand_in.address.rpartition(":")[2]
    for answer in pages:
        text = f"{answer.headers} {answer.content if answer.status_code != 206 else ''}"
        assert port not in text
        assert StandIn.password not in text
    assert StandIn.password not in caplog.text
    assert "song_file" not in caplog.text


def test_the_players_state_names_the_file_first_and_the_api_its_own_address(
    stand_in: StandIn, listener: Client
) -> None:
    listener.post("/player/play/", {"track": track().pk})
    state = listener.get("/player/state/").json()["current"]["track"]
    assert state["sources"]["file"] == f"/songs/{track().pk}/file"
    assert state["cover_url"] == f"/songs/{track().pk}/cover"
    ServerSong.objects.update(cover_id="")
    assert listener.get("/player/state/").json()["current"]["track"]["cover_url"] == ""
    means = listener.get("/api/playback").json()["current"]["means"]
    assert means["file"] == f"/api/songs/{track().pk}/file"
    answer = listener.get(means["file"], headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (206, SOUND[:4])
