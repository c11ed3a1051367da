"""Password change and reset."""

import re

from django.conf import settings as site_settings
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.tests.conftest import PASSWORD

NEW = "another staple for the horse"


def test_change_keeps_the_listener_logged_in(listener: Client, user: User) -> None:
    answers = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert listener.post("/accounts/password/change/", answers).status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert listener.get("/profile/").status_code == 200


def test_change_needs_the_old_password_and_a_good_new_one(listener: Client, user: User) -> None:
    answer = listener.post("/accounts/password/change/", {"oldpassword": "?", "password1": "123", "password2": "4"})
    assert set(answer.context["form"].errors) == {"oldpassword", "password1"}
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_reset_by_letter(client: Client, user: User, mailoutbox: list[EmailMessage]) -> None:
    answer = client.post("/accounts/password/reset/", {"email": "Anna@example.org"})
    assert answer["Location"] == "/accounts/password/reset/done/"
    (letter,) = mailoutbox
    assert letter.to == ["anna@example.org"]
    link = re.search(r"http://testserver(/\S+)", str(letter.body))
    assert link
    form = client.get(link[1], follow=True)
    action = form.context["action_url"]
    assert client.post(action, {"password1": NEW, "password2": NEW}).status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert "has expired" in client.get(link[1], follow=True).content.decode()


def test_reset_does_not_tell_who_has_an_account(client: Client, user: User, mailoutbox: list[EmailMessage]) -> None:
    known = client.post("/accounts/password/reset/", {"email": "anna@example.org"}, follow=True)
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.org"}, follow=True)
    assert known.redirect_chain == unknown.redirect_chain
    assert [letter.to for letter in mailoutbox] == [["anna@example.org"], ["nobody@example.org"]]
    assert "/password/reset/key/" not in mailoutbox[1].body


def test_without_a_mail_server_letters_are_printed_and_pages_say_so(client: Client, db: None) -> None:
    assert not site_settings.EMAIL_URL
    assert site_settings.ACCOUNT_EMAIL_VERIFICATION == "none"
    assert "This site can't send email" in client.get("/accounts/password/reset/").content.decode()


def test_with_a_mail_server_pages_say_nothing(client: Client, db: None, settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://mail.example:25"
    assert "This site can't send email" not in client.get("/accounts/password/reset/").content.decode()


def test_the_letter_is_in_the_words_of_the_site(client: Client, user: User, mailoutbox: list[EmailMessage]) -> None:
    client.post("/accounts/password/reset/", {"email": "anna@example.org"})
    client.post("/accounts/password/reset/", {"email": "anna@example.org"}, headers={"Accept-Language": "de"})
    client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    english, german, unknown = mailoutbox
    assert (english.subject, german.subject) == ("[Earworm] Reset your password", "[Earworm] Neues Passwort")
    address = r"\n\nhttp://testserver/accounts/password/reset/key/\S+\n\n"
    assert re.fullmatch(
        rf"Hi,\n\nuse this link to set a new password for Earworm:{address}Your username is {user.username}\. "
        r"If you didn't ask for this, ignore this email\. Your password stays the same\.\s*",
        str(english.body),
    )
    assert re.fullmatch(
        rf"Hallo,\n\nmit diesem Link setzt du ein neues Passwort für Earworm:{address}"
        rf"Dein Benutzername ist {user.username}\. "
        r"Hast du das nicht angefordert, ignoriere diese E-Mail\. Dein Passwort bleibt, wie es ist\.\s*",
        str(german.body),
    )
    assert (unknown.subject, "http://testserver/accounts/signup/" in unknown.body) == (
        "[Earworm] No account with this email address",
        True,
    )
    assert not [letter for letter in mailoutbox if "example.com" in str(letter.body)]
