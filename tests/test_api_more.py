"""Calls for what was long on pages alone: a past brought along, why, sections, files, the whole queue, Spotify."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from catalog.models import Track
from feedback.history_import.models import HistoryImport
from feedback.playlists.models import Playlist
from feedback.playlists.services import create_playlist
from feedback.plays.models import Play
from feedback.preferences.models import Block, TasteAdjustment
from feedback.tests.factories import PlayFactory, RatingFactory
from jobs.tests.helpers import run_waiting
from recommender.lifecycle.versions import forget_loaded
from recommender.models import Recommendation
from recommender.tests.builders import make_catalogue, make_user
from tests.api_calls import send

pytestmark = pytest.mark.django_db
IMPORTS = "/api/user/history/imports"


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.MODEL_DIR, settings.VAR_DIR = tmp_path / "models", tmp_path
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


def upload(client: Client, *rows: tuple[str, str], status: int = 202, name: str = "mine.json") -> Any:
    record = {"ms_played": 200_000, "spotify_track_uri": None, "master_metadata_album_album_name": ""}
    plays = [
        {
            "ts": f"2023-01-{day:02}T10:00:00Z",
            "master_metadata_track_name": title,
            "master_metadata_album_artist_name": artist,
            **record,
        }
        for day, (title, artist) in enumerate(rows, 1)
    ]
    file = SimpleUploadedFile(name, json.dumps(plays).encode())
    answer = client.post(IMPORTS, {"file": file, "wants_own_songs": "false"})
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_past_is_brought_along_watched_and_undone(listener: Client, user: User, songs: list[Track]) -> None:
    known = songs[0]
    begun = upload(listener, (known.title, known.artist_names), ("Nowhere", "Nobody"), ("Nowhere", "Nobody"))
    path = f"{IMPORTS}/{begun['id']}"
    assert (begun["state"], begun["name"]) == ("waiting", "mine.json")
    assert upload(listener, ("x", "y"), status=409)["detail"] == "Your previous import is still running."

    run_waiting()

    body = send(listener, "get", path)
    assert (body["state"], body["plays_added"], body["plays_unmatched"]) == ("done", 1, 2)
    assert Play.objects.get(user=user).track == known
    unknown = send(listener, "get", f"{path}/unmatched")
    assert [(row["title"], row["artist"], row["plays"]) for row in unknown["items"]] == [("Nowhere", "Nobody", 2)]
    assert [row["id"] for row in send(listener, "get", IMPORTS)["items"]] == [begun["id"]]
    send(listener, "post", f"{path}/stop", status=409)
    assert send(listener, "post", f"{path}/undo", status=202)["state"] == "undoing"
    run_waiting()
    send(listener, "get", path, status=404)
    assert not Play.objects.exists()


def test_an_upload_that_is_none_or_too_large_is_a_problem(listener: Client, settings: Any) -> None:
    assert listener.post(IMPORTS).json()["errors"][0]["field"] == "body.file"
    answer = listener.post(IMPORTS, "no boundary", content_type="multipart/form-data")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    settings.MAX_HISTORY_UPLOAD_BYTES = 10
    assert upload(listener, ("x", "y"), status=422)["errors"][0]["field"] == "body.file"
    assert not HistoryImport.objects.exists()


def test_a_session_brings_nothing_along_without_the_csrf_token(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    upload(client, ("x", "y"), status=403)


def test_the_history_is_narrowed_and_a_file(listener: Client, user: User, songs: list[Track]) -> None:
    heard = PlayFactory(user=user, track=songs[0], outcome=Play.Outcome.COMPLETED)
    PlayFactory(user=user, track=songs[1], outcome=Play.Outcome.SKIPPED)
    PlayFactory(user=make_user("bob"), track=songs[0], outcome=Play.Outcome.COMPLETED)

    body = send(listener, "get", "/api/user/history?outcome=completed")
    assert [row["id"] for row in body["items"]] == [heard.pk]
    assert send(listener, "get", f"/api/user/history?q={songs[1].title}&outcome=completed")["items"] == []
    send(listener, "get", "/api/user/history?outcome=loud", status=422)
    answer = listener.get("/api/user/history.csv?outcome=completed")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [(row["title"], row["outcome"]) for row in rows] == [(songs[0].title, "completed")]


def test_ratings_are_narrowed(listener: Client, user: User, songs: list[Track]) -> None:
    for track in songs[:2]:
        RatingFactory(user=user, track=track)
    body = send(listener, "get", f"/api/user/ratings?q={songs[1].title}")
    assert [row["song"]["id"] for row in body["items"]] == [songs[1].pk]


def test_not_now(listener: Client, user: User, songs: list[Track]) -> None:
    body = send(listener, "post", f"/api/songs/{songs[0].pk}/rest", status=201)
    block = Block.objects.get(user=user)
    assert (body["kind"], body["id"], block.track) == ("track", songs[0].pk, songs[0])
    assert block.until is not None
    assert (block.until - block.created_at).days in (29, 30)


def test_why_a_song_is_there_and_that_the_reason_is_wrong(listener: Client, user: User, songs: list[Track]) -> None:
    call_command("retrain", verbosity=0)
    send(listener, "post", "/api/feedback", {"song_id": songs[0].pk, "value": "like"})
    page = send(listener, "get", "/api/recommendations?k=5")
    causes = {}
    for item in page["items"]:
        path = f"/api/recommendations/{page['page']}/songs/{item['song']['id']}"
        body = send(listener, "get", path)
        assert body["song"]["id"] == item["song"]["id"]
        assert body["score"] == pytest.approx(item["score"])
        values = [term["value"] for term in body["terms"]]
        assert values == sorted(values, reverse=True)
        assert set(values) <= {value for value in item["terms"].values() if abs(value) >= 0.005}
        rejected = send(listener, "post", f"{path}/wrong-reason")
        causes[rejected["kind"]] = rejected["id"]

    assert Recommendation.objects.filter(page=page["page"], is_reason_wrong=True).count() == 5
    turned_down = TasteAdjustment.objects.filter(user=user, factor=0.5)
    assert {row.artist_id or row.genre_id for row in turned_down} >= {pk for kind, pk in causes.items() if kind}
    send(listener, "get", f"/api/recommendations/{page['page']}/songs/99999", status=404)


def test_the_sections_of_the_page(listener: Client, user: User, songs: list[Track]) -> None:
    assert send(listener, "get", "/api/recommendations/sections") == []
    call_command("retrain", verbosity=0)
    body = send(listener, "get", "/api/recommendations/sections")
    assert body[0]["name"] == "made"
    assert body[0]["title"] == "Made for you"
    shown = [item["song"]["id"] for section in body for item in section["items"]]
    assert len(shown) == len(set(shown)) == Recommendation.objects.filter(user=user).count() > 0


def test_a_playlist_is_a_file_and_found_by_its_song(listener: Client, user: User, songs: list[Track]) -> None:
    made = create_playlist(owner=user, name="=Mine", tracks=songs[:2])
    Playlist.objects.create(owner=user, name="Empty")
    path = f"/api/playlists/{made.pk}/file"
    assert listener.get(path).content.decode().startswith("#EXTM3U\n#PLAYLIST:=Mine\n")
    assert [row["title"] for row in send(listener, "get", f"{path}?kind=jspf")["playlist"]["track"]] == [
        track.title for track in songs[:2]
    ]
    assert listener.get(f"{path}?kind=csv").getvalue().decode().count("\r\n") == 3
    results = send(listener, "get", f"/api/songs/{songs[0].pk}/playlists")["items"]
    assert [(row["id"], row["song_count"]) for row in results] == [(made.pk, 2)]
    assert send(listener, "get", f"/api/songs/{songs[2].pk}/playlists")["items"] == []


def test_a_list_in_place_of_the_queue_and_to_any_item_of_it(listener: Client, user: User, songs: list[Track]) -> None:
    ids = [track.pk for track in songs[:4]]
    body = send(listener, "put", "/api/playback/queue", {"songs": ids, "first": ids[1]})
    assert (body["current"]["song"]["id"], body["ahead"]) == (ids[1], 2)
    ahead = send(listener, "get", "/api/playback/queue")["items"]
    body = send(listener, "post", f"/api/playback/queue/{ahead[-1]['id']}/play")
    assert (body["current"]["song"]["id"], body["ahead"]) == (ids[3], 0)
    made = create_playlist(owner=user, name="Mine", tracks=songs[2:5])
    body = send(listener, "put", "/api/playback/queue", {"source": "playlist", "source_id": made.pk})
    first = body["current"]
    assert (first["song"]["id"], body["ahead"]) == (songs[2].pk, 2)
    send(listener, "post", f"/api/playback/next?after={first['item']}")
    # Another device was at the first song, too: it is told where the player is by now.
    body = send(listener, "post", f"/api/playback/next?after={first['item']}")
    assert body["current"]["song"]["id"] == songs[3].pk


def test_songs_are_narrowed_by_year_and_sound(client: Client, songs: list[Track]) -> None:
    Track.objects.update(release_year=2001)
    Track.objects.filter(pk=songs[0].pk).update(release_year=1980)
    body = send(client, "get", "/api/songs?year_to=1999")
    assert [song["id"] for song in body["items"]] == [songs[0].pk]
    fast = [track.pk for track in songs if (track.features or {}).get("tempo", 0) >= 130]
    body = send(client, "get", "/api/songs?tempo_min=130&size=100")
    assert {song["id"] for song in body["items"]} == set(fast)
    first = send(client, "get", "/api/songs?year_from=2000&size=2")
    send(client, "get", f"/api/songs?year_from=2000&size=2&cursor={first['next']}")
    # A cursor belongs to its list.
    send(client, "get", f"/api/songs?year_from=1990&size=2&cursor={first['next']}", status=422)
