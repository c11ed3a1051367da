"""A listener connects Spotify in a real browser, against the sandbox: songs in, playlist out, and no token left."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from csp.constants import SELF
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import Listener, Song, World, spotify_id
from accounts.spotify.tests.worlds import running_sandbox
from catalog.models import Track
from feedback.ratings.models import Rating
from jobs.tests.helpers import run_waiting
from recommender.lifecycle.versions import forget_loaded
from recommender.tests.builders import make_catalogue, make_user

pytestmark = [pytest.mark.django_db(transaction=True)]
COVER = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"><circle r="300" fill="teal"/></svg>'


@pytest.fixture
def sandbox(db: None) -> Iterator[SandboxServer]:
    """The sandbox knows all songs of the site, and one more; Ada hears the first two of artist 7 most."""
    songs = []
    for track in make_catalogue():
        track.spotify_id = spotify_id(track.title)
        track.save(update_fields=["spotify_id"])
        songs.append(Song(track.spotify_id, track.title, (track.artist_names,), "Album"))
    songs.append(Song(spotify_id("new"), "Paper Lanterns", ("Artist 7",), "Collected", isrc="QZSBX2600001", year=2026))
    top = [spotify_id("Song 7.0"), spotify_id("Song 7.1")]
    ada = Listener("ada", "Ada", top=top, saved=[], recent=[], followed=[])
    with running_sandbox(World(songs, [ada])) as server:
        yield server


@pytest.fixture
def site(live_server: LiveServer, settings: Any, tmp_path: Path, sandbox: SandboxServer) -> Iterator[str]:
    settings.MODEL_DIR = tmp_path / "models"
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    policy = settings.CONTENT_SECURITY_POLICY
    # As the settings have it where SPOTIFY_CLIENT_ID is set: see tests/test_settings.py.
    directives = {**policy["DIRECTIVES"], "form-action": [SELF, sandbox.url]}
    settings.CONTENT_SECURITY_POLICY = {**policy, "DIRECTIVES": directives}
    call_command("retrain", verbosity=0)
    yield live_server.url.replace("localhost", "127.0.0.1")
    forget_loaded()


@pytest.fixture
def page_errors(page: Page) -> Iterator[list[str]]:
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "404" not in message.text:
            errors.append(f"{page.url}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield errors
    assert errors == []


class Journey:
    """A page that is looked at on the way."""

    def __init__(self, page: Page, site: str, width: int, folder: Path) -> None:
        self.page, self.site, self.width, self.folder = page, site, width, folder
        page.set_viewport_size({"width": width, "height": 900})

    def seen(self, name: str) -> None:
        """Keep a screenshot; nothing is wider than the screen."""
        # Hiding the caret would leave style attributes behind, which htmx copies and the policy blocks.
        path = self.folder / f"{name}-{self.width}.png"
        self.page.screenshot(path=path, full_page=True, caret="initial")
        assert self.page.evaluate("document.documentElement.scrollWidth") <= self.width

    def log_in(self) -> None:
        self.page.goto(f"{self.site}/accounts/login/?next=/profile/")
        self.page.locator("input[name=login]").fill("ada")
        self.page.locator("input[name=password]").fill("secret-word")
        self.page.locator("main form button[type=submit]").first.click()
        self.page.wait_for_url(re.compile("/profile/"))
        self.seen("profile-before")

    def connect(self) -> None:
        """Two clicks: ours, and Spotify's."""
        self.page.get_by_role("button", name="Connect Spotify").click()
        self.page.get_by_role("button", name="Agree").click()
        self.page.wait_for_url(re.compile(f"{re.escape(self.site)}/profile/"))
        expect(self.page.locator("#messages")).to_contain_text("Spotify is connected.")
        expect(self.page.locator("#spotify")).to_contain_text("Connected as Ada.")
        self.seen("profile-connected")

    def bring(self) -> None:
        page = self.page
        page.get_by_role("link", name="Import songs and save playlists").click()
        page.get_by_role("checkbox", name=re.compile("Yes, read this")).check()
        self.seen("bring")
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.locator("#spotify-progress")).to_contain_text("Importing your songs")
        run_waiting()
        # It asks again by itself.
        expect(page.locator("#spotify-progress")).to_contain_text("Imported from Spotify", timeout=10_000)
        expect(page.get_by_role("row", name=re.compile("Your top songs"))).to_contain_text("2")
        self.seen("brought")

    def add_found_song(self) -> None:
        page = self.page
        page.goto(f"{self.site}/search/?q=Paper")
        page.get_by_role("link", name=re.compile("Search Spotify for")).click()
        expect(page.locator("#spotify-results")).to_contain_text("Paper Lanterns")
        self.seen("search")
        page.get_by_role("button", name="Add Paper Lanterns").click()
        expect(page.get_by_role("heading", name="Paper Lanterns")).to_be_visible()
        picture = page.locator(".song-head .has-cover img")
        expect(picture).to_have_js_property("complete", True)
        expect(picture).to_have_js_property("naturalWidth", 300)
        self.seen("added")

    def save_playlists(self) -> None:
        page = self.page
        page.goto(f"{self.site}/spotify/")
        page.get_by_role("button", name="Save my likes to Spotify").click()
        expect(page.locator("#messages")).to_contain_text("“My likes” on Spotify now has 2 songs.")
        page.get_by_role("button", name="Save my recommendations to Spotify").click()
        expect(page.locator("#messages")).to_contain_text("“For you” on Spotify now has")
        self.seen("saved")
        page.get_by_role("link", name=re.compile("Import a Spotify playlist")).click()
        expect(page.locator("main")).to_contain_text("My likes")
        self.seen("playlists")

    def disconnect(self) -> None:
        self.page.goto(f"{self.site}/profile/")
        self.page.get_by_role("link", name="Disconnect Spotify").click()
        self.seen("disconnecting")
        self.page.get_by_role("radio", name="Keep them as mine").check()
        self.page.get_by_role("button", name="Disconnect Spotify").click()
        expect(self.page.locator("#spotify")).to_contain_text("Connect Spotify")
        self.seen("disconnected")


