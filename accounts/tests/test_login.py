"""Log-in and log-out, and the administration's log-in."""

import pytest
from django.test import Client, override_settings

from accounts.models import User
from accounts.tests.conftest import PASSWORD

URL = "/accounts/login/"


def log_in(client: Client, login: str, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    answer = client.post(URL, {"login": login, "password": password, **more})
    return answer.status_code, answer.headers.get("Location", "")


@pytest.mark.parametrize("login", ["anna", "ANNA", "anna@example.org", "Anna@Example.org", " anna "])
def test_either_name_logs_in(client: Client, user: User, login: str) -> None:
    assert log_in(client, login) == (302, "/")
    assert client.session["_auth_user_id"] == str(user.pk)


def test_operator_made_with_capitals_can_log_in(client: Client, db: None) -> None:
    User.objects.create_superuser("Boss", "Boss@example.org", PASSWORD)
    assert log_in(client, "Boss") == (302, "/")


def test_fields_are_named_for_password_managers(client: Client, db: None) -> None:
    html = client.get(URL).content.decode()
    assert 'autocomplete="username"' in html.split('name="login"', 1)[1].split(">", 1)[0]
    assert 'autocomplete="current-password"' in html.split('name="password"', 1)[1].split(">", 1)[0]


@pytest.mark.parametrize(
    ("login", "password"), [("anna", "wrong"), ("nobody", PASSWORD), ("anna@example.org", "wrong")]
)
def test_wrong_answers_are_said_aloud_and_alike(client: Client, user: User, login: str, password: str) -> None:
    answer = client.post(URL, {"login": login, "password": password})
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session
    assert 'role="alert"' in answer.content.decode()
    assert "password you specified are not correct" in answer.content.decode()


@pytest.mark.parametrize("login", ["anna", "anna@example.org"])
def test_sixth_failure_is_refused_even_with_the_right_password(client: Client, user: User, login: str) -> None:
    for _ in range(5):
        assert log_in(client, login, "wrong") == (200, "")
    answer = client.post(URL, {"login": login, "password": PASSWORD})
    assert answer.status_code in (200, 429)
    assert "Too many" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_too_many_requests_get_a_page_of_the_site(client: Client, user: User) -> None:
    answers = [client.post(URL, {"login": f"user{number}", "password": "wrong"}) for number in range(31)]
    assert answers[-1].status_code == 429
    assert "Too many attempts" in answers[-1].content.decode()


def test_inactive_listener_stays_out(client: Client, user: User) -> None:
    User.objects.update(is_active=False)
    assert log_in(client, "anna") == (302, "/accounts/inactive/")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", "http:evil.example"],
)
def test_next_leads_nowhere_else(client: Client, user: User, address: str) -> None:
    assert log_in(client, "anna", next=address) == (302, "/")


def test_next_leads_back(client: Client, user: User) -> None:
    assert log_in(client, "anna", next="/history/?page=2") == (302, "/history/?page=2")


@pytest.mark.parametrize(("answer", "stays"), [({}, False), ({"remember": "on"}, True)])
def test_session_ends_with_the_browser_unless_asked_to_stay(
    client: Client, user: User, answer: dict[str, str], stays: bool
) -> None:
    log_in(client, "anna", **answer)
    assert client.session.get_expire_at_browser_close() is not stays


def test_log_out_takes_a_post(listener: Client) -> None:
    assert listener.get("/accounts/logout/").status_code == 200
    assert "_auth_user_id" in listener.session
    assert listener.post("/accounts/logout/").status_code == 302
    assert "_auth_user_id" not in listener.session


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"])
def test_admin_log_in_goes_through_ours(client: Client, db: None) -> None:
    User.objects.create_superuser("boss", "boss@example.org", PASSWORD)
    first = client.get("/admin/")
    assert first["Location"] == "/admin/login/?next=/admin/"
    second = client.get(first["Location"])
    assert second["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    assert log_in(client, "boss", next="/admin/") == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_admin_takes_no_password_of_its_own(client: Client, db: None) -> None:
    User.objects.create_superuser("boss", "boss@example.org", PASSWORD)
    answer = client.post("/admin/login/", {"username": "boss", "password": PASSWORD, "next": "/admin/"})
    assert answer["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session


def test_listeners_are_no_operators(listener: Client) -> None:
    assert listener.get("/admin/").status_code == 302
    assert listener.get("/admin/login/?next=/admin/").status_code == 403
