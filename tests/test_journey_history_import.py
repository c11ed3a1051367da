"""A listener brings their past along in a real browser, with JavaScript and without."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from feedback.history_import.tests.histories import spotify
from feedback.plays.models import Play
from jobs.tests.helpers import run_waiting
from recommender.tests.builders import make_catalogue, make_user

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(live_server: LiveServer, settings: Any, tmp_path: Path) -> str:
    settings.VAR_DIR = tmp_path
    make_catalogue()
    return str(live_server.url)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "Streaming_History_Audio_2024.json"
    records = [spotify(f"Song 1.{number % 4}", "Artist 1", ts=f"2024-03-01T10:{number:02}:00Z") for number in range(20)]
    records += [spotify(f"Basement tape {number}", "Neighbour", ts="2024-03-02T10:00:00Z") for number in range(3)]
    path.write_text(json.dumps(records))
    return path


def log_in(context: BrowserContext, site: str, user: User) -> None:
    client = Client()
    client.force_login(user)
    name = django_settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": site}])


def upload(page: Page, site: str, export: Path) -> None:
    page.goto(f"{site}/history/")
    page.get_by_role("link", name="Import your listening history").click()
    page.get_by_label("Your file").set_input_files(export)
    page.get_by_label("Include songs that aren't in the catalogue").uncheck()
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url(re.compile(r"/history/import/\d+/$"))


@pytest.mark.parametrize("width", [360, 1400])
def test_the_page_follows_the_import(page: Page, site: str, export: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    log_in(page.context, site, make_user())
    upload(page, site, export)
    expect(page.get_by_text("Waiting to start.")).to_be_visible()
    run_waiting()
    expect(page.get_by_role("row", name="Added to your history 20")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Basement tape 0")).to_contain_text("1 play")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_text("Undo this import").click()
    page.get_by_role("button", name="Undo import").click()
    expect(page.get_by_text("Waiting to start.")).to_be_visible()
    run_waiting()
    page.wait_for_url(f"{site}/history/import/")
    expect(page.get_by_text("The import has been undone.")).to_be_visible()
    assert not Play.objects.exists()


def test_it_works_without_javascript(new_context: Any, site: str, export: Path) -> None:
    context = new_context(java_script_enabled=False)
    log_in(context, site, make_user())
    page = context.new_page()
    upload(page, site, export)
    run_waiting()
    page.get_by_role("link", name="Check progress").click()
    expect(page.get_by_role("row", name="Added to your history 20")).to_be_visible()
    page.get_by_text("Undo this import").click()
    page.get_by_role("button", name="Undo import").click()
    run_waiting()
    assert not Play.objects.exists()
