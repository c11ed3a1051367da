"""What a browser says of the demo's pages: largest paint, layout shift and weight, on a phone and a desk.

Each page is opened in a new browser profile, with nothing cached, from one gunicorn on this machine: the figures are
the pages' own share of what a listener waits for, without a network between.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.site import Site, percentile

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession

WIDTHS = (360, 1400)
REPEATS = 5
MAX_PAINT_MS, MAX_SHIFT, MAX_KILOBYTES = 1000, 0.05, 300
PATHS = {
    "For you": "/",
    "songs": "/songs/",
    "song": "/songs/{track}/",
    "search": "/search/?q=the",
    "genres": "/genres/",
    "start": "/start/",
    "start, artists": "/start/artists/",
    "taste": "/taste/",
    "likes": "/ratings/",
    "history": "/history/",
    "statistics": "/statistics/",
    "playlists": "/playlists/",
    "profile": "/profile/",
}
# Both entries are kept from the start of the page (`buffered`), so nothing has to run before it.
_FIGURES = """() => new Promise((done) => {
  const found = {paint: 0, shift: 0};
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) found.paint = Math.max(found.paint, entry.startTime);
  }).observe({type: "largest-contentful-paint", buffered: true});
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) found.shift += entry.value;
  }).observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(found), 500);
})"""


@dataclass(frozen=True)
class Figures:
    """Of one opening of a page: milliseconds, share of the screen, kilobytes over the wire."""

    paint: float
    shift: float
    kilobytes: float


def main() -> None:
    """Load the demo, open every page and print the table."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name:
        site = Site.create(Path(name))
        site.manage("migrate")
        site.manage("collectstatic", "--noinput")
        # The demo prints passwords, which it does under DEBUG alone; it is served without.
        site.manage("load_demo", DEBUG="true")
        session, track = _prepare(site)
        with site.serving(workers=1), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
            print(f"{'page':<16}{'width':>6}{'largest paint, ms':>24}{'shift':>8}{'KB':>6}")
            print(f"{'':<22}{'median':>16}{'worst':>8}")
            for title, path in PATHS.items():
                for width in WIDTHS:
                    address = path.format(track=track)
                    # The first one fills the caches of the process, as any first visitor does.
                    openings = [_open(browser, site.port, address, width, session) for _number in range(REPEATS + 1)]
                    _report(title, width, openings[1:])
            browser.close()


def _prepare(site: Site) -> tuple[str, int]:
    """Make a listener with 20 likes; return the key of their session, and a song."""
    os.environ.update(site.environment)
    import django

    django.setup()
    from benchmarks.people import make_listener
    from catalog.models import Track

    tracks = list(Track.objects.active().order_by("-popularity", "id").values_list("pk", flat=True)[:60])
    return make_listener("bench", likes=tracks[::3]), tracks[1]


def _chromium() -> str:
    import shutil

    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    binary = next((path for name in names if (path := shutil.which(name))), None)
    if binary is None:
        raise SystemExit("browser_pages: no Chromium on this machine (Debian: apt install chromium)")
    return binary


def _open(browser: Browser, port: int, path: str, width: int, session: str) -> Figures:
    origin = f"http://127.0.0.1:{port}"
    context = browser.new_context(viewport={"width": width, "height": 900}, service_workers="block")
    context.add_cookies([{"name": "sessionid", "value": session, "url": origin}])
    page = context.new_page()
    received = _count_bytes(context.new_cdp_session(page))
    page.goto(origin + path, wait_until="networkidle")
    measured = page.evaluate(_FIGURES)
    context.close()
    return Figures(measured["paint"], measured["shift"], sum(received) / 1024)


def _count_bytes(tools: CDPSession) -> list[float]:
    received: list[float] = []
    tools.send("Network.enable")
    tools.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    return received


def _report(title: str, width: int, figures: Sequence[Figures]) -> None:
    paints = [opening.paint for opening in figures]
    shift, weight = max(opening.shift for opening in figures), max(opening.kilobytes for opening in figures)
    missed = max(paints) > MAX_PAINT_MS or shift > MAX_SHIFT or weight > MAX_KILOBYTES
    flag = "  over the limit" if missed else ""
    middle = percentile(paints, 0.5)
    print(f"{title:<16}{width:>6}{middle:>16.0f}{max(paints):>8.0f}{shift:>8.3f}{weight:>6.0f}{flag}", flush=True)


if __name__ == "__main__":
    main()
