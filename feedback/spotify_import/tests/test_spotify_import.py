"""Imports of a listener's songs from Spotify, and playlists both ways, against the sandbox over HTTP."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import Fault
from accounts.spotify.tests.worlds import connected, running_sandbox, song
from catalog.models import Track
from catalog.tests.factories import make_artist, make_track
from feedback.playlists.models import Playlist
from feedback.plays.models import Play
from feedback.preferences.models import ArtistPreference
from feedback.ratings.models import Rating
from feedback.spotify_import.models import SpotifyImport, SpotifyPlaylist, SpotifyPlaylistImport
from feedback.taste import interactions
from jobs.tests.helpers import run_waiting

ALL = ["top", "saved", "followed", "recent"]


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        yield server


@pytest.fixture
def listener(db: None, client: Client, sandbox: SandboxServer) -> User:
    user = User.objects.create_user("ada", "ada@example.org", "long-and-odd-7")
    client.force_login(user)
    connected(user, sandbox)
    return user


@pytest.fixture
def catalogue(db: None) -> list[Track]:
    """Songs 0 to 9 by id, 20 by ISRC alone, 30 by title and artist alone; and an artist who is followed."""
    by_id = [make_track(f"Song {n}", spotify_id=song(n).id) for n in range(10)]
    other = [make_track("Renamed", isrc=song(20).isrc), make_track("Song 30", "Artist 0")]
    return [*by_id, *other]


def bring(client: Client, *parts: str) -> str:
    answer = client.post(reverse("feedback:spotify"), {"parts": parts, "consent": "on"})
    assert (answer.status_code, answer["Location"]) == (302, reverse("feedback:spotify"))
    run_waiting()
    return client.get(reverse("feedback:spotify")).content.decode()


def test_songs_plays_and_artists_come_and_are_counted(client: Client, listener: User, catalogue: list[Track]) -> None:
    bring(client, *ALL)

    assert SpotifyImport.objects.get().counts == {
        "top": {"total": 60, "found": 60, "unreadable": 0, "matched": 12, "added": 12},
        "saved": {"total": 60, "found": 60, "unreadable": 0, "matched": 2, "added": 0},
        "followed": {"total": 2, "found": 2, "unreadable": 0, "matched": 1, "added": 1},
        "recent": {"total": 30, "found": 30, "unreadable": 0, "matched": 11, "added": 11},
    }
    assert set(Rating.objects.values_list("track_id", "value", "source")) == {(t.pk, 1, "spotify") for t in catalogue}
    assert set(Play.objects.values_list("source", "outcome")) == {("spotify", "started")}
    assert ArtistPreference.objects.get().artist.name == "Artist 0"
    assert not Track.objects.exclude(cover_url__startswith="https://i.scdn.co/image/").exists()


def test_no_shared_model_is_fitted_on_it(client: Client, listener: User, catalogue: list[Track]) -> None:
    bring(client, *ALL)

    assert list(interactions()) == []


def test_importing_again_adds_nothing_twice(client: Client, listener: User, catalogue: list[Track]) -> None:
    bring(client, *ALL)
    before = (Rating.objects.count(), ArtistPreference.objects.count())

    bring(client, *ALL)

    assert (Rating.objects.count(), ArtistPreference.objects.count()) == before
    assert SpotifyImport.objects.get().counts["top"] == {
        "total": 60, "found": 60, "unreadable": 0, "matched": 12, "added": 0,
    }  # fmt: skip


def test_what_the_listener_said_here_stays_said(client: Client, listener: User, catalogue: list[Track]) -> None:
    Rating.objects.create(user=listener, track=catalogue[0], value=-1)

    bring(client, "top")

    assert Rating.objects.get(track=catalogue[0]).value == -1
    client.post(reverse("feedback:spotify_take_back"))
    assert list(Rating.objects.values_list("track_id", "value")) == [(catalogue[0].pk, -1)]


def test_it_can_all_be_deleted(client: Client, listener: User, catalogue: list[Track]) -> None:
    ArtistPreference.objects.create(user=listener, artist=make_artist("Artist 1"))
    bring(client, *ALL)
    made = Playlist.objects.create(owner=listener, name="Evenings", source="spotify")
    for index, track in enumerate(catalogue[:3]):
        made.items.create(track=track, position=index)

    page = client.post(reverse("feedback:spotify_take_back"), follow=True).content.decode()

    assert "Deleted from Spotify imports: 12 likes, 11 plays, 1 artists, 1 playlists and 0 songs" in page
    assert not Rating.objects.exists()
    assert not Play.objects.exists()
    assert ArtistPreference.objects.get().artist.name == "Artist 1"
    assert not SpotifyImport.objects.exists()


@pytest.mark.parametrize("answers", [{"parts": ALL}, {"consent": "on"}, {"parts": ["secrets"], "consent": "on"}])
def test_nothing_is_read_without_consent_or_choice(
    client: Client, listener: User, sandbox: SandboxServer, answers: dict[str, Any]
) -> None:
    assert client.post(reverse("feedback:spotify"), answers).status_code == 422
    run_waiting()
    assert sandbox.world.calls == []


def test_asking_again_meanwhile_changes_nothing(client: Client, listener: User, catalogue: list[Track]) -> None:
    client.post(reverse("feedback:spotify"), {"parts": ["top"], "consent": "on"})

    page = client.post(reverse("feedback:spotify"), {"parts": ALL, "consent": "on"}, follow=True).content.decode()
    run_waiting()

    assert "Your Spotify import is already running." in page
    assert list(SpotifyImport.objects.get().counts) == ["top"]


def test_what_went_wrong_is_said_and_what_came_is_kept(
    client: Client, listener: User, catalogue: list[Track], sandbox: SandboxServer
) -> None:
    sandbox.world.faults.append(Fault("429", "/v1/me/tracks"))

    page = bring(client, "top", "saved")

    assert "Spotify is limiting requests right now." in page
    assert Rating.objects.count() == 12
    assert list(SpotifyImport.objects.get().counts) == ["top"]


@pytest.mark.parametrize("rows", [1, 30])
def test_the_page_has_a_constant_number_of_queries(
    client: Client, listener: User, rows: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    counts = {part: {"found": 1, "matched": 1, "added": 1} for part in ALL[: min(rows, 4)]}
    SpotifyImport.objects.create(user=listener, parts=ALL, counts=counts)
    for number in range(rows):
        made = Playlist.objects.create(owner=listener, name=f"List {number}", source="spotify")
        SpotifyPlaylistImport.objects.create(user=listener, spotify_id=f"p{number}", into="list", playlist=made)
    client.get(reverse("feedback:spotify"))

    with django_assert_num_queries(8):
        client.get(reverse("feedback:spotify"))


# --- Playlists ---
def a_playlist(sandbox: SandboxServer, owner: str = "ada") -> str:
    made = sandbox.world.add_playlist(sandbox.world.listeners[owner], "Evenings", "", public=False)
    made.song_ids = [song(number).id for number in (3, 1, 99)]
    return made.id


def test_own_playlists_are_listed(client: Client, listener: User, sandbox: SandboxServer) -> None:
    a_playlist(sandbox)

    page = client.get(reverse("feedback:spotify_playlists")).content.decode()

    assert "Evenings" in page
    assert "3 songs" in page
    assert "Like all songs" in page


def test_a_playlist_becomes_likes(
    client: Client, listener: User, catalogue: list[Track], sandbox: SandboxServer
) -> None:
    form = {"playlist": a_playlist(sandbox), "name": "Evenings", "into": "likes"}

    page = client.post(reverse("feedback:spotify_import"), form, follow=True).content.decode()

    assert "Added 2 songs. 2 of the 3 are in the catalogue." in page
    assert set(Rating.objects.values_list("track__title", "source")) == {("Song 3", "spotify"), ("Song 1", "spotify")}


def test_a_playlist_becomes_a_private_list_in_its_order(
    client: Client, listener: User, catalogue: list[Track], sandbox: SandboxServer
) -> None:
    form = {"playlist": a_playlist(sandbox), "name": "Evenings", "into": "list"}

    answer = client.post(reverse("feedback:spotify_import"), form)

    made = Playlist.objects.get()
    assert answer["Location"] == made.get_absolute_url()
    assert (made.owner, made.name, made.source) == (listener, "Evenings", "spotify")
    assert [item.track.title for item in made.items.order_by("position")] == ["Song 3", "Song 1"]
    client.post(reverse("feedback:spotify_take_back"))
    assert not Playlist.objects.exists()


@pytest.mark.parametrize("into", ["likes", "list"])
def test_a_playlist_goes_on_in_the_background_where_spotify_is_slow(
    client: Client, listener: User, catalogue: list[Track], sandbox: SandboxServer, into: str
) -> None:
    pk = a_playlist(sandbox)
    sandbox.world.playlists[pk].song_ids = [song(number).id for number in range(120)]
    # The first page comes; then Spotify is too slow.
    sandbox.world.faults += [Fault("slow", "/v1/playlists/"), Fault("timeout", "/v1/playlists/")]
    sandbox.world.slow_seconds = 0.1

    page = client.post(
        reverse("feedback:spotify_import"), {"playlist": pk, "name": "Long", "into": into}, follow=True
    ).content.decode()

    assert "We read 50 of 120 songs so far. The rest follows in the background." in page
    run_waiting()
    assert (
        "120 of 120 songs read, 12 in the catalogue, 12 added"
        in client.get(reverse("feedback:spotify")).content.decode()
    )


def test_somebody_elses_playlist_is_refused(client: Client, listener: User, sandbox: SandboxServer) -> None:
    form = {"playlist": a_playlist(sandbox, "bo"), "name": "", "into": "likes"}

    page = client.post(reverse("feedback:spotify_import"), form, follow=True).content.decode()

    assert "Spotify doesn&#x27;t allow this." in page


@pytest.mark.parametrize("changed", [{"playlist": "../me"}, {"into": "elsewhere"}, {"playlist": ""}])
def test_what_is_no_playlist(client: Client, listener: User, sandbox: SandboxServer, changed: dict[str, str]) -> None:
    form = {"playlist": "p" * 22, "name": "x", "into": "likes", **changed}

    page = client.post(reverse("feedback:spotify_import"), form, follow=True).content.decode()

    assert "That isn&#x27;t one of your playlists." in page


def test_likes_are_saved_and_brought_up_to_date(
    client: Client, listener: User, catalogue: list[Track], sandbox: SandboxServer
) -> None:
    for track in (catalogue[0], catalogue[1], catalogue[10]):
        Rating.objects.create(user=listener, track=track, value=1)

    page = client.post(reverse("feedback:spotify_save_likes"), follow=True).content.decode()

    # The third has no id there.
    assert "“My likes” on Spotify now has 2 songs." in page
    (made,) = sandbox.world.playlists.values()
    assert (made.name, made.public) == ("My likes", False)
    assert made.song_ids == [song(1).id, song(0).id]

    Rating.objects.create(user=listener, track=catalogue[2], value=1)
    client.post(reverse("feedback:spotify_save_likes"))

    assert list(sandbox.world.playlists) == [made.id]
    assert made.song_ids == [song(2).id, song(1).id, song(0).id]
    assert SpotifyPlaylist.objects.get().song_count == 3


def test_a_playlist_that_was_deleted_there_is_made_anew(
    client: Client, listener: User, catalogue: list[Track], sandbox: SandboxServer
) -> None:
    Rating.objects.create(user=listener, track=catalogue[0], value=1)
    client.post(reverse("feedback:spotify_save_likes"))
    sandbox.world.playlists.clear()

    client.post(reverse("feedback:spotify_save_likes"))

    assert [made.song_ids for made in sandbox.world.playlists.values()] == [[song(0).id]]
