"""The site below a path, behind a proxy that takes the path away: in a real browser, and for programs."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import BrowserContext, Page, expect

from tests.site_visit import Visitor, visit
from tests.stripping_proxy import StrippingProxy, stripping_proxy

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="has a database of its own, once is enough")
PATH = "/earworm"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
# Where the pictures go that show what the tests saw.
PICTURES = os.environ.get("BELOW_A_PATH_PICTURES", "")


@dataclass(frozen=True)
class Site:
    """The demo behind its proxy, and the listener's password."""

    proxy: StrippingProxy
    password: str

    @property
    def address(self) -> str:
        return self.proxy.address


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("home")
    log = home / "demo.log"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "MODEL_DIR")}
    environment |= {"EARWORM_HOME": str(home), "BASE_PATH": PATH, "TRUSTED_PROXY_COUNT": "1", "DEBUG": "true"}
    with log.open("w") as stream, stripping_proxy(PATH, port) as proxy:
        command = [sys.executable, "manage.py", "demo", "--port", str(port)]
        with subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=environment, stdout=stream, stderr=subprocess.STDOUT
        ) as demo:
            try:
                Visitor(f"http://127.0.0.1:{port}/").wait(300, is_alive=lambda: demo.poll() is None)
                [password] = re.findall(r"Listener: +listener +password +(\S+)", log.read_text())
                yield Site(proxy, password)
            except TimeoutError:
                pytest.fail(log.read_text())
            finally:
                demo.terminate()


@pytest.fixture(autouse=True)
def _nothing_beside(site: Site) -> Iterator[None]:
    """See that nothing was asked for beside the path."""
    site.proxy.strays.clear()
    yield
    assert site.proxy.strays == []


def photograph(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES, f"{name}.png"))


def log_in(page: Page, site: Site) -> None:
    page.goto(f"{site.address}ratings/")
    expect(page).to_have_url(f"{site.address}accounts/login/?next={PATH}/ratings/")
    page.locator("input[name=login]").fill("listener")
    page.locator("input[name=password]").fill(site.password)
    page.locator("main").get_by_role("button", name="Log in", exact=True).click()
    expect(page).to_have_url(f"{site.address}ratings/")


def test_log_in_like_and_player(page: Page, site: Site) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    log_in(page, site)

    page.goto(f"{site.address}search/?q=television")
    row = page.locator("main .track-row").first
    like = row.get_by_role("button", name=re.compile("^Like "))
    song = str(like.get_attribute("aria-label")).removeprefix("Like ")
    like.click()
    expect(row.locator('[aria-pressed="true"]')).to_have_count(1)
    page.locator("header").get_by_role("link", name="For you").click()
    expect(page).to_have_url(site.address)
    page.locator("main").get_by_role("button", name=re.compile("^Play (?!all|next|or)")).first.click()
    page.wait_for_function(
        """prefix => {
          const audio = document.querySelector("#player audio");
          const isFromHere = audio.src && new URL(audio.src).pathname.startsWith(prefix);
          return isFromHere && !audio.paused && audio.currentTime > 0.2;
        }""",
        arg=f"{PATH}/songs/",
    )
    photograph(page, "for-you-desk")
    # Boosted: the page changes around the player.
    page.locator("header").get_by_role("link", name="Genres").click()
    expect(page).to_have_title(re.compile("^Genres"))
    assert page.evaluate("!document.querySelector('#player audio').paused")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    photograph(page, "genres-phone")
    page.goto(f"{site.address}ratings/")
    expect(page.locator("main")).to_contain_text(song)
    photograph(page, "likes-phone")
    assert complaints == []


def test_cookies_service_worker_and_offline_page(page: Page, context: BrowserContext, site: Site) -> None:
    log_in(page, site)
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    cookies = {cookie["name"]: cookie["path"] for cookie in context.cookies()}
    assert {"earworm_session", "earworm_csrf", "earworm_language", "time_zone"} <= set(cookies)
    assert set(cookies.values()) == {f"{PATH}/"}

    scope = page.evaluate("navigator.serviceWorker.ready.then(registration => registration.scope)")
    assert scope == site.address
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    context.set_offline(True)
    page.goto(f"{site.address}songs/")
    expect(page.locator("h1")).to_be_visible()
    assert "Keine Verbindung" in page.content() or "No connection" in page.content()
    context.set_offline(False)


def test_a_visit_without_scripts(site: Site) -> None:
    seen = visit(site.address, username="listener", password=site.password)

    assert [line.split(":")[0] for line in seen[2:4]] == [
        f"{PATH}/static/vendor/bootstrap.min.css",
        f"{PATH}/static/site/site.css",
    ]


def test_manifest_and_description_stay_below_the_path(site: Site) -> None:
    visitor = Visitor(site.address)
    manifest = json.loads(visitor.get("manifest.webmanifest"))
    assert (manifest["id"], manifest["scope"], manifest["start_url"]) == (f"{PATH}/", f"{PATH}/", f"{PATH}/")
    places = [icon["src"] for icon in manifest["icons"]] + [entry["url"] for entry in manifest["shortcuts"]]
    assert all(path.startswith(f"{PATH}/") for path in places)

    described = json.loads(visitor.get("api/openapi.json"))
    assert f"{PATH}/api/songs" in described["paths"]
    assert all(path.startswith(f"{PATH}/") for path in described["paths"])
    assert f'"{PATH}/api/openapi.json"' in visitor.get("api/docs")
    songs = json.loads(visitor.get("api/songs"))
    assert songs["items"]
