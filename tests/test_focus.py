"""In a real browser: neither Undo nor what disappears by itself leaves the keyboard at the top of the page."""

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
from feedback.playlists import services as playlist_services
from feedback.plays.services import record_play
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.lifecycle.versions import forget_loaded
from recommender.tests.builders import make_catalogue, make_user

pytestmark = [pytest.mark.django_db(transaction=True)]
# The browser may set the focus on a button before htmx knows its form.
IS_SETTLED = "() => !document.querySelector('.htmx-added, .htmx-request, .htmx-settling, .htmx-swapping')"
IS_AT_SONG = "id => document.activeElement.closest('.track-row')?.id === id"


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
    rate(user=made, track=tracks[0], value=Rating.Value.LIKE)
    return made


@pytest.fixture
def site(live_server: LiveServer, page: Page, user: User) -> str:
    client = Client()
    client.force_login(user)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": str(live_server.url)}])
    return str(live_server.url)


def press_undo(page: Page) -> None:
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.wait_for_function(IS_SETTLED)
    page.keyboard.press("Enter")


def test_after_a_like_and_undo_on_for_you_the_keyboard_is_at_the_song(page: Page, site: str) -> None:
    page.goto(f"{site}/")
    note = page.locator("#feed-note")
    expect(note).to_have_text("Learned from 1 like.")
    row = page.locator("#section-made .track-row").first
    row_id = row.get_attribute("id")
    row.get_by_role("button", name="Like", exact=False).first.focus()
    page.keyboard.press("Enter")
    undo = page.get_by_role("button", name="Undo")
    expect(note).to_have_text("Learned from 2 likes.")
    press_undo(page)
    expect(undo).to_have_count(0)
    expect(note).to_have_text("Learned from 1 like.")
    page.wait_for_function(IS_AT_SONG, arg=row_id)


def test_an_undo_that_has_the_focus_stays_until_the_keyboard_leaves_it(page: Page, site: str) -> None:
    page.clock.install()
    page.goto(f"{site}/")
    page.locator("#section-made .track-row").first.get_by_role("button", name="Like", exact=False).first.focus()
    page.keyboard.press("Enter")
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    page.clock.run_for(11_000)
    expect(undo).to_be_focused()
    page.keyboard.press("Tab")
    page.clock.run_for(11_000)
    expect(undo).to_have_count(0)


def test_after_undo_in_the_history_and_in_a_playlist_the_keyboard_is_at_the_song(
    page: Page, site: str, user: User, tracks: list[Track]
) -> None:
    for track in tracks[:2]:
        record_play(user=user, track=track)
    playlist = playlist_services.create_playlist(owner=user, name="Road trip", tracks=tracks[:3])
    page.goto(f"{site}/history/")
    remove = page.get_by_role("button", name="Remove Song 0.0 from history", exact=True)
    undo = page.get_by_role("button", name="Undo")
    remove.focus()
    page.keyboard.press("Enter")
    press_undo(page)
    expect(remove).to_be_focused()
    page.goto(f"{site}{playlist.get_absolute_url()}")
    page.get_by_role("button", name="Remove Song 0.0 from the playlist", exact=True).focus()
    page.keyboard.press("Enter")
    press_undo(page)
    expect(undo).to_have_count(0)
    page.wait_for_function(IS_AT_SONG, arg=f"track-{tracks[0].pk}")
