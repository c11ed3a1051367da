"""Calls for a listener beyond ratings: recommendations, playlists, the player, steering, Spotify; and for operators."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalog.models import Track
from feedback.playlists.models import Playlist
from feedback.plays.models import Play
from feedback.preferences.models import Block, TasteAdjustment, TasteExclusion
from feedback.tests.factories import PlayFactory
from recommender.lifecycle.versions import forget_loaded
from recommender.models import ModelVersion, Recommendation
from recommender.tests.builders import make_catalogue, make_user
from tests.api_calls import send

pytestmark = pytest.mark.django_db
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(autouse=True)
def _models(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.MODEL_DIR = tmp_path / "models"
    forget_loaded()
    yield
    forget_loaded()


@pytest.fixture
def songs() -> list[Track]:
    return make_catalogue()


@pytest.fixture
def user() -> User:
    return make_user("ada")


@pytest.fixture
def listener(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def test_before_the_first_retrain_the_popular_songs_are_told(listener: Client, songs: list[Track]) -> None:
    body = send(listener, "get", "/api/recommendations?k=4")

    assert body["model_version"] is None
    assert len(body["items"]) == 4
    assert not Recommendation.objects.exists()


def test_recommendations_come_with_their_arithmetic(listener: Client, user: User, songs: list[Track]) -> None:
    call_command("retrain", verbosity=0)
    liked = songs[0]
    send(listener, "post", "/api/feedback", {"song_id": liked.pk, "value": "like"})

    body = send(listener, "get", "/api/recommendations?k=5")

    assert body["model_version"] == ModelVersion.objects.get(state="active").pk
    assert len(body["items"]) == 5
    assert liked.pk not in {item["song"]["id"] for item in body["items"]}
    assert all(item["terms"] and isinstance(item["score"], float) for item in body["items"])
    assert any(item["reason"] for item in body["items"])
    assert Recommendation.objects.filter(user=user).count() == 5


def test_recommend_is_for_the_listener_and_for_staff(client: Client, user: User, songs: list[Track]) -> None:
    call_command("retrain", verbosity=0)
    path = f"/recommend/{user.pk}?k=5"
    send(client, "get", path, status=401)
    client.force_login(make_user("eve"))
    send(client, "get", path, status=404)
    client.force_login(user)
    mine = send(client, "get", path)
    assert len(mine) == len(set(mine)) == 5
    assert len(send(client, "get", f"/recommend/{user.pk}")) == 5
    assert Recommendation.objects.count() == 10
    client.force_login(make_user("boss", is_staff=True))
    assert len(send(client, "get", path)) == 5
    assert Recommendation.objects.count() == 10
    send(client, "get", "/recommend/99999", status=404)


def test_similar_songs(client: Client, songs: list[Track]) -> None:
    path = f"/api/songs/{songs[0].pk}/similar?k=3"
    assert send(client, "get", path) == {"items": [], "is_known": False}
    call_command("retrain", verbosity=0)
    body = send(client, "get", path)
    assert (len(body["items"]), body["is_known"]) == (3, True)


def test_a_journey(client: Client, songs: list[Track]) -> None:
    path = f"/api/journey?start={songs[0].pk}&goal={songs[7].pk}&between=3"
    assert send(client, "get", path) == {"items": [], "is_known": False}
    call_command("retrain", verbosity=0)
    body = send(client, "get", path)
    ids = [song["id"] for song in body["items"]]
    assert (ids[0], ids[-1], len(set(ids)), body["is_known"]) == (songs[0].pk, songs[7].pk, 5, True)
    send(client, "get", f"/api/journey?start={songs[0].pk}&goal=999999", status=404)
    send(client, "get", f"/api/journey?start={songs[0].pk}", status=422)


def test_songs_that_go_with_a_playlist(listener: Client, user: User, songs: list[Track]) -> None:
    held = [song.pk for song in songs[:3]]
    made = send(listener, "post", "/api/playlists", {"name": "Rainy Sunday", "songs": held}, 201)
    path = f"/api/playlists/{made['id']}/suggestions?k=4"
    assert send(listener, "get", path) == {"items": [], "is_known": False}
    call_command("retrain", verbosity=0)
    body = send(listener, "get", path)
    ids = {song["id"] for song in body["items"]}
    assert (len(ids), body["is_known"]) == (4, True)
    assert not ids & set(held)
    known = body["items"][0]["id"]
    send(listener, "post", "/api/feedback", {"song_id": known, "value": "like"})
    assert known not in {song["id"] for song in send(listener, "get", path)["items"]}
    assert known in {song["id"] for song in send(listener, "get", f"{path}&only_new=false")["items"]}


def test_statistics(listener: Client, user: User, songs: list[Track]) -> None:
    at = timezone.now() - timedelta(days=40)
    for song, times in ((songs[0], 3), (songs[1], 1)):
        for number in range(times):
            PlayFactory(user=user, track=song, played_at=at + timedelta(minutes=number), ms_played=60_000)
    PlayFactory(user=make_user("bob"), track=songs[0], played_at=at)
    body = send(listener, "get", "/api/user/statistics?period=year")
    assert (body["plays"], body["songs"], body["milliseconds"], body["time_zone"]) == (4, 2, 240_000, "UTC")
    assert [(row["id"], row["name"], row["plays"]) for row in body["top_songs"]] == [
        (songs[0].pk, songs[0].title, 3),
        (songs[1].pk, songs[1].title, 1),
    ]
    assert (sum(body["hours"]), len(body["hours"]), sum(span["plays"] for span in body["spans"])) == (4, 24, 4)
    assert send(listener, "get", "/api/user/statistics?period=month")["plays"] == 0
    send(listener, "get", "/api/user/statistics?period=decade", status=422)


def test_a_playlist_from_its_making_to_its_end(listener: Client, user: User, songs: list[Track]) -> None:
    ids = [song.pk for song in songs[:4]]
    made = send(listener, "post", "/api/playlists", {"name": " Rainy  Sunday ", "songs": ids[:3]}, 201)
    assert (made["name"], made["song_count"]) == ("Rainy Sunday", 3)
    path = f"/api/playlists/{made['id']}"
    assert send(listener, "post", f"{path}/songs", {"songs": [ids[3], ids[0], 10**9]})["song_count"] == 4
    send(listener, "put", f"{path}/songs/{ids[3]}", {"place": 0})
    send(listener, "delete", f"{path}/songs/{ids[1]}")
    body = send(listener, "get", path)
    assert [song["id"] for song in body["items"]] == [ids[3], ids[0], ids[2]]
    assert send(listener, "patch", path, {"name": "Sunny"})["name"] == "Sunny"
    send(listener, "patch", path, {"name": "  "}, 422)
    assert [row["name"] for row in send(listener, "get", "/api/playlists")["items"]] == ["Sunny"]
    send(listener, "delete", path, status=204)
    send(listener, "get", path, status=404)
    assert not Playlist.objects.exists()


def test_the_player(listener: Client, user: User, songs: list[Track]) -> None:
    first, second, third = songs[:3]
    assert send(listener, "get", "/api/playback")["current"] is None
    now = send(listener, "get", f"/api/playback/play/{first.pk}", headers=OWN_PAGE)
    assert now["current"]["song"]["id"] == first.pk
    assert now["current"]["means"]["sketch"] == f"/api/songs/{first.pk}/sketch.wav"
    send(listener, "post", "/api/playback/queue", {"songs": [second.pk, third.pk]})
    waiting = send(listener, "get", "/api/playback/queue")["items"]
    assert [item["song"]["id"] for item in waiting] == [second.pk, third.pk]
    assert send(listener, "delete", f"/api/playback/queue/{waiting[1]['id']}")["ahead"] == 1
    assert send(listener, "post", "/api/playback/next")["current"]["song"]["id"] == second.pk
    assert send(listener, "get", "/api/playback/previous", headers=OWN_PAGE)["current"]["song"]["id"] == first.pk
    assert send(listener, "get", "/api/playback/pause", headers=OWN_PAGE)["current"]["song"]["id"] == first.pk
    assert send(listener, "put", "/api/playback/shuffle", {"is_on": True})["shuffle"] is True
    assert send(listener, "delete", "/api/playback/queue")["ahead"] == 0
    token = "6c84fb90-12c4-11e1-840d-7b25c5ee775a"
    for played, outcome in ((9000, "started"), (31000, "completed"), (9000, "started")):
        body = {"song_id": first.pk, "token": token, "ms_played": played, "outcome": outcome}
        send(listener, "post", "/api/playback/report", body, 204)
    assert Play.objects.values_list("ms_played", "outcome").get() == (31000, "completed")
    send(listener, "get", "/api/playback/play/99999", status=404, headers=OWN_PAGE)


def test_at_the_end_of_the_queue_recommended_songs_follow(listener: Client, songs: list[Track]) -> None:
    call_command("retrain", verbosity=0)
    send(listener, "post", f"/api/playback/play/{songs[0].pk}")
    assert send(listener, "get", "/api/playback/next", headers=OWN_PAGE)["current"]["is_radio"] is True


def test_steering(listener: Client, user: User, songs: list[Track]) -> None:
    song = songs[0]
    artist, genre = song.artists.get(), song.genres.get()
    for kind, pk, days in (("track", song.pk, 30), ("artist", artist.pk, None), ("genre", genre.pk, 7)):
        made = send(listener, "post", "/api/user/blocks", {"kind": kind, "id": pk, "days": days}, 201)
        assert (made["kind"], made["id"], made["until"] is None) == (kind, pk, days is None)
    assert {row["kind"] for row in send(listener, "get", "/api/user/blocks")["items"]} == {"track", "artist", "genre"}
    send(listener, "delete", f"/api/user/blocks/artist/{artist.pk}", status=204)
    send(listener, "delete", f"/api/user/blocks/artist/{artist.pk}", status=404)
    assert Block.objects.count() == 2
    send(listener, "put", "/api/user/taste/lines", {"kind": "genre", "id": str(genre.pk), "level": "up"}, 204)
    send(listener, "put", "/api/user/taste/lines", {"kind": "feature", "id": "nothing", "level": "up"}, 422)
    assert TasteAdjustment.objects.get().factor == 2.0
    excluded = send(listener, "post", "/api/user/taste/exclusions", {"kind": "track", "id": song.pk}, 201)
    period = {"since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00+01:00"}
    send(listener, "post", "/api/user/taste/exclusions", period, 201)
    send(listener, "post", "/api/user/taste/exclusions", {"since": period["until"], "until": period["since"]}, 422)
    send(listener, "delete", f"/api/user/taste/exclusions/{excluded['id']}", status=204)
    assert TasteExclusion.objects.get().since is not None
    send(listener, "put", "/api/user/taste/private", {"is_private": True}, 204)
    body = send(listener, "get", "/api/user/taste")
    assert body["private_since"] is not None
    assert len(body["exclusions"]) == 1
    send(listener, "put", "/api/user/taste/private", {"is_private": False}, 204)


def test_the_taste_is_told(listener: Client, songs: list[Track]) -> None:
    call_command("retrain", verbosity=0)
    for song in songs[:3]:
        send(listener, "post", "/api/feedback", {"song_id": song.pk, "value": "like"})
    body = send(listener, "get", "/api/user/taste")
    assert body["genres"][0]["name"] == "folk"
    assert body["amount"] > 2


def test_spotify_without_an_app(listener: Client) -> None:
    send(listener, "get", "/api/auth/spotify", status=404, headers=OWN_PAGE)
    send(listener, "get", "/api/auth/spotify/callback?code=x&state=y", status=404, headers=OWN_PAGE)


def test_spotify_sends_the_browser_there_and_hands_the_answer_on(listener: Client, settings: Any) -> None:
    settings.SPOTIFY_CLIENT_ID = "0" * 32
    settings.SPOTIFY_CLIENT_SECRET = "1" * 32
    send(listener, "get", "/api/auth/spotify", status=302, headers=OWN_PAGE)
    away = listener.get("/api/auth/spotify", headers=OWN_PAGE)
    assert away["Location"].startswith("https://accounts.spotify.com/authorize?")
    assert "code_challenge" in away["Location"]
    assert listener.get("/api/auth/spotify", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    back = listener.get("/api/auth/spotify/callback?code=x&state=y")
    assert (back.status_code, back["Location"]) == (302, "/accounts/spotify/login/callback/?code=x&state=y")


def test_operators_see_and_change_the_model_that_serves(client: Client, songs: list[Track]) -> None:
    call_command("retrain", verbosity=0)
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", "x"))
    version = send(client, "get", "/api/operator/models")["items"][0]
    assert (version["state"], version["fitted_on"]["songs"]) == ("active", 40)
    assert send(client, "post", f"/api/operator/models/{version['id']}/activate")["state"] == "active"
    send(client, "post", "/api/operator/models/9999/activate", status=404)
    broken = ModelVersion.objects.create(directory="gone", fingerprint="0")
    send(client, "post", f"/api/operator/models/{broken.pk}/activate", status=409)
