"""Connecting, signing in and disconnecting, through the sandbox's own pages; what may go wrong on the way."""

import logging
import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User
from accounts.spotify import Unavailable
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import Fault
from accounts.spotify.tests.worlds import callback_of, come_back, connected, running_sandbox
from accounts.spotify.web_api.client import client_for

HOST = "127.0.0.1:8000"


@pytest.fixture(autouse=True)
def _hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]


@pytest.fixture
def listener(ada: User) -> Client:
    client = Client(headers={"host": HOST})
    client.force_login(ada)
    return client


def said(client: Client) -> list[str]:
    page = client.get(reverse("account_login" if "_auth_user_id" not in client.session else "accounts:profile"))
    return [unescape(text) for text in re.findall(r'class="toast-text">([^<]+)<', page.content.decode())]


def test_connect(listener: Client, ada: User, sandbox: SandboxServer) -> None:
    back = come_back(listener, callback_of(listener, reverse("spotify_login")))

    assert (back.status_code, back["Location"]) == (302, reverse("accounts:profile"))
    account = SpotifyAccount.objects.get()
    assert (account.user, str(account), account.needs_reconnect) == (ada, "Ada", False)
    assert account.account_id == sandbox.world.listeners["ada"].account_id
    assert account.permits("user-top-read")
    assert client_for(ada).my_id() == "ada"
    assert b"Connected as <strong>Ada</strong>" in listener.get(reverse("accounts:profile")).content


def test_the_request_has_pkce_state_and_no_secret(listener: Client, sandbox: SandboxServer) -> None:
    sent = listener.post(reverse("spotify_login") + "?scope=ugc-image-upload&auth_params=show_dialog%3Dtrue")

    query = dict(part.split("=", 1) for part in urlsplit(sent["Location"]).query.split("&"))
    assert sent["Location"].startswith(f"{sandbox.url}/authorize?")
    assert (query["response_type"], query["code_challenge_method"], query["client_id"]) == ("code", "S256", "sandbox")
    assert len(query["code_challenge"]) == 43
    assert len(query["state"]) >= 16
    assert "sandbox-secret" not in sent["Location"]
    assert "ugc-image-upload" not in sent["Location"]
    assert "show_dialog" not in sent["Location"]


def test_connecting_is_a_post(listener: Client, sandbox: SandboxServer) -> None:
    assert listener.get(reverse("spotify_login")).status_code == 405
    checking = Client(enforce_csrf_checks=True, headers={"host": HOST})
    checking.cookies = listener.cookies
    assert checking.post(reverse("spotify_login")).status_code == 403


def test_without_an_app_nothing_is_offered(listener: Client, ada: User) -> None:
    assert listener.post(reverse("spotify_login")).status_code == 404
    assert b"Connect Spotify" not in listener.get(reverse("accounts:profile")).content


def test_localhost_is_told_before_the_journey(ada: User, sandbox: SandboxServer) -> None:
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(ada)

    back = client.post(reverse("spotify_login"))

    assert back["Location"] == reverse("accounts:profile")
    assert "http://127.0.0.1:8000" in " ".join(said(client))


def test_no_is_an_answer(listener: Client, sandbox: SandboxServer) -> None:
    come_back(listener, callback_of(listener, reverse("spotify_login"), answer="cancel"))

    assert said(listener) == ["Spotify isn't connected, because you declined on Spotify's page."]
    assert not SpotifyAccount.objects.exists()


def test_whoever_is_not_on_the_apps_list_is_told(listener: Client, sandbox: SandboxServer) -> None:
    come_back(listener, callback_of(listener, reverse("spotify_login"), listener="eve"))

    assert said(listener)[0].startswith("Spotify doesn't allow this. Either the site's operator has to add you")
    assert not SpotifyAccount.objects.exists()


@pytest.mark.parametrize("changed", ["state", "code"])
def test_a_forged_answer_is_refused(listener: Client, sandbox: SandboxServer, changed: str) -> None:
    url = re.sub(rf"\b{changed}=[^&]+", f"{changed}=forged", callback_of(listener, reverse("spotify_login")))

    come_back(listener, url)

    assert said(listener) == ["We couldn't connect Spotify because it sent an unexpected reply. Please try again."]
    assert not SpotifyAccount.objects.exists()


def test_an_answer_is_good_for_the_browser_that_asked(listener: Client, sandbox: SandboxServer) -> None:
    url = callback_of(listener, reverse("spotify_login"))
    other = Client(headers={"host": HOST})
    other.force_login(User.objects.create_user("bo", "bo@example.org", "long-and-odd-7"))

    come_back(other, url)

    assert not SpotifyAccount.objects.exists()


def test_a_spotify_account_is_never_moved(listener: Client, ada: User, sandbox: SandboxServer) -> None:
    other = User.objects.create_user("bo", "bo@example.org", "long-and-odd-7")
    connected(other, sandbox)

    come_back(listener, callback_of(listener, reverse("spotify_login")))

    assert said(listener) == ["That Spotify account is already connected to another account here."]
    assert SpotifyAccount.objects.get().user == other


def test_reconnecting_takes_the_place_of_what_was(listener: Client, ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox, "bo")
    SpotifyAccount.objects.update(needs_reconnect=True, access_token="", refresh_token="")
    assert b"Reconnect Spotify" in listener.get(reverse("accounts:profile")).content

    come_back(listener, callback_of(listener, reverse("spotify_login")))

    assert str(SpotifyAccount.objects.get()) == "Ada"
    assert SocialAccount.objects.get().uid == sandbox.world.listeners["ada"].account_id
    assert client_for(ada).my_id() == "ada"


