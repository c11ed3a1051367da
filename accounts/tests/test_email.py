"""Change of the e-mail address, with and without a mail server."""

import re
from threading import Barrier

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from accounts.forms import ChangeEmailForm
from accounts.models import User
from accounts.tests.conftest import PASSWORD
from jobs.tests.threads import run_together

URL = "/accounts/email/"
NEW = {"action_add": "", "email": "New@Example.org"}


@pytest.fixture
def fresh(listener: Client) -> Client:
    """Return a browser in which the password was typed again just now."""
    listener.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return listener


def test_page_needs_a_log_in(client: Client, db: None) -> None:
    assert client.get(URL)["Location"] == f"/accounts/login/?next={URL}"


def test_old_log_in_types_the_password_again_and_then_the_change_is_made(listener: Client, user: User) -> None:
    answer = listener.post(URL, NEW)
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    user.refresh_from_db()
    assert user.email == "anna@example.org"
    assert listener.get(answer["Location"]).status_code == 200
    listener.post(answer["Location"], {"password": PASSWORD})
    user.refresh_from_db()
    assert user.email == "new@example.org"


def test_without_a_mail_server_it_changes_at_once(fresh: Client, user: User, mailoutbox: list[EmailMessage]) -> None:
    answer = fresh.post(URL, NEW, follow=True)
    user.refresh_from_db()
    assert user.email == "new@example.org"
    assert list(EmailAddress.objects.values_list("email", "primary")) == [("new@example.org", True)]
    assert "Your email address is now new@example.org." in answer.content.decode()
    assert not mailoutbox


def test_with_a_mail_server_it_changes_by_the_link_of_the_letter(
    fresh: Client, user: User, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    answer = fresh.post(URL, NEW, follow=True)
    user.refresh_from_db()
    assert user.email == "anna@example.org"
    assert "Check the inbox of new@example.org" in answer.content.decode()
    (letter,) = mailoutbox
    assert letter.to == ["new@example.org"]
    link = re.search(r"http://testserver(/\S+)", str(letter.body))
    assert link
    assert fresh.get(link[1]).status_code == 200
    fresh.post(link[1])
    user.refresh_from_db()
    assert user.email == "new@example.org"


def test_an_address_that_was_never_confirmed_can_be(
    fresh: Client, user: User, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    assert "Confirm address" not in fresh.get(URL).content.decode()
    settings.ACCOUNT_EMAIL_VERIFICATION, settings.EMAIL_URL = "mandatory", "smtp://127.0.0.1"
    assert "This address isn't confirmed yet." in fresh.get(URL).content.decode()
    fresh.post(URL, {"action_send": "", "email": user.email})
    (letter,) = mailoutbox
    assert letter.to == [user.email]
    link = re.search(r"http://testserver(/\S+)", str(letter.body))
    assert link
    fresh.post(link[1])
    assert EmailAddress.objects.get().verified
    assert "Confirm address" not in fresh.get(URL).content.decode()


def test_address_that_someone_took_meanwhile_is_not_confirmed(
    fresh: Client, user: User, other: User, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    fresh.post(URL, NEW)
    User.objects.filter(pk=other.pk).update(email="new@example.org")
    link = re.search(r"http://testserver(/\S+)", str(mailoutbox[0].body))
    assert link
    assert fresh.post(link[1], follow=True).status_code == 200
    user.refresh_from_db()
    assert user.email == "anna@example.org"


@pytest.mark.parametrize("email", ["nobody", "ANNA@example.org", "berta@example.org"])
def test_bad_taken_and_own_addresses_are_refused(fresh: Client, user: User, other: User, email: str) -> None:
    answer = fresh.post(URL, {"action_add": "", "email": email})
    assert list(answer.context["form"].errors) == ["email"]
    user.refresh_from_db()
    assert user.email == "anna@example.org"


def test_address_in_use_cannot_be_removed(fresh: Client, user: User) -> None:
    fresh.get(URL)
    fresh.post(URL, {"action_remove": "", "email": user.email})
    user.refresh_from_db()
    assert user.email == "anna@example.org"


@pytest.mark.django_db(transaction=True)
def test_two_who_want_one_address_at_once_get_one_and_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    users = [User.objects.create_user(name, f"{name}@example.org", PASSWORD) for name in ("anna", "berta")]
    clients = [Client(), Client()]
    for browser, listener in zip(clients, users, strict=True):
        browser.force_login(listener)
        browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    checked, clean = Barrier(2), ChangeEmailForm.clean_email

    def clean_together(form: ChangeEmailForm) -> str:
        email = clean(form)
        checked.wait(timeout=120)
        return email

    monkeypatch.setattr(ChangeEmailForm, "clean_email", clean_together)
    answers = run_together(*[lambda browser=browser: browser.post(URL, NEW) for browser in clients])
    assert [answer.status_code for answer in answers] == [302, 302]
    assert User.objects.filter(email="new@example.org").count() == 1
    pages = [browser.get(URL).content.decode() for browser in clients]
    assert sum("already registered" in page for page in pages) == 1
