"""The client through real spotipy over HTTP against the sandbox: what each call returns."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.spotify import NotConnected, NotPermitted, Refused, Unavailable
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import Fault
from accounts.spotify.tests.worlds import connected, song
from accounts.spotify.web_api import circuit_breaker
from accounts.spotify.web_api.client import client_for
from accounts.spotify.web_api.parsing import MalformedError, played_of, playlist_of, track_of


def test_a_found_song_comes_with_all_that_is_known(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)

    tracks = client_for(ada).search_tracks("song 7 guest")

    assert [item.title for item in tracks] == ["Song 7", "Song 70", "Song 77"]
    first = client_for(ada).track(song(7).id)
    assert first == tracks[0]
    assert (first.artists, first.album, first.isrc) == (("Artist 2", "Guest"), "Album 7", "QZABC0000007")
    assert (first.duration_ms, first.explicit, first.release_year, first.preview_url) == (180_007, False, 2007, "")
    assert first.cover_url.startswith("https://i.scdn.co/image/")
    assert first.cover_url.endswith("300")
    assert first.uri == f"spotify:track:{song(7).id}"


def test_search_asks_for_no_more_than_spotify_gives(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)

    assert len(client_for(ada).search_tracks("song")) == 10


def test_a_song_that_is_not_there(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)

    with pytest.raises(Refused) as refused:
        client_for(ada).track("x" * 22)
    assert refused.value.status == 404


def test_lists_come_in_pages(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)
    client = client_for(ada)

    first = client.top_tracks()
    last = client.top_tracks(offset=first.next or "")

    assert (len(first.items), first.next, first.total) == (50, "50", 60)
    assert (len(last.items), last.next, last.total) == (10, None, 60)
    assert [track.id for track in [*first.items, *last.items]] == [song(number).id for number in range(60)]
    assert [track.id for track in client.saved_tracks().items] == [song(number).id for number in range(20, 70)]


def test_recent_plays_and_followed_artists(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)
    client = client_for(ada)

    plays = client.recently_played().items

    assert [play.track.id for play in plays] == [song(number).id for number in range(30)]
    assert timezone.now() - plays[0].played_at < timedelta(minutes=8)
    assert client.followed_artists().items == ["Artist 0", "Artist 1"]


def test_playlists_are_made_filled_and_read(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)
    client = client_for(ada, seconds=20)
    uris = [f"spotify:track:{song(number).id}" for number in range(120)]

    made = client.create_playlist("Mine", "From here")
    client.set_playlist_tracks(made, uris)
    assert client.playlist_length(made) == 100
    client.append_playlist_tracks(made, uris[100:])

    (shown,) = client.my_playlists(my_id=client.my_id()).items
    assert (shown.id, shown.name, shown.total, shown.is_own) == (made, "Mine", 120, True)
    pages = [client.playlist_tracks(made, offset=offset) for offset in ("0", "50", "100")]
    assert [page.next for page in pages] == ["50", "100", None]
    assert [item.uri for page in pages for item in page.items] == uris
    assert sandbox.world.playlists[made].public is False
    client.set_playlist_tracks(made, uris[:2])
    assert [item.uri for item in client.playlist_tracks(made).items] == uris[:2]


def test_playing(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)
    client = client_for(ada, seconds=20)
    assert client.player_state() is None
    with pytest.raises(Refused) as refused:
        client.pause()
    assert (refused.value.status, refused.value.reason) == (404, "NO_ACTIVE_DEVICE")

    (device,) = client.devices()
    client.transfer(device.id)
    client.start_playback(device.id, f"spotify:track:{song(3).id}", 5_000)
    client.pause()
    client.seek(9_000)
    client.resume()

    state = client.player_state()
    assert state is not None
    assert state.track is not None
    assert (state.is_playing, state.track.title) == (True, "Song 3")
    assert 9_000 <= state.position_ms < 19_000
    assert (device.name, device.is_active, state.device and state.device.is_active) == ("Ada's laptop", False, True)


def test_only_premium_listeners_play(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox, "bo")

    with pytest.raises(NotPermitted) as refused:
        client_for(ada).start_playback("phone", f"spotify:track:{song(3).id}")

    assert refused.value.needs_premium


def test_features_are_closed_to_apps_of_today(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)

    with pytest.raises(NotPermitted):
        client_for(ada).audio_features(song(3).id)


def test_without_a_connection_nothing_is_asked(ada: User, sandbox: SandboxServer) -> None:
    with pytest.raises(NotConnected):
        client_for(ada).search_tracks("song")

    assert sandbox.world.calls == []


def test_tokens_are_refreshed_ahead_of_time(ada: User, sandbox: SandboxServer) -> None:
    before = connected(ada, sandbox, seconds=100)

    token = client_for(ada).access_token()

    after = SpotifyAccount.objects.get()
    assert sandbox.world.calls == [("POST", "/api/token", 200)]
    assert token.value == after.access_token != before.access_token
    # None came back: the old one stays.
    assert after.refresh_token == before.refresh_token
    assert after.expires_at - timezone.now() > timedelta(minutes=59)
    assert client_for(ada).access_token() == token
    assert len(sandbox.world.calls) == 1


def test_a_new_refresh_token_is_kept(ada: User, sandbox: SandboxServer) -> None:
    before = connected(ada, sandbox, seconds=100)
    sandbox.world.refresh_rotates = True

    client_for(ada).access_token()

    after = SpotifyAccount.objects.get()
    assert after.refresh_token != before.refresh_token
    SpotifyAccount.objects.update(expires_at=timezone.now())
    assert client_for(ada).my_id() == "ada"


def test_a_token_that_is_refused_early_is_refreshed_once(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)
    sandbox.world.faults.append(Fault("expired", "/v1/me"))

    assert client_for(ada).my_id() == "ada"

    assert [call[1:] for call in sandbox.world.calls] == [("/v1/me/", 401), ("/api/token", 200), ("/v1/me/", 200)]


def test_a_good_token_is_used_while_it_cannot_be_refreshed(ada: User, sandbox: SandboxServer) -> None:
    before = connected(ada, sandbox, seconds=100)
    sandbox.world.faults.append(Fault("500", "/api/token"))

    assert client_for(ada).access_token().value == before.access_token

    assert SpotifyAccount.objects.get().lease_until is None


def test_what_no_database_takes_is_left_out_of_texts() -> None:
    answer = {"id": "a" * 22, "name": "One\\u0000 two\\ud800", "artists": [{"name": "\\udfffGuest"}]}
    parsed = track_of(json.loads(json.dumps(answer).replace("\\\\", "\\")))

    assert (parsed.title, parsed.artists) == ("One two", ("Guest",))
    assert playlist_of({"id": "p", "name": "\ud83d"}, "ada").name == ""
    with pytest.raises(MalformedError):
        track_of({**answer, "name": "\x00"})
    # Letters that are no letters of an id.
    with pytest.raises(MalformedError):
        track_of({**answer, "id": "\u00e9" * 22})
    for moment in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-11-25T10:00:00", "soon", 7):
        with pytest.raises(MalformedError):
            played_of({"played_at": moment, "track": {**answer, "name": "One"}})


def test_a_call_that_had_no_time_says_nothing_of_spotify(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)
    sandbox.world.slow_seconds = 1.0
    sandbox.world.faults.append(Fault("slow", "/v1/", times=circuit_breaker.FAILURES))
    for _number in range(circuit_breaker.FAILURES):
        with pytest.raises(Unavailable):
            client_for(ada, seconds=0.3).my_id()

    # Others are let through.
    assert client_for(ada).my_id() == "ada"
