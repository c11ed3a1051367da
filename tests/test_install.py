"""What lets a browser install the site, its pages for errors, and times in the listener's zone."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import path

from feedback.plays.models import Play
from feedback.tests.factories import PlayFactory, UserFactory, make_track
from spotify_rec.urls import urlpatterns as site_addresses
from spotify_rec.web.time_zones import find_zone

pytestmark = pytest.mark.django_db


def broken(_request: Any) -> Any:
    raise RuntimeError("a test")


urlpatterns = [*site_addresses, path("broken/", broken)]


def test_the_manifest_describes_the_site(client: Client) -> None:
    answer = client.get("/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    described = json.loads(answer.content)
    assert (described["name"], described["start_url"], described["display"]) == ("Earworm", "/", "standalone")
    assert {icon["purpose"] for icon in described["icons"]} == {"any", "maskable"}
    assert '<link rel="manifest" href="/manifest.webmanifest">' in client.get("/").content.decode()


def test_the_icon_is_where_browsers_look_for_it(client: Client, admin_client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, "/static/site/icon.svg")
    link = '<link rel="icon" href="/static/site/icon.svg" type="image/svg+xml">'
    for path_of_page in ("/", "/offline/", "/api/docs"):
        assert link in client.get(path_of_page).content.decode()
    assert link in admin_client.get("/admin/").content.decode()


def test_the_service_worker_keeps_the_offline_page_alone(client: Client) -> None:
    script = client.get("/service-worker.js")
    assert script["Content-Type"] == "text/javascript"
    files = re.search(r"const FILES = \[(.*)\];", script.content.decode())
    assert files is not None
    cached_paths = [name.encode().decode("unicode_escape") for name in re.findall(r'"([^"]+)"', files[1])]
    assert cached_paths[-1] == "/offline/"
    assert all(name.startswith("/static/") for name in cached_paths[:-1])


def test_the_offline_page_is_the_same_for_everybody(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        before = client.get("/offline/")
    assert "No connection" in before.content.decode()
    client.force_login(UserFactory())
    assert client.get("/offline/").content == before.content


def test_a_missing_page_says_so(client: Client) -> None:
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "Page not found" in answer.content.decode()


def test_a_page_for_operators_says_so(client: Client) -> None:
    client.force_login(UserFactory())
    answer = client.get("/operator/")
    assert answer.status_code == 403
    assert "Only the site's operators can see it." in answer.content.decode()


@override_settings(ROOT_URLCONF="tests.test_install")
def test_an_error_of_the_server_has_a_page() -> None:
    answer = Client(raise_request_exception=False).get("/broken/")
    assert answer.status_code == 500
    assert "It's not your fault" in answer.content.decode()


def test_a_form_without_its_token_has_a_page() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(UserFactory())
    answer = strict.post("/taste/private/", {"on": "1"})
    assert answer.status_code == 403
    assert "This page has expired" in answer.content.decode()


@pytest.mark.parametrize(
    ("own", "message", "expected"),
    [
        ("", "", "22:30"),
        ("", "Asia/Tokyo", "07:30"),
        ("America/New_York", "Asia/Tokyo", "17:30"),
        ("Nowhere/Land", "Asia/Tokyo", "07:30"),
        ("", "../../etc/passwd", "22:30"),
        ("", "x" * 100, "22:30"),
    ],
)
def test_times_are_shown_in_the_listeners_zone(client: Client, own: str, message: str, expected: str) -> None:
    user = UserFactory(time_zone=own)
    play: Play = PlayFactory(user=user, track=make_track(), played_at=datetime(2026, 1, 10, 22, 30, tzinfo=UTC))
    client.force_login(user)
    if message:
        client.cookies["time_zone"] = message
    page = client.get("/history/").content.decode()
    assert f"{expected}</time>" in page
    assert Play.objects.get().pk == play.pk


def test_zones_are_found_by_name() -> None:
    assert str(find_zone("Europe/Berlin")) == "Europe/Berlin"
    assert find_zone("") is None
    assert find_zone("Europe") is None


def test_the_zone_is_chosen_in_the_profile(client: Client) -> None:
    user = UserFactory()
    client.force_login(user)
    sent = {"region": "", "adventure": "0.3", "time_zone": "Europe/Berlin"}
    assert client.post("/profile/", sent).status_code == 302
    user.refresh_from_db()
    assert user.time_zone == "Europe/Berlin"
    assert client.post("/profile/", {**sent, "time_zone": "Nowhere/Land"}).status_code == 422
