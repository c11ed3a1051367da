"""A new listener in a real browser: sign up, pick genres, get a feed, and steer it by likes and dislikes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from recommender.lifecycle.versions import forget_loaded
from recommender.tests.builders import make_catalogue

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(live_server: LiveServer, settings: Any, tmp_path: Path) -> Iterator[str]:
    """A site with 40 songs and a model."""
    settings.MODEL_DIR = tmp_path / "models"
    make_catalogue()
    call_command("retrain", verbosity=0)
    yield str(live_server.url)
    forget_loaded()


@pytest.fixture
def page_errors(page: Page) -> Iterator[list[str]]:
    """What the browser complains about: script errors and breaches of the content security policy."""
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # Without the fetched assets their files are missing, which is no error of the page.
        if message.type == "error" and "404" not in message.text:
            errors.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield errors
    assert errors == []


def sign_up(page: Page, site: str) -> None:
    page.goto(f"{site}/")
    page.get_by_role("link", name="Sign up").first.click()
    page.locator("input[name=username]").fill("ada")
    page.locator("input[name=email]").fill("ada@example.org")
    page.locator("select[name=region]").select_option("SE")
    page.locator("input[name=password1]").fill("a long enough secret")
    page.locator("input[name=password2]").fill("a long enough secret")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(re.compile("/start/"))
    # Each page is certain then: what exploring does has tests of its own.
    User.objects.update(adventure=0.0)


def start(page: Page, site: str) -> None:
    """The three steps: one genre, no artist, the dial as it stands."""
    page.get_by_role("checkbox", name=re.compile("folk")).check(force=True)
    page.get_by_role("button", name="Next").click()
    page.wait_for_url(re.compile("/start/artists/"))
    expect(page.get_by_role("checkbox", name="Artist 0")).to_have_count(1)
    page.get_by_role("link", name="Skip", exact=True).click()
    page.wait_for_url(re.compile("/start/adventure/"))
    page.get_by_role("button", name="Show my songs").click()
    page.wait_for_url(re.compile(re.escape(site) + "/$"))


def titles(page: Page) -> list[str]:
    return page.locator("#feed .track-title").all_inner_texts()


@pytest.mark.parametrize("width", [360, 1400])
def test_from_sign_up_to_a_feed_that_follows(page: Page, site: str, page_errors: list[str], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    sign_up(page, site)
    start(page, site)
    first = titles(page)
    assert first
    assert all(int(title.split()[1].split(".")[0]) < 5 for title in first[:5]), first
    expect(page.locator("#feed .track-reason").first).to_contain_text("folk")

    # Two likes of one artist: in place, and the next page follows.
    for title in ("Song 0.0", "Song 0.1"):
        page.goto(f"{site}/search/?q={title}")
        row = page.locator(".track-row", has=page.get_by_role("link", name=title, exact=True))
        row.get_by_role("button", name=re.compile("^Like ")).click()
        expect(row.locator('[aria-pressed="true"]')).to_have_count(1)
    page.goto(f"{site}/")
    moved = titles(page)
    assert set(moved[:2]) == {"Song 0.2", "Song 0.3"}
    assert moved != first
    expect(page.locator("#feed .track-reason").first).to_contain_text("Artist 0")

    # One dislike: gone at once, with the way back.
    made = page.locator("#section-made")
    made.locator(".track-row").first.get_by_role("button", name=re.compile("^Dislike ")).click()
    expect(page.locator("#feed").get_by_role("link", name=moved[0], exact=True)).to_have_count(0)
    made.get_by_role("button", name="Undo").click()
    expect(made.get_by_role("link", name=moved[0], exact=True)).to_have_count(1)
    made.locator(".track-row").first.get_by_role("button", name=re.compile("^Dislike ")).click()
    expect(made.locator("[data-vanish-seconds]")).to_have_count(1)
    page.get_by_role("button", name="New songs").click()
    expect(page.locator("[data-vanish-seconds]")).to_have_count(0)
    expect(page.locator("#feed").get_by_role("link", name=moved[0], exact=True)).to_have_count(0)

    # Nothing is wider than the screen.
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_all_works_without_javascript(new_context: Any, site: str) -> None:
    page = new_context(java_script_enabled=False).new_page()
    sign_up(page, site)
    start(page, site)
    before = titles(page)
    page.locator("#feed .track-row").first.get_by_role("button", name=re.compile("^Dislike ")).click()
    expect(page.locator("#feed").get_by_role("link", name=before[0], exact=True)).to_have_count(0)
    assert re.split("[?#]", page.url)[0] == f"{site}/"
    page.context.close()
