"""Calls about access tokens, password and email address: no program needs a browser."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.tokens.services import create_token
from tests.api_calls import JSON, send

pytestmark = pytest.mark.django_db
PASSWORD = "three blind mice see how"


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ada", "ada@example.org", PASSWORD)


@pytest.fixture
def program(user: User) -> Client:
    """Return a program that logged in by the API alone."""
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/api/auth/login", {"login": "ada", "password": PASSWORD}, content_type=JSON)
    client.defaults["HTTP_X_CSRFTOKEN"] = answer.json()["csrf_token"]
    return client


def with_key(key: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {key}"})


def test_a_program_makes_its_token_right_after_logging_in(program: Client) -> None:
    made = send(program, "post", "/api/user/tokens", {"name": " backup ", "scope": "read", "days": 30}, 201)
    assert made["key"].startswith("earworm_")
    assert (made["name"], made["scope"], made["last_used_at"]) == ("backup", "read", None)
    token = ApiToken.objects.get()
    assert token.expires_at is not None
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    listed = send(with_key(made["key"]), "get", "/api/user/tokens")
    assert [item["id"] for item in listed["items"]] == [token.pk]
    assert "key" not in listed["items"][0]
    assert send(with_key(made["key"]), "post", "/api/playlists", {"name": "x"}, 403)["detail"] == (
        "This access token is read-only."
    )


def test_an_old_log_in_or_a_token_needs_the_password(user: User) -> None:
    old = Client()
    old.force_login(user)
    key = create_token(user=user, name="mine", scope="write")[1]
    for client in (old, with_key(key)):
        refused = send(client, "post", "/api/user/tokens", {"name": "x"}, 401)
        assert [error["field"] for error in refused["errors"]] == ["body.password"]
        assert send(client, "post", "/api/user/tokens", {"name": "x", "password": "wrong"}, 401)["status"] == 401
        send(client, "post", "/api/user/tokens", {"name": "x", "password": PASSWORD}, 201)
    assert ApiToken.objects.count() == 3


def test_an_expired_token_opens_nothing(user: User) -> None:
    key = create_token(user=user, name="mine", scope="read", days=1)[1]
    send(with_key(key), "get", "/api/user/profile")
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    send(with_key(key), "get", "/api/user/profile", status=401)


def test_the_same_key_makes_one_token(user: User) -> None:
    client = with_key(create_token(user=user, name="mine", scope="write")[1])
    body = {"name": "x", "password": PASSWORD}
    answers = [
        client.post("/api/user/tokens", body, content_type=JSON, headers={"Idempotency-Key": "a"}) for _time in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert ApiToken.objects.count() == 2


def test_tokens_are_revoked_by_their_listener_alone(user: User) -> None:
    other = User.objects.create_user("grace", "grace@example.org", PASSWORD)
    theirs = create_token(user=other, name="theirs", scope="read")[0]
    mine, key = create_token(user=user, name="mine", scope="write")
    send(with_key(key), "delete", f"/api/user/tokens/{theirs.pk}", status=404)
    send(with_key(key), "delete", f"/api/user/tokens/{mine.pk}", status=204)
    send(with_key(key), "get", "/api/user/profile", status=401)
    assert list(ApiToken.objects.all()) == [theirs]


@pytest.mark.parametrize(
    "body", [{"name": "  "}, {"name": ""}, {"name": "x", "days": 0}, {"name": "x", "scope": "all"}]
)
def test_a_token_that_does_not_fit_is_refused(program: Client, body: dict[str, Any]) -> None:
    send(program, "post", "/api/user/tokens", body, 422)


def test_the_password_is_changed_and_the_session_stays(program: Client, user: User) -> None:
    body = {"password": "wrong", "new_password": "they run after the farmer"}
    send(program, "put", "/api/user/password", body, 401)
    weak = send(program, "put", "/api/user/password", {"password": PASSWORD, "new_password": "12345678"}, 422)
    assert {error["field"] for error in weak["errors"]} == {"body.new_password"}
    send(program, "put", "/api/user/password", {**body, "password": PASSWORD}, 204)
    user.refresh_from_db()
    assert user.check_password(body["new_password"])
    send(program, "get", "/api/user/profile")


def test_the_email_address_is_changed_at_once_without_email(program: Client, settings: Any, user: User) -> None:
    send(program, "put", "/api/user/email", {"email": "ada@example.com", "password": "wrong"}, 401)
    body = send(program, "put", "/api/user/email", {"email": "ada@example.com", "password": PASSWORD})
    assert body == {"email": "ada@example.com", "pending": None}
    assert send(program, "get", "/api/user/email") == body


def test_the_email_address_waits_for_its_confirmation(program: Client, settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    body = send(program, "put", "/api/user/email", {"email": "ada@example.com", "password": PASSWORD})
    assert body == {"email": "ada@example.org", "pending": "ada@example.com"}
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]


def test_a_token_changes_neither_password_nor_email(user: User) -> None:
    client = with_key(create_token(user=user, name="mine", scope="write")[1])
    send(client, "put", "/api/user/password", {"password": PASSWORD, "new_password": "they run after"}, 401)
    send(client, "put", "/api/user/email", {"email": "ada@example.com", "password": PASSWORD}, 401)
