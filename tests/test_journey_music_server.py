"""Songs of a music server in a real browser: their files play through the site, with seeking, and count as plays."""

import io
import math
import time
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from catalog.models import Track
from catalog.sources.servers.services import connect_server, read_server
from catalog.sources.subsonic.tests.stand_in import StandIn, running
from feedback.plays.models import Play

pytestmark = [pytest.mark.django_db(transaction=True)]
SECONDS, RATE = 60, 8000


def tone(hertz: float) -> bytes:
    """Return a minute of a tone as a WAV file of 960 KB: four pieces."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        second = array("h", (round(9000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE)))
        out.writeframes(second.tobytes() * SECONDS)
    return file.getvalue()


@pytest.fixture
def stand_in(live_server: LiveServer, settings: Any, tmp_path: Path) -> Iterator[StandIn]:
    settings.VAR_DIR, settings.SKETCH_DIR, settings.MODEL_DIR = tmp_path, tmp_path / "sketches", tmp_path / "models"
    with running(StandIn(4)) as server:
        for number in range(4):
            server.changes[number] = {"duration": SECONDS, "artists": [{"id": "a", "name": "The Testers"}]}
        server.files["so-0"] = server.files["so-3"] = ("audio/x-wav", tone(440))
        # No browser decodes the second; the server makes something else of it. The third it has lost.
        server.files["so-1"] = ("audio/flac", b"no sound at all " * 1000)
        server.files["so-1.mp3"] = ("audio/mpeg", tone(330))
        read_server(connect_server(address=server.address, username=StandIn.user, secret=StandIn.password))
        server.calls.clear()
        yield server


@pytest.fixture
def site(page: Page, stand_in: StandIn, live_server: LiveServer) -> str:
    client = Client()
    client.force_login(get_user_model().objects.create_user("ada", "ada@example.org"))
    cookie = client.cookies["sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])
    return str(live_server.url)


def wait_for_sound(page: Page, address: str, beyond: float = 0.2) -> None:
    page.wait_for_function(
        """([path, beyond]) => {
          const audio = document.querySelector("#player audio");
          return audio.src.endsWith(path) && !audio.paused && audio.currentTime > beyond;
        }""",
        arg=[address, beyond],
    )


def plays(expected: int) -> list[Play]:
    until = time.monotonic() + 60
    while Play.objects.exclude(outcome="started").count() < expected and time.monotonic() < until:
        time.sleep(0.05)
    return list(Play.objects.order_by("played_at", "pk"))


def test_files_play_with_seeking_and_what_cannot_be_played_is_made_so_or_sketched(
    page: Page, site: str, stand_in: StandIn
) -> None:
    songs = [Track.objects.get(title=f"Song {number}") for number in range(3)]
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(f"{site}/search/?q=Song")
    page.get_by_role("button", name="Play Song 0").first.click()
    wait_for_sound(page, f"/songs/{songs[0].pk}/file")
    bar = page.get_by_role("region", name="Player")
    expect(bar).to_contain_text("Recording")
    assert page.evaluate("document.querySelector('#player audio').duration") == SECONDS
    # Near the end: in a piece that was not loaded yet.
    page.evaluate(
        "() => { const seek = document.querySelector('[data-player=seek]'); seek.value = 50000;"
        "for (const name of ['input', 'change']) seek.dispatchEvent(new Event(name, {bubbles: true})); }"
    )
    wait_for_sound(page, f"/songs/{songs[0].pk}/file", 50.2)
    ranges = [headers["Range"] for _verb, method, _values, headers in stand_in.calls if method == "stream"]
    assert ranges[0] == "bytes=0-262143"
    assert all(int(text.split("-")[1]) - int(text[6:].split("-")[0]) < 256 * 1024 for text in ranges)

    for number, address in ((1, "file?format=mp3"), (2, "sketch.wav")):
        page.get_by_role("button", name=f"Play Song {number}").first.click()
        wait_for_sound(page, f"/songs/{songs[number].pk}/{address}")
    expect(bar).to_contain_text("Sketch")

    first, second, *_more = plays(2)
    assert (first.track_id, first.outcome, first.source) == (songs[0].pk, "skipped", "site")
    assert 200 <= (first.ms_played or 0) < 30_000
    assert second.track_id == songs[1].pk
    assert not [address for address in addresses if stand_in.address in address or StandIn.password in address]


def test_one_song_follows_another_without_a_click(page: Page, site: str, stand_in: StandIn) -> None:
    first, last = Track.objects.get(title="Song 0"), Track.objects.get(title="Song 3")
    Track.objects.filter(title__in=["Song 1", "Song 2"]).update(is_active=False)
    page.goto(f"{site}/songs/")
    page.get_by_role("button", name="Play all").click()
    page.wait_for_function("() => document.querySelector('#player audio').currentTime > 0.2")
    playing = page.evaluate("document.querySelector('#player audio').src")
    following = last if playing.endswith(f"/songs/{first.pk}/file") else first
    page.evaluate("() => { document.querySelector('#player audio').currentTime = 59.5; }")
    wait_for_sound(page, f"/songs/{following.pk}/file")
    [ended, *_more] = plays(1)
    assert ended.track_id != following.pk
    assert ended.outcome == "completed"


def volume(page: Page) -> float:
    return round(float(page.evaluate("document.querySelector('#player audio').volume")), 3)


def test_recordings_play_equally_loud_until_the_listener_turns_that_off(
    page: Page, site: str, stand_in: StandIn
) -> None:
    for number, gain in ((0, -6.0), (3, 6.0)):
        stand_in.changes[number] |= {"replayGain": {"trackGain": gain}}
    read_server(connect_server(address=stand_in.address, username=StandIn.user, secret=StandIn.password))
    page.goto(f"{site}/search/?q=Song")
    page.get_by_role("button", name="Play Song 0").first.click()
    wait_for_sound(page, f"/songs/{Track.objects.get(title='Song 0').pk}/file")
    assert volume(page) == 0.501
    page.evaluate(
        "() => { const slider = document.querySelector('[data-player=volume]'); slider.value = 40;"
        "slider.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    assert volume(page) == 0.2
    # A quiet song is raised as far as the listener's volume leaves room: 0.4 x 2.
    page.get_by_role("button", name="Play Song 3").first.click()
    wait_for_sound(page, f"/songs/{Track.objects.get(title='Song 3').pk}/file")
    assert volume(page) == 0.798
    page.locator("[data-player=queue]").click()
    switch = page.get_by_role("switch", name="Play recordings equally loud")
    expect(switch).to_be_checked()
    switch.uncheck()
    assert volume(page) == 0.4
    page.reload()
    assert page.evaluate("localStorage.getItem('player-levelling')") == "off"
    # Sketches play as they are.
    switch_on = "() => localStorage.setItem('player-levelling', 'on')"
    page.evaluate(switch_on)
    page.get_by_role("button", name="Play Song 2").first.click()
    wait_for_sound(page, f"/songs/{Track.objects.get(title='Song 2').pk}/sketch.wav")
    assert volume(page) == 0.4
