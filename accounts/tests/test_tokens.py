"""Personal tokens: the pages. What they open is tested in `tests/test_api.py`."""

import re

import pytest
from django.test import Client

from accounts.models import ApiToken, User
from accounts.tests.conftest import PASSWORD
from accounts.tokens.services import create_token

URL = "/profile/tokens/"


@pytest.fixture
def fresh(listener: Client) -> Client:
    """Return a browser in which the password was typed again just now."""
    listener.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return listener


def key_of(html: str) -> str:
    match = re.search(r'value="(earworm_[\w-]{43})"', html)
    assert match
    return match[1]


def test_anonymous_visitors_log_in_first(client: Client, db: None) -> None:
    assert client.get(URL)["Location"] == f"/accounts/login/?next={URL}"


def test_the_password_is_asked_again_after_a_while(listener: Client) -> None:
    assert listener.get(URL)["Location"] == "/accounts/reauthenticate/?next=%2Fprofile%2Ftokens%2F"
    assert listener.post(URL, {"name": "x", "scope": "read"}).status_code == 302
    assert not ApiToken.objects.exists()


def test_a_token_is_made_shown_once_used_and_revoked(fresh: Client, user: User) -> None:
    answer = fresh.post(URL, {"name": "<script>", "scope": "read"})
    key = key_of(answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    token = ApiToken.objects.get()
    assert (token.user, token.name, token.scope, token.last_used_at) == (user, "<script>", "read", None)
    program = Client()
    headers = {"Authorization": f"Bearer {key}"}
    assert program.get("/api/user/profile", headers=headers).status_code == 200

    html = fresh.get(URL).content.decode()
    assert key not in html
    assert "&lt;script&gt;" in html
    assert re.search(r"last used (now|a second ago|\d+\xa0seconds ago)", html)
    assert fresh.post(f"{URL}{token.pk}/revoke/", follow=True).status_code == 200
    assert program.get("/api/user/profile", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("answers", "field"),
    [({"name": "", "scope": "read"}, "name"), ({"name": "x" * 61, "scope": "read"}, "name"),
     ({"name": "x", "scope": "all"}, "scope"), ({"name": "x"}, "scope")],
)  # fmt: skip
def test_bad_answers_make_none(fresh: Client, answers: dict[str, str], field: str) -> None:
    answer = fresh.post(URL, answers)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not ApiToken.objects.exists()


def test_there_is_an_end_to_them(fresh: Client, user: User) -> None:
    for number in range(20):
        create_token(user=user, name=str(number), scope="read")
    answer = fresh.post(URL, {"name": "one more", "scope": "read"})
    assert answer.status_code == 422
    assert "Revoke one first" in answer.content.decode()
    assert ApiToken.objects.count() == 20


def test_another_listeners_token_is_not_there(listener: Client, other: User) -> None:
    token, _key = create_token(user=other, name="theirs", scope="read")
    assert listener.post(f"{URL}{token.pk}/revoke/").status_code == 404
    assert ApiToken.objects.filter(pk=token.pk).exists()


def test_revoking_takes_a_post_with_the_csrf_token(user: User) -> None:
    token, _key = create_token(user=user, name="mine", scope="read")
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.get(f"{URL}{token.pk}/revoke/").status_code == 405
    assert client.post(f"{URL}{token.pk}/revoke/").status_code == 403
    assert ApiToken.objects.filter(pk=token.pk).exists()
