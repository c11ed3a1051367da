"""Log-in with a second step, and every way around it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.tests.conftest import PASSWORD
from accounts.tokens.services import create_token
from accounts.two_factor.tests.conftest import SECRET, code_at

ROOT = "/accounts/two-factor/"
STEP = f"{ROOT}authenticate/"
NEW = "another staple for the horse"


def enter_password(client: Client, password: str = PASSWORD) -> str:
    """Return where the log-in page leads."""
    return client.post("/accounts/login/", {"login": "anna", "password": password}).headers.get("Location", "")


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def call(client: Client, **more: str) -> tuple[int, Any]:
    body = {"login": "anna", "password": PASSWORD, **more}
    answer = client.post("/api/auth/login", body, content_type="application/json")
    return answer.status_code, answer.json()


def test_password_and_code(client: Client, secured: User) -> None:
    assert enter_password(client) == STEP
    assert not is_in(client)
    assert client.post(STEP, {"code": code_at()})["Location"] == "/"
    assert is_in(client)


def test_a_recovery_code_is_good_once(secured: User, clock: Callable[[float], None]) -> None:
    codes = Authenticator.objects.get(type="recovery_codes").wrap().generate_codes()
    for outcome in (302, 200):
        client = Client()
        enter_password(client)
        assert client.post(STEP, {"code": codes[3]}).status_code == outcome
        assert is_in(client) is (outcome == 302)


def test_a_code_is_good_once(secured: User, clock: Callable[[float], None]) -> None:
    first, second = Client(), Client()
    for client in (first, second):
        enter_password(client)
        client.post(STEP, {"code": code_at()})
    assert (is_in(first), is_in(second)) == (True, False)


def test_codes_of_other_times_are_refused(client: Client, secured: User) -> None:
    enter_password(client)
    for steps in (-2, -1, 1):
        client.post(STEP, {"code": code_at(steps)})
    assert not is_in(client)


def test_guessing_codes_ends_after_five(client: Client, secured: User) -> None:
    enter_password(client)
    for guess in range(5):
        assert "Incorrect code" in client.post(STEP, {"code": f"00000{guess}"}).content.decode()
    answer = client.post(STEP, {"code": code_at()})
    assert "Too many failed attempts" in answer.content.decode()
    other_address = Client(REMOTE_ADDR="192.0.2.9")
    enter_password(other_address)
    other_address.post(STEP, {"code": code_at()})
    assert (is_in(client), is_in(other_address)) == (False, False)


def test_guessing_through_the_api_counts_along(client: Client, secured: User) -> None:
    for guess in range(5):
        assert call(client, code=f"00000{guess}")[0] == 401
    assert call(client, code=code_at())[0] == 429
    enter_password(client)
    assert "Too many failed attempts" in client.post(STEP, {"code": code_at()}).content.decode()


def test_the_step_needs_the_password_first(client: Client, secured: User) -> None:
    assert client.post(STEP, {"code": code_at()})["Location"] == "/accounts/login/"
    enter_password(client, "wrong")
    assert client.post(STEP, {"code": code_at()})["Location"] == "/accounts/login/"
    assert not is_in(client)


def test_the_api_asks_for_a_code(client: Client, secured: User) -> None:
    status, problem = call(client)
    assert (status, problem["code"]) == (401, "mfa_required")
    assert problem["errors"][0]["field"] == "body.code"
    assert client.post(STEP, {"code": code_at()})["Location"] == "/accounts/login/"
    status, problem = call(client, code="000000")
    assert (status, problem["detail"], "code" in problem) == (401, "Incorrect code.", False)
    assert call(client, password="wrong", code=code_at())[0] == 401
    assert not is_in(client)
    status, answer = call(client, code=code_at())
    assert (status, answer["is_logged_in"]) == (200, True)
    assert is_in(client)


def test_the_api_says_nothing_of_it_before_the_password(client: Client, secured: User, other: User) -> None:
    answers = [call(client, login=login, password="wrong") for login in ("anna", "berta")]
    assert answers[0] == answers[1]


def test_without_two_factor_a_code_changes_nothing(client: Client, user: User) -> None:
    assert call(client, code="123456")[0] == 200
    assert is_in(client)


def test_tokens_need_no_code(client: Client, secured: User) -> None:
    _token, key = create_token(user=secured, name="script", scope="read")
    assert client.get("/api/user/profile", headers={"authorization": f"Bearer {key}"}).status_code == 200


def test_a_new_password_by_email_is_only_the_first_step(
    client: Client, secured: User, mailoutbox: list[EmailMessage]
) -> None:
    client.post("/accounts/password/reset/", {"email": secured.email})
    link = re.search(r"http://testserver(/\S+)", str(mailoutbox[0].body))
    assert link
    action = client.get(link[1], follow=True).context["action_url"]
    client.post(action, {"password1": NEW, "password2": NEW})
    assert not is_in(client)
    assert Authenticator.objects.filter(user=secured).count() == 2
    assert enter_password(client, NEW) == STEP
    assert not is_in(client)


def test_the_administrations_log_in_is_no_way_around(client: Client, secured: User) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    assert client.get("/admin/login/")["Location"].startswith("/accounts/login/")
    answer = client.post("/admin/login/", {"username": "anna", "password": PASSWORD, "next": "/admin/"})
    assert answer["Location"].startswith("/accounts/login/")
    assert enter_password(client) == STEP
    assert client.get("/admin/").status_code == 302


def test_half_a_log_in_opens_no_other_page(client: Client, secured: User) -> None:
    enter_password(client)
    for path in (
        "/accounts/two-factor/",
        "/accounts/two-factor/totp/deactivate/",
        "/profile/tokens/",
        "/profile/data/",
    ):
        answer = client.post(path) if "deactivate" in path else client.get(path)
        assert answer.status_code in (302, 403), path
    assert Authenticator.objects.filter(user=secured).count() == 2


def test_a_secret_is_sealed_and_without_the_sites_key_lets_nobody_in(
    client: Client, secured: User, settings: Settings
) -> None:
    for authenticator in Authenticator.objects.all():
        assert SECRET not in str(authenticator.data)
        assert str(authenticator.data.get("secret") or authenticator.data["seed"]).startswith("gAAAA")
    settings.SECRET_KEY = "x" * 60
    enter_password(client)
    for code in (code_at(), code_at(secret="")):
        client.post(STEP, {"code": code})
    assert not is_in(client)


def test_a_secret_opens_with_the_key_before(client: Client, secured: User, settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 60, [settings.SECRET_KEY]
    enter_password(client)
    client.post(STEP, {"code": code_at()})
    assert is_in(client)


@pytest.mark.parametrize(
    "credential",
    ["", "1", "[]", "{}", "null", "[" * 50_000, '{"id": {"a": 1}}', '{"response": {"userHandle": 5}}', "x" * 30_000]
    + [
        '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "e30", '
        f'"authenticatorData": "{data}", "signature": "AA", "attestationObject": "{data}", "userHandle": "{handle}"}}}}'
        for data in ("AA", "oA", "_____w")
        for handle in ("", "MQ", "/w")
    ],
)
def test_no_passkey_is_refused(secured: User, credential: str) -> None:
    client = Client()
    client.get("/accounts/two-factor/webauthn/login/", headers={"accept": "application/json"})
    assert client.post("/accounts/two-factor/webauthn/login/", {"credential": credential}).status_code == 302
    enter_password(client)
    client.get(STEP)
    assert client.post(STEP, {"credential": credential}).status_code == 200
    assert not is_in(client)
    client.force_login(secured)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.get("/accounts/two-factor/webauthn/add/")
    assert client.post("/accounts/two-factor/webauthn/add/", {"credential": credential}).status_code == 200
    assert not Authenticator.objects.filter(type="webauthn").exists()
