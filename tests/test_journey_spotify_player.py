"""Spotify's players as they really behave, in a browser: other songs, other devices, refusals, and nothing unasked for.

The script of the Web Playback SDK is a stand-in that says what its documentation says; the Web API is the sandbox.
"""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.tests.worlds import connected, running_sandbox, song
from catalog.models import Track
from feedback.plays.models import Play
from feedback.queue.services import play_all
from feedback.tests.factories import make_track

pytestmark = [pytest.mark.django_db(transaction=True)]
SDK = """
  window.Spotify = { Player: class {
    constructor(options) {
      this.listeners = {};
      window.sdk = { calls: [], tell: (name, news) => (this.listeners[name] || []).forEach((listen) => listen(news)) };
      options.getOAuthToken((token) => { window.sdk.token = token; });
    }
    addListener(name, listen) { (this.listeners[name] ||= []).push(listen); }
    connect() {
      const [name, news] = window.sdkAnswer || ["ready", { device_id: "laptop" }];
      setTimeout(() => window.sdk.tell(name, news), 20);
    }
    activateElement() { window.sdk.calls.push(`activate ${navigator.userActivation?.isActive}`); }
    setVolume() {}
    async pause() { window.sdk.calls.push("pause"); }
    async resume() { window.sdk.calls.push("resume"); }
    async seek(ms) { window.sdk.calls.push(ms); }
  } };
  window.onSpotifyWebPlaybackSDKReady();
"""
WIDTHS = (360, 1400)


@pytest.fixture
def songs(transactional_db: None) -> list[Track]:
    """Two songs that Spotify has, and one that it lacks."""
    features = {"energy": 0.7, "tempo": 120.0, "key": 2, "mode": 1, "acousticness": 0.2, "danceability": 0.6}
    ids = [song(1).id, song(2).id, None]
    return [
        make_track(f"Song {n}", features=features, popularity=90 - n, spotify_id=pk, duration_ms=180_000)
        for n, pk in enumerate(ids, start=1)
    ]


@pytest.fixture
def site(live_server: LiveServer, settings: Any, tmp_path: Path, songs: list[Track]) -> str:
    settings.SKETCH_DIR = tmp_path / "sketches"
    settings.MODEL_DIR = tmp_path / "models"
    return str(live_server.url)


@pytest.fixture
def listener(page: Page, site: str) -> User:
    user = get_user_model().objects.create_user("ada", "ada@example.org")
    client = Client()
    client.force_login(user)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    return user


@pytest.fixture
def sandbox(listener: User) -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        connected(listener, server)
        yield server


@pytest.fixture
def requested(page: Page) -> list[str]:
    """What the browser asks of Spotify's hosts; its scripts are stand-ins."""
    addresses: list[str] = []

    def stand_in(route: Route) -> None:
        addresses.append(route.request.url)
        if "sdk.scdn.co" in route.request.url:
            route.fulfill(content_type="text/javascript", body=SDK)
        else:
            route.abort()

    page.route(re.compile("https://.*(spotify|scdn)"), stand_in)
    return addresses


