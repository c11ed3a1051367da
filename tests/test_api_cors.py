"""What pages of other sites may call once the operator names them in API_CORS_ORIGINS, and what they may not."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.tokens.services import create_token
from feedback.ratings.models import Rating
from feedback.tests.factories import PASSWORD, UserFactory, make_track
from tests.api_calls import JSON

pytestmark = pytest.mark.django_db
APP = "https://app.example.org"
ALLOWED = "Access-Control-Allow-Origin"
NAMELESS = [
    "https://app.example.org.evil.example",
    "https://evil-app.example.org",
    "https://app.example.orgx",
    "https://app.example.org:444",
    "http://app.example.org",
    "https://app.example.org@evil.example",
    "null",
]


@pytest.fixture(autouse=True)
def _named(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [APP]


@pytest.fixture
def user() -> User:
    return UserFactory(username="ada")


def bearer(user: User, scope: str = "write") -> dict[str, str]:
    """Return the headers of a script on the named site that has one of the listener's tokens."""
    _token, key = create_token(user=user, name="app", scope=scope)
    return {"Origin": APP, "Sec-Fetch-Site": "cross-site", "Authorization": f"Bearer {key}"}


def test_a_named_site_calls_with_a_token(client: Client, user: User) -> None:
    headers, track = bearer(user), make_track("Song")

    answers = [
        client.post("/api/feedback", {"song_id": track.pk, "value": "like"}, JSON, headers=headers),
        client.get(f"/api/playback/play/{track.pk}", headers=headers),
        client.post("/api/feedback", {"song_id": track.pk}, JSON, headers=headers),
        client.get("/api/songs/999999", headers=headers),
        client.get("/api/user/profile", headers={**headers, "Authorization": "Bearer wrong"}),
    ]

    # Errors are for the script to read, too.
    assert [(answer.status_code, answer.get(ALLOWED)) for answer in answers] == [
        (status, APP) for status in (200, 200, 422, 404, 401)
    ]
    assert Rating.objects.get().user == user


@pytest.mark.parametrize("site", ["cross-site", "same-site", None])
@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/register"])
def test_no_other_site_asks_for_passwords(client: Client, user: User, path: str, site: str | None) -> None:
    """A page that could log a visitor in could do so as somebody else; apps are given tokens instead."""
    headers = {"Origin": APP} | ({"Sec-Fetch-Site": site} if site else {})
    new = {"username": "eve", "email": "eve@example.org", "password": PASSWORD}
    body = new if path.endswith("register") else {"login": user.username, "password": PASSWORD}

    answer = client.post(path, body, JSON, headers=headers)

    assert (answer.status_code, answer.get(ALLOWED)) == (403, APP)
    assert not answer.cookies
    assert list(User.objects.all()) == [user]


def test_a_session_is_worth_nothing_to_a_named_site(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    track = make_track("Song")
    headers = {"Origin": APP, "Sec-Fetch-Site": "cross-site"}

    read = client.get("/api/user/profile", headers=headers)
    changed = client.post("/api/feedback", {"song_id": track.pk, "value": "like"}, JSON, headers=headers)
    played = client.get(f"/api/playback/play/{track.pk}", headers=headers)

    # Without this header no browser hands out an answer to a request that had cookies.
    assert "Access-Control-Allow-Credentials" not in read.headers
    assert (changed.status_code, played.status_code) == (403, 403)
    assert not Rating.objects.exists()


@pytest.mark.parametrize("origin", NAMELESS)
def test_what_looks_like_a_named_site_is_not(client: Client, user: User, origin: str) -> None:
    headers = {**bearer(user), "Origin": origin, "Access-Control-Request-Method": "POST"}
    answers = [client.get("/api/songs", headers=headers), client.options("/api/feedback", headers=headers)]
    assert [answer.get(ALLOWED) for answer in answers] == [None, None]


@pytest.mark.parametrize(
    "path", ["/", "/accounts/login/", "/songs/", "/profile/", "/admin/login/", "/1/validate-token"]
)
def test_only_the_api_is_open(client: Client, path: str) -> None:
    assert client.get(path, headers={"Origin": APP}).get(ALLOWED) != APP


def test_caches_keep_answers_for_origins_apart(client: Client) -> None:
    assert "origin" in client.get("/api/songs", headers={"Origin": APP})["Vary"]
    assert "origin" in client.get("/api/songs")["Vary"]


def test_a_read_only_token_stays_read_only(client: Client, user: User) -> None:
    track = make_track("Song")
    body = {"song_id": track.pk, "value": "like"}
    assert client.post("/api/feedback", body, JSON, headers=bearer(user, "read")).status_code == 403
    assert not Rating.objects.exists()
