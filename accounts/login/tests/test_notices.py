"""Emails about what happened to an account: who gets them, what they say, and what they don't."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client
from pytest_django import Settings

from accounts.login.devices import COOKIE
from accounts.models import ApiToken, User
from accounts.tests.conftest import PASSWORD
from accounts.tokens.services import create_token

NEW = "another staple for the horse"
Commits = Callable[..., AbstractContextManager[Any]]


class Broken(BaseEmailBackend):
    """A mail server that hangs up."""

    def send_messages(self, email_messages: Any) -> int:
        raise SMTPServerDisconnected("Connection unexpectedly closed")


@pytest.fixture(autouse=True)
def mail_server(settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True


@pytest.fixture
def user(db: None) -> User:
    user = User.objects.create_user("anna", "anna@example.org", PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


def log_in(client: Client, commits: Commits, **headers: str) -> int:
    with commits(execute=True):
        answer = client.post("/accounts/login/", {"login": "anna", "password": PASSWORD}, headers=headers)
    return answer.status_code


def test_a_log_in_from_a_new_device_is_told_once(
    user: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Commits
) -> None:
    laptop, phone = Client(), Client(REMOTE_ADDR="192.0.2.77")
    assert log_in(laptop, django_capture_on_commit_callbacks) == 302
    laptop.post("/accounts/logout/")
    assert log_in(laptop, django_capture_on_commit_callbacks) == 302
    assert log_in(phone, django_capture_on_commit_callbacks, user_agent="SpyBrowser") == 302

    assert [(mail.to, mail.subject) for mail in mailoutbox] == [
        (["anna@example.org"], "[Earworm] New log-in to your account")
    ] * 2
    text = str(mailoutbox[1].body)
    assert text.startswith("Hi anna,\n\nsomeone logged in to your account on Earworm on ")
    assert "http://testserver/accounts/password/reset/" in text
    assert "192.0.2.77" not in text
    assert "SpyBrowser" not in text


def test_the_api_is_a_device_too(
    client: Client, user: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Commits
) -> None:
    for _time in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            answer = client.post(
                "/api/auth/login", {"login": "anna", "password": PASSWORD}, content_type="application/json"
            )
        assert answer.status_code == 200
    assert [mail.subject for mail in mailoutbox] == ["[Earworm] New log-in to your account"]


def test_the_devices_cookie_is_signed_and_out_of_reach_of_scripts(
    client: Client, user: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Commits
) -> None:
    client.cookies[COOKIE] = f"[{user.pk}]"
    assert log_in(client, django_capture_on_commit_callbacks) == 302
    assert len(mailoutbox) == 1
    cookie = client.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 400 * 24 * 3600)


def test_a_new_account_gets_no_email_about_its_first_device(
    client: Client, db: None, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Commits
) -> None:
    answers = {"username": "clara", "email": "clara@example.org", "password1": PASSWORD, "password2": PASSWORD}
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post("/accounts/signup/", answers).status_code == 302
    assert COOKIE in client.cookies
    assert [mail.subject for mail in mailoutbox] == []


def test_a_new_password_is_told_on_the_page_by_the_api_and_by_the_operator(
    listener: Client, user: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Commits
) -> None:
    answers = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    body = {"password": NEW, "new_password": PASSWORD}
    User.objects.create_superuser("boss", "boss@example.org", PASSWORD)
    boss = Client()
    boss.force_login(User.objects.get(username="boss"))
    with django_capture_on_commit_callbacks(execute=True):
        assert listener.post("/accounts/password/change/", answers).status_code == 302
        assert listener.put("/api/user/password", body, content_type="application/json").status_code == 204
        ApiToken.objects.create(user=user, name="script", digest="1")
        form = {"usable_password": "true", "password1": NEW, "password2": NEW}
        assert boss.post(f"/admin/accounts/user/{user.pk}/password/", form).status_code == 302
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [
        (["anna@example.org"], "[Earworm] Your password has been changed")
    ] * 3
    assert not ApiToken.objects.filter(user=user).exists()


def test_a_password_set_by_a_link_is_told(
    client: Client, user: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Commits
) -> None:
    client.post("/accounts/password/reset/", {"email": user.email})
    link = re.search(r"http://testserver(/\S+)", str(mailoutbox.pop().body))
    assert link
    action = client.get(link[1], follow=True).context["action_url"]
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(action, {"password1": NEW, "password2": NEW}).status_code == 302
    assert [mail.subject for mail in mailoutbox] == ["[Earworm] Your password has been changed"]


def test_another_address_is_told_to_the_old_one(
    listener: Client,
    user: User,
    mailoutbox: list[EmailMessage],
    settings: Settings,
    django_capture_on_commit_callbacks: Commits,
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    listener.post("/accounts/reauthenticate/", {"password": PASSWORD})
    listener.post("/accounts/email/", {"action_add": "", "email": "new@example.org"})
    link = re.search(r"http://testserver(/\S+)", str(mailoutbox.pop().body))
    assert link
    with django_capture_on_commit_callbacks(execute=True):
        listener.post(link[1])
    user.refresh_from_db()
    assert user.email == "new@example.org"
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["anna@example.org"], "[Earworm] Your email address has been changed")
    assert "new@example.org" not in str(mail.body)


def test_an_address_that_the_operator_changes_is_told_to_the_old_one(
    client: Client, user: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Commits
) -> None:
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", PASSWORD))
    answers = {"username": "anna", "email": "anna@new.example", "region": "", "adventure": "0.3", "is_active": "on"}
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"/admin/accounts/user/{user.pk}/change/", answers).status_code == 302
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [
        (["anna@example.org"], "[Earworm] Your email address has been changed")
    ]


def test_a_new_token_is_told_by_its_name_and_without_its_key(
    user: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Commits
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        _token, key = create_token(user=user, name="<backup> & co", scope="read")
    (mail,) = mailoutbox
    assert mail.subject == "[Earworm] New access token for your account"
    assert "an access token called “<backup> & co” was created" in str(mail.body)
    assert key not in str(mail.body)


def test_a_listener_may_do_without_those_two(
    listener: Client, user: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Commits
) -> None:
    assert "Turn these emails off" in listener.get("/profile/").content.decode()
    assert listener.post("/profile/emails/", {})["Location"] == "/profile/"
    user.refresh_from_db()
    assert user.wants_security_emails is False
    assert "Turn these emails on" in listener.get("/profile/").content.decode()
    log_in(Client(), django_capture_on_commit_callbacks)
    with django_capture_on_commit_callbacks(execute=True):
        create_token(user=user, name="script", scope="read")
    assert mailoutbox == []
    with django_capture_on_commit_callbacks(execute=True):
        listener.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert len(mailoutbox) == 1
    listener.post("/profile/emails/", {"wants_security_emails": "on"})
    user.refresh_from_db()
    assert user.wants_security_emails is True


def test_a_mail_server_that_fails_is_in_nobodys_way(
    user: User, settings: Settings, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Commits
) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    assert log_in(Client(), django_capture_on_commit_callbacks) == 302
    assert f"no security email for listener {user.pk}: SMTPServerDisconnected" in caplog.text
    assert "anna" not in caplog.text


def test_without_a_mail_server_nothing_is_written(
    user: User, settings: Settings, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Commits
) -> None:
    settings.EMAIL_URL = ""
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = False
    client = Client()
    assert log_in(client, django_capture_on_commit_callbacks) == 302
    assert mailoutbox == []
    assert "Turn these emails off" not in client.get("/profile/").content.decode()


def test_german(user: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Commits) -> None:
    log_in(Client(), django_capture_on_commit_callbacks, accept_language="de")
    (mail,) = mailoutbox
    assert mail.subject == "[Earworm] Neue Anmeldung bei deinem Konto"
    assert str(mail.body).startswith("Hallo anna,\n\njemand hat sich am ")
