"""axe-core in a real browser on every page: nothing serious or critical, light and dark, on a phone and on a desk."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings as django_settings
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import Artist, Genre, MusicServer, Track
from catalog.templatetags.catalog_tags import album_url
from conftest import missing
from feedback.history_import.models import HistoryImport
from feedback.music_servers.models import ServerAccount
from feedback.playlists import services as playlist_services
from feedback.plays.models import Play
from feedback.preferences import services as preference_services
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from feedback.scrobbling.keys import create_key
from feedback.scrobbling.models import Scrobble, ScrobbledSong
from feedback.year_review.services import share_year, token_of
from recommender.blends import services as blend_services
from recommender.experiments.services import start_experiment
from recommender.lifecycle.versions import forget_loaded
from recommender.models import Blend, BlendInvitation, Experiment
from recommender.pages.for_you import recommend_for_you
from recommender.tests.blends.runs import run_waiting
from recommender.tests.builders import make_catalogue, make_user
from recommender.tests.experiments.conftest import make_experiment
from recommender.tests.weekly.runs import hear, run_job
from recommender.weekly.services import end_token
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
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/none-such/",
    "/accounts/password/reset/key/done/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/none-such/",
    "/accounts/inactive/",
    "/journey/",
    "/privacy/",
    "/nowhere/",
    "/offline/",
]
# What no page stands at: files, what programs ask for, what only a form is sent to.
FORMS_ALONE = {
    *(
        "accounts:security_emails",
        "accounts:token_revoke",
        "catalog:spotify_add",
        "set_language",
        "recommender:adventure",
        "recommender:rate_in_section",
    ),
    *(f"feedback:{name}" for name in ("adjust", "block", "unblock", "exclude", "exclude_period", "remove_exclusion")),
    *(f"feedback:{name}" for name in ("private_session", "rate", "listen", "follow", "play_remove", "play_restore")),
    *(f"feedback:playlist_{name}" for name in ("delete", "move", "remove", "rename", "restore")),
    *(f"feedback:{name}" for name in ("history_change", "doubles_change", "spotify_import", "spotify_save_likes")),
    "feedback:spotify_take_back",
    *(f"feedback:{name}" for name in ("player_revoke", "old_protocols", "player_choose", "player_undo")),
    *("feedback:year_share", "feedback:year_stop"),
    "feedback:music_server_code",
    *("feedback:music_server_unlink", "feedback:music_server_marks", "feedback:list_push", "feedback:list_stop"),
    *(f"recommender:{name}" for name in ("activate", "new_songs", "wrong_reason", "spotify_save")),
    *(f"recommender:{name}" for name in ("week_save", "week_feed_end", "week_emails")),
    *(f"recommender:blend_{name}" for name in ("rename", "save", "leave", "invite", "withdraw")),
    *(f"recommender:experiment_{name}" for name in ("create", "start", "stop", "adopt", "reset")),
    *(f"spotify_{name}" for name in ("callback", "login", "reminder", "sign_in")),
    *("mfa_login_webauthn", "openid_connect_login", "openid_connect_callback", "openid_connect_disconnect"),
}
FILES = {
    *(
        "accounts:export",
        "catalog:sketch",
        "catalog:song_file",
        "catalog:song_cover",
        "feedback:history_export",
        "feedback:history_unmatched",
        "feedback:year_card",
        "feedback:year_shared_card",
    ),
    *("feedback:playlist_export", "favicon", "manifest", "service_worker", "healthz", "readyz", "metrics"),
    *(f"feedback:listenbrainz_{name}" for name in ("token", "submit", "feedback", "listens", "count", "playing")),
    *("feedback:lastfm", "feedback:audioscrobbler", "feedback:audioscrobbler_now", "feedback:audioscrobbler_submit"),
    *("mfa_download_recovery_codes", "recommender:proxy"),
    *(f"recommender:{name}" for name in ("week_export", "week_atom", "week_json")),
    *("recommender:plugin_tracks", "recommender:plugin_path", "recommender:plugin_artists"),
}
# Parts of pages and what few see, in tests of their own below; nobody comes to a log-in code.
PARTS = {"catalog:suggest", "account_set_password", "account_confirm_login_code"}
# Seen in tests/test_passkeys.py, which has a passkey.
WITH_PASSKEY = {
    *("mfa_activate_totp", "mfa_authenticate", "mfa_reauthenticate_webauthn"),
    *("mfa_edit_webauthn", "mfa_remove_webauthn"),
}


def add_blends(user: User) -> None:
    """Have the listener be in a blend with a list, and invited to another one."""
    guest = make_user("guest")
    blend = blend_services.create_blend(user=user, name="Kitchen")
    invitation = blend_services.invite(member=blend.members.get(), username="guest")
    blend_services.accept(user=guest, invitation=invitation)
    blend_services.invite(member=blend.members.get(user=user), username="nobody")
    run_waiting()
    other = blend_services.create_blend(user=guest, name="Car")
    blend_services.invite(member=other.members.get(), username=user.username)


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
    Track.objects.filter(title="Song 0.0").update(album="First")
    call_command("retrain", verbosity=0)
    assert run_job().startswith("1 lists made")
    hear(made, made.weekly_lists.get(), likes=lambda track: "1." in track.title, songs=3)
    playlist_services.create_playlist(owner=made, name="Mine", tracks=tracks[:3])
    add_blends(made)
    HistoryImport.objects.create(user=made, name="history.json", plays_added=3, finished_at=timezone.now())
    create_key(user=made, name="Navidrome")
    server = MusicServer.objects.create(kind="subsonic", name="Attic", address="http://music.test")
    ServerAccount.objects.create(user=made, server=server, remote_user="ada", error="away")
    lost = ScrobbledSong.objects.create(user=made, digest=1, name_digest=1, title="Lost", artist="Nobody")
    Scrobble.objects.create(
        user=made, song=lost, digest=1, listened_at=timezone.now(), started_at=timezone.now(), is_waiting=True
    )
    preference_services.block(user=made, target=Genre.objects.get(name="techno"))
    preference_services.exclude(user=made, target=tracks[5])
    preference_services.adjust(user=made, target=Artist.objects.get(name="Artist 0"), level="off")
    preference_services.start_private_session(user=made)
    TOTP.activate(made, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(made)
    start_experiment(experiment=make_experiment("dial=0.5"))
    yield made
    forget_loaded()


def pages_of(user: User) -> list[str]:
    """Return the address of every page of a listener."""
    home = recommend_for_you(user=user)
    assert home is not None
    item = home.sections[0].items[0]
    track = Track.objects.get(title="Song 0.0")
    shown = [item.page, item.track.pk]
    playlist = user.playlists.get()
    return [
        "/",
        "/songs/",
        "/songs/?tempo_min=100",
        "/search/?q=song",
        "/search/?q=zzyzx",
        "/search/spotify/?q=song",
        "/genres/",
        track.get_absolute_url(),
        track.credits.get().artist.get_absolute_url(),
        Genre.objects.get(name="folk").get_absolute_url(),
        reverse("recommender:similar", args=[track.pk]),
        reverse("recommender:why", args=shown),
        reverse("recommender:menu", args=shown),
        reverse("recommender:song_menu", args=[track.pk]),
        reverse("recommender:song_why", args=[Track.objects.get(title="Song 9.3").pk]),
        album_url(track),
        "/journey/",
        f"/journey/?start={track.pk}&q=song",
        f"/journey/?start={track.pk}&goal={Track.objects.get(title='Song 9.0').pk}",
        "/taste/",
        "/week/",
        user.weekly_lists.get().get_absolute_url(),
        "/week/follow/",
        "/blends/",
        reverse("recommender:blend", args=[Blend.objects.get(name="Kitchen").pk]),
        reverse("recommender:blend_invitation", args=[BlendInvitation.objects.get(username=user.username).pk]),
        reverse("recommender:week_email_end", args=[end_token(user.pk)]),
        "/start/",
        "/start/artists/",
        "/start/adventure/",
        "/ratings/",
        "/ratings/?value=dislikes",
        "/history/",
        "/history/?q=zzyzx",
        "/history/import/",
        "/history/doubles/",
        "/players/",
        "/players/servers/",
        reverse("feedback:music_server_link", args=[MusicServer.objects.get().pk]),
        reverse("feedback:player_match", args=[user.scrobbled_songs.get().pk]),
        reverse("feedback:history_import", args=[user.history_imports.get().pk]),
        "/statistics/",
        reverse("feedback:year", args=[timezone.now().year]),
        reverse("feedback:year_shared", args=[token_of(share_year(user=user, year=timezone.now().year, days=7))]),
        "/spotify/",
        "/spotify/playlists/",
        "/playlists/",
        playlist.get_absolute_url(),
        reverse("recommender:playlist_fill", args=[playlist.pk]),
        reverse("feedback:track_playlists", args=[track.pk]),
        "/profile/",
        "/profile/tokens/",
        "/profile/data/",
        "/profile/delete/",
        "/spotify/disconnect/",
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/reauthenticate/",
        "/accounts/logout/",
        "/accounts/two-factor/",
        "/accounts/two-factor/reauthenticate/",
        "/accounts/two-factor/totp/deactivate/",
        "/accounts/two-factor/recovery-codes/",
        "/accounts/two-factor/recovery-codes/generate/",
        "/accounts/two-factor/webauthn/",
        "/accounts/two-factor/webauthn/add/",
        "/operator/",
        "/operator/quality/",
        "/operator/experiments/",
        reverse("recommender:experiment", args=[Experiment.objects.get().pk]),
    ]


def names_of_addresses(patterns: list[URLPattern | URLResolver], space: str = "") -> set[str]:
    """Return the names of all addresses outside the API, the administration and the player, which sends parts alone."""
    names = set()
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            names |= {space + pattern.name} if pattern.name else set()
        elif pattern.namespace not in ("admin", "player") and not str(pattern.namespace or "").startswith("api"):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            names |= names_of_addresses(pattern.url_patterns, inner)
    return names


def test_no_page_is_forgotten(user: User) -> None:
    seen = {resolve(path.partition("?")[0]).view_name for path in (*ANONYMOUS, *pages_of(user)) if path != "/nowhere/"}
    assert names_of_addresses(get_resolver().url_patterns) - seen == (FORMS_ALONE | FILES | PARTS | WITH_PASSKEY)


def findings(page: Page, address: str) -> list[str]:
    """Return what axe-core finds wrong on a page, with the first place of each."""
    page.goto(address)
    return findings_here(page, address)


def findings_here(page: Page, address: str) -> list[str]:
    """Return what axe-core finds wrong on the page as it stands."""
    # Evaluated by the browser's own hand: the page's content security policy lets no script tag in.
    page.evaluate(AXE.read_text() + ";undefined")
    violations = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(run => run.violations)")
    # In the dark nothing but colours changes.
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    violations += page.evaluate("axe.run(document, {runOnly: ['color-contrast']}).then(run => run.violations)")
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    return [
        f"{address}: {rule['id']} ({rule['impact']}): {rule['nodes'][0]['html'][:160]} [{len(rule['nodes'])}]"
        for rule in violations
        if rule["impact"] in BAD
    ]


@pytest.mark.parametrize("width", [360, 1400])
def test_no_page_shuts_anybody_out(
    new_context: Callable[..., BrowserContext], live_server: LiveServer, user: User, width: int
) -> None:
    if not AXE.is_file():
        missing("axe-core was not fetched (make setup)", required_by="REQUIRE_BROWSER")
    site = str(live_server.url)
    context = new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    violations = [finding for path in ANONYMOUS for finding in findings(page, site + path)]
    client = Client()
    client.force_login(user)
    assert client.post("/accounts/reauthenticate/", {"password": "secret-word"}).status_code == 302
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    for path in pages_of(user):
        violations += findings(page, site + path)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            violations.append(f"{path}: wider than the screen")
    assert not violations, "\n".join(violations)


def test_the_pages_of_whom_a_proxy_logs_in(
    new_context: Callable[..., BrowserContext], live_server: LiveServer, settings: Any
) -> None:
    if not AXE.is_file():
        missing("axe-core was not fetched (make setup)", required_by="REQUIRE_BROWSER")
    settings.TRUSTED_PROXY_AUTH_HEADER, settings.TRUSTED_PROXY_ADDRESSES = "Remote-User", ["127.0.0.1"]
    context = new_context(viewport={"width": 360, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    wrong = [finding for path in ("accounts/signup/", "") for finding in findings(page, f"{live_server.url}/{path}")]
    context.set_extra_http_headers({"Remote-User": "clara"})
    for path in ("/profile/", "/accounts/password/change/", "/profile/delete/"):
        wrong += findings(page, live_server.url + path)
    expect(page.get_by_label("Your username")).to_be_visible()
    assert not wrong, "\n".join(wrong)


def test_nothing_that_opens_over_a_page_shuts_anybody_out(
    new_context: Callable[..., BrowserContext], live_server: LiveServer, user: User
) -> None:
    if not AXE.is_file():
        missing("axe-core was not fetched (make setup)", required_by="REQUIRE_BROWSER")
    site = str(live_server.url)
    context = new_context(viewport={"width": 360, "height": 800}, reduced_motion="reduce")
    client = Client()
    client.force_login(user)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    page = context.new_page()
    page.goto(f"{site}/")
    page.locator(".feed-section a.track-reason").first.click()
    expect(page.locator("#sheet .why-chart")).to_be_visible()
    violations = findings_here(page, "why")
    page.locator("#sheet").get_by_role("link", name="More options").click()
    expect(page.get_by_label("What not to recommend")).to_be_visible()
    violations += findings_here(page, "menu")
    page.keyboard.press("Escape")
    page.locator("#site-search").fill("song")
    expect(page.locator(".suggestions")).to_be_visible()
    violations += findings_here(page, "suggestions")
    page.locator("#site-search").fill("")
    expect(page.locator(".suggestions")).to_have_count(0)
    page.locator(".feed-section").first.get_by_role("button", name=re.compile("^Play (?!all)")).first.click()
    expect(page.locator(".player-title")).to_be_visible()
    violations += findings_here(page, "player")
    page.locator(".feed-section").first.get_by_role("button", name=re.compile("^Like ")).first.click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    violations += findings_here(page, "undo")
    assert not violations, "\n".join(violations)
