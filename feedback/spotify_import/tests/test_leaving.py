"""Another Spotify account, playlists that are gone, and what is left after disconnecting."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import Fault, Listener, World
from accounts.spotify.tests.worlds import connected, running_sandbox, song
from catalog.models import AddedSong, Track
from feedback.playlists.models import Playlist
from feedback.playlists.services import create_playlist
from feedback.plays.models import Play
from feedback.preferences.models import ArtistPreference
from feedback.queue.models import QueueItem
from feedback.queue.services import play_now
from feedback.ratings.models import Rating
from feedback.spotify_import.models import SpotifyImport, SpotifyPlaylist, SpotifyPlaylistImport
from feedback.spotify_import.services import SONG_USES, take_back
from feedback.tests.factories import make_track
from jobs.models import Job
from jobs.tests.helpers import run_waiting
from tests.api_calls import JSON

# However many songs there are.
QUERIES = 40
# Rows that do not keep a song: what was recommended, its own credits, weekly lists, which keep its names, blends,
# and the listener's own queue (looked at apart).
NO_USES = {"codes", "recommendations", "credits", "weekly_songs", "blend_songs", "queue_items", "playlists"}


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    ids = [song(number).id for number in range(120)]
    people = [
        Listener(name, name.title(), saved=ids, recent=ids[:5], followed=["Artist 1"], top=ids[:9])
        for name in ("ada", "zoe")
    ]
    with running_sandbox(World([song(number) for number in range(120)], people)) as server:
        yield server


@pytest.fixture
def listener(db: None, client: Client, sandbox: SandboxServer) -> User:
    user = User.objects.create_user("ada", "ada@example.org", "long-and-odd-7")
    client.force_login(user)
    connected(user, sandbox)
    for number in range(6):
        make_track(f"Song {number}", f"Artist {number % 5}", spotify_id=song(number).id)
    return user


def save(client: Client) -> None:
    client.post(reverse("feedback:spotify_save_likes"))


def like(user: User, number: int) -> None:
    Rating.objects.create(user=user, track=make_track(f"Liked {number}", spotify_id=song(number).id), value=1)


def test_another_account_gets_a_playlist_of_its_own(client: Client, listener: User, sandbox: SandboxServer) -> None:
    like(listener, 50)
    save(client)
    (first,) = sandbox.world.playlists.values()

    connected(listener, sandbox, "zoe")
    assert not SpotifyPlaylist.objects.exists()
    save(client)

    second = sandbox.world.playlists[SpotifyPlaylist.objects.get().spotify_id]
    assert (first.owner_id, second.owner_id, second.song_ids) == ("ada", "zoe", [song(50).id])


def test_another_account_ends_what_is_on_its_way(client: Client, listener: User, sandbox: SandboxServer) -> None:
    client.post(reverse("feedback:spotify"), {"parts": ["saved"], "consent": "on"})
    SpotifyImport.objects.update(positions={"saved": {"next": "50", "total": 120, "grown": 0, "end": None}})

    connected(listener, sandbox, "zoe")
    run_waiting()

    assert Job.objects.get().state == Job.State.STOPPED
    assert SpotifyImport.objects.get().positions == {}
    assert sandbox.world.requests == []


def test_the_same_account_keeps_its_playlists(client: Client, listener: User, sandbox: SandboxServer) -> None:
    like(listener, 50)
    save(client)
    connected(listener, sandbox)
    save(client)

    assert len(sandbox.world.playlists) == 1


def test_a_playlist_that_was_taken_out_of_the_library_is_made_anew(
    client: Client, listener: User, sandbox: SandboxServer
) -> None:
    like(listener, 50)
    save(client)
    (first,) = sandbox.world.playlists.values()
    # "Deleted" there: it answers as before, and nobody sees it.
    sandbox.world.listeners["ada"].playlist_ids.clear()
    like(listener, 51)
    save(client)

    assert first.song_ids == [song(50).id]
    second = sandbox.world.playlists[SpotifyPlaylist.objects.get().spotify_id]
    assert second.song_ids == [song(51).id, song(50).id]


def test_a_playlist_whose_making_was_never_answered_is_taken_up_by_the_next_try(
    client: Client, listener: User, sandbox: SandboxServer
) -> None:
    ada = sandbox.world.listeners["ada"]
    # Of the same name, but no try of ours: it holds a song.
    own = sandbox.world.add_playlist(ada, "My likes", "", public=False)
    own.song_ids = [song(3).id]
    like(listener, 50)
    sandbox.world.faults.append(Fault("lost", path="/v1/me/playlists", method="POST"))
    save(client)
    assert SpotifyPlaylist.objects.count() == 0
    (made,) = [playlist for playlist in sandbox.world.playlists.values() if playlist is not own]

    save(client)
    assert SpotifyPlaylist.objects.get().spotify_id == made.id
    assert made.song_ids == [song(50).id]
    assert own.song_ids == [song(3).id]
    assert list(sandbox.world.playlists) == [own.id, made.id]


def test_the_first_try_does_not_look_for_an_earlier_one(client: Client, listener: User, sandbox: SandboxServer) -> None:
    sandbox.world.add_playlist(sandbox.world.listeners["ada"], "My likes", "", public=False)
    like(listener, 50)
    save(client)

    assert ("GET", "/v1/me/playlists", 200) not in sandbox.world.calls
    assert len(sandbox.world.playlists) == 2


def bring_everything(client: Client, sandbox: SandboxServer) -> None:
    made = sandbox.world.add_playlist(sandbox.world.listeners["ada"], "Evenings", "", public=False)
    made.song_ids = [song(number).id for number in range(120)]
    client.post(reverse("feedback:spotify"), {"parts": ["top", "saved", "followed", "recent"], "consent": "on"})
    client.post(reverse("feedback:spotify_import"), {"playlist": made.id, "name": "Evenings", "into": "list"})
    run_waiting()


def rows(user: User) -> dict[str, int]:
    """Return how much there is of the listener in each table that came to have some."""
    return {
        "likes": Rating.objects.filter(user=user).count(),
        "plays": Play.objects.filter(user=user).count(),
        "artists": ArtistPreference.objects.filter(user=user).count(),
        "playlists": Playlist.objects.filter(owner=user).count(),
        "imports": SpotifyPlaylistImport.objects.filter(user=user).count(),
        "bringings": SpotifyImport.objects.filter(user=user).count(),
        "saved": SpotifyPlaylist.objects.filter(user=user).count(),
        "accounts": SpotifyAccount.objects.filter(user=user).count(),
    }


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("delete", {"likes": 1, "plays": 0, "artists": 0, "playlists": 0, "imports": 0, "bringings": 0}),
        ("keep", {"likes": 7, "plays": 5, "artists": 1, "playlists": 1, "imports": 0, "bringings": 1}),
    ],
)
def test_disconnecting_asks_what_becomes_of_what_came(
    client: Client, listener: User, sandbox: SandboxServer, answer: str, left: dict[str, int]
) -> None:
    like(listener, 50)
    bring_everything(client, sandbox)
    save(client)
    brought = {"likes": 7, "plays": 5, "artists": 1, "playlists": 1, "imports": 1, "bringings": 1}
    assert rows(listener) == {**brought, "saved": 1, "accounts": 1}
    page = client.get(reverse("feedback:spotify_disconnect")).content.decode()
    assert page.count('type="radio"') == 2
    assert client.post(reverse("feedback:spotify_disconnect"), {}).status_code == 422
    assert SpotifyAccount.objects.exists()

    page = client.post(reverse("feedback:spotify_disconnect"), {"imports": answer}, follow=True).content.decode()

    assert "Spotify is disconnected, and its access tokens have been deleted." in page
    assert ("6 likes, 5 plays, 1 artists, 1 playlists and 0 songs" in page) is (answer == "delete")
    assert rows(listener) == {**left, "saved": 0, "accounts": 0}
    assert Rating.objects.filter(source="site").count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM socialaccount_socialaccount")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(("query", "likes"), [("", 0), ("?keep_imports=true", 6)])
def test_programs_are_asked_too(client: Client, listener: User, sandbox: SandboxServer, query: str, likes: int) -> None:
    bring_everything(client, sandbox)
    csrf = {"HTTP_ORIGIN": "http://testserver"}

    answer = client.delete(f"/api/user/spotify{query}", **csrf)  # type: ignore[arg-type]

    assert answer.status_code == 204
    assert Rating.objects.filter(user=listener).count() == likes


def test_songs_added_from_search_go_unless_somebody_uses_them(client: Client, listener: User) -> None:
    other = User.objects.create_user("zoe", "zoe@example.org", "long-and-odd-7")
    for number in range(60, 65):
        client.post("/api/spotify/songs", {"spotify_id": song(number).id}, JSON, HTTP_ORIGIN="http://testserver")
    gone, liked, listed, queued, also_added = Track.objects.filter(origin="spotify").order_by("pk")
    Rating.objects.create(user=listener, track=liked, value=1)
    create_playlist(owner=other, name="Theirs", tracks=[listed])
    play_now(user=other, track=queued)
    # One's own queue keeps nothing.
    play_now(user=listener, track=gone)
    AddedSong.objects.create(user=other, track=also_added)

    answer = client.delete("/api/user/spotify/songs", HTTP_ORIGIN="http://testserver")

    assert answer.json() == {"likes": 0, "plays": 0, "artists": 0, "playlists": 0, "songs": 1}
    assert set(Track.objects.filter(origin="spotify")) == {liked, listed, queued, also_added}
    assert [(row.user, row.track) for row in AddedSong.objects.all()] == [(other, also_added)]
    assert not QueueItem.objects.filter(queue__user=listener).exists()
    # What the operator took over from then on is theirs.
    Track.objects.filter(pk=also_added.pk).update(origin="operator")
    client.force_login(other)
    client.delete("/api/user/spotify/songs", HTTP_ORIGIN="http://testserver")
    assert Track.objects.filter(pk=also_added.pk).exists()


@pytest.mark.parametrize("count", [1, 30])
def test_deleting_added_songs_takes_as_many_queries_for_thirty(listener: User, count: int) -> None:
    for number in range(count):
        track = make_track(f"Added {number}", spotify_id=song(60 + number).id, origin="spotify")
        AddedSong.objects.create(user=listener, track=track)
    with CaptureQueriesContext(connection) as queries:
        assert take_back(user=listener)["songs"] == count
    assert len(queries) <= QUERIES


def test_every_relation_of_a_song_either_keeps_it_or_does_not() -> None:
    relations = {str(relation.name) for relation in Track._meta.related_objects}
    assert relations == set(SONG_USES) | NO_USES