def wait_for(page: Page, condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait in the browser's own way: it asks us for Spotify's scripts meanwhile."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        page.wait_for_timeout(50)


def state(number: int, *, paused: bool = False, position: int = 0, **song_fields: Any) -> dict[str, Any]:
    """Return what the SDK tells of a song of the sandbox."""
    wanted = song(number)
    current = {
        "id": wanted.id,
        "uri": f"spotify:track:{wanted.id}",
        "name": wanted.title,
        "artists": [{"name": wanted.artists[0]}],
        **song_fields,
    }
    return {"paused": paused, "position": position, "duration": 180_000, "track_window": {"current_track": current}}


class Bar:
    """The player's bar, and Spotify's player behind it."""

    def __init__(self, page: Page, sandbox: SandboxServer) -> None:
        self.page, self.player = page, sandbox.world.listeners["ada"].player
        self.region = page.get_by_role("region", name="Player")
        self.note = page.locator("[data-player=note]")
        self.here = self.region.get_by_role("button", name="Play here")

    def tell(self, name: str, news: Any) -> None:
        self.page.evaluate("([name, news]) => window.sdk.tell(name, news)", [name, news])

    def starts(self, number: int) -> None:
        wait_for(self.page, lambda: self.player.is_playing and self.player.song_id == song(number).id)
        # The site's own answer comes after the sandbox's.
        self.page.wait_for_timeout(400)
        self.tell("player_state_changed", state(number))
        expect(self.region.get_by_role("button", name="Pause", exact=True)).to_be_visible()

    @property
    def seconds(self) -> int:
        return int(self.page.locator("[data-player=seek]").input_value()) // 1000


def play(page: Page, site: str, name: str = "Play Song 1") -> None:
    page.goto(f"{site}/songs/")
    page.get_by_role("button", name=name).first.click()


def look(page: Page, tmp_path: Path, name: str) -> None:
    """Keep screenshots at both widths; nothing is wider than the screen."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 780})
        page.screenshot(path=tmp_path / f"{name}-{width}.png", caret="initial")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_of_spotify_is_loaded_before_somebody_asks_for_sound(
    page: Page, site: str, songs: list[Track], listener: User, sandbox: SandboxServer, requested: list[str]
) -> None:
    play_all(user=listener, tracks=songs[:2])
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{site}/songs/")
    bar = Bar(page, sandbox)
    expect(bar.region).to_contain_text("Song 1")
    expect(page.locator("[data-player=source]")).to_have_text("Spotify")
    page.wait_for_timeout(1000)

    assert requested == []
    assert [url for url in requests if "/player/spotify" in url] == []
    assert sandbox.world.calls == []

    bar.region.get_by_role("button", name="Play", exact=True).click()
    bar.starts(1)
    assert requested == ["https://sdk.scdn.co/spotify-player.js"]


def test_another_song_there_is_named_and_ours_goes_on_from_its_place(
    page: Page, site: str, sandbox: SandboxServer, requested: list[str], tmp_path: Path
) -> None:
    play(page, site)
    bar = Bar(page, sandbox)
    bar.starts(1)
    bar.tell("player_state_changed", state(1, position=42_000))
    # Somebody chooses another song on a phone.
    bar.tell("player_state_changed", state(9, position=1000))

    expect(bar.note).to_have_text("Spotify is playing “Song 9” by Artist 4.")
    expect(bar.region.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert 42 <= bar.seconds <= 44
    look(page, tmp_path, "another-song")
    # Nothing is counted meanwhile, and the other song is left alone.
    page.wait_for_timeout(1500)
    assert 42 <= bar.seconds <= 44
    assert "pause" not in page.evaluate("window.sdk.calls")

    bar.here.click()
    wait_for(page, lambda: 42_000 <= bar.player.position_ms < 60_000)
    bar.tell("player_state_changed", state(1, position=42_000))
    expect(bar.note).to_be_hidden()
    expect(bar.here).to_be_hidden()
    assert "activate true" in page.evaluate("window.sdk.calls")
    assert Play.objects.count() == 1


def test_another_device_takes_over(page: Page, site: str, sandbox: SandboxServer, requested: list[str]) -> None:
    play(page, site)
    bar = Bar(page, sandbox)
    bar.starts(1)
    bar.tell("player_state_changed", None)

    expect(bar.note).to_have_text("Spotify went on to another of your devices.")
    expect(bar.here).to_be_visible()


def test_a_relinked_song_is_ours(page: Page, site: str, sandbox: SandboxServer, requested: list[str]) -> None:
    play(page, site)
    bar = Bar(page, sandbox)
    wait_for(page, lambda: bar.player.is_playing)
    page.wait_for_timeout(400)
    original = {"uri": f"spotify:track:{song(1).id}"}
    bar.tell("player_state_changed", state(50, position=5000, linked_from=original))

    expect(bar.region.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(bar.note).to_be_hidden()


def test_spotify_going_on_by_itself_lets_our_queue_go_on(
    page: Page, site: str, sandbox: SandboxServer, requested: list[str]
) -> None:
    play(page, site, "Play all")
    bar = Bar(page, sandbox)
    bar.starts(1)
    bar.tell("player_state_changed", state(1, position=179_000))
    bar.tell("player_state_changed", state(77))

    bar.starts(2)
    expect(bar.region).to_contain_text("Song 2")
    wait_for(page, lambda: Play.objects.filter(outcome="completed", track__title="Song 1").exists())


def test_a_browser_that_wants_a_click_says_so(
    page: Page, site: str, sandbox: SandboxServer, requested: list[str]
) -> None:
    play(page, site)
    bar = Bar(page, sandbox)
    bar.starts(1)
    bar.tell("autoplay_failed", None)

    expect(bar.note).to_have_text("Press play. Your browser needs a click before it allows sound.")
    bar.region.get_by_role("button", name="Play", exact=True).click()
    bar.starts(1)
    expect(bar.note).to_be_hidden()


def test_a_device_that_is_gone_for_a_moment_goes_on_where_it_was(
    page: Page, site: str, sandbox: SandboxServer, requested: list[str]
) -> None:
    sandbox.world.listeners["ada"].devices.append({"id": "laptop-again", "name": "Ada's laptop"})
    play(page, site)
    bar = Bar(page, sandbox)
    bar.starts(1)
    bar.tell("player_state_changed", state(1, position=60_000))
    bar.tell("not_ready", {"device_id": "laptop"})
    bar.player.stop()
    page.wait_for_timeout(300)
    assert 60 <= bar.seconds <= 62
    bar.tell("ready", {"device_id": "laptop-again"})

    wait_for(page, lambda: bar.player.device_id == "laptop-again" and bar.player.is_playing)
    assert 60_000 <= bar.player.position_ms < 75_000
    assert Play.objects.count() == 1


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        ("restricted", "Spotify doesn't allow this for what is playing right now."),
        ("premium", "That needs Spotify Premium."),
        ("not_listed", "Spotify doesn't allow this. Ask the site's operator to add you to the Spotify app's users."),
        ("vanished", "That device isn't there any more. Open Spotify on one of your devices, then try again."),
        ("ended", "Your Spotify connection has expired. Reconnect in your profile. It takes two clicks."),
        ("account_error", "Whole songs in this browser need Spotify Premium."),
    ],
)
def test_each_refusal_is_shown_at_the_song_and_the_next_backend_plays(
    page: Page, site: str, sandbox: SandboxServer, requested: list[str], refusal: str, text: str, tmp_path: Path
) -> None:
    ada = sandbox.world.listeners["ada"]
    page.goto(f"{site}/songs/")
    if refusal == "restricted":
        ada.unplayable.add(song(1).id)
    elif refusal == "premium":
        ada.is_premium = False
    elif refusal == "not_listed":
        ada.is_allowed = False
    elif refusal == "vanished":
        ada.devices.clear()
    elif refusal == "ended":
        sandbox.world.revoke("ada")
    else:
        page.evaluate("window.sdkAnswer = ['account_error', {message: 'Premium only'}]")
    page.get_by_role("button", name="Play Song 1").first.click()

    bar = Bar(page, sandbox)
    expect(page.locator("[data-player=source]")).to_have_text("Sketch", timeout=60_000)
    expect(bar.note).to_have_text(text)
    expect(bar.region.get_by_role("button", name="Pause", exact=True)).to_be_visible(timeout=30_000)
    look(page, tmp_path, f"refused-{refusal}")


def test_a_connection_that_ends_while_it_plays_is_said_at_the_song(
    page: Page, site: str, sandbox: SandboxServer, requested: list[str]
) -> None:
    play(page, site)
    bar = Bar(page, sandbox)
    bar.starts(1)
    sandbox.world.revoke("ada")
    SpotifyAccount.objects.update(needs_reconnect=True)
    bar.tell("authentication_error", {"message": "Authentication failed"})

    expect(bar.note).to_have_text(
        "Your Spotify connection has expired. Reconnect in your profile. It takes two clicks."
    )
    expect(page.locator("[data-player=source]")).to_have_text("Sketch", timeout=60_000)
