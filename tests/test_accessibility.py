"""axe-core in a real browser on every page: nothing serious or critical, light and dark, on a phone and on a desk."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import Artist, Genre, Track
from conftest import missing
from feedback import playlist_services
from feedback import steering_services as steering
from feedback.models import Play, Rating
from feedback.services import rate
from recommender.home import recommend_home
from recommender.tests.builders import make_catalogue, make_user
from recommender.versions import forget_loaded
from spotify_rec.management.commands.fetch_assets import dev_dir

pytestmark = [pytest.mark.django_db(transaction=True)]
AXE = dev_dir(Path(django_settings.VENDOR_DIR)) / "axe.min.js"
BAD = ("serious", "critical")
# The accounts' pages look the same for everybody and are told to the listener who is not logged in.
ANONYMOUS = [
    "/",
    "/songs/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/nowhere/",
    "/offline/",
]


@pytest.fixture
def user(settings: Any, tmp_path: Path) -> Iterator[User]:
    """A listener and operator with something on every page."""
    settings.MODEL_DIR = tmp_path / "models"
    tracks = make_catalogue()
    made = make_user(is_staff=True, is_superuser=True)
    for track in tracks[:6]:
        rate(user=made, track=track, value=Rating.Value.LIKE)
    rate(user=made, track=tracks[30], value=Rating.Value.DISLIKE)
    Play.objects.create(user=made, track=tracks[8], outcome=Play.Outcome.COMPLETED)
    call_command("retrain", verbosity=0)
    playlist_services.create_playlist(owner=made, name="Mine", tracks=tracks[:3])
    steering.block(user=made, target=Genre.objects.get(name="techno"))
    steering.exclude(user=made, target=tracks[5])
    steering.adjust(user=made, line=Artist.objects.get(name="Artist 0"), level="off")
    steering.start_private_session(user=made)
    yield made
    forget_loaded()


def pages_of(user: User) -> list[str]:
    """Return the address of every page of a listener."""
    home = recommend_home(user=user)
    assert home is not None
    item = home.sections[0].items[0]
    track = Track.objects.get(title="Song 0.0")
    shown = [item.page, item.track.pk]
    playlist = user.playlists.get()
    return [
        "/",
        "/songs/",
        "/search/?q=song",
        "/genres/",
        track.get_absolute_url(),
        track.credits.get().artist.get_absolute_url(),
        Genre.objects.get(name="folk").get_absolute_url(),
        reverse("recommender:similar", args=[track.pk]),
        reverse("recommender:why", args=shown),
        reverse("recommender:menu", args=shown),
        "/taste/",
        "/start/",
        "/start/artists/",
        "/start/adventure/",
        "/ratings/",
        "/ratings/?value=dislikes",
        "/history/",
        "/history/import/",
        "/playlists/",
        playlist.get_absolute_url(),
        reverse("recommender:playlist_fill", args=[playlist.pk]),
        reverse("feedback:track_playlists", args=[track.pk]),
        "/profile/",
        "/profile/tokens/",
        "/profile/delete/",
        "/accounts/email/",
        "/accounts/password/change/",
        "/operator/",
        "/operator/quality/",
    ]


def findings(page: Page, address: str) -> list[str]:
    """Return what axe-core finds wrong on a page, with the first place of each."""
    page.goto(address)
    # Evaluated by the browser's own hand: the page's content security policy lets no script tag in.
    page.evaluate(AXE.read_text() + ";undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{address}: {rule['id']} ({rule['impact']}): {rule['nodes'][0]['html'][:160]} [{len(rule['nodes'])}]"
        for rule in found["violations"]
        if rule["impact"] in BAD
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_no_page_shuts_anybody_out(
    new_context: Callable[..., BrowserContext], live_server: LiveServer, user: User, width: int, scheme: Any
) -> None:
    if not AXE.is_file():
        missing("axe-core was not fetched (make setup)", required_by="REQUIRE_BROWSER")
    site = str(live_server.url)
    context = new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    found = [finding for path in ANONYMOUS for finding in findings(page, site + path)]
    client = Client()
    client.force_login(user)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    for path in pages_of(user):
        found += findings(page, site + path)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{path}: wider than the screen")
    assert found == []
