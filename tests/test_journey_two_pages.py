"""Two browsers and a program with one queue: each follows the others within two seconds, and survives their absence."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.tokens.services import create_token
from catalog.models import Track
from feedback.queue.models import PlayQueue
from feedback.tests.factories import make_track
from tests.api_calls import send

pytestmark = [pytest.mark.django_db(transaction=True)]
SEEN_MS = 2000
# On a machine that is busy with two browsers the page itself may be late.
PATIENCE_MS = 4000


@pytest.fixture
def songs(transactional_db: None) -> list[Track]:
    return [make_track(f"Song {letter}", artist="The Testers") for letter in "ABC"]


@pytest.fixture
def user(songs: list[Track]) -> User:
    return User.objects.create_user("ada", "ada@example.org")


@pytest.fixture
def site(live_server: LiveServer, settings: Any, tmp_path: Path) -> str:
    settings.SKETCH_DIR = tmp_path / "sketches"
    settings.MODEL_DIR = tmp_path / "models"
    return str(live_server.url)


@pytest.fixture
def program(user: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {create_token(user=user, name='tests', scope='write')[1]}"})


@pytest.fixture
def pages(browser: Browser, new_context: Any, site: str, user: User) -> tuple[Page, Page]:
    """Two browsers of one listener that have nothing in common but the site."""
    opened = []
    for _number in range(2):
        client = Client()
        client.force_login(user)
        context = new_context()
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
        page = context.new_page()
        page.goto(f"{site}/songs/")
        opened.append(page)
    return opened[0], opened[1]


def bar(page: Page) -> Locator:
    return page.get_by_role("region", name="Player")


def note(page: Page) -> Locator:
    return page.locator('[data-player="note"]')


def wait_for_sound(page: Page, song: Track, *, timeout: float = 60_000) -> None:
    page.wait_for_function(
        """path => {
          const audio = document.querySelector("#player audio");
          return audio.src.endsWith(path) && !audio.paused && audio.currentTime > 0.2;
        }""",
        arg=f"/songs/{song.pk}/sketch.wav",
        timeout=timeout,
    )


def wait_for_silence(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('#player audio').paused", timeout=SEEN_MS + PATIENCE_MS)


def is_silent(page: Page) -> bool:
    answer: bool = page.evaluate("() => document.querySelector('#player audio').paused")
    return answer


def wait_for_state(*, is_playing: bool) -> PlayQueue:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        queue = PlayQueue.objects.get()
        if queue.is_playing == is_playing and queue.device.startswith("Browser "):
            return queue
        time.sleep(0.05)
    raise AssertionError(f"the server never heard {is_playing=}")


def start(page: Page, song: Track) -> None:
    page.get_by_role("button", name="Play all").click()
    wait_for_sound(page, song)
    wait_for_state(is_playing=True)


def test_the_other_shows_where_the_song_is_and_goes_on_there(pages: tuple[Page, Page], songs: list[Track]) -> None:
    first, second = pages
    start(first, songs[0])
    expect(note(second)).to_have_text("Playing in another window or browser.", timeout=SEEN_MS + PATIENCE_MS)
    expect(second.locator("[data-player=elapsed]")).not_to_have_text("0:00", timeout=PATIENCE_MS)
    # A jump in the one is seen in the other, and by programs.
    first.locator("[data-player=seek]").evaluate(
        "seek => { seek.value = 12000; seek.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    second.wait_for_function(
        "() => Number(document.querySelector('[data-player=seek]').value) >= 12000", timeout=SEEN_MS + PATIENCE_MS
    )
    assert PlayQueue.objects.get().song_ms >= 12000
    second.locator("[data-player=here]").click()
    wait_for_sound(second, songs[0])
    assert second.evaluate("() => document.querySelector('#player audio').currentTime") >= 12
    wait_for_silence(first)


def test_what_was_closed_long_ago_is_not_playing(page: Page, site: str, user: User, songs: list[Track]) -> None:
    client = Client()
    client.force_login(user)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    Track.objects.update(duration_ms=180_000)
    client.post("/player/play/", {"track": songs[0].pk})
    PlayQueue.objects.update(is_playing=True, device="Browser 1", song_ms_at=timezone.now())
    page.goto(f"{site}/songs/")
    expect(note(page)).to_have_text("Playing in another window or browser.")
    PlayQueue.objects.update(song_ms_at=timezone.now() - timedelta(minutes=6), updated_at=timezone.now())
    expect(note(page)).to_be_hidden()


def polls(page: Page) -> list[Request]:
    """Return a list that grows with each question of the page about the queue."""
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request) if request.url.endswith("/player/state/") else None)
    return seen


def test_play_pause_and_next_are_seen_on_the_other(
    pages: tuple[Page, Page], songs: list[Track], program: Client
) -> None:
    first, second = pages
    start(first, songs[0])
    expect(bar(second)).to_contain_text("Song A", timeout=SEEN_MS + PATIENCE_MS)
    expect(note(second)).to_have_text("Playing in another window or browser.", timeout=SEEN_MS + PATIENCE_MS)
    assert is_silent(second)

    bar(first).get_by_role("button", name="Pause").click()
    expect(note(second)).to_be_hidden(timeout=SEEN_MS + PATIENCE_MS)
    # A program goes on, where it was paused, and to the next song.
    assert send(program, "post", "/api/playback/resume")["is_playing"] is True
    wait_for_sound(first, songs[0], timeout=SEEN_MS + PATIENCE_MS)
    assert is_silent(second)
    assert send(program, "post", "/api/playback/next")["current"]["song"]["id"] == songs[1].pk
    wait_for_sound(first, songs[1], timeout=SEEN_MS + PATIENCE_MS)
    expect(bar(second)).to_contain_text("Song B", timeout=SEEN_MS + PATIENCE_MS)
    assert is_silent(second)
    assert send(program, "post", "/api/playback/pause")["is_playing"] is False
    wait_for_silence(first)

    # The other takes over; the first falls silent and never begins the song that the other asked for.
    bar(first).get_by_role("button", name="Play", exact=True).click()
    wait_for_sound(first, songs[1])
    first.evaluate(
        """path => {
      const audio = document.querySelector("#player audio");
      audio.addEventListener("playing", () => { if (audio.src.endsWith(path)) audio.dataset.began = "yes"; });
    }""",
        f"/songs/{songs[2].pk}/sketch.wav",
    )
    bar(second).get_by_role("button", name="Next song").click()
    wait_for_sound(second, songs[2])
    wait_for_silence(first)
    expect(bar(first)).to_contain_text("Song C", timeout=SEEN_MS + PATIENCE_MS)
    assert first.evaluate("() => document.querySelector('#player audio').dataset.began") is None
    send(program, "put", "/api/playback/state", {"is_playing": True, "position_ms": 3000, "device": "Kitchen"})
    wait_for_silence(second)
    for page in pages:
        expect(note(page)).to_have_text("Playing on Kitchen.", timeout=SEEN_MS + PATIENCE_MS)
    first.get_by_role("button", name="Play here").click()
    wait_for_sound(first, songs[2])
    expect(note(first)).to_be_hidden()


def test_a_page_that_nobody_sees_asks_nothing(pages: tuple[Page, Page], songs: list[Track], program: Client) -> None:
    first, _second = pages
    start(first, songs[0])
    bar(first).get_by_role("button", name="Pause").click()
    wait_for_silence(first)
    first.evaluate("""() => {
      Object.defineProperty(document, "visibilityState", { get: () => window.shown ?? "hidden", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    first.wait_for_timeout(600)
    polls_made = polls(first)
    first.wait_for_timeout(3500)
    assert polls_made == []
    send(program, "post", "/api/playback/next")
    first.evaluate("() => { window.shown = 'visible'; document.dispatchEvent(new Event('visibilitychange')); }")
    expect(bar(first)).to_contain_text("Song B", timeout=SEEN_MS + PATIENCE_MS)


@pytest.mark.browser_context_args(service_workers="block")
def test_a_site_in_trouble_is_asked_more_rarely(pages: tuple[Page, Page], songs: list[Track], program: Client) -> None:
    first, second = pages
    start(first, songs[0])

    def unavailable(route: Route) -> None:
        route.fulfill(status=503, headers={"Retry-After": "1"}, body="{}")

    second.route("**/player/state/", unavailable)
    polls_made = polls(second)
    second.wait_for_timeout(9500)
    # After 1.5, 3 and 6 s rather than every 1.5 s.
    assert 1 <= len(polls_made) <= 3
    second.unroute("**/player/state/")

    # Without a network: what happens meanwhile is reported, and heard of, as soon as it is back.
    first.context.set_offline(True)
    bar(first).get_by_role("button", name="Next song").click()
    expect(note(first)).to_have_text("That didn't work. Please try again.")
    bar(first).get_by_role("button", name="Pause").click()
    first.wait_for_timeout(1000)
    assert PlayQueue.objects.get().is_playing
    first.context.set_offline(False)
    assert wait_for_state(is_playing=False).is_playing is False
    send(program, "post", "/api/playback/next")
    for page in pages:
        expect(bar(page)).to_contain_text("Song B", timeout=SEEN_MS + 4 * PATIENCE_MS)


def test_a_page_logged_out_elsewhere_stops(pages: tuple[Page, Page], songs: list[Track], site: str) -> None:
    first, _second = pages
    start(first, songs[0])
    first.context.clear_cookies()
    wait_for_silence(first)
    expect(note(first)).to_have_text("You've been logged out. Log in again to continue.")
    polls_made = polls(first)
    first.wait_for_timeout(3500)
    assert polls_made == []
