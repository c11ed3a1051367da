"""Sign-up."""

import time
from itertools import count
from threading import Barrier, Event
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import transaction
from django.test import Client, override_settings
from pytest_django import Settings

from accounts.forms import SignupForm
from accounts.models import User
from accounts.tests.conftest import PASSWORD
from jobs.tests.threads import run_together

URL = "/accounts/signup/"
ANSWERS = {
    "username": "anna",
    "email": "anna@example.org",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "region": "NO",
}
pytestmark = pytest.mark.django_db


def test_form_is_one_page_that_browsers_can_fill(client: Client) -> None:
    html = client.get(URL).content.decode()
    for name, autocomplete in (
        ("username", "username"),
        ("email", "email"),
        ("password1", "new-password"),
        ("password2", "new-password"),
        ("region", "country"),
    ):
        field = html.split(f'name="{name}"', 1)[1].split(">", 1)[0]
        assert f'autocomplete="{autocomplete}"' in field, name
        assert f'for="id_{name}"' in html
    assert "placeholder" not in html.split("<form", 2)[2]


def test_listener_is_created_logged_in_and_led_to_the_start(client: Client) -> None:
    answer = client.post(URL, ANSWERS)
    user = User.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, "/start/")
    assert (user.username, user.email, user.region) == ("anna", "anna@example.org", "NO")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert EmailAddress.objects.get().email == user.email


def test_name_and_address_are_kept_in_lower_case_and_region_may_be_empty(client: Client) -> None:
    client.post(URL, {**ANSWERS, "username": "Anna", "email": "Anna@Example.ORG", "region": ""})
    user = User.objects.get()
    assert (user.username, user.email, user.region) == ("anna", "anna@example.org", "")


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"])
def test_password_is_kept_as_argon2(client: Client) -> None:
    client.post(URL, ANSWERS)
    assert User.objects.get().password.startswith("argon2$argon2id$")


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("username", "", "This field is required."),
        ("username", "BERTA", "A user with that username already exists."),
        ("username", "an na", "Enter a valid username"),
        ("username", "anna@example.org", "Usernames can't contain an @ sign."),
        ("email", "nobody", "Enter a valid email address."),
        ("email", "Berta@example.org", "A user is already registered with this email address."),
        ("password1", "12345", "This password is too short."),
        ("password2", "something else", "You must type the same password each time."),
        ("region", "XX", "Select a valid choice."),
    ],
)
def test_bad_answers_are_said_at_their_field(client: Client, other: User, field: str, value: str, error: str) -> None:
    answer = client.post(URL, {**ANSWERS, field: value})
    html = answer.content.decode()
    assert any(text.startswith(error) for text in answer.context["form"].errors[field])
    described = html.split(f'name="{field}"', 1)[1].split(">", 1)[0]
    assert 'aria-invalid="true"' in described
    assert f"id_{field}_error" in described
    assert f'id="id_{field}_error"' in html
    assert list(User.objects.all()) == [other]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("changed", "field"), [({"username": "other"}, "email"), ({"email": "other@example.org"}, "username")]
)
def test_two_at_once_get_one_account_and_one_form_error(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], field: str
) -> None:
    """Both are checked before either is saved: the window that the unique columns close."""
    checked, clean = Barrier(2), SignupForm.clean
    first_checks: list[int] = []

    def clean_together(form: SignupForm) -> dict[str, str]:
        cleaned: dict[str, str] = clean(form)
        if len(first_checks) < 2:
            first_checks.append(1)
            checked.wait(timeout=120)
        return cleaned

    monkeypatch.setattr(SignupForm, "clean", clean_together)
    answers = run_together(lambda: Client().post(URL, ANSWERS), lambda: Client().post(URL, {**ANSWERS, **changed}))
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    refused = next(answer for answer in answers if answer.status_code == 200)
    assert refused.context["form"].errors[field]
    assert User.objects.count() == EmailAddress.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_that_waited_for_a_third_who_gave_up_get_one_account_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """MariaDB lets both go at once, and then ends one of them as a deadlock. On SQLite they wait before the check."""
    begun, checks, both_checked, clean = Barrier(3), count(1), Event(), SignupForm.clean

    def count_and_clean(form: SignupForm) -> dict[str, str]:
        cleaned: dict[str, str] = clean(form)
        if next(checks) == 2:
            both_checked.set()
        return cleaned

    def take_the_name_and_give_up() -> None:
        with transaction.atomic():
            User.objects.create(username="anna", email="third@example.org")
            begun.wait(timeout=120)
            if both_checked.wait(timeout=2):
                time.sleep(0.3)
            transaction.set_rollback(True)

    def sign_up(email: str) -> Any:
        begun.wait(timeout=120)
        return Client().post(URL, {**ANSWERS, "email": email})

    monkeypatch.setattr(SignupForm, "clean", count_and_clean)
    _none, *answers = run_together(
        take_the_name_and_give_up, lambda: sign_up("one@example.org"), lambda: sign_up("two@example.org")
    )
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    refused = next(answer for answer in answers if answer.status_code == 200)
    assert refused.context["form"].errors["username"]
    assert User.objects.count() == EmailAddress.objects.count() == 1


def test_a_new_listener_always_comes_through_the_start(client: Client) -> None:
    assert client.post(f"{URL}?next=/ratings/", {**ANSWERS, "next": "/ratings/"})["Location"] == "/start/"
    client.logout()
    other = {**ANSWERS, "username": "b", "email": "b@example.org", "next": "https://evil.example/"}
    assert client.post(URL, other)["Location"] == "/start/"


def test_csrf_is_enforced() -> None:
    assert Client(enforce_csrf_checks=True).post(URL, ANSWERS).status_code == 403
    assert not User.objects.exists()


def test_with_a_mail_server_the_address_is_confirmed_first(
    client: Client, settings: Settings, mailoutbox: list[object]
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    answer = client.post(URL, ANSWERS)
    assert answer["Location"] == "/accounts/confirm-email/"
    assert len(mailoutbox) == 1
    assert "_auth_user_id" not in client.session
