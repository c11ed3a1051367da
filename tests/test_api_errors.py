"""Errors of the API: they name the request's own fields, and speak the language that was asked for."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.tokens.services import create_token
from tests.api_calls import JSON

pytestmark = pytest.mark.django_db
GERMAN = {"Accept-Language": "de"}


@pytest.fixture
def listener(client: Client) -> Client:
    client.force_login(User.objects.create_user("ada", "ada@example.org", "three blind mice see how"))
    return client


@pytest.mark.parametrize(
    ("method", "path", "body", "errors"),
    [
        (
            "POST",
            "/api/feedback",
            {"song_id": "1", "value": "x", "more": 1},
            {
                "body.song_id": "Muss eine ganze Zahl sein.",
                "body.value": "Muss eines davon sein: 'like', 'dislike', 'clear'.",
                "body.more": "Dieses Feld gibt es nicht.",
            },
        ),
        ("POST", "/api/feedback", [1], {"body": "Muss ein Objekt sein."}),
        ("GET", "/api/songs?size=0", None, {"query.size": "Muss mindestens 1 sein."}),
        (
            "GET",
            "/api/songs?cursor=x",
            None,
            {"query.cursor": "Kein Cursor dieser Liste. Gib `next` unverändert weiter."},
        ),
        (
            "GET",
            "/api/songs/lookup?id=1&id=x&isrc=x&mbid=x&spotify_id=x",
            None,
            {
                "query.id.1": "Muss eine ganze Zahl sein.",
                "query.isrc.0": "Muss ^[A-Za-z]{2}[A-Za-z0-9]{3}[0-9]{7}$ entsprechen.",
                "query.mbid.0": "Muss ^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$ entsprechen.",
                "query.spotify_id.0": "Muss ^[0-9A-Za-z]{22}$ entsprechen.",
            },
        ),
        (
            "POST",
            "/api/user/taste/exclusions",
            {"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
            {"body.until": "Das Ende muss nach dem Anfang liegen."},
        ),
        (
            "POST",
            "/api/user/taste/exclusions",
            {"kind": "artist", "id": 999_999},
            {"body.id": "Diesen Song, diesen Künstler oder dieses Genre gibt es nicht."},
        ),
        (
            "POST",
            "/api/user/blocks",
            {"kind": "genre", "id": 999_999},
            {"body.id": "Diesen Song, diesen Künstler oder dieses Genre gibt es nicht."},
        ),
        (
            "PUT",
            "/api/user/taste/lines",
            {"kind": "genre", "id": 999_999, "level": "up"},
            {"body.id": "Diesen Künstler, dieses Genre oder dieses Merkmal gibt es nicht."},
        ),
        (
            "PUT",
            "/api/user/taste/lines",
            {"kind": "feature", "id": "x", "level": "up"},
            {"body.id": "Diesen Künstler, dieses Genre oder dieses Merkmal gibt es nicht."},
        ),
        ("PUT", "/api/playback/queue", {}, {"body.songs": "Es gibt keine Songs zum Abspielen."}),
        ("PUT", "/api/playback/queue", {"songs": [999_999]}, {"body.songs": "Es gibt keine Songs zum Abspielen."}),
        ("PUT", "/api/playback/queue", {"source": "likes"}, {"body.source": "Es gibt keine Songs zum Abspielen."}),
        ("PUT", "/api/playback/queue", {"source": "playlist"}, {"body.source_id": "Ein Wert ist erforderlich."}),
        ("GET", "/api/songs/0", None, {"path.song_id": "Muss mindestens 1 sein."}),
        (
            "POST",
            "/api/playlists",
            {"name": "x", "songs": [1, "a"]},
            {"body.songs.1": "Muss eine ganze Zahl sein."},
        ),
        (
            "POST",
            "/api/user/taste/exclusions",
            {"since": 1},
            {"body.since": "Muss eine Zeit wie 2026-11-21T18:00:00Z sein."},
        ),
    ],
)
def test_errors_name_the_fields_in_the_readers_language(
    listener: Client, method: str, path: str, body: Any, errors: dict[str, str]
) -> None:
    answer = listener.generic(method, path, "" if body is None else _json(body), JSON, headers=GERMAN)
    assert answer.status_code == 422
    assert {error["field"]: error["message"] for error in answer.json()["errors"]} == errors
    assert answer.json()["detail"] == "Einige Werte sind ungültig."


def test_a_wrong_password_is_a_401(listener: Client) -> None:
    answer = listener.delete("/api/user", {"password": "wrong"}, content_type=JSON, headers=GERMAN)
    assert answer.status_code == 401
    assert [error["field"] for error in answer.json()["errors"]] == ["body.password"]
    assert answer.json()["detail"] == answer.json()["errors"][0]["message"]
    body = {"login": "ada", "password": "wrong"}
    answer = Client().post("/api/auth/login", body, content_type=JSON, headers=GERMAN)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Der Anmeldename und/oder das Passwort sind leider falsch."


def test_a_bad_new_password_is_called_by_its_name_in_the_request(client: Client) -> None:
    body = {"username": "grace", "email": "grace@example.org", "password": "12345678"}
    answer = client.post("/api/auth/register", body, content_type=JSON)
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"body.password"}


def test_a_file_that_is_missing_is_a_field_of_the_body(listener: Client) -> None:
    answer = listener.post("/api/user/history/imports", {"wants_own_songs": "yes"}, headers=GERMAN)
    assert {error["field"]: error["message"] for error in answer.json()["errors"]} == {
        "body.file": "Ein Wert ist erforderlich.",
        "body.wants_own_songs": "Muss true oder false sein.",
    }


def test_what_a_stranger_is_told_is_in_their_language(client: Client) -> None:
    answer = client.get("/api/user/profile", headers=GERMAN)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Melde dich an oder sende ein Zugriffstoken (Authorization: Bearer ...)."
    assert client.get("/api/nothing", headers=GERMAN).json()["detail"] == "Diese Adresse gibt es nicht."


SESSION_ONLY = [
    ("GET", "/api/auth/spotify"),
    ("GET", "/api/auth/spotify/callback"),
    ("PUT", "/api/user/password"),
    ("PUT", "/api/user/email"),
    ("DELETE", "/api/user"),
]


@pytest.mark.parametrize(("method", "path"), SESSION_ONLY)
def test_what_only_a_session_can_do_says_so(client: Client, method: str, path: str) -> None:
    user = User.objects.create_user("ada", "ada@example.org", "three blind mice see how")
    key = create_token(user=user, name="tests", scope="write")[1]
    for headers in ({"Authorization": f"Bearer {key}"}, {}):
        answer = client.generic(method, path, "{}", JSON, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["detail"] == "Log in first. Only a browser session can do this, not an access token."


def test_the_list_of_what_only_a_session_can_do_is_complete(client: Client) -> None:
    described = client.get("/api/openapi.json").json()["paths"]
    alone = {
        (method.upper(), path)
        for path, operations in described.items()
        for method, operation in operations.items()
        if operation["security"] == [{"SessionAuth": []}]
    }
    assert alone == set(SESSION_ONLY)


def test_connecting_spotify_advises_what_is_possible(listener: Client) -> None:
    answer = listener.get("/api/auth/spotify")
    assert answer.status_code == 403
    assert answer.json()["detail"] == (
        "Connect Spotify from a page of this site: nothing proves that this request comes from one."
    )


def _json(value: Any) -> str:

    return json.dumps(value)
