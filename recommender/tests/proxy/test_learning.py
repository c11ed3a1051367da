"""What players tell the server teaches the site, once the server has accepted it, and each listen is one play."""

import time
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import MusicServer, Track
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.scrobbling.keys import create_key
from feedback.scrobbling.models import ScrobbledSong
from recommender.tests.proxy.server import Server, login
from recommender.tests.proxy.test_answers import body, listener  # noqa: F401

pytestmark = pytest.mark.django_db


def rating(remote_id: str) -> int | None:
    return Rating.objects.filter(track__server_songs__remote_id=remote_id).values_list("value", flat=True).first()


def plays() -> list[tuple[str, str, str]]:
    rows = Play.objects.order_by("played_at", "pk")
    return [(play.track.title, play.outcome, play.source) for play in rows.select_related("track")]


@pytest.mark.usefixtures("listener")
def test_stars_and_ratings_are_likes_and_dislikes(client: Client, server: Server) -> None:
    body(client, "star", id="so-1")
    assert rating("so-1") == 1
    body(client, "setRating", id="so-1", rating=2)
    assert rating("so-1") == -1
    # A star that goes takes no dislike along.
    body(client, "unstar", id="so-1")
    assert rating("so-1") == -1
    body(client, "setRating", id="so-1", rating=3)
    assert rating("so-1") is None
    body(client, "setRating", id="so-2", rating=5)
    body(client, "setRating", id="so-3", rating=1)
    body(client, "unstar", id="so-2")
    assert (rating("so-2"), rating("so-3")) == (None, -1)
    assert len(server.received["setRating"]) == 4
    for values in ({"albumId": "al-0"}, {"artistId": "ar-Artist 1"}, {"id": "so-999"}):
        body(client, "star", **values)
    assert Rating.objects.count() == 1


@pytest.mark.usefixtures("listener")
def test_what_the_server_refuses_teaches_nothing(client: Client, server: Server) -> None:
    body(client, "star", password="wrong", id="so-1")
    server.faults["star"] = (200, {"Content-Type": "application/json"}, b'{"subsonic-response": {"status": "failed"}}')
    body(client, "star", id="so-1")
    body(client, "star", name="bob", id="so-1")
    assert Rating.objects.count() == 0


@pytest.mark.usefixtures("listener")
def test_a_scrobble_is_a_play_and_a_quick_next_song_a_skip(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = int(time.time())
    clock = {"now": now - 1000}
    monkeypatch.setattr("recommender.proxy.learning.time.time", lambda: clock["now"])
    body(client, "scrobble", id="so-1", submission="false")
    clock["now"] += 20
    body(client, "scrobble", id="so-2", submission="false")
    assert plays() == [("Song 1", "skipped", "scrobble")]
    clock["now"] += 120
    body(client, "scrobble", id="so-2", time=(now - 980) * 1000)
    clock["now"] += 90
    body(client, "scrobble", id="so-3", submission="false")
    assert plays() == [("Song 1", "skipped", "scrobble"), ("Song 2", "completed", "scrobble")]
    # The same once more changes nothing.
    body(client, "scrobble", id="so-2", time=(now - 980) * 1000)
    assert len(plays()) == 2
    assert len(server.received["scrobble"]) == 5


@pytest.mark.usefixtures("listener")
def test_a_listen_that_the_server_scrobbles_too_is_one_play(client: Client, server: Server, listener: User) -> None:  # noqa: F811
    _key, token = create_key(user=listener, name="Navidrome")
    at = int(time.time()) - 500
    body(client, "scrobble", id="so-7", time=at * 1000)
    track = Track.objects.get(server_songs__remote_id="so-7")
    meta: dict[str, Any] = {"artist_name": track.artist_names, "track_name": track.title, "release_name": track.album}
    meta["additional_info"] = {"duration_ms": track.duration_ms, "submission_client": "navidrome"}
    response = client.post(
        "/1/submit-listens",
        {"listen_type": "single", "payload": [{"listened_at": at + 3, "track_metadata": meta}]},
        content_type="application/json",
        headers={"Authorization": f"Token {token}"},
    )
    assert response.status_code == 200
    assert plays() == [("Song 7", "completed", "scrobble")]


@pytest.mark.usefixtures("listener")
def test_a_song_that_was_not_read_yet_waits(client: Client, server: Server) -> None:
    server.count = 61
    body(client, "scrobble", id="so-60", time=(int(time.time()) - 500) * 1000)
    assert plays() == []
    assert list(ScrobbledSong.objects.filter(track=None).values_list("title", flat=True)) == ["Song 60"]


@pytest.mark.usefixtures("listener")
def test_a_player_is_answered_though_we_learn_nothing(
    client: Client, server: Server, proxied: MusicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.proxy.learning.rate", lambda **_values: 1 / 0)
    assert body(client, "star", id="so-1")["status"] == "ok"
    assert login()["u"] == "ada"
