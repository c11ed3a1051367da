"""``Idempotency-Key``: every call that changes something in a listener's name does so once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import StoredResponse, User
from accounts.tokens.services import create_token
from catalog.tests.factories import make_track
from feedback.history_import.models import HistoryImport
from feedback.playlists.models import Playlist
from feedback.plays.models import Play
from tests.api_calls import JSON

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "7f3a"}


@pytest.fixture
def program() -> Client:
    user = User.objects.create_user("ada", "ada@example.org", "three blind mice see how")
    key = create_token(user=user, name="tests", scope="write")[1]
    return Client(headers={"Authorization": f"Bearer {key}"})


def twice(program: Client, method: str, path: str, body: Any = None) -> list[Any]:
    text = "" if body is None else json.dumps(body)
    return [program.generic(method, path, text, JSON, headers=KEY) for _time in range(2)]


def test_a_playlist_is_made_once(program: Client) -> None:
    song = make_track()
    first, second = twice(program, "POST", "/api/playlists", {"name": "Mine", "songs": [song.pk]})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert Playlist.objects.count() == 1


def test_a_play_is_recorded_once(program: Client) -> None:
    song = make_track()
    first, second = twice(program, "POST", "/api/user/history", {"song_id": song.pk})
    assert first.json() == second.json()
    assert Play.objects.count() == 1


def test_a_deletion_is_answered_again(program: Client) -> None:
    made = program.post("/api/playlists", {"name": "Mine"}, content_type=JSON).json()
    first, second = twice(program, "DELETE", f"/api/playlists/{made['id']}")
    assert (first.status_code, second.status_code) == (204, 204)
    assert second.content == b""


def test_the_gets_that_change_something_take_it_too(program: Client) -> None:
    songs = [make_track() for _number in range(4)]
    program.put("/api/playback/queue", {"songs": [song.pk for song in songs]}, content_type=JSON)
    first, second = twice(program, "GET", "/api/playback/next")
    assert first.json()["current"]["song"]["id"] == second.json()["current"]["song"]["id"] == songs[1].pk
    assert program.get("/api/playback").json()["current"]["song"]["id"] == songs[1].pk


def test_an_upload_is_taken_once(program: Client) -> None:
    answers = []
    for _time in range(2):
        file = SimpleUploadedFile("history.json", b'[{"ts": "2023-01-01T10:00:00Z", "ms_played": 200000}]')
        answers.append(program.post("/api/user/history/imports", {"file": file}, headers=KEY))
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert HistoryImport.objects.count() == 1
    other = SimpleUploadedFile("history.json", b"[]")
    assert program.post("/api/user/history/imports", {"file": other}, headers=KEY).status_code == 422


@pytest.mark.parametrize(
    ("seconds_ago", "status"),
    [
        pytest.param(30, 409, id="at work"),
        pytest.param(-30, 409, id="at work, by a clock that is ahead a little"),
        pytest.param(90, 200, id="its process has died"),
        pytest.param(-7200, 200, id="it died while the clock was ahead"),
    ],
)
def test_a_request_that_died_makes_way(program: Client, seconds_ago: int, status: int) -> None:
    body = {"song_id": make_track().pk, "value": "like"}
    assert twice(program, "POST", "/api/feedback", body)[1].status_code == 200
    began = timezone.now() - timedelta(seconds=seconds_ago)
    StoredResponse.objects.update(response={}, created_at=began)
    assert twice(program, "POST", "/api/feedback", body)[0].status_code == status


def test_another_request_with_the_key_is_refused(program: Client) -> None:
    program.post("/api/playlists", {"name": "Mine"}, content_type=JSON, headers=KEY)
    answer = program.post("/api/playlists", {"name": "Yours"}, content_type=JSON, headers=KEY)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "header.Idempotency-Key"
    assert Playlist.objects.count() == 1
    long = program.post("/api/playlists", {"name": "x"}, content_type=JSON, headers={"Idempotency-Key": "k" * 201})
    assert long.json()["errors"] == [
        {"field": "header.Idempotency-Key", "message": "Must have at most 200 characters."}
    ]


def test_what_was_refused_may_be_tried_again(program: Client) -> None:
    song = make_track(is_active=False)
    body = {"song_id": song.pk, "value": "like"}
    assert program.post("/api/feedback", body, content_type=JSON, headers=KEY).status_code == 404
    song.is_active = True
    song.save()
    assert program.post("/api/feedback", body, content_type=JSON, headers=KEY).status_code == 200
    assert StoredResponse.objects.count() == 1


def test_the_database_keeps_no_answer_that_can_be_read(program: Client) -> None:
    program.post("/api/playlists", {"name": "Secret songs"}, content_type=JSON, headers=KEY)
    row = StoredResponse.objects.get()
    assert "Secret songs" not in json.dumps(row.response)
    assert "7f3a" not in json.dumps([row.response, row.key_digest, row.request_digest])


def test_every_call_that_changes_something_is_described_with_it(client: Client) -> None:
    described = client.get("/api/openapi.json").json()
    without = {
        operation["operationId"]
        for methods in described["paths"].values()
        for method, operation in methods.items()
        if not any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"])
        and (method != "get" or operation["operationId"].endswith("_by_get"))
    }
    # Nobody is known yet, or no more.
    assert without == {"register", "login", "logout", "logout_by_get"}
