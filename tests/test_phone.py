"""What a phone shows, in a real browser, in both languages: rows, menus and panels within the screen, focus, names."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import Track
from feedback.playlists import services as playlist_services
from feedback.queue.services import add, play_all
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from jobs.models import Job
from jobs.services import enqueue
from recommender.experiments.services import start_experiment
from recommender.lifecycle.versions import forget_loaded
from recommender.models import Experiment
from recommender.tests.builders import make_catalogue, make_user
from recommender.tests.experiments.conftest import make_experiment

pytestmark = [pytest.mark.django_db(transaction=True)]
WIDTH, HEIGHT = 360, 740
PLAYER = "() => document.documentElement.hasAttribute('data-player-shown')"
# What lies beyond the edge of the screen, and what something else covers: text and controls of the element named.
MISPLACED = """selector => {
  const problems = [];
  const box = document.querySelector(selector);
  for (const part of [box, ...box.querySelectorAll("a, button, input, select, label, h2, h3")]) {
    const { left, right, top, bottom, width, height } = part.getBoundingClientRect();
    const isHidden = part.closest(".visually-hidden") || getComputedStyle(part).visibility === "hidden";
    if (!width || !height || isHidden) continue;
    const name = `${part.tagName} ${(part.textContent || part.name || "").trim().slice(0, 30)}`;
    if (left < -0.5 || right > innerWidth + 0.5) problems.push(`${name}: ${left} to ${right}`);
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const { top: boxTop, bottom: boxBottom } = box.getBoundingClientRect();
    if (part === box || y < Math.max(0, boxTop) || y > Math.min(innerHeight, boxBottom)) continue;
    const over = document.elementFromPoint(x, y);
    if (!over || !(part.contains(over) || over.contains(part))) problems.push(`${name}: under ${over?.className}`);
  }
  return problems;
}"""


@pytest.fixture
def user(settings: Any, tmp_path: Path) -> Iterator[User]:
    """A listener with likes, a playlist and something to play."""
    settings.MODEL_DIR = tmp_path / "models"
    tracks = make_catalogue()
    made = make_user(is_staff=True, is_superuser=True)
    for track in tracks[:6]:
        rate(user=made, track=track, value=Rating.Value.LIKE)
    playlist = playlist_services.create_playlist(owner=made, name="Donaudampfschifffahrtsgesellschaftslieder")
    playlist_services.add_tracks(playlist=playlist, tracks=tracks[:3])
    play_all(user=made, tracks=tracks[6:12])
    call_command("retrain", verbosity=0)
    yield made
    forget_loaded()


@pytest.fixture
def phone(
    request: pytest.FixtureRequest, new_context: Callable[..., BrowserContext], live_server: LiveServer, user: User
) -> Page:
    """A page of a phone of the language that the test is told, on which the listener is logged in."""
    language = getattr(request, "param", "en")
    context = new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, locale="de-DE" if language == "de" else "en-GB", has_touch=True
    )
    client = Client()
    client.force_login(user)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": str(live_server.url)}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{live_server.url}/")
    page.wait_for_function(PLAYER)
    return page


def go(page: Page, path: str) -> None:
    page.goto(re.sub(r"(//[^/]+)/.*", r"\1", page.url) + path)
    page.wait_for_function(PLAYER)


def opened(page: Page, user: User) -> Iterator[tuple[str, str]]:
    """Open every menu and panel, one after another; yield what it is and its selector."""
    playlist = user.playlists.get()
    for name in ("account", "tune"):
        go(page, "/")
        where = ".site-header" if name == "account" else "main"
        page.locator(f"{where} .account-menu summary").click()
        yield name, f"{where} .account-menu[open] .account-menu-panel"
    for number in (0, 1):
        go(page, playlist.get_absolute_url())
        page.locator("main .account-menu summary").nth(number).click()
        yield f"playlist menu {number}", "main .account-menu[open] .account-menu-panel"
    go(page, "/")
    page.locator("#feed .track-actions a:visible").first.click()
    yield "song menu", "#sheet[open]"
    page.locator("#sheet a[href*='/playlists/']").click()
    expect(page.locator("#new-playlist")).to_be_visible()
    yield "add to playlist", "#sheet[open]"
    go(page, "/")
    page.locator("#feed a.track-reason").first.click()
    expect(page.locator("#sheet .why")).to_be_visible()
    yield "why", "#sheet[open]"


@pytest.mark.parametrize("phone", ["en", "de"], indirect=True)
def test_every_menu_and_panel_lies_within_the_screen(phone: Page, user: User) -> None:
    seen = {}
    for name, selector in opened(phone, user):
        expect(phone.locator(selector)).to_be_visible()
        seen[name] = phone.evaluate(MISPLACED, selector)
    assert len(seen) == 7
    assert {name: problems for name, problems in seen.items() if problems} == {}


@pytest.mark.parametrize("phone", ["en", "de"], indirect=True)
def test_buttons_below_a_picture_have_the_whole_width(phone: Page, user: User) -> None:
    go(phone, user.playlists.get().get_absolute_url())
    left = "element => Math.round(element.getBoundingClientRect().left)"
    picture = phone.locator(".page-head .mosaic")
    assert phone.locator(".page-head .btn").first.evaluate(left) == picture.evaluate(left)
    assert phone.locator(".page-head h1").evaluate(left) > picture.evaluate(left)


def test_wide_tables_keep_their_rows_low_and_their_captions_whole(phone: Page, user: User) -> None:
    enqueue(kind="tidy")
    Job.objects.update(log="2026-11-30 03:01:15 12 lists made, 12 judged, 0 emails sent")
    go(phone, "/operator/")
    rows = phone.locator("[aria-labelledby=going-jobs] tbody tr")
    assert max(row.evaluate("element => element.offsetHeight") for row in rows.all()) < 100
    start_experiment(experiment=make_experiment("dial=0.5"))
    go(phone, f"/operator/experiments/{Experiment.objects.get().pk}/")
    widths = phone.locator("caption").evaluate("caption => [caption.offsetWidth, caption.closest('div').clientWidth]")
    assert widths[0] <= widths[1]


@pytest.mark.parametrize("phone", ["en", "de"], indirect=True)
def test_the_administration_of_jobs_is_as_wide_as_the_screen(phone: Page) -> None:
    enqueue(kind="tidy")
    phone.goto(re.sub(r"(//[^/]+)/.*", r"\1", phone.url) + reverse("admin:jobs_job_changelist"))
    expect(phone.locator("button[form=start-tidy]")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == WIDTH


def test_navigation_and_player_stand_one_above_the_other(phone: Page) -> None:
    for selector in (".tab-bar", "#player"):
        assert phone.evaluate(MISPLACED, selector) == []
    bar, player = phone.locator(".tab-bar").bounding_box(), phone.locator("#player").bounding_box()
    assert bar is not None
    assert player is not None
    assert abs(player["y"] + player["height"] - bar["y"]) <= 1
    assert phone.evaluate("document.documentElement.scrollWidth") == WIDTH


@pytest.mark.parametrize("phone", ["en", "de"], indirect=True)
def test_the_first_screen_has_at_least_five_songs(phone: Page) -> None:
    top = phone.locator("#player").bounding_box()
    assert top is not None
    rows = [row.bounding_box() for row in phone.locator("#feed .track-row").all()[:8]]
    heights = [row["height"] for row in rows if row]
    assert all(64 <= height <= 80 for height in heights), heights
    assert sum(row["y"] + row["height"] <= top["y"] for row in rows if row) >= 5


def test_every_control_shows_where_the_focus_is(phone: Page) -> None:
    rings = {}
    for _step in range(45):
        phone.keyboard.press("Tab")
        name, style, width = phone.evaluate(
            "() => { const at = document.activeElement, style = getComputedStyle(at);"
            " return [at.outerHTML.slice(0, 80), style.outlineStyle, parseFloat(style.outlineWidth)]; }"
        )
        rings[name] = (style, width)
    assert len(rings) > 35
    assert {name: ring for name, ring in rings.items() if ring[0] == "none" or ring[1] < 2} == {}


def test_the_row_that_plays_says_pause(phone: Page) -> None:
    play = phone.locator("#feed [data-play]").first
    name = str(play.get_attribute("aria-label"))
    assert name.startswith("Play ")
    play.click()
    expect(play).to_have_attribute("aria-label", name.replace("Play ", "Pause ", 1))
    play.click()
    expect(play).to_have_attribute("aria-label", name)


def test_an_icon_that_stays_the_same_is_not_set_again(phone: Page) -> None:
    phone.evaluate(
        "() => { window.changes = 0; const watch = new MutationObserver((all) => { window.changes += all.length; });"
        " for (const use of document.querySelectorAll('#feed use')) watch.observe(use, { attributes: true }); }"
    )
    play = phone.locator("#feed [data-play]").first
    play.click()
    expect(play).to_have_attribute("aria-label", re.compile("^Pause "))
    assert phone.evaluate("window.changes") == 1


def test_a_message_leaves_and_its_undo_works_in_place(phone: Page, user: User) -> None:
    title = phone.locator("#feed .track-title").first.inner_text()
    phone.locator("#feed .track-actions a:visible").first.click()
    phone.get_by_role("button", name="Don't recommend").click()
    expect(phone.locator("#messages [role=status]")).to_contain_text(f"We won't recommend {title} until")
    expect(phone.locator("#sheet")).not_to_be_visible()
    assert user.blocks.count() == 1
    phone.locator("#messages").get_by_role("button", name="Undo").click()
    expect(phone.locator("#messages [role=status]")).to_contain_text(f"We may recommend {title} again.")
    assert not user.blocks.exists()
    assert phone.url.endswith(reverse("recommender:home"))
    # It stays while somebody is at it.
    phone.mouse.move(5, 5)
    expect(phone.locator("#messages [role=status]")).to_have_count(0, timeout=30_000)


@pytest.mark.parametrize("phone", ["en", "de"], indirect=True)
def test_the_player_opens_to_the_whole_screen_and_its_queue_moves(phone: Page, user: User) -> None:
    phone.locator("#player .player-song").click()
    assert phone.locator("#player").bounding_box() == {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT}
    assert phone.evaluate(MISPLACED, "#player") == []
    assert phone.evaluate("document.getElementById('main').inert")
    phone.locator("[data-player=queue]").click()
    titles = phone.locator("[data-queue-item] .queue-title")
    first, second = titles.nth(0).inner_text(), titles.nth(1).inner_text()
    assert phone.evaluate(MISPLACED, "#player-queue") == []
    phone.locator("[data-queue-item] [data-queue-move]").nth(1).click()
    expect(titles.nth(0)).to_have_text(second)
    expect(titles.nth(1)).to_have_text(first)
    list_before = phone.locator("[data-queue-item]").first.element_handle()
    phone.locator("[data-queue-handle]").nth(1).drag_to(phone.locator("[data-queue-item]").nth(0))
    # Rendered again, so that the form below holds the new order.
    phone.wait_for_function("item => !item.isConnected", arg=list_before)
    expect(titles.nth(0)).to_have_text(first)
    # What is typed stays when the list is rendered again.
    phone.locator("#queue-name").fill("Kept")
    phone.locator("#player-queue form[action='/playlists/'] button").click()
    expect(phone.locator("h1")).to_have_text("Kept")
    playlist = user.playlists.get(name="Kept")
    assert [item.track.title for item in playlist.items.order_by("position")][1:3] == [first, second]
    assert playlist.items.count() == 6
    expect(phone.locator("#player-queue")).not_to_be_visible()
    assert not phone.evaluate("document.getElementById('main').inert")


def test_a_song_stays_in_the_hand_while_another_device_changes_the_queue(phone: Page, user: User) -> None:
    phone.locator("#player .player-song").click()
    phone.locator("[data-player=queue]").click()
    titles = phone.locator("[data-queue-item] .queue-title")
    first, second, before = titles.nth(0).inner_text(), titles.nth(1).inner_text(), titles.count()
    handle = phone.locator("[data-queue-handle]").nth(1)
    handle.hover()
    phone.mouse.down()
    with phone.expect_response(lambda response: response.url.endswith("/player/queue/")):
        add(user=user, tracks=[Track.objects.order_by("pk")[20]])
    phone.locator("[data-queue-item]").nth(0).hover(force=True)
    phone.mouse.up()
    expect(titles.nth(0)).to_have_text(second)
    expect(titles.nth(1)).to_have_text(first)
    expect(titles).to_have_count(before + 1)


def test_the_queue_is_reordered_by_keys_alone(phone: Page) -> None:
    phone.locator("#player .player-song").click()
    phone.locator("[data-player=queue]").click()
    titles = phone.locator("[data-queue-item] .queue-title")
    first, others = titles.nth(0).inner_text(), [titles.nth(1).inner_text(), titles.nth(2).inner_text()]
    down = phone.get_by_role("button", name=f"Move {first} down")
    down.focus()
    for index in (1, 2):
        phone.keyboard.press("Enter")
        expect(titles.nth(index)).to_have_text(first)
        # The page's own change comes back with its next question, and the list is rendered once more.
        phone.wait_for_timeout(2500)
        expect(down).to_be_focused()
    phone.get_by_role("button", name=f"Remove {others[0]} from the queue").focus()
    phone.keyboard.press("Enter")
    expect(titles.nth(0)).to_have_text(others[1])
    expect(phone.get_by_role("button", name=f"Remove {others[1]} from the queue")).to_be_focused()


@pytest.mark.parametrize("phone", ["en", "de"], indirect=True)
def test_the_bar_of_the_start_stays_above_the_player(phone: Page) -> None:
    phone.locator("#feed [data-play]").first.click()
    for path in ("/start/", "/start/artists/"):
        go(phone, path)
        phone.locator("main input[type=checkbox]").first.check(force=True)
        # The player says that this is a sketch, so that it is higher than usual.
        expect(phone.locator(".player-sketch")).to_be_visible()
        assert phone.evaluate("document.documentElement.scrollWidth") == WIDTH
        bottom, top = (phone.locator(name).bounding_box() for name in (".start-bar", "#player"))
        assert bottom is not None
        assert top is not None
        assert bottom["y"] + bottom["height"] <= top["y"]


def test_a_sketch_says_once_that_it_is_one(phone: Page) -> None:
    phone.locator("#feed [data-play]").first.click()
    note = phone.locator(".player-sketch")
    expect(note).to_contain_text("A 25-second sketch made from this song's sound, not the recording.")
    note.get_by_role("button").click()
    expect(note).not_to_be_visible()
    phone.reload()
    phone.wait_for_function(PLAYER)
    expect(note).not_to_be_visible()
