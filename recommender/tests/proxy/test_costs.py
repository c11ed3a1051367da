"""What an answer of the proxy costs: queries, calls to the music server, time and room in the cache."""

import time
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from catalog.models import Track
from catalog.sources.subsonic.client import SubsonicError
from catalog.sources.subsonic.passing import PassedClient
from feedback.playlists.services import create_playlist
from recommender.proxy import calls
from recommender.tests.proxy.server import Server, login
from recommender.tests.proxy.test_answers import body, listener  # noqa: F401

pytestmark = pytest.mark.django_db


def queries_of(client: Client, method: str, **values: Any) -> list[str]:
    body(client, method, **values)
    with CaptureQueriesContext(connection) as captured:
        body(client, method, **values)
    return [query["sql"] for query in captured.captured_queries]


def methods(server: Server) -> list[str]:
    return [call[1] for call in server.calls]


def test_playlists_take_as_many_queries_for_thirty_as_for_one(client: Client, listener: User) -> None:  # noqa: F811
    tracks = list(Track.objects.order_by("pk")[:3])
    create_playlist(owner=listener, name="First", tracks=tracks)
    few = len(queries_of(client, "getPlaylists"))
    for number in range(29):
        create_playlist(owner=listener, name=f"List {number}", tracks=tracks[: number % 3])
    assert len(queries_of(client, "getPlaylists")) == few
    rows = {row["name"]: row for row in body(client, "getPlaylists")["playlists"]["playlist"]}
    seconds = sum(track.duration_ms or 0 for track in tracks) // 1000
    assert (rows["First"]["songCount"], rows["First"]["duration"]) == (3, seconds)
    assert (rows["List 0"]["songCount"], rows["List 0"]["duration"]) == (0, 0)
    assert rows["List 2"]["songCount"] == 2


@pytest.mark.usefixtures("listener")
def test_a_mix_reads_the_library_once(client: Client) -> None:
    queries = queries_of(client, "getSimilarSongs2", id="so-1", count=5)
    assert len([sql for sql in queries if "catalog_serversong" in sql and "ORDER BY" in sql]) == 1


@pytest.mark.usefixtures("listener")
def test_songs_stay_out_of_the_cache_of_rate_limits(client: Client, server: Server) -> None:
    before = body(client, "getSimilarSongs2", id="so-1", count=8)
    assert methods(server).count("getSong") == 8
    assert not [key for key in getattr(cache, "_cache", {}) if ":song:" in key]
    server.calls.clear()
    assert body(client, "getSimilarSongs2", id="so-1", count=8) == before
    assert "getSong" not in methods(server)
    # A star shows at once.
    body(client, "star", id="so-50")
    body(client, "getSimilarSongs2", id="so-1", count=8)
    assert "getSong" in methods(server)


@pytest.mark.usefixtures("listener")
def test_an_answer_that_takes_too_long_is_left_to_the_server(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "ASK_SECONDS", -1.0)
    songs = body(client, "getSimilarSongs2", id="so-1", count=8)["similarSongs2"]["song"]
    assert [song["id"] for song in songs] == ["so-0", "so-1"]
    assert methods(server) == ["getSimilarSongs2"]


def test_no_call_begins_after_the_deadline(server: Server) -> None:
    values = {name: str(value) for name, value in login().items() if name in ("u", "t", "s")}
    for seconds, answers in ((30.0, True), (-1.0, False)):
        deadline = time.monotonic() + seconds
        client = PassedClient(server.address, values, client="Tester", has_form_post=False, deadline=deadline)
        if answers:
            client.call("ping")
        else:
            with pytest.raises(SubsonicError, match="too long"):
                client.call("ping")
    assert methods(server) == ["ping"]
