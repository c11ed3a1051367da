"""Setting two-factor authentication up and taking it away; operators who have to have it."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.personal_data.export import HIDDEN, json_export
from accounts.tests.conftest import PASSWORD
from accounts.two_factor.tests.conftest import code_at

ROOT = "/accounts/two-factor/"
Commits = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def fresh(listener: Client, clock: Callable[[float], None]) -> Client:
    """Return a browser in which the password was typed again just now."""
    listener.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return listener


def test_setting_up_needs_the_password(listener: Client) -> None:
    for path in ("totp/activate/", "webauthn/add/", "recovery-codes/generate/"):
        assert listener.get(f"{ROOT}{path}")["Location"].startswith("/accounts/reauthenticate/"), path


def test_set_up_and_remove(
    fresh: Client,
    user: User,
    settings: Settings,
    mailoutbox: list[EmailMessage],
    django_capture_on_commit_callbacks: Commits,
) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    page = fresh.get(f"{ROOT}totp/activate/")
    assert 'src="data:image/svg+xml;base64,' in page.content.decode()
    key = page.context["form"].secret
    assert fresh.post(f"{ROOT}totp/activate/", {"code": "000000"}).status_code == 200
    assert not Authenticator.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        answer = fresh.post(f"{ROOT}totp/activate/", {"code": code_at(secret=key)})
    assert answer["Location"] == f"{ROOT}recovery-codes/"
    codes = re.findall(r"<li>(\d{8})</li>", fresh.get(answer["Location"]).content.decode())
    assert len(set(codes)) == 10
    assert fresh.get(f"{ROOT}recovery-codes/download/").content.decode().split() == codes
    assert "10 codes left" in fresh.get(ROOT).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        fresh.post(f"{ROOT}recovery-codes/generate/")
    assert codes[0] not in fresh.get(f"{ROOT}recovery-codes/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert fresh.post(f"{ROOT}totp/deactivate/")["Location"] == ROOT
    assert not Authenticator.objects.exists()
    assert [mail.subject for mail in mailoutbox] == [
        "[Earworm] Two-factor authentication has been set up",
        "[Earworm] You have new recovery codes",
        "[Earworm] Your authenticator app has been removed",
    ]


def test_the_page_of_every_part_is_in_german(fresh: Client, secured: User) -> None:
    for path, words in (
        ("", "Dein Konto verlangt bei der Anmeldung einen zweiten Schritt."),
        ("totp/deactivate/", "App entfernen"),
        ("recovery-codes/", "Jeder gilt für eine Anmeldung."),
        ("recovery-codes/generate/", "Neue Codes erstellen"),
        ("webauthn/", "Du hast noch keine Passkeys."),
        ("webauthn/add/", "Damit ohne Passwort anmelden"),
    ):
        assert words in fresh.get(ROOT + path, headers={"accept-language": "de"}).content.decode(), path


def test_the_profile_leads_there(listener: Client) -> None:
    assert f'href="{ROOT}" hx-boost="false"' in listener.get("/profile/").content.decode()


def test_another_listeners_passkey_is_not_to_be_had(fresh: Client, other: User) -> None:
    theirs = Authenticator.objects.create(user=other, type="webauthn", data={"name": "key", "credential": {}})
    for action in ("remove", "edit"):
        assert fresh.get(f"{ROOT}webauthn/keys/{theirs.pk}/{action}/").status_code == 404
        assert fresh.post(f"{ROOT}webauthn/keys/{theirs.pk}/{action}/", {"name": "mine"}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.data["name"] == "key"


def test_the_export_says_that_there_is_one_and_not_what_it_is(secured: User) -> None:
    text = "".join(json_export(secured))
    assert text.count(f'"data": "{HIDDEN}"') == 2
    assert "gAAAA" not in text


def test_an_operator_removes_a_lost_factor_and_sees_no_secret(client: Client, secured: User) -> None:
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", PASSWORD))
    app = Authenticator.objects.get(type="totp")
    page = client.get(f"/admin/mfa/authenticator/{app.pk}/change/")
    assert page.status_code == 200
    assert app.data["secret"] not in page.content.decode()
    assert client.get("/admin/mfa/authenticator/add/").status_code == 403
    assert client.post(f"/admin/mfa/authenticator/{app.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.filter(type="totp").exists()


class TestStaff:
    PAGES = ("/admin/", "/admin/accounts/user/", "/operator/", "/operator/quality/")

    @pytest.fixture
    def operator(self, client: Client, user: User, settings: Settings) -> Client:
        User.objects.update(is_staff=True, is_superuser=True)
        settings.REQUIRE_MFA_FOR_STAFF = True
        client.force_login(user)
        return client

    def test_without_it_they_are_led_to_set_it_up(self, operator: Client) -> None:
        for page in self.PAGES:
            answer = operator.get(page, follow=True)
            assert answer.redirect_chain[-1] == (ROOT, 302), page
            assert "Set that up first" in answer.content.decode()
        assert operator.get("/api/operator/models").status_code == 403
        assert operator.get("/metrics").status_code == 404
        assert operator.get("/recommend/999999").status_code == 404

    def test_with_it_they_operate(self, operator: Client, secured: User) -> None:
        for page in self.PAGES:
            assert operator.get(page).status_code == 200, page
        assert operator.get("/api/operator/models").status_code == 200

    def test_without_the_setting_nothing_is_asked(self, operator: Client, settings: Settings) -> None:
        settings.REQUIRE_MFA_FOR_STAFF = False
        for page in self.PAGES:
            assert operator.get(page).status_code == 200, page

    def test_listeners_are_left_alone(self, operator: Client, user: User) -> None:
        User.objects.update(is_staff=False, is_superuser=False)
        assert operator.get("/profile/").status_code == 200
        assert operator.get("/operator/quality/").status_code == 403
        assert operator.get("/admin/").status_code == 403 or "login" in operator.get("/admin/")["Location"]
