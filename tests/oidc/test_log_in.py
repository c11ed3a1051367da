"""Log-in with OpenID Connect, at a real provider that runs beside the site."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.core.mail import EmailMessage
from playwright.sync_api import Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.login.oidc import _subject, free_name
from accounts.models import User
from tests.oidc.tools import CLIENT, Browser, provider

PASSWORD = "three blind mice see how"
ACCOUNTS = {
    "clara": {"email": "Clara@example.org", "email_verified": True, "preferred_username": "Clara.Schumann"},
    "CLARA": {"email": "other@example.org", "email_verified": True},
    "unconfirmed": {"email": "anna@example.org", "email_verified": False},
    "text": {"email": "anna@example.org", "email_verified": "true"},
    "anna": {"email": "anna@example.org", "email_verified": True},
    "boss": {"email": "boss@example.org", "email_verified": True},
    "nobody": {},
    "namesake": {"email": "anna@example.net", "email_verified": True},
    "look-alike": {
        "email": "odd@example.org",
        "email_verified": True,
        "preferred_username": "ann\N{CYRILLIC SMALL LETTER A}",
    },
    "x" * 200: {"email": "long@example.org", "email_verified": True},
}


@pytest.fixture
def visitor(live_server: LiveServer, settings: Settings, real_clock: None) -> Iterator[Browser]:
    site = str(live_server.url)
    for name, value in CLIENT.items():
        setattr(settings, name, value)
    settings.OIDC_NAME = "House"
    settings.EMAIL_URL = "submission://mail.example.org"
    with provider(site, ACCOUNTS) as address:
        settings.OIDC_SERVER_URL = address
        yield Browser(site)


def make_listener(name: str = "anna", *, is_confirmed: bool = True, **more: bool) -> User:
    user = User.objects.create_user(name, f"{name}@example.org", PASSWORD, **more)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=is_confirmed)
    return user


def test_a_new_listener_gets_an_account_and_comes_again(visitor: Browser) -> None:
    page = visitor.log_in_with_provider("clara")
    assert (urlsplit(page.url).path, page.status_code) == ("/start/", 200)
    user = User.objects.get()
    assert (user.username, user.email, user.has_usable_password(), user.is_staff) == (
        "clara.schumann",
        "clara@example.org",
        False,
        False,
    )
    assert EmailAddress.objects.get().verified
    again = Browser(visitor.site)
    again.log_in_with_provider("clara")
    assert again.username() == "clara.schumann"
    assert User.objects.count() == 1
    account = SocialAccount.objects.get()
    assert (account.provider, account.uid, account.extra_data) == ("oidc", "clara", {})
    assert not SocialToken.objects.exists()


def test_accounts_of_other_letters_are_others(visitor: Browser) -> None:
    visitor.log_in_with_provider("clara")
    other = Browser(visitor.site)
    other.log_in_with_provider("CLARA")
    # Two accounts; or, on a database that does not tell them apart, nobody.
    assert other.username() in ("other", None)
    assert not SocialAccount.objects.filter(uid="clara", user__username="other").exists()


@pytest.mark.parametrize("name", ["unconfirmed", "text", "anna"])
@pytest.mark.parametrize("is_confirmed", [True, False])
def test_an_account_with_the_same_address(
    visitor: Browser, name: str, is_confirmed: bool, mailoutbox: list[EmailMessage]
) -> None:
    make_listener(is_confirmed=is_confirmed)
    page = visitor.log_in_with_provider(name)
    if name == "anna" and is_confirmed:
        assert visitor.username() == "anna"
        assert mailoutbox[0].subject.endswith("New way to log in to your account")
    else:
        assert visitor.username() is None
        assert "Your email address has an account here" in page.text
        assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1


@pytest.mark.parametrize("kind", ["is_staff", "is_superuser"])
def test_an_operators_account_is_not_taken_by_its_address(visitor: Browser, kind: str) -> None:
    make_listener("boss", **{kind: True})
    visitor.log_in_with_provider("boss")
    assert visitor.username() is None
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("name", ["nobody", "x" * 200])
def test_what_makes_no_account(visitor: Browser, name: str) -> None:
    page = visitor.log_in_with_provider(name)
    assert (urlsplit(page.url).path, visitor.username()) == ("/accounts/login/", None)
    assert not User.objects.exists()


@pytest.mark.parametrize(("name", "username"), [("namesake", "anna2"), ("look-alike", "odd")])
def test_a_name_that_is_or_looks_like_anothers(visitor: Browser, name: str, username: str) -> None:
    make_listener("anna")
    visitor.log_in_with_provider(name)
    assert set(User.objects.values_list("username", flat=True)) == {"anna", username}


def test_connect_and_disconnect(visitor: Browser, mailoutbox: list[EmailMessage]) -> None:
    make_listener("anna")
    visitor.log_in("anna", PASSWORD)
    visitor.open("/profile/")
    page = visitor.log_in_with_provider("clara")
    assert "You can log in with House now." in page.text
    assert SocialAccount.objects.get().user.username == "anna"
    assert any("connected with an account of House" in str(mail.body) for mail in mailoutbox)

    elsewhere = Browser(visitor.site)
    elsewhere.log_in_with_provider("clara")
    assert elsewhere.username() == "anna"

    make_listener("berta")
    other = Browser(visitor.site)
    other.log_in("berta", PASSWORD)
    other.open("/profile/")
    assert "connected to another account here" in other.log_in_with_provider("clara").text

    visitor.open("/profile/")
    visitor.submit("/accounts/oidc/oidc/disconnect/")
    assert not SocialAccount.objects.exists()


def test_who_has_no_password_cannot_lock_themselves_out(visitor: Browser) -> None:
    visitor.log_in_with_provider("clara")
    visitor.open("/profile/")
    page = visitor.submit("/accounts/oidc/oidc/disconnect/")
    assert urlsplit(page.url).path == "/accounts/password/set/"
    assert SocialAccount.objects.count() == 1


def test_to_connect_the_password_is_asked_for(visitor: Browser) -> None:
    make_listener("anna")
    visitor.submit("/accounts/login/", login="anna", password=PASSWORD)
    visitor.open("/profile/")
    page = visitor.submit("/accounts/oidc/oidc/login/")
    assert urlsplit(page.url).path == "/accounts/reauthenticate/"


def test_the_second_step_is_asked_for(visitor: Browser) -> None:
    user = make_listener("anna")
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    page = visitor.log_in_with_provider("anna")
    assert (urlsplit(page.url).path, visitor.username()) == ("/accounts/two-factor/authenticate/", None)


def test_a_closed_account_stays_closed(visitor: Browser) -> None:
    visitor.log_in_with_provider("clara")
    User.objects.update(is_active=False)
    again = Browser(visitor.site)
    again.log_in_with_provider("clara")
    assert again.username() is None


def test_codes_and_states_of_others_are_worth_nothing(visitor: Browser) -> None:
    sent: list[str] = []
    visitor.session.hooks["response"].append(lambda response, **_more: sent.append(response.url))
    visitor.log_in_with_provider("clara")
    [callback] = [url for url in sent if "/login/callback/" in url]
    assert set(parse_qs(urlsplit(callback).query)) >= {"code", "state"}
    # Once more by the same browser, by a victim's, with another state, without a code.
    victim = Browser(visitor.site)
    for url in (callback, callback.replace("state=", "state=x"), callback.split("?")[0]):
        victim.page = victim.session.get(url)
        assert (victim.page.status_code, victim.username()) == (200, None)
    assert User.objects.count() == 1


def test_a_link_of_another_site_starts_nothing(visitor: Browser) -> None:
    address = f"{visitor.site}/accounts/oidc/oidc/login/"
    assert requests.get(address).status_code == 405
    # Django's test server asks for the CSRF token as the real one does.
    assert requests.post(address).status_code == 403
    assert requests.post(address.replace("oidc/oidc", "oidc/spotify")).status_code == 403


def test_a_provider_that_is_away(visitor: Browser, settings: Settings) -> None:
    settings.OIDC_SERVER_URL = "http://127.0.0.1:9"
    page = visitor.submit("/accounts/oidc/oidc/login/")
    assert "House can&#x27;t be reached just now." in page.text


def test_without_the_setting_there_is_none(live_server: LiveServer, settings: Settings) -> None:
    settings.OIDC_SERVER_URL = ""
    visitor = Browser(str(live_server.url))
    assert "/accounts/oidc/" not in visitor.page.text
    assert requests.get(f"{visitor.site}/accounts/oidc/oidc/login/callback/?code=a&state=b").status_code == 404


@pytest.mark.parametrize(
    ("data", "subject"),
    [
        ({"userinfo": {"sub": "a"}, "id_token": {"sub": "a"}}, "a"),
        ({"userinfo": {"sub": "a"}}, "a"),
        ({"userinfo": {"sub": "a"}, "id_token": {"sub": "b"}}, None),
        ({"userinfo": {"sub": "a"}, "id_token": {}}, None),
        ({"userinfo": {"sub": 5}}, None),
        ({"userinfo": {"sub": ""}}, None),
        ({"userinfo": {"sub": "x" * 192}}, None),
        ({}, None),
    ],
)
def test_the_two_answers_have_to_name_the_same_person(data: dict[str, Any], subject: str | None) -> None:
    assert _subject(data) == subject


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Clara", "clara"),
        ("clara@example.org", "clara"),
        ("  Clara S. ", "claras."),
        ("", "listener"),
        ("<script>", "script"),
        ("\x00\n", "listener"),
        ("\N{FULLWIDTH LATIN SMALL LETTER A}", "a"),
        ("a" * 500, "a" * 100),
    ],
)
def test_names(wanted: str, name: str) -> None:
    assert free_name(wanted) == name


@pytest.mark.django_db
def test_names_that_are_taken() -> None:
    for number in range(25):
        User.objects.create_user(free_name("anna"), f"{number}@example.org")
    assert User.objects.filter(username__startswith="anna").count() == 25
    assert User.objects.filter(username="anna19").exists()


def test_a_browser_reaches_a_provider_whose_log_in_page_has_another_host(visitor: Browser, page: Page) -> None:
    """The policy of the site lets forms lead to the site alone."""
    policy = visitor.page.headers["Content-Security-Policy"]
    assert re.findall("form-action ([^;]+)", policy) == ["'self'"]
    page.goto(f"{visitor.site}/accounts/login/")
    page.get_by_role("button", name="Log in with House").click()
    page.wait_for_url(re.compile("^http://localhost:.*/interaction/"))
    page.locator("input[name=login]").fill("clara")
    page.locator("input[name=password]").fill("any")
    page.get_by_role("button").first.click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(re.compile(re.escape(visitor.site) + "/start/"))
    assert SocialAccount.objects.get().uid == "clara"