def test_disconnecting_deletes_the_tokens_at_once(listener: Client, ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)

    listener.post(reverse("feedback:spotify_disconnect"), {"imports": "keep"})

    assert said(listener) == ["Spotify is disconnected, and its access tokens have been deleted."]
    assert not SpotifyAccount.objects.exists()
    assert not SocialAccount.objects.exists()
    assert b"Connect Spotify" in listener.get(reverse("accounts:profile")).content


# --- Signing in ---
def test_signing_in_is_off_unless_the_operator_wants_it(ada: User, sandbox: SandboxServer) -> None:
    client = Client(headers={"host": HOST})

    assert client.post(reverse("spotify_sign_in")).status_code == 404
    assert b"Log in with Spotify" not in client.get(reverse("account_login")).content


@override_settings(SPOTIFY_SIGN_IN=True)
def test_whoever_connected_can_sign_in(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)
    client = Client(headers={"host": HOST})
    assert b"Log in with Spotify" in client.get(reverse("account_login")).content

    come_back(client, callback_of(client, reverse("spotify_sign_in")))

    assert client.session["_auth_user_id"] == str(ada.pk)


@override_settings(SPOTIFY_SIGN_IN=True)
def test_an_unknown_spotify_account_makes_no_listener_and_takes_none(ada: User, sandbox: SandboxServer) -> None:
    client = Client(headers={"host": HOST})

    come_back(client, callback_of(client, reverse("spotify_sign_in")))

    assert "_auth_user_id" not in client.session
    assert User.objects.count() == 1
    assert said(client)[0].startswith("That Spotify account isn't connected to an account here.")


@override_settings(SPOTIFY_SIGN_IN=True)
def test_where_it_signs_in_connecting_asks_for_the_password(listener: Client, sandbox: SandboxServer) -> None:
    back = listener.post(reverse("spotify_login"))

    assert back["Location"].startswith(reverse("account_reauthenticate"))


# --- Where tokens are not ---
def test_tokens_are_nowhere_but_encrypted_in_their_row(
    listener: Client, ada: User, sandbox: SandboxServer, caplog: pytest.LogCaptureFixture
) -> None:
    # All that any library says; but for spotipy, which the settings keep from saying anything.
    caplog.set_level(logging.DEBUG)
    come_back(listener, callback_of(listener, reverse("spotify_login")))
    SpotifyAccount.objects.update(expires_at="2026-01-01T00:00:00Z")
    client_for(ada).search_tracks("song")
    sandbox.world.faults += [Fault("500", "/v1/"), Fault("malformed", "/v1/"), Fault("500", "/v1/")]
    with pytest.raises(Unavailable) as failed:
        client_for(ada).create_playlist("Mine")
    account = SpotifyAccount.objects.get()
    secrets = {str(account.access_token), str(account.refresh_token), *sandbox.world.access, *sandbox.world.refresh}
    assert len(secrets) >= 3

    from django.views.debug import ExceptionReporter

    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token, refresh_token FROM accounts_spotify_spotifyaccount")
        raw = str(cursor.fetchall())
    # Without this function's own frame, which knows the secrets.
    report = ExceptionReporter(None, failed.type, failed.value, failed.tb.tb_next).get_traceback_html()
    assert "_call" in report
    pages = [listener.get(reverse(name)).content.decode() for name in ("accounts:profile", "feedback:spotify")]
    sessions = str([session.get_decoded() for session in Session.objects.all()])
    calls = str(sandbox.world.calls)
    for index in (raw, report, *pages, sessions, calls, caplog.text, repr(account.access_token), repr(vars(account))):
        assert not [secret for secret in secrets if secret in index]
    assert not SocialToken.objects.exists()
    assert SocialAccount.objects.get().extra_data == {}


KEY_ONE, KEY_TWO = "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=", "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="


def test_keys_are_rotated(ada: User) -> None:
    with running_sandbox() as sandbox, override_settings(SPOTIFY_TOKEN_KEYS=[KEY_ONE]):
        before = connected(ada, sandbox)
        with override_settings(SPOTIFY_TOKEN_KEYS=[KEY_TWO, KEY_ONE]):
            call_command("rotate_spotify_keys", verbosity=0)
        with override_settings(SPOTIFY_TOKEN_KEYS=[KEY_TWO]):
            assert SpotifyAccount.objects.get().refresh_token == before.refresh_token
            assert client_for(ada).my_id() == "ada"


def test_a_lost_key_is_a_reconnect_and_no_error_page(listener: Client, ada: User, sandbox: SandboxServer) -> None:
    with override_settings(SPOTIFY_TOKEN_KEYS=[KEY_ONE]):
        connected(ada, sandbox)
    with override_settings(SPOTIFY_TOKEN_KEYS=[KEY_TWO]):
        assert listener.get(reverse("accounts:profile")).status_code == 200
        assert b"has expired" in listener.get(reverse("feedback:spotify_playlists")).content
        with pytest.raises(CommandError, match="1 can't be decrypted"):
            call_command("rotate_spotify_keys", verbosity=0)
    with override_settings(SPOTIFY_TOKEN_KEYS=[KEY_ONE]):
        assert client_for(ada).my_id() == "ada"
