"""The listener's own Spotify for the player, against the sandbox."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.tests.worlds import connected, running_sandbox, song
from catalog.models import Track
from feedback.tests.factories import make_track

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        yield server


@pytest.fixture
def track(sandbox: SandboxServer) -> Track:
    return make_track("Song 1", spotify_id=song(1).id)


def post(client: Client, name: str, **values: Any) -> Any:
    return client.post(f"/player/spotify/{name}/", values)


def test_the_browser_gets_the_access_token_alone(listener: Client, user: User, sandbox: SandboxServer) -> None:
    account = connected(user, sandbox)
    answer = post(listener, "token")
    assert (answer.status_code, answer.json()["token"]) == (200, str(account.access_token))
    assert 3000 < answer.json()["expires_in"] <= 3600
    assert "no-store" in answer["Cache-Control"]
    assert str(account.refresh_token) not in answer.content.decode()
    assert listener.get("/player/spotify/token/").status_code == 405
    assert post(Client(), "token").status_code == 401


def test_commands_reach_the_device(listener: Client, user: User, sandbox: SandboxServer, track: Track) -> None:
    connected(user, sandbox)
    assert [device["id"] for device in post(listener, "devices").json()["devices"]] == ["laptop"]
    player = sandbox.world.listeners["ada"].player
    for values, expected in (
        ({"action": "transfer", "device": "laptop"}, ("laptop", False)),
        ({"action": "start", "track": track.pk, "position_ms": 5000}, ("laptop", True)),
        ({"action": "pause"}, ("laptop", False)),
        ({"action": "resume", "device": "laptop"}, ("laptop", True)),
    ):
        assert post(listener, "command", **values).status_code == 204, values
        assert (player.device_id, player.is_playing) == expected, values
    assert player.song_id == track.spotify_id
    post(listener, "command", action="seek", position_ms=7000)
    assert 7000 <= player.position_ms < 17_000
    devices = post(listener, "devices").json()["devices"]
    assert devices == [{"id": "laptop", "name": "Ada's laptop", "is_active": True}]


def test_what_plays_there_is_told(listener: Client, user: User, sandbox: SandboxServer, track: Track) -> None:
    connected(user, sandbox)
    names = {"played_as": "", "title": "", "artists": ""}
    nothing = {"device": "", "is_playing": False, "position_ms": 0, "track": "", **names}
    assert post(listener, "now").json() == nothing
    post(listener, "command", action="start", device="laptop", track=track.pk, position_ms=5000)
    body = post(listener, "now").json()
    assert 5000 <= body.pop("position_ms") < 15_000
    names = {"played_as": "", "title": "Song 1", "artists": "Artist 1"}
    assert body == {"device": "laptop", "is_playing": True, "track": track.spotify_id, **names}
    sandbox.world.listeners["ada"].player.stop()
    assert post(listener, "now").json()["is_playing"] is False


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"action": "dance"}, "action"),
        ({"action": "start"}, "track"),
        ({"action": "start", "track": "0"}, "track"),
        ({"action": "transfer"}, "device"),
        ({"action": "pause", "device": "a/b"}, "device"),
        ({"action": "seek", "position_ms": "-1"}, "position_ms"),
    ],
)
def test_bad_commands_are_named(listener: Client, values: dict[str, str], field: str) -> None:
    answer = post(listener, "command", **values)
    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])


def test_what_spotify_refuses_is_said_by_its_name(
    listener: Client, user: User, sandbox: SandboxServer, track: Track
) -> None:
    ada = sandbox.world.listeners["ada"]
    ada.devices.append({"id": "speaker", "name": "Speaker", "is_restricted": True})

    def refusal(**values: Any) -> tuple[str, str]:
        answer = post(listener, "command", **values)
        assert answer.status_code == 409
        return answer.json()["reason"], answer.json()["error"]

    start = {"action": "start", "track": track.pk}
    assert refusal(**start) == ("not_connected", "Connect Spotify in your profile first.")
    connected(user, sandbox, "bo")
    assert refusal(**start, device="phone") == ("premium", "That needs Spotify Premium.")
    SpotifyAccount.objects.all().delete()
    connected(user, sandbox, "eve")
    name, text = refusal(**start)
    assert (name, "Ask the site's operator to add you" in text) == ("not_listed", True)
    SpotifyAccount.objects.all().delete()
    connected(user, sandbox)
    name, text = refusal(**start)
    assert (name, text.startswith("None of your devices is active.")) == ("no_device", True)
    name, text = refusal(**start, device="gone")
    assert (name, text.startswith("That device isn't there any more.")) == ("device_gone", True)
    name, text = refusal(**start, device="speaker")
    assert (name, text.startswith("That device can't be controlled from here.")) == ("restricted_device", True)
    assert post(listener, "command", action="start", track=track.pk, device="laptop").status_code == 204
    restricted = "Spotify doesn't allow this for what is playing right now."
    assert refusal(action="resume", device="laptop") == ("restricted", restricted)
    ada.unplayable.add(str(track.spotify_id))
    assert refusal(**start, device="laptop") == ("restricted", restricted)
    sandbox.world.revoke("ada")
    assert refusal(**start, device="laptop")[0] == "reconnect"


def test_the_state_says_whether_the_account_can_be_used(
    listener: Client, user: User, sandbox: SandboxServer, settings: Any
) -> None:
    def told() -> Any:
        return listener.get("/player/state/").json()["spotify"]

    assert told() == {"connected": False, "streams": False}
    connected(user, sandbox)
    assert told() == {"connected": True, "streams": True}
    SpotifyAccount.objects.update(scopes="user-modify-playback-state")
    assert told() == {"connected": True, "streams": False}
    SpotifyAccount.objects.update(needs_reconnect=True)
    assert told() == {"connected": False, "streams": False}
    SpotifyAccount.objects.update(needs_reconnect=False)
    settings.SPOTIFY_PLAYER = False
    assert told() == {"connected": False, "streams": False}
    for name in ("token", "devices", "now", "command"):
        assert post(listener, name).status_code == 404
