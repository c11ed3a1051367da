"""A music server that means harm, or is broken: what it cannot do to the site and its listeners."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import ServerSong, Track
from catalog.sources.servers.services import connect_server, read_server
from catalog.sources.sound import pieces, responses
from catalog.sources.subsonic.client import Login, SubsonicClient, SubsonicError
from catalog.sources.subsonic.tests.stand_in import StandIn, running, song_row

pytestmark = pytest.mark.django_db
LOGIN = Login(StandIn.user, StandIn.password)


@pytest.fixture
def stand_in(settings: Any, tmp_path: Path) -> Iterator[StandIn]:
    settings.VAR_DIR = tmp_path
    with running(StandIn(3)) as server:
        yield server


@pytest.fixture
def listener(client: Client) -> Client:
    client.force_login(User.objects.create_user("ada"))
    return client


def read(stand_in: StandIn) -> int:
    server = connect_server(address=stand_in.address, username=StandIn.user, secret=StandIn.password)
    return read_server(server).created


def file_of(client: Client, headers: dict[str, str] | None = None) -> Any:
    return client.get(
        f"/songs/{Track.objects.get(title='Song 1').pk}/file", headers={"Range": "bytes=0-", **(headers or {})}
    )


def test_text_that_no_database_takes_is_cleaned(stand_in: StandIn) -> None:
    stand_in.is_checked = False
    stand_in.changes = {
        0: {"title": "Half \ud800 a sign", "album": "B\udfff", "artists": [{"name": "A\x00B"}]},
        1: {"id": "so-\ud800"},
        2: {"coverArt": "x\ud800", "genres": [{"name": "\ud800"}], "suffix": "\ud800", "isrc": ["\ud800"]},
    }
    assert read(stand_in) == 2
    track = Track.objects.get(title="Half ? a sign")
    assert (track.album, track.artist_names) == ("B?", "AB")
    assert ServerSong.objects.get(remote_id="so-2").cover_id == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"duration": -1}, {"duration": 1e300}, {"duration": "180"}, {"duration": True}, {"year": 10**20},
        {"size": -5}, {"size": 2**70}, {"bitRate": 2**40}, {"artists": {"name": "A"}}, {"artists": [1, None]},
        {"genres": "Rock"}, {"isrc": "QZABC0000000"}, {"isrc": {"a": 1}}, {"musicBrainzId": "x" * 5000},
        {"title": "t" * 100_000}, {"album": "a" * 100_000}, {"suffix": "s" * 1000}, {"coverArt": "c" * 1000},
        {"artists": [{"name": f"Artist {n}"} for n in range(500)]}, {"genres": [{"name": f"g{n}"} for n in range(500)]},
    ],
)  # fmt: skip
def test_values_of_any_kind_and_size_are_taken_or_unknown(stand_in: StandIn, changes: dict[str, Any]) -> None:
    stand_in.is_checked = False
    stand_in.changes = {0: changes}
    assert read(stand_in) == 3


def test_a_bomb_of_gzip_ends_at_the_limit(stand_in: StandIn) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    stand_in.faults["ping"] = (200, {"Content-Encoding": "gzip"}, bomb)
    with pytest.raises(SubsonicError, match="longer than 20 MB"):
        SubsonicClient(stand_in.address, LOGIN).call("ping")


def test_no_header_of_the_server_reaches_the_browser(stand_in: StandIn, listener: Client) -> None:
    read(stand_in)
    own = {
        "Set-Cookie": "sessionid=stolen; Path=/", "Content-Security-Policy": "script-src *", "Clear-Site-Data": '"*"',
        "Access-Control-Allow-Origin": "*", "Content-Disposition": "attachment; filename=x.html",
        "Refresh": "0; url=//x",
    }  # fmt: skip
    stand_in.faults["stream"] = (200, {"Content-Type": "audio/mpeg; x=<script>", **own}, b"ID3")
    stand_in.faults["getCoverArt"] = (200, {"Content-Type": "image/png", **own}, b"\x89PNG")
    track = Track.objects.get(title="Song 1")
    for answer in (file_of(listener), listener.get(f"/songs/{track.pk}/cover")):
        assert answer.status_code in (200, 206)
        assert "stolen" not in str(answer.cookies)
        assert answer["Content-Disposition"] == "inline"
        assert answer["Content-Type"] in ("audio/mpeg", "image/png")
        for name in ("Clear-Site-Data", "Access-Control-Allow-Origin", "Refresh"):
            assert name not in answer
        assert "script-src *" not in answer.get("Content-Security-Policy", "")


def test_no_cookie_or_header_of_the_listener_reaches_the_server(stand_in: StandIn, listener: Client) -> None:
    read(stand_in)
    stand_in.files["so-1"] = ("audio/mpeg", b"ID3")
    file_of(
        listener, {"Authorization": "Bearer mine", "User-Agent": "Ada's phone", "Referer": "https://private.example/"}
    )
    headers = stand_in.calls[-1][3]
    assert not headers.keys() & {"Cookie", "Authorization", "Referer"}
    assert "Ada" not in str(headers)


def test_what_drips_in_ends(stand_in: StandIn, listener: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    read(stand_in)
    stand_in.files["so-1"] = ("audio/mpeg", b"ID3")
    stand_in.covers["mf-1"] = ("image/png", b"\x89PNG")
    monkeypatch.setattr(pieces, "_SECONDS", 0.0)
    monkeypatch.setattr(responses, "_COVER_SECONDS", 0.0)
    assert file_of(listener).status_code == 502
    assert listener.get(f"/songs/{Track.objects.get(title='Song 1').pk}/cover").status_code == 404


def test_a_server_that_sends_the_same_page_again_and_again_comes_to_an_end(stand_in: StandIn) -> None:
    songs = {"song": [song_row(number) for number in range(3)]}
    page = {"subsonic-response": {"status": "ok", "version": "1.16.1", "searchResult3": songs}}
    stand_in.faults["search3"] = (200, {}, json.dumps(page).encode())
    assert read(stand_in) == 3


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "{{ 7*7 }}", '" onerror="alert(1)', "=1+1"])
def test_titles_of_the_server_are_text_on_our_pages(stand_in: StandIn, listener: Client, title: str) -> None:
    stand_in.changes = {0: {"title": title, "artists": [{"id": "x", "name": title}], "album": title}}
    read(stand_in)
    page = listener.get(Track.objects.get(title=title).get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert ' onerror="alert' not in page
