"""In a real browser: steer the taste and see the feed move, block with expiry, private session, by keyboard alone."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import Track
from feedback.preferences.models import Block, TasteExclusion
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.lifecycle.versions import forget_loaded
from recommender.tests.builders import make_catalogue, make_user

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tracks(settings: Any, tmp_path: Path) -> Iterator[list[Track]]:
    settings.MODEL_DIR = tmp_path / "models"
    made = make_catalogue()
    call_command("retrain", verbosity=0)
    yield made
    forget_loaded()


@pytest.fixture
def user(tracks: list[Track]) -> User:
    made = make_user(adventure=0.0)
    for track in tracks[:2]:
        rate(user=made, track=track, value=Rating.Value.LIKE)
    return made


@pytest.fixture
def site(live_server: LiveServer, page: Page, user: User) -> str:
    client = Client()
    client.force_login(user)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": str(live_server.url)}])
    return str(live_server.url)


def first_titles(page: Page, count: int = 2) -> set[str]:
    return set(page.locator("#section-made .track-title").all_inner_texts()[:count])


def test_steer_the_taste_and_see_the_feed_move(page: Page, site: str) -> None:
    page.goto(f"{site}/")
    assert first_titles(page) == {"Song 0.2", "Song 0.3"}
    page.goto(f"{site}/taste/")
    off = page.get_by_role("button", name="Turn off Artist 0")
    off.focus()
    page.keyboard.press("Enter")
    expect(off).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#messages")).to_contain_text("Artist 0 no longer counts.")
    page.goto(f"{site}/")
    assert not first_titles(page) & {"Song 0.2", "Song 0.3"}


def test_block_an_artist_for_a_week_from_the_menu(page: Page, site: str, user: User) -> None:
    page.goto(f"{site}/")
    page.locator("#section-made .track-row").first.get_by_role("link", name=re.compile("^More options for")).click()
    sheet = page.locator("#sheet")
    expect(sheet).to_be_visible()
    sheet.get_by_label("What not to recommend").select_option(label="the artist Artist 0")
    sheet.get_by_label("For how long").select_option(label="for a week")
    sheet.get_by_role("button", name="Don't recommend").click()
    expect(sheet).to_be_hidden()
    expect(page.locator("#feed").get_by_role("link", name="Song 0.2", exact=True)).to_have_count(0)
    block = Block.objects.get(user=user)
    assert str(block.artist) == "Artist 0"
    assert block.until is not None
    page.keyboard.press("Escape")
    page.goto(f"{site}/taste/")
    page.get_by_role("button", name="Unblock").click()
    expect(page.get_by_role("button", name="Unblock")).to_have_count(0)
    assert not Block.objects.exists()


def test_why_opens_in_a_sheet_and_says_what_the_record_says(page: Page, site: str) -> None:
    page.goto(f"{site}/")
    page.locator("#section-made .track-reason").first.click()
    expect(page.locator("#sheet .why-chart")).to_be_visible()
    expect(page.locator("#sheet")).to_contain_text("Because you like Song 0.0 by Artist 0")
    page.locator("#sheet").get_by_role("button", name="Close").click()
    expect(page.locator("#sheet")).to_be_hidden()


def test_a_private_session_is_seen_and_counts_for_nothing(page: Page, site: str, user: User) -> None:
    page.goto(f"{site}/taste/")
    page.get_by_role("button", name="Start session").click()
    expect(page.locator(".private-chip")).to_be_visible()
    page.goto(f"{site}/")
    expect(page.locator(".private-chip")).to_be_visible()
    learned = page.locator(".feed-note").inner_text()
    page.locator("#section-popular .track-row").first.get_by_role("button", name=re.compile("^Like ")).click()
    expect(page.locator("#section-popular [data-vanish-seconds]")).to_have_count(1)
    page.goto(f"{site}/")
    expect(page.locator(".feed-note")).to_have_text(learned)
    page.goto(f"{site}/taste/")
    page.get_by_role("button", name="End session").click()
    expect(page.locator(".private-chip")).to_have_count(0)
    assert TasteExclusion.objects.get(user=user).is_private_session
