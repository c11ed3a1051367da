"""Every fault in every call: the named error the caller gets, in time, with no sleep and no other exception."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.spotify import NeedsReconnect, NotPermitted, RateLimited, SpotifyError, Unavailable
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import FAULTS, Fault
from accounts.spotify.tests.worlds import connected, song
from accounts.spotify.web_api import circuit_breaker
from accounts.spotify.web_api.client import SpotifyClient, client_for
from accounts.spotify.web_api.http import PAGE_SECONDS
from jobs.tests.helpers import busy

LIMIT_SECONDS = 3.0
# What other processes may take of the processor meanwhile; without its limit, a call would take much longer.
BUSY_SECONDS = 1.0
# Calls whose whole time on a page is sat out; the others are given less where a fault waits, so that tests end sooner.
IN_FULL = ("my_id", "pause")
WAITING = ("timeout", "slow", "drip")
LESS_SECONDS = 1.2
READS: dict[str, Callable[[SpotifyClient], Any]] = {
    "my_id": lambda client: client.my_id(),
    "top_tracks": lambda client: client.top_tracks(),
    "saved_tracks": lambda client: client.saved_tracks(),
    "recently_played": lambda client: client.recently_played(),
    "followed_artists": lambda client: client.followed_artists(),
    "search_tracks": lambda client: client.search_tracks("song"),
    "track": lambda client: client.track(song(1).id),
    "my_playlists": lambda client: client.my_playlists(my_id="ada"),
    "playlist_tracks": lambda client: client.playlist_tracks("p" * 22),
    "playlist_length": lambda client: client.playlist_length("p" * 22),
    "is_in_library": lambda client: client.is_in_library("spotify:playlist:" + "p" * 22),
    "devices": lambda client: client.devices(),
    "player_state": lambda client: client.player_state(),
}
COMMANDS: dict[str, Callable[[SpotifyClient], Any]] = {
    "set_playlist_tracks": lambda client: client.set_playlist_tracks("p" * 22, ["spotify:track:" + song(1).id]),
    "append_playlist_tracks": lambda client: client.append_playlist_tracks("p" * 22, ["spotify:track:" + song(1).id]),
    "start_playback": lambda client: client.start_playback("laptop", "spotify:track:" + song(1).id),
    "pause": lambda client: client.pause("laptop"),
    "resume": lambda client: client.resume("laptop"),
    "seek": lambda client: client.seek(1, "laptop"),
    "transfer": lambda client: client.transfer("laptop"),
}
WRITES: dict[str, Callable[[SpotifyClient], Any]] = {
    "create_playlist": lambda client: client.create_playlist("Mine"),
    **COMMANDS,
}
CALLS = {**READS, **WRITES}
# What each fault is to whoever calls; None: it does what was asked.
EXPECTED: dict[str, type[SpotifyError] | None] = {
    "429": RateLimited,
    "quota": RateLimited,
    "500": Unavailable,
    "403": NotPermitted,
    "timeout": Unavailable,
    "slow": None,
    "drip": Unavailable,
    "drop": Unavailable,
    "lost": Unavailable,
    "expired": None,
    "revoked": NeedsReconnect,
    "malformed": Unavailable,
    "odd": Unavailable,
}


def expected_of(fault: str, call: str) -> type[SpotifyError] | None:
    # Nobody reads what a command is answered; an odd state of the player is one where nothing plays.
    if fault in ("malformed", "odd") and call in COMMANDS:
        return None
    return None if (fault, call) == ("odd", "player_state") else EXPECTED[fault]


def outcome(call: Callable[[], Any]) -> tuple[type[SpotifyError] | None, float]:
    start = time.monotonic()
    error: SpotifyError | None = None
    try:
        call()
    except SpotifyError as raised:
        error = raised
    seconds = time.monotonic() - start
    assert error is None or error.message
    return (None if error is None else type(error)), seconds


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", CALLS)
def test_every_fault_in_every_call(ada: User, sandbox: SandboxServer, fault: str, name: str) -> None:
    connected(ada, sandbox)
    listener = sandbox.world.listeners["ada"]
    sandbox.world.add_playlist(listener, "Old", "", public=False).id = "p" * 22
    (playlist,) = sandbox.world.playlists.values()
    sandbox.world.playlists = {playlist.id: playlist}
    if name in ("pause", "seek"):
        listener.player.device_id = "laptop"
        listener.player.run()
    sandbox.world.slow_seconds = 0.3
    # More than one, for reading is tried twice; one where the second try is to succeed.
    sandbox.world.faults.append(Fault(fault, "/v1/", times=1 if fault in ("expired", "revoked") else 2))

    seconds_given = LESS_SECONDS if fault in WAITING and name not in IN_FULL else PAGE_SECONDS
    error, seconds = outcome(lambda: CALLS[name](client_for(ada, seconds=seconds_given)))

    assert error == expected_of(fault, name)
    assert seconds < seconds_given + LIMIT_SECONDS - PAGE_SECONDS + busy(BUSY_SECONDS)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_in_a_refresh(ada: User, sandbox: SandboxServer, fault: str) -> None:
    connected(ada, sandbox, seconds=1)
    sandbox.world.slow_seconds = 0.3
    sandbox.world.faults.append(Fault(fault, "/api/token", times=1))

    error, seconds = outcome(lambda: client_for(ada).my_id())

    # 403 is no answer that the accounts service gives to a refresh.
    assert error == {**EXPECTED, "403": Unavailable}[fault]
    assert seconds < LIMIT_SECONDS + busy(BUSY_SECONDS)
    account = SpotifyAccount.objects.get()
    assert account.needs_reconnect is (fault == "revoked")
    assert bool(account.refresh_token) is (fault != "revoked")
    assert account.lease_until is None


def test_reading_is_tried_twice_and_writing_once(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)
    sandbox.world.faults.append(Fault("500", "/v1/", times=1))
    assert client_for(ada).my_id() == "ada"
    sandbox.world.faults.append(Fault("500", "/v1/", times=1))
    with pytest.raises(Unavailable):
        client_for(ada).create_playlist("Mine")

    statuses = [(call[0], call[2]) for call in sandbox.world.calls]
    assert statuses == [("GET", 500), ("GET", 200), ("POST", 500)]
    assert sandbox.world.playlists == {}


def test_until_when_spotify_wants_no_calls_is_remembered(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)
    sandbox.world.faults.append(Fault("quota", "/v1/", retry_after=90))
    with pytest.raises(RateLimited) as first:
        client_for(ada).my_id()

    with pytest.raises(RateLimited) as second:
        client_for(ada).search_tracks("song")

    assert len(sandbox.world.calls) == 1
    assert timedelta(seconds=85) < first.value.until - timezone.now() <= timedelta(seconds=90)
    assert abs(first.value.until - second.value.until) < timedelta(milliseconds=1)


def test_when_spotify_is_down_it_is_left_alone_for_a_while(
    ada: User, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected(ada, sandbox)
    sandbox.world.faults.append(Fault("500", "/v1/", times=circuit_breaker.FAILURES))
    for _number in range(circuit_breaker.FAILURES):
        assert outcome(lambda: client_for(ada).create_playlist("Mine"))[0] is Unavailable
    calls_before = len(sandbox.world.calls)

    error, seconds = outcome(lambda: client_for(ada).my_id())
    assert (error, len(sandbox.world.calls)) == (Unavailable, calls_before)
    assert seconds < busy(1)

    # It is up again: the first call after the pause finds out.
    later = timezone.now() + timedelta(seconds=circuit_breaker.OPEN_SECONDS + 1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert client_for(ada).my_id() == "ada"
    monkeypatch.undo()
    assert client_for(ada).my_id() == "ada"


def test_no_server_at_all(ada: User, sandbox: SandboxServer, settings: Any) -> None:
    connected(ada, sandbox)
    settings.SPOTIFY_API_URL = "http://127.0.0.1:9/v1/"

    error, seconds = outcome(lambda: client_for(ada).my_id())

    assert error is Unavailable
    assert seconds < LIMIT_SECONDS + busy(BUSY_SECONDS)


def test_ten_calls_of_one_page_share_its_time(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)
    sandbox.world.slow_seconds = 0.6
    sandbox.world.faults.append(Fault("slow", "/v1/", times=99))
    client = client_for(ada)

    _error, seconds = outcome(lambda: [client.my_id() for _number in range(10)])

    assert seconds < LIMIT_SECONDS + busy(BUSY_SECONDS)
