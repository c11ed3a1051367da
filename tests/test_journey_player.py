"""The player in a real browser: sound that goes on from page to page, and exactly the plays that happened."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import ConsoleMessage, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.tests.worlds import connected, running_sandbox, song
from catalog.models import Track
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.tests.factories import make_track

pytestmark = [pytest.mark.django_db(transaction=True)]

# What really sounded, of each song: watched at the audio element itself, many times a second, and kept where a page
# that is opened later finds it. A jump in the song is no sound.
EAR = """
  document.addEventListener("DOMContentLoaded", () => {
    const audio = document.querySelector("#player audio");
    let last = null;
    const listen = () => {
      const id = (audio.src.match(/songs\\/(\\d+)\\//) || [])[1];
      const now = { id, at: audio.currentTime, time: performance.now() };
      const moved = last && last.id === id ? 1000 * (now.at - last.at) : 0;
      if (id && moved > 0 && moved < now.time - last.time + 250) {
        const heard = JSON.parse(localStorage.getItem("heard") || "{}");
        localStorage.setItem("heard", JSON.stringify({ ...heard, [id]: (heard[id] || 0) + moved }));
      }
      last = now;
    };
    setInterval(listen, 20);
    for (const name of ["pause", "playing", "timeupdate", "seeking"]) {
      audio.addEventListener(name, listen, true);
    }
  });
"""
# Between a sound and its being counted, on a machine that is busy with the browser.
EXACT_MS = 250
SOUND = """() => {
  const audio = document.querySelector("#player audio");
  return {mark: audio.dataset.mark || "", at: audio.currentTime, paused: audio.paused, src: audio.src};
}"""


@pytest.fixture
def songs(transactional_db: None) -> list[Track]:
    features = {"energy": 0.7, "tempo": 120.0, "key": 2, "mode": 1, "acousticness": 0.2, "danceability": 0.6}
    return [
        make_track(f"Song {letter}", artist="The Testers", features=features, popularity=90 - number, genres=["folk"])
        for number, letter in enumerate("ABCD")
    ]


@pytest.fixture
def site(live_server: LiveServer, settings: Any, tmp_path: Path, songs: list[Track]) -> str:
    settings.SKETCH_DIR = tmp_path / "sketches"
    settings.MODEL_DIR = tmp_path / "models"
    return str(live_server.url)


@pytest.fixture
def listener(page: Page, site: str) -> User:
    """Log in without the form, which has tests of its own."""
    user = get_user_model().objects.create_user("ada", "ada@example.org")
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": site}])
    return user


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


def sound(page: Page) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate(SOUND)
    return answer


def wait_for_sound(page: Page, song: Track, beyond: float = 0.2) -> None:
    """Wait until the song really sounds."""
    page.wait_for_function(
        """([path, beyond]) => {
          const audio = document.querySelector("#player audio");
          return audio.src.endsWith(path) && !audio.paused && audio.currentTime > beyond;
        }""",
        arg=[f"/songs/{song.pk}/sketch.wav", beyond],
    )


def heard_ms(page: Page, song: Track) -> float:
    """Return for how long the song sounded, as `EAR` heard it."""
    heard: dict[str, float] = page.evaluate("() => JSON.parse(localStorage.getItem('heard') || '{}')")
    return heard[str(song.pk)]


def plays(expected: int) -> list[Play]:
    """Return the plays in order, once there are as many as expected (reports arrive a moment after the click)."""
    until = time.monotonic() + 60
    while Play.objects.count() < expected and time.monotonic() < until:
        time.sleep(0.05)
    return list(Play.objects.order_by("played_at", "pk"))


def wait_for_outcome(play: Play, outcome: str) -> Play:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        play.refresh_from_db()
        if play.outcome == outcome:
            break
        time.sleep(0.05)
    assert play.outcome == outcome
    return play


def start(page: Page, song: Track) -> None:
    page.get_by_role("button", name=f"Play {song.title}").first.click()
    wait_for_sound(page, song)


@pytest.mark.usefixtures("listener", "page_errors")
def test_sound_goes_on_from_page_to_page(page: Page, site: str, songs: list[Track]) -> None:
    page.goto(f"{site}/songs/")
    start(page, songs[0])
    bar = page.get_by_role("region", name="Player")
    expect(bar).to_contain_text("Song A")
    expect(bar).to_contain_text("Sketch")
    page.evaluate("document.querySelector('#player audio').dataset.mark = 'the same'")
    heard = [sound(page)["at"]]

    def goes_on(title: str) -> None:
        page.wait_for_function("title => document.title.startsWith(title)", arg=title)
        page.wait_for_timeout(300)
        now = sound(page)
        assert (now["mark"], now["paused"]) == ("the same", False)
        assert now["at"] > heard[-1]
        heard.append(now["at"])

    page.locator("header").get_by_role("link", name="Genres").click()
    goes_on("Genres")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.locator("header [aria-current=page]").all_inner_texts() == ["Genres"]
    page.locator("main").get_by_role("link", name=re.compile("folk")).first.click()
    goes_on("folk")
    # Its row shows what plays, wherever it is.
    expect(page.locator(f"#track-{songs[0].pk}")).to_have_class(re.compile("is-current"))
    page.go_back()
    goes_on("Genres")
    page.go_forward()
    goes_on("folk")
    page.get_by_role("searchbox", name="Search songs").fill("Song B")
    page.keyboard.press("Enter")
    goes_on("Song B")
    assert unquote(page.url) == f"{site}/search/?q=Song B"
    # A form that changes something, refused and taken.
    page.locator("header summary").click()
    page.get_by_role("link", name="Profile").click()
    goes_on("Profile")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("Profile saved.")
    goes_on("Profile")
    assert len(plays(1)) == 1


@pytest.mark.usefixtures("listener", "page_errors")
def test_pause_seek_next_previous_and_what_was_heard(page: Page, site: str, songs: list[Track]) -> None:
    page.add_init_script(EAR)
    page.goto(f"{site}/songs/")
    page.get_by_role("button", name="Play all").click()
    wait_for_sound(page, songs[0], 1.0)
    bar = page.get_by_role("region", name="Player")
    bar.get_by_role("button", name="Pause").click()
    expect(bar.get_by_role("button", name="Play", exact=True)).to_be_visible()
    stopped = sound(page)
    page.wait_for_timeout(500)
    assert sound(page) == {**stopped, "paused": True}

    # What is skipped by seeking was not heard.
    bar.get_by_role("slider", name="Playback position").evaluate(
        "slider => { slider.value = 15000; slider.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    page.wait_for_function("() => document.querySelector('#player audio').currentTime >= 15")
    bar.get_by_role("button", name="Play", exact=True).click()
    wait_for_sound(page, songs[0], 15.5)
    bar.get_by_role("button", name="Next song").click()
    wait_for_sound(page, songs[1])
    expect(bar).to_contain_text("Song B")
    first = wait_for_outcome(plays(2)[0], "skipped")
    assert first.track == songs[0]
    assert 1500 < heard_ms(page, songs[0]) < 14_000
    assert first.ms_played == pytest.approx(heard_ms(page, songs[0]), abs=EXACT_MS)

    # Soon after the beginning it goes back a song; later to the beginning of this one.
    bar.get_by_role("button", name="Previous song").click()
    wait_for_sound(page, songs[0])
    bar.get_by_role("slider", name="Playback position").evaluate(
        "slider => { slider.value = 10000; slider.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    wait_for_sound(page, songs[0], 10.0)
    bar.get_by_role("button", name="Previous song").click()
    page.wait_for_function("() => document.querySelector('#player audio').currentTime < 3")
    assert sound(page)["src"].endswith(f"/songs/{songs[0].pk}/sketch.wav")
    assert [(play.track, play.outcome) for play in plays(3)] == [
        (songs[0], "skipped"), (songs[1], "skipped"), (songs[0], "started"),
    ]  # fmt: skip


@pytest.mark.usefixtures("page_errors")
def test_a_song_that_ends_is_complete_and_the_next_one_plays(
    page: Page, site: str, songs: list[Track], listener: User
) -> None:
    page.goto(f"{site}/songs/")
    page.get_by_role("button", name="Play all").click()
    wait_for_sound(page, songs[0])
    page.evaluate("const a = document.querySelector('#player audio'); a.currentTime = a.duration - 0.6")
    wait_for_sound(page, songs[1])
    first, second = plays(2)
    assert (wait_for_outcome(first, "completed").track, second.track) == (songs[0], songs[1])
    # At the end of the list, recommended songs go on: popular ones here, where nothing was learned.
    Track.objects.filter(pk=songs[3].pk).update(popularity=100)
    for _ in range(2):
        page.keyboard.press("n")
        page.wait_for_timeout(700)
    page.keyboard.press("n")
    page.wait_for_function("() => document.querySelector('[data-player=artists]').title === 'Recommended for you'")
    assert listener.play_queue.items.filter(is_radio=True).exists()


@pytest.mark.usefixtures("page_errors")
def test_keys(page: Page, site: str, songs: list[Track], listener: User) -> None:
    page.goto(f"{site}/songs/")
    start(page, songs[1])
    page.locator("h1").click()
    page.keyboard.press(" ")
    page.wait_for_function("() => document.querySelector('#player audio').paused")
    page.keyboard.press(" ")
    wait_for_sound(page, songs[1])
    bar = page.get_by_role("region", name="Player")
    for key, value, name in (("l", 1, "Like"), ("d", -1, "Dislike"), ("d", None, "Dislike")):
        page.keyboard.press(key)
        row = page.locator(f"#track-{songs[1].pk}")
        pressed = bar.locator(f"[data-player={name.lower()}]")
        expect(pressed).to_have_attribute("aria-pressed", "false" if value is None else "true")
        expect(row.get_by_role("button", name=f"{name} Song B", exact=True)).to_have_attribute(
            "aria-pressed", "false" if value is None else "true"
        )
        rating = Rating.objects.filter(user=listener).values_list("value", flat=True).first()
        assert rating == value
    # The bar follows the row as well.
    page.locator(f"#track-{songs[1].pk}").get_by_role("button", name="Like Song B", exact=True).click()
    expect(bar.locator("[data-player=like]")).to_have_attribute("aria-pressed", "true")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    # Not while typing, nor with Ctrl.
    page.get_by_role("searchbox", name="Search songs").click()
    page.keyboard.type("n pl?")
    page.locator("h1").click()
    page.keyboard.press("Control+d")
    page.wait_for_timeout(300)
    assert sound(page)["src"].endswith(f"/songs/{songs[1].pk}/sketch.wav")
    assert Rating.objects.get().value == 1
    # Switched off, they do nothing.
    page.keyboard.press("?")
    page.get_by_role("switch", name="Turn on keyboard shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.wait_for_timeout(300)
    assert sound(page)["src"].endswith(f"/songs/{songs[1].pk}/sketch.wav")


@pytest.mark.usefixtures("listener")
def test_a_tab_closed_in_the_middle_is_one_play_of_what_was_heard(page: Page, site: str, songs: list[Track]) -> None:
    page.context.add_init_script(EAR)
    page.goto(f"{site}/songs/")
    start(page, songs[2])
    wait_for_sound(page, songs[2], 2.0)
    page.locator("header").get_by_role("link", name="Genres").click()
    page.wait_for_function("() => document.title.startsWith('Genres')")
    wait_for_sound(page, songs[2], 3.0)
    context = page.context
    page.close(run_before_unload=False)
    until = time.monotonic() + 60
    while time.monotonic() < until and (Play.objects.get().ms_played or 0) < 1000:
        time.sleep(0.05)
    play = Play.objects.get()
    assert (play.track, play.outcome) == (songs[2], "started")
    later = context.new_page()
    later.goto(f"{site}/healthz")
    heard = heard_ms(later, songs[2])
    assert heard > 2500
    assert play.ms_played == pytest.approx(heard, abs=EXACT_MS)
    assert Play.objects.count() == 1


@pytest.mark.usefixtures("listener")
def test_a_page_loaded_anew_goes_on_with_the_same_play(page: Page, site: str, songs: list[Track]) -> None:
    page.add_init_script(EAR)
    page.goto(f"{site}/songs/")
    start(page, songs[0])
    wait_for_sound(page, songs[0], 1.0)
    before = sound(page)["at"]
    page.reload()
    bar = page.get_by_role("region", name="Player")
    expect(bar).to_contain_text("Song A")
    page.wait_for_function("() => document.querySelector('#player audio').readyState > 0")
    assert sound(page)["at"] == pytest.approx(before, abs=0.5)
    bar.get_by_role("button", name="Play", exact=True).click()
    wait_for_sound(page, songs[0], before + 1)
    bar.get_by_role("button", name="Next song").click()
    page.wait_for_timeout(500)
    first = wait_for_outcome(plays(1)[0], "skipped")
    assert first.ms_played == pytest.approx(heard_ms(page, songs[0]), abs=EXACT_MS)
    assert Play.objects.filter(track=songs[0]).count() == 1


@pytest.mark.usefixtures("listener")
@pytest.mark.browser_context_args(service_workers="block")
def test_a_song_that_never_sounded_is_no_play(page: Page, site: str, songs: list[Track]) -> None:
    page.route("**/sketch.wav", lambda route: route.abort())
    page.goto(f"{site}/songs/")
    page.get_by_role("button", name="Play Song A").first.click()
    expect(page.locator("[data-player=note]")).to_have_text("We couldn't play this song.")
    page.get_by_role("region", name="Player").get_by_role("button", name="Next song").click()
    page.wait_for_timeout(500)
    page.reload()
    page.wait_for_timeout(300)
    assert not Play.objects.exists()


@pytest.mark.usefixtures("listener", "page_errors")
@pytest.mark.browser_context_args(service_workers="block")
def test_a_click_before_the_page_knows_its_queue_is_heard(page: Page, site: str, songs: list[Track]) -> None:
    """The queue as it was before the click must not be taken for what came of it, however late it arrives."""
    late: list[Route] = []
    page.route("**/player/state/", lambda route: late.append(route), times=1)  # noqa: PLW0108  (it keeps a mark on it)
    page.goto(f"{site}/songs/")
    expect(page.locator("html")).to_have_attribute("data-player", "on")
    page.wait_for_timeout(200)
    (request,) = late
    before = request.fetch()
    page.get_by_role("button", name="Play all").click()
    page.wait_for_timeout(1000)
    request.fulfill(response=before)
    page.wait_for_timeout(500)
    wait_for_sound(page, songs[0])


@pytest.mark.usefixtures("listener", "page_errors")
@pytest.mark.parametrize("width", [360, 1400])
def test_the_queue_and_the_bar_fit_the_screen(page: Page, site: str, songs: list[Track], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 780})
    page.goto(f"{site}/songs/")
    page.get_by_role("button", name="Play all").click()
    wait_for_sound(page, songs[0])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    bar = page.get_by_role("region", name="Player")
    if width < 992:
        # The bar stands on the tab bar, not under it.
        tabs = page.locator(".tab-bar").bounding_box()
        own = bar.bounding_box()
        assert tabs is not None
        assert own is not None
        assert own["y"] + own["height"] <= tabs["y"] + 1
        bar.get_by_role("button", name="Open player").click()
        expect(bar.get_by_role("button", name="Like", exact=True)).to_be_visible()
    bar.get_by_role("button", name="Queue").click()
    queue = page.get_by_role("dialog", name="Queue")
    expect(queue.locator(".queue-title")).to_have_text([song.title for song in songs])
    queue.get_by_role("button", name="Remove Song C from the queue").click()
    expect(queue.locator(".queue-title")).to_have_text(["Song A", "Song B", "Song D"])
    queue.get_by_role("button", name="Play Song D").click()
    wait_for_sound(page, songs[3])
    expect(queue.locator("[aria-current=true]")).to_contain_text("Song D")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.usefixtures("listener")
def test_one_tab_at_a_time(page: Page, site: str, songs: list[Track]) -> None:
    page.goto(f"{site}/songs/")
    start(page, songs[0])
    other = page.context.new_page()
    other.goto(f"{site}/songs/")
    start(other, songs[1])
    page.wait_for_function("() => document.querySelector('#player audio').paused")
    assert not sound(other)["paused"]


# What the documentation of Spotify's iFrame API says, and no more.
IFRAME_API = """
  const listeners = {};
  const tell = (data) => (listeners.playback_update || []).forEach((listen) => listen({ data }));
  let position = 0, timer = null;
  const duration = 180000;
  const run = () => { clearInterval(timer); timer = setInterval(() => { position += 100; update(false); }, 100); };
  const update = (isPaused) => tell({ playingURI: uri, isPaused, isBuffering: false, duration, position });
  let uri = "";
  window.embedded = [];
  window.onSpotifyIframeApiReady({
    createController(element, options, done) {
      uri = options.uri;
      window.embedded.push(uri);
      done({
        addListener(name, listen) { (listeners[name] ||= []).push(listen); if (name === "ready") setTimeout(listen); },
        loadUri(next) { uri = next; position = 0; window.embedded.push(uri); },
        play: run, resume: run,
        pause() { clearInterval(timer); update(true); },
        seek(seconds) { position = seconds * 1000; },
      });
      window.endSong = () => {
        clearInterval(timer);
        position = duration - 500;
        update(false);
        position = 0;
        update(true);
      };
    },
  });
"""


@pytest.mark.usefixtures("listener", "page_errors")
def test_a_song_of_spotifys_plays_in_its_embedded_player(page: Page, site: str, songs: list[Track]) -> None:
    Track.objects.filter(pk=songs[0].pk).update(spotify_id="0" * 22, duration_ms=180_000)
    requested: list[str] = []
    route_spotify(page, requested)
    page.goto(f"{site}/songs/")
    start(page, songs[1])
    # Nobody asks Spotify for anything before a song needs it.
    assert requested == []
    page.get_by_role("button", name="Play Song A").first.click()
    bar = page.get_by_role("region", name="Player")
    expect(bar.locator("[data-player=source]")).to_have_text("Spotify")
    page.wait_for_function("() => Number(document.querySelector('[data-player=seek]').value) > 500")
    assert requested == ["https://open.spotify.com/embed/iframe-api/v1"]
    assert page.evaluate("window.embedded") == [f"spotify:track:{'0' * 22}"]
    assert sound(page)["paused"]
    page.keyboard.press(" ")
    expect(bar.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.keyboard.press(" ")
    expect(bar.get_by_role("button", name="Pause")).to_be_visible()
    page.evaluate("window.endSong()")
    first, second, *_rest = plays(3)
    assert [first.track, second.track] == [songs[1], songs[0]]
    wait_for_outcome(second, "completed")


@pytest.mark.usefixtures("listener")
def test_where_spotify_cannot_be_reached_the_sketch_plays(page: Page, site: str, songs: list[Track]) -> None:
    Track.objects.filter(pk=songs[0].pk).update(spotify_id="0" * 22)
    page.route(re.compile("https://.*(spotify|scdn)"), lambda route: route.abort())
    page.goto(f"{site}/songs/")
    start(page, songs[0])
    expect(page.locator("[data-player=source]")).to_have_text("Sketch")
    assert len(plays(1)) == 1


# What the documentation of Spotify's Web Playback SDK says, and no more.
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
    activateElement() {}
    setVolume() {}
    async pause() { this.change("pause", true); }
    async resume() { this.change("resume", false); }
    change(call, paused) {
      window.sdk.calls.push(call);
      window.sdk.tell("player_state_changed", { paused, position: 900, duration: 180000 });
    }
    async seek(ms) { window.sdk.calls.push(ms); }
  } };
  window.onSpotifyWebPlaybackSDKReady();
"""


@pytest.fixture
def sandbox(listener: User) -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        connected(listener, server)
        yield server


def is_playing(sandbox: SandboxServer) -> bool:
    """Whether Ada's device plays."""
    return sandbox.world.listeners["ada"].player.is_playing


def route_spotify(page: Page, requested: list[str]) -> None:
    """Answer what the browser asks of Spotify's hosts with stand-ins for its scripts."""

    def stand_in(route: Route) -> None:
        requested.append(route.request.url)
        route.fulfill(content_type="text/javascript", body=SDK if "sdk.scdn.co" in route.request.url else IFRAME_API)

    page.route(re.compile("https://.*(spotify|scdn)"), stand_in)


@pytest.mark.usefixtures("page_errors")
def test_a_connected_listener_hears_whole_songs_here(
    page: Page, site: str, songs: list[Track], sandbox: SandboxServer
) -> None:
    Track.objects.filter(pk=songs[0].pk).update(spotify_id=song(1).id, duration_ms=180_000)
    requested: list[str] = []
    route_spotify(page, requested)
    page.goto(f"{site}/songs/")
    page.get_by_role("button", name="Play Song A").first.click()
    bar = page.get_by_role("region", name="Player")
    expect(bar.locator("[data-player=source]")).to_have_attribute("title", re.compile("in this browser"))
    page.wait_for_function("() => window.sdk")
    until = time.monotonic() + 90
    spotify_player = sandbox.world.listeners["ada"].player
    while not spotify_player.is_playing and time.monotonic() < until:
        time.sleep(0.05)
    assert (spotify_player.device_id, spotify_player.song_id) == ("laptop", song(1).id)
    assert requested == ["https://sdk.scdn.co/spotify-player.js"]
    assert not Play.objects.exists()
    page.evaluate("window.sdk.tell('player_state_changed', {paused: false, position: 0, duration: 180000})")
    assert plays(1)[0].track == songs[0]
    page.wait_for_timeout(1000)
    page.locator("h1").click()
    page.keyboard.press(" ")
    expect(bar.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert page.evaluate("window.sdk.calls") == ["pause"]
    page.keyboard.press("n")
    heard = wait_for_outcome(plays(1)[0], "skipped").ms_played
    # The second waited for above, and what a busy browser takes to press a key.
    assert heard is not None
    assert 900 <= heard < 4000


@pytest.mark.usefixtures("page_errors")
def test_without_premium_the_next_best_backend_plays(
    page: Page, site: str, songs: list[Track], sandbox: SandboxServer
) -> None:
    Track.objects.filter(pk=songs[0].pk).update(spotify_id=song(1).id, duration_ms=180_000)
    route_spotify(page, [])
    page.add_init_script("window.sdkAnswer = ['account_error', {message: 'Premium only'}]")
    sandbox.world.listeners["ada"].player.device_id = "laptop"
    page.goto(f"{site}/songs/")
    page.get_by_role("button", name="Play Song A").first.click()
    source = page.locator("[data-player=source]")
    expect(source).to_have_text("Spotify device")
    assert plays(1)[0].track == songs[0]
    assert is_playing(sandbox)
    page.locator("h1").click()
    page.keyboard.press(" ")
    expect(page.get_by_role("region", name="Player").get_by_role("button", name="Play", exact=True)).to_be_visible()
    until = time.monotonic() + 90
    while is_playing(sandbox):
        assert time.monotonic() < until, "the device was not paused"
        time.sleep(0.05)
    # Paused or given another song by hand, over there: it is seen, and no play is made of what did not sound.
    page.keyboard.press(" ")
    pause = page.get_by_role("region", name="Player").get_by_role("button", name="Pause")
    expect(pause).to_be_visible()
    page.wait_for_timeout(500)
    sandbox.world.listeners["ada"].player.stop()
    position_ms = sandbox.world.listeners["ada"].player.position_ms
    expect(pause).to_be_hidden(timeout=60_000)
    # Where it stopped there, in the whole seconds of the slider, whose last one is not over.
    assert position_ms - 1000 <= int(page.locator("[data-player=seek]").input_value()) <= position_ms + 600
    page.keyboard.press("n")
    heard = wait_for_outcome(plays(1)[0], "skipped").ms_played
    assert heard is not None
    # No more than till the next look at the device, which is every five seconds.
    assert heard < position_ms + 8000


@pytest.mark.usefixtures("page_errors")
def test_a_player_of_spotifys_that_fails_hands_the_song_on(
    page: Page, site: str, songs: list[Track], sandbox: SandboxServer
) -> None:
    Track.objects.filter(pk=songs[0].pk).update(spotify_id=song(1).id, duration_ms=180_000)
    route_spotify(page, [])
    page.goto(f"{site}/songs/")
    page.get_by_role("button", name="Play Song A").first.click()
    page.wait_for_function("() => window.sdk")
    until = time.monotonic() + 90
    while not is_playing(sandbox) and time.monotonic() < until:
        time.sleep(0.05)
    page.evaluate("window.sdk.tell('player_state_changed', {paused: false, position: 0, duration: 180000})")
    assert plays(1)[0].track == songs[0]
    # The connection is ended at Spotify while it plays: the next best backend goes on, and it is the same play.
    page.evaluate("window.sdk.tell('authentication_error', {message: 'Authentication failed'})")
    expect(page.locator("[data-player=source]")).to_have_text("Spotify device")
    page.wait_for_timeout(500)
    assert Play.objects.count() == 1
