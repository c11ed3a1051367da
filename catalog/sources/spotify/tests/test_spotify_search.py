"""Searching on Spotify and adding a song, against the sandbox over HTTP."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import FAULTS, Fault
from accounts.spotify.tests.worlds import connected, running_sandbox, song
from accounts.spotify.web_api.parsing import SpotifyTrack
from catalog.models import Track
from catalog.tests.factories import make_track
from jobs.tests.helpers import busy


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        yield server


@pytest.fixture
def listener(db: None, client: Client) -> User:
    user = User.objects.create_user("ada", "ada@example.org", "long-and-odd-7")
    client.force_login(user)
    return user


def add(client: Client, number: int) -> str:
    answer = client.post(reverse("catalog:spotify_add"), {"song": song(number).id}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_search_page_offers_it_to_whoever_is_connected(
    client: Client, listener: User, sandbox: SandboxServer
) -> None:
    page = reverse("catalog:search") + "?q=song"
    assert "Search Spotify for" not in client.get(page).content.decode()

    connected(listener, sandbox)

    assert "Search Spotify for “song”" in client.get(page).content.decode()
    # It asks only when one clicks.
    assert sandbox.world.calls == []


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_search(client: Client, listener: User, sandbox: SandboxServer, headers: dict[str, str]) -> None:
    connected(listener, sandbox)
    here = make_track("Song 70", spotify_id=song(70).id)

    page = client.get(reverse("catalog:spotify_search"), {"q": "guest 7"}, headers=headers).content.decode()

    assert ("<html" in page) == (not headers)
    assert f'value="{song(7).id}"' in page
    assert f'value="{song(70).id}"' not in page
    assert f'href="{here.get_absolute_url()}"' in page
    # Spotify's mark stands beside what comes from there, with the way to it.
    for number in (7, 70):
        assert f'class="spotify-link" href="https://open.spotify.com/track/{song(number).id}"' in page


def test_a_song_is_added_with_all_that_is_known_and_estimated_features(
    client: Client, listener: User, sandbox: SandboxServer
) -> None:
    connected(listener, sandbox)
    for energy in (0.2, 0.4):
        make_track("Old", "Artist 2", features={"energy": energy}, features_origin="csv")

    page = add(client, 7)

    track = Track.objects.get(spotify_id=song(7).id)
    assert (track.title, track.album, track.isrc) == ("Song 7", "Album 7", "QZABC0000007")
    assert (track.artist_names, track.duration_ms, track.release_year) == ("Artist 2, Guest", 180_007, 2007)
    assert (track.origin, track.is_active, track.explicit) == ("spotify", True, False)
    assert (track.features, track.features_origin, track.energy) == ({"energy": 0.3}, "estimated", 0.3)
    assert track.cover_url.startswith("https://i.scdn.co/image/")
    assert f'<img src="{track.cover_url}" alt=""' in page
    assert "“Song 7” is now in the catalogue." in page
    assert "Estimated from similar songs, not measured." in page
    assert "found on Spotify" in page


def test_adding_it_again_changes_nothing(client: Client, listener: User, sandbox: SandboxServer) -> None:
    connected(listener, sandbox)
    add(client, 7)

    page = add(client, 7)

    assert Track.objects.filter(spotify_id=song(7).id).count() == 1
    assert "is already in the catalogue." in page


def test_a_recording_that_is_here_under_another_id_is_not_added(
    client: Client, listener: User, sandbox: SandboxServer
) -> None:
    connected(listener, sandbox)
    make_track("Its other release", isrc=song(7).isrc)

    assert "“Its other release” is already in the catalogue." in add(client, 7)
    assert Track.objects.count() == 1


def test_a_song_that_is_here_gets_its_cover(client: Client, listener: User, sandbox: SandboxServer) -> None:
    connected(listener, sandbox)
    known = "https://i.scdn.co/image/chosen-by-the-operator"
    make_track("Song 7", spotify_id=song(7).id)
    make_track("Song 8", spotify_id=song(8).id, cover_url=known)

    add(client, 7)
    add(client, 8)

    assert Track.objects.get(title="Song 7").cover_url.startswith("https://i.scdn.co/image/")
    assert Track.objects.get(title="Song 8").cover_url == known


def own_source(song: SpotifyTrack) -> dict[str, float]:
    """What an operator may name as FEATURE_SOURCE."""
    return {"QZABC0000007": {"energy": 0.9}, "QZABC0000008": {"energy": 1.7}}.get(song.isrc, {})


def broken_source(song: SpotifyTrack) -> dict[str, float]:
    raise KeyError(song.isrc)


@override_settings(FEATURE_SOURCE=f"{__name__}.own_source")
def test_features_from_the_operators_own_source(client: Client, listener: User, sandbox: SandboxServer) -> None:
    connected(listener, sandbox)

    page = add(client, 7)
    add(client, 8)
    add(client, 9)

    features_by_title = {track.title: (track.features, track.features_origin) for track in Track.objects.all()}
    assert features_by_title["Song 7"] == ({"energy": 0.9}, "source")
    # Song 8's are out of range; the source does not know song 9.
    assert features_by_title["Song 8"] == ({}, "")
    assert features_by_title["Song 9"] == ({}, "")
    assert "from this site&#x27;s own data" in page


@override_settings(FEATURE_SOURCE=f"{__name__}.broken_source")
def test_a_source_that_fails_is_logged_and_costs_no_song(
    client: Client, listener: User, sandbox: SandboxServer, caplog: pytest.LogCaptureFixture
) -> None:
    connected(listener, sandbox)

    add(client, 7)

    assert (Track.objects.get().features, Track.objects.get().features_origin) == ({}, "")
    assert [record.getMessage() for record in caplog.records if record.name == "catalog.sources.spotify.songs"] == [
        f"FEATURE_SOURCE {__name__}.broken_source failed"
    ]


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        ("", []),
        (f"{__name__}.own_source", []),
        ("nowhere.features", ["setting FEATURE_SOURCE: No module named 'nowhere'"]),
        (f"{__name__}.SAID", [f"setting FEATURE_SOURCE: {__name__}.SAID isn't callable."]),
    ],
)
def test_a_source_that_leads_nowhere_is_said_at_the_start(source: str, messages: list[str]) -> None:
    with override_settings(FEATURE_SOURCE=source):
        assert [error.msg for error in run_checks() if str(error.id).startswith("catalog.")] == messages


def test_what_the_operator_hid_stays_hidden(client: Client, listener: User, sandbox: SandboxServer) -> None:
    connected(listener, sandbox)
    make_track(spotify_id=song(7).id, is_active=False)

    assert "The site&#x27;s operator has hidden this song." in add(client, 7)
    assert not Track.objects.active().exists()


@override_settings(SPOTIFY_EXTENDED_ACCESS=True)
def test_where_spotify_refuses_features_the_song_comes_without(
    client: Client, listener: User, sandbox: SandboxServer
) -> None:
    connected(listener, sandbox)

    add(client, 7)

    track = Track.objects.get()
    assert (track.features, track.features_origin) == ({}, "")
    assert [call[1:] for call in sandbox.world.calls] == [
        (f"/v1/tracks/{song(7).id}", 200),
        (f"/v1/audio-features/{song(7).id}", 403),
    ]


@pytest.mark.parametrize("value", ["", "x", "../../me", "x" * 23])
def test_what_is_no_song(client: Client, listener: User, sandbox: SandboxServer, value: str) -> None:
    connected(listener, sandbox)

    page = client.post(reverse("catalog:spotify_add"), {"song": value}, follow=True).content.decode()

    assert "Spotify has no such song." in page
    assert sandbox.world.calls == []


SAID = {
    "429": "Spotify is limiting requests right now.",
    "quota": "Spotify is limiting requests right now.",
    "403": "Spotify doesn&#x27;t allow this.",
    "revoked": "Your Spotify connection has expired.",
}
QUIET = ("slow", "expired")


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_a_sentence_on_a_page(
    client: Client, listener: User, sandbox: SandboxServer, fault: str
) -> None:
    connected(listener, sandbox)
    # What the first page of a process loads is not what is timed.
    client.get(reverse("catalog:search"))
    sandbox.world.slow_seconds = 0.3
    asks: list[Callable[[], Any]] = [
        lambda: client.get(reverse("catalog:spotify_search"), {"q": "song"}),
        lambda: client.post(reverse("catalog:spotify_add"), {"song": song(8).id}, follow=True),
    ]
    for ask in asks:
        sandbox.world.faults = [Fault(fault, "/v1/", times=1 if fault in (*QUIET, "revoked") else 2)]
        start = time.monotonic()

        answer = ask()

        # Three, and what other processes may take of the processor meanwhile.
        seconds = time.monotonic() - start
        assert seconds < 3 + busy(1)
        assert answer.status_code == 200
        expected = "Song 8" if fault in QUIET else SAID.get(fault, "Spotify isn&#x27;t responding.")
        assert expected in answer.content.decode()


def test_visitors_are_asked_to_log_in(client: Client, db: None) -> None:
    assert client.get(reverse("catalog:spotify_search")).status_code == 302
    assert client.post(reverse("catalog:spotify_add")).status_code == 302
