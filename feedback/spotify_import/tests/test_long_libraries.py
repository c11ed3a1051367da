"""Libraries of any length, through the real client against the sandbox: to the end, whatever happens in between."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.models import User
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import Fault, Listener, Song, World, spotify_id
from accounts.spotify.tests.worlds import connected, running_sandbox
from catalog.models import Artist, Track
from feedback.playlists.models import Playlist
from feedback.preferences.models import ArtistPreference
from feedback.ratings.models import Rating
from feedback.spotify_import.models import SpotifyImport, SpotifyPlaylist, SpotifyPlaylistImport
from jobs import running
from jobs.models import Job
from jobs.tests.helpers import run_waiting

SAVED = 10_412
LISTED = 10_987
# One song in so many is in the catalogue.
EVERY = 10


def pk_of(number: int) -> str:
    return spotify_id(f"long {number}")


@pytest.fixture(scope="module")
def songs() -> list[Song]:
    return [Song(pk_of(n), f"Long {n}", (f"Artist {n % 1300}",), "Album", has_cover=False) for n in range(LISTED)]


@pytest.fixture
def sandbox(songs: list[Song]) -> Iterator[SandboxServer]:
    ids = [song.id for song in songs]
    ada = Listener("ada", "Ada", saved=ids[:SAVED], followed=[f"Artist {n}" for n in range(1234)])
    with running_sandbox(World(songs, [ada])) as server:
        server.world.slow_seconds = 0.05
        yield server


@pytest.fixture
def listener(db: None, client: Client, sandbox: SandboxServer, settings: Any) -> User:
    user = User.objects.create_user("ada", "ada@example.org", "long-and-odd-7")
    client.force_login(user)
    connected(user, sandbox)
    rows = [Track(title=f"Long {n}", spotify_id=pk_of(n), recording_key=f"k{n}") for n in range(0, LISTED, EVERY)]
    Track.objects.bulk_create(rows, batch_size=500)
    return user


def bring(client: Client, *parts: str) -> None:
    answer = client.post(reverse("feedback:spotify"), {"parts": parts, "consent": "on"})
    assert answer.status_code == 302


def page(client: Client) -> str:
    return " ".join(client.get(reverse("feedback:spotify")).content.decode().split())


def later() -> None:
    """Let the time pass for which Spotify wants no calls, and run what waits for it."""
    cache.clear()
    DBTaskResult.objects.filter(status="READY").update(run_after=timezone.now())
    Job.objects.filter(state=Job.State.WAITING).update(run_after=timezone.now())
    run_waiting()


def offsets(sandbox: SandboxServer, path: str) -> list[int]:
    """Return the offsets that were answered with 200."""
    starts = [int(query.get("offset", 0)) for _method, called, query, _body in sandbox.world.requests if called == path]
    return list(dict.fromkeys(starts))


def test_all_saved_songs_come_whatever_stops_them(client: Client, listener: User, sandbox: SandboxServer) -> None:
    path = "/v1/me/tracks"
    sandbox.world.faults = [Fault("429", path, times=1, retry_after=600, after=60)]
    bring(client, "saved")
    run_waiting()

    # A limit: what came is said beside the whole, and it goes on by itself.
    text = page(client)
    assert f'<td class="text-end">{SAVED}</td><td class="text-end">3000</td>' in text
    assert "Spotify is limiting requests right now." in text
    assert "We continue by ourselves at" in text
    job = Job.objects.get()
    assert job.state == Job.State.WAITING
    assert job.run_after is not None
    assert 590 < (job.run_after - timezone.now()).total_seconds() <= 601

    # Spotify is down; then the listener ends the connection there.
    sandbox.world.faults = [Fault("500", path, times=2, after=60)]
    later()
    assert SpotifyImport.objects.get().counts["saved"]["found"] == 6000
    assert "isn&#x27;t responding" in page(client)
    sandbox.world.faults = [Fault("revoked", path, after=40)]
    later()
    assert SpotifyImport.objects.get().counts["saved"]["found"] == 8000
    assert Job.objects.get().state == Job.State.FAILED
    assert "Everything up to that point is done." in page(client)

    # Reconnected, it is continued where it stopped.
    connected(listener, sandbox)
    sandbox.world.faults = []
    bring(client, "saved")
    run_waiting()

    matched = len(range(0, SAVED, EVERY))
    spotify_import = SpotifyImport.objects.get()
    assert spotify_import.counts["saved"] == {
        "total": SAVED, "found": SAVED, "unreadable": 0, "matched": matched, "added": matched,
    }  # fmt: skip
    assert spotify_import.is_complete
    assert Rating.objects.filter(user=listener, source="spotify").count() == matched
    # Each page was read to its end once.
    assert offsets(sandbox, path) == list(range(0, SAVED, 50))


def test_a_worker_that_ends_hands_the_rest_over(
    client: Client, listener: User, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.world.listeners["ada"].saved = [pk_of(n) for n in range(500)]
    bring(client, "saved")
    calls = 0
    hand_over = running.JobRun._hand_over_if_ending

    def dies_once() -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise running.JobInterruptedError
        hand_over()

    monkeypatch.setattr(running.JobRun, "_hand_over_if_ending", staticmethod(dies_once))
    run_waiting()

    assert Job.objects.get().attempt == 2
    assert offsets(sandbox, "/v1/me/tracks") == list(range(0, 500, 50))
    assert SpotifyImport.objects.get().counts["saved"]["found"] == 500


def test_faults_that_do_not_end_are_given_up_and_said(client: Client, listener: User, sandbox: SandboxServer) -> None:
    sandbox.world.faults = [Fault("500", "/v1/me/tracks", times=1000, after=3)]
    bring(client, "saved")
    run_waiting()
    waits = []
    while (job := Job.objects.get()).state == Job.State.WAITING:
        assert job.run_after is not None
        waits.append(round((job.run_after - timezone.now()).total_seconds() / 60))
        later()

    assert waits == [1, 5, 15, 60]
    assert job.state == Job.State.FAILED
    assert SpotifyImport.objects.get().counts["saved"]["found"] == 150
    assert not SpotifyImport.objects.get().is_complete


def test_songs_that_go_and_come_meanwhile_are_not_passed_over(
    client: Client, listener: User, sandbox: SandboxServer
) -> None:
    ada = sandbox.world.listeners["ada"]
    ada.saved = [pk_of(n) for n in range(0, 10_000, EVERY)]
    everything = set(ada.saved) | {pk_of(n) for n in range(10_000, 10_100, EVERY)}
    gone = set(ada.saved[10:37])
    sandbox.world.faults = [Fault("429", "/v1/me/tracks", times=2, retry_after=1, after=8)]
    bring(client, "saved")
    run_waiting()
    ada.saved = [pk for pk in ada.saved if pk not in gone]
    sandbox.world.faults = [Fault("429", "/v1/me/tracks", times=1, retry_after=1, after=4)]
    later()
    ada.saved = [pk_of(n) for n in range(10_000, 10_100, EVERY)] + ada.saved
    later()

    liked = set(Rating.objects.filter(user=listener).values_list("track__spotify_id", flat=True))
    assert liked == everything
    counts = SpotifyImport.objects.get().counts["saved"]
    assert (counts["total"], counts["found"]) == (len(ada.saved), len(ada.saved))


def test_what_is_no_song_is_counted_and_relinked_songs_are_known_by_either_id(
    client: Client, listener: User, sandbox: SandboxServer
) -> None:
    ada = sandbox.world.listeners["ada"]
    # 1 and 2 are not in the catalogue, 10 and 20 are: each stands in for the other.
    sandbox.world.relinked = {pk_of(10): pk_of(1), pk_of(2): pk_of(20)}
    ada.saved = [pk_of(10), "", pk_of(2), "", pk_of(30)]
    bring(client, "saved")
    run_waiting()

    assert SpotifyImport.objects.get().counts["saved"] == {
        "total": 5, "found": 5, "unreadable": 2, "matched": 3, "added": 3,
    }  # fmt: skip
    liked = set(Rating.objects.values_list("track__spotify_id", flat=True))
    assert liked == {pk_of(10), pk_of(20), pk_of(30)}
    assert "2 entries aren't songs" in page(client)


def test_all_followed_artists_come(client: Client, listener: User, sandbox: SandboxServer) -> None:
    for n in range(0, 1234, 2):
        Artist(name=f"Artist {n}").save()
    sandbox.world.faults = [Fault("429", "/v1/me/following", times=1, retry_after=1, after=10)]
    bring(client, "followed")
    run_waiting()
    assert SpotifyImport.objects.get().counts["followed"]["found"] == 500
    later()

    assert SpotifyImport.objects.get().counts["followed"] == {
        "total": 1234, "found": 1234, "unreadable": 0, "matched": 617, "added": 617,
    }  # fmt: skip
    assert ArtistPreference.objects.filter(user=listener).count() == 617
    client.post(reverse("feedback:spotify_take_back"))
    assert not ArtistPreference.objects.exists()


@pytest.mark.parametrize("into", ["list", "likes"])
def test_a_playlist_of_eleven_thousand_comes_to_its_end(
    client: Client, listener: User, sandbox: SandboxServer, into: str
) -> None:
    ada = sandbox.world.listeners["ada"]
    made = sandbox.world.add_playlist(ada, "Everything", "", public=False)
    made.song_ids = [pk_of(n) for n in range(LISTED)]
    path = f"/v1/playlists/{made.id}/items"
    sandbox.world.faults = [Fault("429", path, times=1, retry_after=1, after=100)]

    form = {"playlist": made.id, "name": "Everything", "into": into}
    text = client.post(reverse("feedback:spotify_import"), form, follow=True).content.decode()

    assert f"of {LISTED} songs so far. The rest follows in the background." in text
    run_waiting()
    assert f"5000 of {LISTED} songs read" in page(client)
    later()
    record = SpotifyPlaylistImport.objects.get()
    matched = len(range(0, LISTED, EVERY))
    assert (record.total, record.songs_read, record.matched, record.added) == (LISTED, LISTED, matched, matched)
    assert record.is_complete
    assert offsets(sandbox, path) == list(range(0, LISTED, 50))
    if into == "likes":
        assert Rating.objects.filter(user=listener).count() == matched
        return
    items = Playlist.objects.get().items.order_by("position").values_list("track__spotify_id", flat=True)
    assert list(items) == [pk_of(n) for n in range(0, LISTED, EVERY)]


def test_deleting_stops_what_is_on_its_way(client: Client, listener: User, sandbox: SandboxServer) -> None:
    made = sandbox.world.add_playlist(sandbox.world.listeners["ada"], "Everything", "", public=False)
    made.song_ids = [pk_of(n) for n in range(1000)]
    bring(client, "saved")
    client.post(reverse("feedback:spotify_import"), {"playlist": made.id, "name": "Everything", "into": "list"})

    client.post(reverse("feedback:spotify_take_back"))
    run_waiting()

    assert set(Job.objects.values_list("state", flat=True)) == {Job.State.STOPPED}
    assert not Rating.objects.exists()
    assert not Playlist.objects.exists()
    assert not SpotifyPlaylistImport.objects.exists()


def test_all_likes_go_to_spotify_once_whatever_stops_them(
    client: Client, listener: User, sandbox: SandboxServer
) -> None:
    Track.objects.bulk_create(
        [Track(title=f"Long {n}", spotify_id=pk_of(n), recording_key=f"k{n}") for n in range(SAVED) if n % EVERY],
        batch_size=500,
    )
    tracks = dict(Track.objects.values_list("spotify_id", "pk"))
    now = timezone.now()
    Rating.objects.bulk_create(
        [
            Rating(user=listener, track_id=tracks[pk_of(n)], value=1, updated_at=now - timedelta(seconds=n))
            for n in range(SAVED)
        ],
        batch_size=500,
    )
    Rating.objects.bulk_update(
        [
            Rating(pk=pk, updated_at=now - timedelta(seconds=number))
            for number, pk in enumerate(Rating.objects.order_by("pk").values_list("pk", flat=True))
        ],
        ["updated_at"],
        batch_size=500,
    )
    expected = [pk_of(n) for n in range(SAVED)]
    text = client.post(reverse("feedback:spotify_save_likes"), follow=True).content.decode()
    assert f"“My likes” on Spotify has 100 of {SAVED} songs so far." in text
    (made,) = sandbox.world.playlists.values()
    assert made.song_ids == expected[:100]
    # The call whose answer is lost was carried out, the one that is dropped was not.
    path = f"/v1/playlists/{made.id}/items"
    sandbox.world.faults = [
        Fault("lost", path, method="POST", after=20),
        Fault("drop", path, method="POST", after=40),
        Fault("429", path, method="POST", retry_after=1, after=60),
    ]
    run_waiting()
    assert f"of {SAVED} songs so far" in page(client)
    for _time in range(3):
        later()

    assert made.song_ids == expected
    record = SpotifyPlaylist.objects.get()
    assert (record.song_count, record.pending, record.error) == (SAVED, [], "")
    assert f"{SAVED} songs, saved" in page(client)


def test_what_spotify_has_no_room_for_is_said(
    client: Client, listener: User, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.spotify.sandbox.library.MOST_PLAYLIST_SONGS", 250)
    Rating.objects.bulk_create(
        [Rating(user=listener, track=track, value=1) for track in Track.objects.all()[:400]], batch_size=500
    )
    client.post(reverse("feedback:spotify_save_likes"))
    run_waiting()

    assert Job.objects.get().state == Job.State.FAILED
    text = page(client)
    assert "200 of 400 songs so far" in text
    assert "Spotify accepts no more songs in this playlist." in text


def test_a_hostile_spotify_loses_nothing(client: Client, listener: User, sandbox: SandboxServer) -> None:
    ada = sandbox.world.listeners["ada"]
    ada.saved = [pk_of(n) for n in range(1000)]
    ada.followed = ada.followed[:300]
    sandbox.world.make_hostile()
    bring(client, "saved", "followed")
    run_waiting()
    for _time in range(30):
        if SpotifyImport.objects.get().finished_at:
            break
        later()

    spotify_import = SpotifyImport.objects.get()
    assert spotify_import.is_complete
    assert {part: (row["total"], row["found"]) for part, row in spotify_import.counts.items()} == {
        "saved": (1001, 1001),
        "followed": (300, 300),
    }
    assert spotify_import.counts["saved"]["unreadable"] == 1
    liked = set(Rating.objects.filter(user=listener).values_list("track__spotify_id", flat=True))
    assert liked == {pk_of(n) for n in range(0, 1000, EVERY)}
