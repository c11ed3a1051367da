"""A proxy that says in a header who somebody is, and everybody else who says so."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.tests.conftest import PASSWORD
from accounts.tokens.services import create_token


@pytest.fixture(autouse=True)
def header(settings: Settings) -> None:
    settings.TRUSTED_PROXY_AUTH_HEADER = "Remote-User"
    settings.TRUSTED_PROXY_ADDRESSES = ["192.0.2.1", "2001:db8::/64"]


def name_of(client: Client, name: str | None = None, peer: str = "192.0.2.1", **more: Any) -> str | None:
    """Return who is logged in after a request that names somebody."""
    if name is not None:
        more["HTTP_REMOTE_USER"] = name
    user_id = client.get("/privacy/", REMOTE_ADDR=peer, **more).wsgi_request.session.get("_auth_user_id")
    return User.objects.get(pk=user_id).username if user_id else None


def test_it_logs_in_and_makes_an_account(client: Client, db: None) -> None:
    assert name_of(client, "Clara") == "clara"
    made = User.objects.get()
    assert (made.has_usable_password(), made.is_staff, made.email.endswith("@proxy.invalid")) == (False, False, True)
    assert client.get("/profile/", REMOTE_ADDR="192.0.2.1", HTTP_REMOTE_USER="Clara").status_code == 200
    assert name_of(client, "clara") == "clara"
    assert User.objects.count() == 1


def test_it_takes_an_account_that_is_there(client: Client, user: User) -> None:
    assert name_of(client, "anna", peer="2001:db8::7") == "anna"
    assert User.objects.count() == 1


def test_letters_of_every_script(client: Client, db: None) -> None:
    assert name_of(client, "jürgen".encode().decode("latin-1")) == "jürgen"


@pytest.mark.parametrize("peer", ["192.0.2.2", "127.0.0.1", "2001:db8:1::7", "", "unix", "192.0.2.1, 192.0.2.9"])
def test_from_a_stranger_it_means_nothing(client: Client, user: User, peer: str) -> None:
    forged = {"HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_X_REAL_IP": "192.0.2.1"}
    assert name_of(client, "anna", peer=peer, **forged) is None
    assert name_of(client, "clara", peer=peer, **forged) is None
    assert User.objects.count() == 1


def test_where_it_is_off_it_means_nothing(client: Client, user: User, settings: Settings) -> None:
    settings.TRUSTED_PROXY_AUTH_HEADER = ""
    assert name_of(client, "anna") is None


def test_a_socket_is_trusted_where_it_is_listed(client: Client, user: User, settings: Settings) -> None:
    settings.TRUSTED_PROXY_ADDRESSES = ["unix"]
    assert name_of(client, "anna", peer="") == "anna"


def test_an_old_address_on_a_socket_for_both_versions(client: Client, user: User) -> None:
    assert name_of(client, "anna", peer="::ffff:192.0.2.2") is None
    assert name_of(client, "anna", peer="::ffff:192.0.2.1") == "anna"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a\x00b",
        "a\nb",
        "a\tb",
        "anna@example.org",
        "x" * 300,
        "\xff\xfe",
        "<script>",
        # Letters that Unicode's rules, or Python's idea of white space, turn into those of a listener.
        "\N{FULLWIDTH LATIN SMALL LETTER A}nna".encode().decode("latin-1"),
        "\N{NO-BREAK SPACE}anna".encode().decode("latin-1"),
        "anna,berta",
        # Cyrillic letters that look like those of a listener.
        "\N{CYRILLIC SMALL LETTER A}nn\N{CYRILLIC SMALL LETTER A}".encode().decode("latin-1"),
    ],
)
def test_what_is_no_name_logs_nobody_in(
    client: Client, user: User, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert name_of(client, name) is None
    assert User.objects.count() == 1
    assert len(name.strip()) < 3 or name not in caplog.text


def test_a_closed_account_stays_closed(client: Client, user: User) -> None:
    User.objects.update(is_active=False)
    assert name_of(client, "anna") is None


def test_the_session_follows_the_header(client: Client, user: User, other: User) -> None:
    assert name_of(client, "anna") == "anna"
    assert name_of(client, "berta") == "berta"
    assert name_of(client) is None
    assert name_of(client, "anna") == "anna"
    client.post("/accounts/logout/", REMOTE_ADDR="192.0.2.1", HTTP_REMOTE_USER="anna")
    assert "_auth_user_id" not in client.session
    assert name_of(client, "anna") == "anna"


def test_a_log_in_by_password_is_not_ended_by_a_missing_header(client: Client, user: User) -> None:
    client.force_login(user)
    assert name_of(client) == "anna"
    assert name_of(client, "berta") == "berta"


def test_forms_of_other_sites_are_refused_as_ever(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    head: Any = {"REMOTE_ADDR": "192.0.2.1", "HTTP_REMOTE_USER": "anna"}
    for _time in range(2):
        assert client.post("/profile/delete/", {"password": PASSWORD}, **head).status_code == 403
    assert User.objects.filter(username="anna").exists()


def test_programs_with_a_token_are_who_the_token_says(client: Client, user: User, other: User) -> None:
    _token, key = create_token(user=other, name="script", scope="read")
    headers = {"authorization": f"Bearer {key}", "remote-user": "anna"}
    answer = client.get("/api/user/profile", REMOTE_ADDR="192.0.2.1", headers=headers)
    assert answer.json()["username"] == "berta"
    assert "sessionid" not in client.cookies


def test_calls_of_players_answer_to_tokens_alone(client: Client, user: User) -> None:
    answer = client.get("/1/validate-token", REMOTE_ADDR="192.0.2.1", headers={"remote-user": "anna"})
    assert answer.json()["valid"] is False
    assert "sessionid" not in client.cookies


@pytest.mark.parametrize("is_first", [True, False])
def test_a_link_of_another_site_changes_nothing(client: Client, user: User, is_first: bool) -> None:
    if not is_first:
        name_of(client, "anna")
    for path in ("/api/auth/logout", "/api/playback/next"):
        answer = client.get(path, REMOTE_ADDR="192.0.2.1", HTTP_REMOTE_USER="anna")
        assert answer.status_code == 403
        client.cookies.pop("sessionid" if is_first else "", None)


def test_nobody_can_take_the_name_of_who_comes_later(client: Client, db: None, settings: Settings) -> None:
    answers = {"username": "boss", "email": "thief@example.org", "password": PASSWORD}
    form = {**answers, "password1": PASSWORD, "password2": PASSWORD}
    page = client.post("/accounts/signup/", form)
    call = client.post("/api/auth/register", answers, content_type="application/json")
    assert ("Sign-up is closed" in page.content.decode(), call.status_code) == (True, 403)
    assert "/accounts/signup/" not in client.get("/accounts/login/").content.decode()
    assert not User.objects.exists()
    settings.TRUSTED_PROXY_AUTH_HEADER = ""
    assert client.post("/accounts/signup/", form)["Location"] == "/start/"


@pytest.mark.parametrize("way", ["page", "call"])
def test_who_has_no_password_deletes_the_account_by_its_name(client: Client, db: None, way: str) -> None:
    head: Any = {"REMOTE_ADDR": "192.0.2.1", "HTTP_REMOTE_USER": "clara"}
    assert 'name="username"' in client.get("/profile/delete/", **head).content.decode()
    assert client.post("/profile/delete/", {"username": "berta"}, **head).status_code == 422
    assert client.post("/profile/delete/", {"password": ""}, **head).status_code == 422
    assert User.objects.count() == 1
    if way == "page":
        assert client.post("/profile/delete/", {"username": "Clara"}, **head).status_code == 302
    else:
        assert client.delete("/api/user", {}, content_type="application/json", **head).status_code == 204
    assert not User.objects.exists()


def test_who_has_a_password_still_needs_it_to_delete_by_call(client: Client, user: User) -> None:
    client.post("/accounts/login/", {"login": "anna", "password": PASSWORD})
    for body in ({}, {"password": None}, {"password": ""}):
        assert client.delete("/api/user", body, content_type="application/json").status_code == 401
    assert User.objects.exists()


def test_who_has_no_password_can_choose_one_and_an_address(client: Client, db: None) -> None:
    head: Any = {"REMOTE_ADDR": "192.0.2.1", "HTTP_REMOTE_USER": "clara"}
    assert client.get("/accounts/password/change/", **head)["Location"] == "/accounts/password/set/"
    assert "Choose a password" in client.get("/accounts/password/set/", **head).content.decode()
    call = client.put("/api/user/email", {"email": "clara@example.org"}, content_type="application/json", **head)
    assert (call.status_code, User.objects.get().email) == (200, "clara@example.org")
    client.post("/accounts/password/set/", {"password1": PASSWORD, "password2": PASSWORD}, **head)
    assert User.objects.get().check_password(PASSWORD)