@pytest.mark.parametrize("width", [360, 1400])
def test_from_connecting_to_disconnecting(
    page: Page, site: str, sandbox: SandboxServer, page_errors: list[str], width: int, tmp_path: Path
) -> None:
    user = make_user("ada", adventure=0.0)
    # Spotify's host for covers, which no test asks.
    page.context.route("https://i.scdn.co/**", lambda route: route.fulfill(body=COVER, content_type="image/svg+xml"))
    journey = Journey(page, site, width, tmp_path)
    journey.log_in()
    journey.connect()
    journey.bring()
    liked = set(Rating.objects.filter(user=user).values_list("track__title", "source"))
    assert liked == {("Song 7.0", "spotify"), ("Song 7.1", "spotify")}

    # The feed follows them.
    page.goto(f"{site}/")
    titles = page.locator("main .track-title").all_inner_texts()
    assert {"Song 7.2", "Song 7.3"} <= set(titles[:4]), titles
    journey.seen("feed")

    # A song that only Spotify has joins the catalogue; likes and recommendations go out, and are found there.
    journey.add_found_song()
    assert Track.objects.get(title="Paper Lanterns").origin == "spotify"
    journey.save_playlists()
    made = {playlist.name: playlist.song_ids for playlist in sandbox.world.playlists.values()}
    assert sorted(made["My likes"]) == sorted([spotify_id("Song 7.0"), spotify_id("Song 7.1")])
    assert set(made["For you"][:4]) >= {spotify_id("Song 7.2"), spotify_id("Song 7.3")}

    journey.disconnect()
    for table in ("accounts_spotify_spotifyaccount", "socialaccount_socialaccount", "socialaccount_socialtoken"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {table}")
            assert cursor.fetchone() == (0,)
