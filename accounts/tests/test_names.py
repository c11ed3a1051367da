"""Usernames in letters of every script, one per look."""

# ruff: noqa: RUF001
import importlib
import unicodedata

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import User
from accounts.names import UsernameValidator, look_alike_key
from accounts.tests.conftest import PASSWORD

URL = "/accounts/signup/"


def sign_up(client: Client, username: str, email: str = "new@example.org") -> str:
    data = {"username": username, "email": email, "password1": PASSWORD, "password2": PASSWORD, "region": ""}
    return client.post(URL, data).content.decode()


@pytest.mark.parametrize("name", ["anna", "राम", "รีมา", "தமிழ்", "さくら", "josé", "ぱぱ", "محمد", "a.b+c-d_1"])
def test_letters_of_every_script_with_their_marks(name: str) -> None:
    UsernameValidator()(unicodedata.normalize("NFKC", name))


@pytest.mark.parametrize(
    "name", ["an na", "a\u200bnna", "\u0301a", "a" + "\u0327" * 5, "♥", "a\u202eb", "ＡＢ", "e\u0301", "a/b", "anna\n"]
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValidationError):
        UsernameValidator()(name)


@pytest.mark.parametrize(
    ("name", "other"),
    [("anna", "аnnа"), ("paypal", "раураӏ"), ("bob1", "bobl"), ("zoo", "z0ο"), ("josé", "jose\u0301"),
     ("ａｎｎａ", "anna"), ("ali", "alı"), ("tom2", "tom٢")],
)  # fmt: skip
def test_names_that_look_alike(name: str, other: str) -> None:
    assert look_alike_key(name) == look_alike_key(other)


@pytest.mark.parametrize(
    ("name", "other"), [("anna", "hanna"), ("राम", "रीम"), ("はは", "ばば"), ("josé", "jose"), ("a.b", "a_b")]
)
def test_names_that_do_not(name: str, other: str) -> None:
    assert look_alike_key(name) != look_alike_key(other)


@pytest.mark.django_db
def test_what_is_said_of_a_name_that_is_none(client: Client) -> None:
    assert "It may hold letters, digits and . + - _ only." in sign_up(client, "a b")
    assert "Usernames can&#x27;t contain an @ sign." in sign_up(client, "a@b")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    assert "Er darf nur Buchstaben, Ziffern und die Zeichen . + - _ enthalten." in sign_up(client, "a b")
    assert not User.objects.exists()


@pytest.mark.django_db
def test_signing_up_under_another_s_look_is_refused(client: Client) -> None:
    User.objects.create_user("anna", "anna@example.org", PASSWORD)
    assert "A user whose name looks the same already exists." in sign_up(client, "аnna")
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_name_is_kept_in_nfkc_and_logs_in_however_it_is_typed(client: Client) -> None:
    sign_up(client, "Jose\u0301")
    user = User.objects.get()
    assert user.username == "jos\u00e9"
    client.logout()
    answer = client.post("/accounts/login/", {"login": "JOSE\u0301", "password": PASSWORD})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.django_db
def test_an_operator_cannot_give_a_look_away_twice() -> None:
    User.objects.create_user("anna", "anna@example.org")
    with pytest.raises(ValidationError, match="looks the same"):
        User(username="аnna", email="other@example.org").clean()


@pytest.mark.django_db
def test_accounts_of_before_stay_and_can_be_changed() -> None:
    first = User.objects.create_user("anna", "anna@example.org")
    second = User.objects.create_user("berta", "second@example.org")
    User.objects.filter(pk=second.pk).update(username="аnna", look_alike=None)
    User.objects.filter(pk=first.pk).update(look_alike=None)
    importlib.import_module("accounts.migrations.0007_look_alike_names").fill(apps, None)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.look_alike, second.look_alike) == (look_alike_key("anna"), None)
    second.region = "NO"
    second.save()
    second.refresh_from_db()
    assert (second.username, second.region, second.look_alike) == ("аnna", "NO", None)
