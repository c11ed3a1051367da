"""A browser whose site cannot take a write just now: the page keeps it and sends it again, once."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, Request, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import Track
from feedback.ratings.models import Rating
from feedback.tests.factories import make_track

# A request that is sent while the service worker takes the page over may pass by what a test puts in its way.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser_context_args(service_workers="block")]


@pytest.fixture
def song(transactional_db: None) -> Track:
    return make_track("Song A", artist="The Testers")


@pytest.fixture
def user(song: Track) -> User:
    return User.objects.create_user("ada", "ada@example.org")


@pytest.fixture
def page(new_context: Any, live_server: LiveServer, user: User, settings: Any, tmp_path: Path) -> Page:
    settings.MODEL_DIR = tmp_path / "models"
    client = Client()
    client.force_login(user)
    context = new_context()
    site = str(live_server.url)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    opened: Page = context.new_page()
    opened.goto(f"{site}/songs/")
    return opened


def test_a_like_is_sent_again_until_it_is_taken(page: Page, song: Track, user: User) -> None:
    sent: list[Request] = []
    is_away = True

    def answer(route: Route) -> None:
        sent.append(route.request)
        if is_away:
            route.fulfill(status=503, headers={"Retry-After": "1"}, body="")
        else:
            route.continue_()

    page.route("**/rate/", answer)
    page.get_by_role("button", name="Like Song A").first.click()
    expect(page.get_by_text("We can't save this just now. We'll send it again in a moment.")).to_be_visible()
    assert not Rating.objects.exists()
    is_away = False
    # A like that was saved in the end looks like any other, and the note about the failure is gone.
    expect(page.get_by_text("We can't save this just now.")).to_have_count(0)
    expect(page.get_by_role("button", name="Like Song A", pressed=True)).to_be_visible()
    assert [(rating.user, rating.track, rating.value) for rating in Rating.objects.all()] == [(user, song, 1)]
    times_sent = len(sent)
    assert times_sent >= 2
    assert len({request.post_data for request in sent}) == 1
    page.wait_for_timeout(2500)
    assert len(sent) == times_sent


@pytest.mark.parametrize(("status", "headers"), [(500, {"Retry-After": "1"}), (503, {})])
def test_what_does_not_say_when_is_not_sent_again(page: Page, status: int, headers: dict[str, str]) -> None:
    sent: list[Request] = []

    def fail(route: Route) -> None:
        sent.append(route.request)
        route.fulfill(status=status, headers=headers, body="")

    page.route("**/rate/", fail)
    page.get_by_role("button", name="Like Song A").first.click()
    expect(page.get_by_text("That didn't work. Please try again.")).to_be_visible()
    page.wait_for_timeout(2500)
    assert len(sent) == 1
