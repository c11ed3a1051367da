"""A listener's first ten minutes in a browser, from a visitor's like to the statistics; and a like by keys alone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from feedback.history_import.tests.histories import spotify
from feedback.playlists.models import Playlist
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from jobs.tests.helpers import run_waiting
from recommender.lifecycle.versions import forget_loaded
from recommender.tests.builders import make_catalogue

pytestmark = [pytest.mark.django_db(transaction=True)]
PASSWORD = "a long enough secret"
# More than any page of the way needs.
MOST_TABS = 80


@pytest.fixture
def site(live_server: LiveServer, settings: Any, tmp_path: Path) -> Iterator[str]:
    """A site with 40 songs and a model."""
    settings.MODEL_DIR, settings.VAR_DIR = tmp_path / "models", tmp_path
    make_catalogue()
    call_command("retrain", verbosity=0)
    yield str(live_server.url)
    forget_loaded()


def fits(page: Page, width: int) -> None:
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def sign_up_from_a_like(page: Page, site: str) -> str:
    """Press Like as a visitor, sign up, go through the three steps; return the song's title."""
    page.goto(f"{site}/")
    row = page.locator(".track-row").first
    title = row.locator(".track-title").inner_text()
    row.get_by_role("button", name=re.compile("^Like ")).click()
    page.wait_for_url(re.compile("/accounts/signup/"))
    expect(page.get_by_text(f"Log in or sign up to like “{title}”")).to_be_visible()
    page.locator("input[name=username]").fill("ada")
    page.locator("input[name=email]").fill("ada@example.org")
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("input[name=password2]").fill(PASSWORD)
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(re.compile("/start/"))
    page.get_by_role("checkbox", name=re.compile("folk", re.IGNORECASE)).check(force=True)
    page.get_by_role("button", name="Next").click()
    page.wait_for_url(re.compile("/start/artists/"))
    page.get_by_role("link", name="Skip", exact=True).click()
    page.wait_for_url(re.compile("/start/adventure/"))
    page.get_by_role("button", name="Show my songs").click()
    page.wait_for_url(re.compile(re.escape(site) + "/$"))
    return title


def like_three(page: Page) -> None:
    """Like the first song of "Made for you" three times: each like brings another song into its place."""
    made = page.locator("#section-made")
    for _time in range(3):
        title = made.locator(".track-title").first.inner_text()
        made.locator(".track-row").first.get_by_role("button", name=f"Like {title}", exact=True).click()
        expect(made.get_by_role("link", name=title, exact=True)).to_have_count(0)


def find_song(page: Page, words: str, title: str) -> None:
    """Type into the journey's field, and choose what it suggests."""
    page.locator("#journey-search").press_sequentially(words)
    page.locator("#found").get_by_role("link", name=re.compile(f"^{re.escape(title)} ")).click()


def travel(page: Page, site: str) -> None:
    """Go from one song to another, and keep the journey as a playlist."""
    page.get_by_role("link", name="Journey").locator("visible=true").first.click()
    page.wait_for_url(re.compile("/journey/"))
    find_song(page, "Song 0.", "Song 0.0")
    # The address changes before the page does.
    expect(page.locator("#journey-search")).to_have_attribute("placeholder", "Search for the song to end with")
    find_song(page, "Song 5.1", "Song 5.1")
    page.wait_for_url(re.compile("goal="))
    expect(page.locator("main .track-row").first).to_contain_text("Song 0.0")
    page.get_by_label("New playlist name").fill("On the way")
    page.get_by_role("button", name="Save as playlist").click()
    expect(page.get_by_role("heading", name="On the way")).to_be_visible()
    expect(page.locator("main .track-row").last).to_contain_text("Song 5.1")


def bring_the_past(page: Page, site: str, folder: Path) -> None:
    """Upload a history, and go on from the finished import to the statistics."""
    path = folder / "Streaming_History_Audio_2024.json"
    records = [spotify(f"Song 1.{number % 4}", "Artist 1", ts=f"2024-03-01T10:{number:02}:00Z") for number in range(20)]
    path.write_text(json.dumps(records))
    page.goto(f"{site}/history/")
    page.get_by_role("link", name="Import your listening history").first.click()
    page.get_by_label("Your file").set_input_files(path)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url(re.compile(r"/history/import/\d+/$"))
    run_waiting()
    page.get_by_role("link", name="See your statistics").click()
    page.wait_for_url(re.compile("/statistics/"))


