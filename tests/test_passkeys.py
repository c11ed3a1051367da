"""Two-factor authentication in a real browser, with a passkey that Chromium plays (CDP WebAuthn)."""

import re
import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from conftest import missing
from tests.test_accessibility import AXE, findings_here

pytestmark = [pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery staple"
NAME, SECOND = "Passkey 1", "My laptop"


@pytest.fixture
def user() -> User:
    return User.objects.create_user("anna", "anna@example.org", PASSWORD)


def give_passkey(page: Page) -> None:
    """Let the page's browser have a device with passkeys, whose owner always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def log_in(page: Page, site: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.locator("[name=login]").fill("anna")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def log_out(page: Page, site: str) -> None:
    page.goto(f"{site}/accounts/logout/")
    page.locator("main").get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def test_a_passkey_is_added_logs_in_as_second_step_and_alone_and_goes(
    new_context: Callable[..., BrowserContext], live_server: LiveServer, user: User
) -> None:
    if not AXE.is_file():
        missing("axe-core was not fetched (make setup)", required_by="REQUIRE_BROWSER")
    site = str(live_server.url).replace("127.0.0.1", "localhost")
    context = new_context(viewport={"width": 360, "height": 800}, color_scheme="dark")
    page, violations, wrong = context.new_page(), [], []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    give_passkey(page)

    log_in(page, site)
    page.goto(f"{site}/accounts/two-factor/webauthn/add/")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Log in with it without my password").check()
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    passkey = Authenticator.objects.get(type="webauthn")
    page.goto(f"{site}/accounts/two-factor/webauthn/keys/{passkey.pk}/edit/")
    violations += findings_here(page, "rename")
    page.locator("[name=name]").fill(SECOND)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text(SECOND)
    page.get_by_role("link", name=f"Remove {SECOND}").click()
    violations += findings_here(page, "remove")
    page.goto(f"{site}/accounts/two-factor/totp/activate/")
    violations += findings_here(page, "set up app")
    page.goto(f"{site}/accounts/two-factor/webauthn/reauthenticate/")
    violations += findings_here(page, "again")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile("^(?!.*reauthenticate)"))

    log_out(page, site)
    log_in(page, site)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    violations += findings_here(page, "second step")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator(".site-header details.account-menu")).to_be_visible()

    log_out(page, site)
    page.goto(f"{site}/accounts/login/")
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.locator(".site-header details.account-menu")).to_be_visible()
    assert violations == []
    assert wrong == []


def test_an_app_is_set_up_and_its_code_logs_in(
    new_context: Callable[..., BrowserContext], live_server: LiveServer, user: User
) -> None:
    site = str(live_server.url)
    page = new_context(viewport={"width": 1400, "height": 900}).new_page()
    log_in(page, site)
    page.goto(f"{site}/profile/")
    page.get_by_role("link", name="Two-factor authentication").click()
    page.get_by_role("link", name="Set up app").click()
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    secret = page.get_by_label("Key, if you can't scan").input_value()
    assert page.locator("img.qr-code").evaluate("image => image.complete && image.naturalWidth > 20")
    page.locator("[name=code]").fill(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    page.get_by_role("button", name="Set up app").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    code = page.locator("main li").first.inner_text()
    log_out(page, site)
    log_in(page, site)
    page.locator("[name=code]").fill(code)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator(".site-header details.account-menu")).to_be_visible()