def filter_history(page: Page, site: str) -> None:
    """The list follows what is typed, and so does its download."""
    page.goto(f"{site}/history/")
    expect(page.locator("#found .track-row")).to_have_count(20)
    page.locator("#list-filter").press_sequentially("Song 1.2")
    expect(page.locator("#found .track-row")).to_have_count(5)
    expect(page.locator("#history-csv")).to_have_attribute("href", re.compile("q=Song"))
    assert "q=Song" in page.url


@pytest.mark.parametrize("width", [360, 1400])
def test_ten_minutes(page: Page, site: str, tmp_path: Path, width: int) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_viewport_size({"width": width, "height": 780})
    title = sign_up_from_a_like(page, site)
    assert Rating.objects.get().track.title == title
    expect(page.locator("#feed")).to_contain_text("Made for you")
    fits(page, width)

    like_three(page)
    assert Rating.objects.filter(value=Rating.Value.LIKE).count() == 4
    travel(page, site)
    fits(page, width)
    assert Playlist.objects.get(name="On the way").items.count() >= 5

    bring_the_past(page, site, tmp_path)
    assert Play.objects.count() == 20
    expect(page.locator("main")).to_contain_text("Artist 1")
    expect(page.locator("main")).to_contain_text("20")
    fits(page, width)
    filter_history(page, site)
    assert errors == []


@pytest.mark.browser_context_args(service_workers="block")
def test_what_is_typed_while_a_page_still_loads_is_searched(page: Page, site: str) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/site/site*.js", hold)
    page.goto(f"{site}/journey/", wait_until="commit")
    page.locator("#journey-search").press_sequentially("Song 5.1")
    assert len(held) == 1
    held[0].continue_()
    links = page.locator("#found").get_by_role("link")
    expect(links.filter(has_text="Song 5.1")).to_be_visible()
    expect(links.filter(has_text="Song 0")).to_have_count(0)


class Keys:
    """A listener without a mouse: goes on by Tab until the control has the focus, and must see it there."""

    def __init__(self, page: Page) -> None:
        self.page, self.invisible = page, []  # type: ignore[var-annotated]

    def go_to(self, selector: str) -> None:
        for _tab in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                self._look(selector)
                return
        raise AssertionError(f"no way to {selector} by Tab")

    def _look(self, selector: str) -> None:
        # The browser scrolls there a moment later.
        self.page.wait_for_timeout(300)
        seen = self.page.evaluate(
            """() => { const style = getComputedStyle(document.activeElement);
            const box = document.activeElement.getBoundingClientRect();
            const places = [[.5, .1], [.5, .5], [.5, .9]].map(([x, y]) =>
              document.elementFromPoint(box.left + x * box.width, box.top + y * box.height));
            const has_ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0
              || style.boxShadow !== "none";
            const label = document.activeElement.closest("label");
            const is_free = places.every((place) => place && (document.activeElement.contains(place)
              || label?.contains(place) || place.htmlFor === document.activeElement.id));
            return [has_ring, is_free]; }"""
        )
        if seen != [True, True]:
            self.invisible.append((self.page.url, selector, seen))

    def fill(self, selector: str, text: str) -> None:
        self.go_to(selector)
        self.page.keyboard.type(text)

    def press(self, selector: str, key: str = "Enter") -> None:
        self.go_to(selector)
        self.page.keyboard.press(key)


@pytest.mark.parametrize("width", [360, 1400])
def test_from_sign_up_to_a_like_by_keys_alone(page: Page, site: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 780})
    page.goto(f"{site}/")
    keys = Keys(page)
    keys.press("main a[href*='/accounts/signup/']")
    page.wait_for_url(re.compile("/accounts/signup/"))
    keys.fill("input[name=username]", "ada")
    keys.fill("input[name=email]", "ada@example.org")
    keys.fill("input[name=password1]", PASSWORD)
    keys.fill("input[name=password2]", PASSWORD)
    keys.press("main form button[type=submit]")
    page.wait_for_url(re.compile("/start/"))
    keys.press("input[name=genre]", " ")
    keys.press("main button[type=submit][value=save], .start-bar button[type=submit]")
    page.wait_for_url(re.compile("/start/artists/"))
    keys.press(".start-bar button[value=save]")
    page.wait_for_url(re.compile("/start/adventure/"))
    keys.press("main form button[type=submit]")
    page.wait_for_url(re.compile(re.escape(site) + "/$"))
    title = page.locator("#section-made .track-title").first.inner_text()
    keys.press(f"#section-made button[aria-label='Like {title}']")
    expect(page.locator("#section-made").get_by_role("link", name=title, exact=True)).to_have_count(0)
    assert Rating.objects.get(user=User.objects.get()).track.title == title
    assert keys.invisible == []
