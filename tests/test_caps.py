"""What a listener may have has an end: refused with the cap's number, exact at once, and nothing is lost unsaid."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from accounts.limits.caps import CapError
from accounts.models import ApiToken, User
from accounts.spotify.web_api.parsing import PlayedTrack, SpotifyTrack
from accounts.tokens.services import TooManyTokensError, create_token
from catalog.models import Track
from feedback.history_import import services
from feedback.history_import.models import HistoryImport, UnmatchedSong, upload_storage
from feedback.playlists.models import Playlist, PlaylistItem
from feedback.playlists.services import PlaylistFullError, add_tracks, create_playlist
from feedback.plays.models import Play
from feedback.plays.services import record_play, remove_play
from feedback.spotify_import.writes import record_plays
from feedback.tests.factories import UserFactory, make_track
from jobs.tests.helpers import run_waiting
from jobs.tests.threads import run_together

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SENTENCE = "Your listening history has 2 plays, which is the limit. Remove plays or undo an import first."


@pytest.fixture(autouse=True)
def caps(settings: Settings, tmp_path: Path) -> Settings:
    settings.VAR_DIR = tmp_path
    settings.LISTENER_MAX_PLAYS = 2
    settings.LISTENER_MAX_TOKENS = settings.LISTENER_MAX_PLAYLISTS = settings.LISTENER_MAX_PLAYLIST_SONGS = 2
    return settings


@pytest.fixture
def user() -> User:
    return UserFactory()


@pytest.fixture
def listener(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def a_history(*titles: str) -> str:
    return json.dumps(
        [
            {
                "endTime": f"2024-03-{number + 1:02} 10:00",
                "artistName": "Somebody",
                "trackName": title,
                "msPlayed": 200_000,
            }
            for number, title in enumerate(titles)
        ]
    )


def bring(user: User, *titles: str, own: bool = True) -> HistoryImport:
    upload = ContentFile(a_history(*titles), name="StreamingHistory0.json")
    history = services.begin_import(user=user, upload=upload, wants_own_songs=own)
    run_waiting()
    history.refresh_from_db()
    return history


def shown(client: Client, history: HistoryImport) -> str:
    return client.get(f"/history/import/{history.pk}/").content.decode()


def test_a_play_over_the_cap_is_refused_everywhere_in_one_sentence(listener: Client, user: User) -> None:
    song, token = make_track("One"), uuid4()
    record_play(user=user, track=song, token=token)
    removed = remove_play(play=record_play(user=user, track=song)[0])
    record_play(user=user, track=song)

    page = listener.post(f"/songs/{song.pk}/listen/")
    part = listener.post(f"/songs/{song.pk}/listen/", headers=HTMX)
    restored = listener.post("/history/restore/", {"removed": removed}, headers=HTMX)
    call = listener.post("/api/user/history", {"song_id": song.pk}, "application/json")
    report = {"track": song.pk, "token": uuid4(), "ms_played": 1, "outcome": "started"}
    player = listener.post("/player/report/", report)

    assert [answer.status_code for answer in (page, part, restored, call, player)] == [409] * 5
    assert SENTENCE in page.content.decode()
    assert part.content.decode() == restored.content.decode() == SENTENCE
    assert call.json()["detail"] == player.json()["error"] == SENTENCE
    assert Play.objects.count() == 2
    # What is there already is told as before.
    assert record_play(user=user, track=song, token=token) == (Play.objects.get(token=token), False)
    assert listener.post("/player/report/", {**report, "token": token, "ms_played": 9}).status_code == 204


def test_an_import_takes_what_fits_and_names_the_rest(listener: Client, user: User) -> None:
    make_track("One"), make_track("Two"), make_track("Three")
    history = bring(user, "A", "B", "C", "D")

    assert (history.plays_added, history.plays_skipped, history.position) == (2, 2, 4)
    assert history.skipped == {"no longer fits in your history": 2}
    assert list(Play.objects.order_by("played_at").values_list("track__title", flat=True)) == ["A", "B"]
    # No song is made for a play that is not taken.
    assert history.songs_created == Track.objects.filter(origin=Track.Origin.PRIVATE).count()
    assert "Your listening history can have 2 plays. The rest of StreamingHistory0.json" in shown(listener, history)

    with pytest.raises(CapError, match="has 2 plays, which is the limit"):
        bring(user, "E")
    upload = SimpleUploadedFile("a.json", a_history("E").encode())
    page = listener.post("/history/import/", {"file": upload, "wants_own_songs": "on"})
    upload.seek(0)
    call = listener.post("/api/user/history/imports", {"file": upload, "wants_own_songs": "true"})
    assert (page.status_code, call.status_code) == (422, 409)
    assert SENTENCE in page.content.decode()
    assert call.json()["detail"] == SENTENCE
    assert not list(upload_storage().listdir("")[1])


def test_with_room_again_the_same_file_brings_the_rest(user: User, settings: Settings) -> None:
    bring(user, "A", "B", "C")
    settings.LISTENER_MAX_PLAYS = 3
    history = bring(user, "A", "B", "C")
    assert (history.plays_added, history.plays_known, history.plays_skipped) == (1, 2, 0)


def test_songs_of_ones_own_have_an_end_and_the_others_are_listed(
    listener: Client, user: User, settings: Settings
) -> None:
    settings.LISTENER_MAX_PLAYS, settings.LISTENER_MAX_OWN_SONGS = 0, 2
    history = bring(user, "A", "B", "C", "A", "D")
    assert (history.plays_added, history.plays_unmatched, history.songs_created) == (3, 2, 2)
    assert set(UnmatchedSong.objects.values_list("title", flat=True)) == {"C", "D"}
    assert "You can have 2 songs that aren&#x27;t in the catalogue." in shown(listener, history)
    # Over all imports of theirs.
    assert bring(user, "E").plays_unmatched == 1


def test_the_whole_site_has_an_end_too(listener: Client, user: User, settings: Settings) -> None:
    settings.LISTENER_MAX_PLAYS, settings.SITE_MAX_IMPORTED_PLAYS = 0, 3
    bring(UserFactory(), "A", "B")
    history = bring(user, "A", "B")
    assert (history.plays_added, history.plays_skipped) == (1, 1)
    assert "reached this site&#x27;s limit, 3." in shown(listener, history)
    with pytest.raises(CapError, match="together have 3 plays"):
        bring(user, "C")


def test_imports_on_record_have_an_end(user: User, settings: Settings) -> None:
    settings.LISTENER_MAX_PLAYS, settings.LISTENER_MAX_IMPORTS = 0, 1
    history = bring(user, "A")
    with pytest.raises(CapError, match="You already have 1 imports, which is the limit"):
        bring(user, "B")
    services.undo_import(history=history)
    run_waiting()
    assert bring(user, "B").plays_added == 1


def of_spotify(song: Track) -> SpotifyTrack:
    return SpotifyTrack(str(song.spotify_id), song.title, ("x",), "", "", 1, False, None, "", "")


def test_plays_from_spotify_stop_at_the_cap(user: User) -> None:
    songs = [make_track(title, spotify_id=title * 22) for title in "ABC"]
    plays = [PlayedTrack(of_spotify(song), datetime(2026, 1, day, tzinfo=UTC)) for day, song in enumerate(songs, 1)]
    assert record_plays(user=user, plays=plays)["added"] == 2
    assert Play.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_at_once_nobody_gets_past_a_cap(user: User) -> None:
    song = make_track("One")
    songs = [make_track(title) for title in "ABCDEF"]
    playlist = create_playlist(owner=user, name="Mine")

    def refused(call: Any, *errors: type[Exception]) -> bool:
        try:
            call()
        except errors:
            return True
        return False

    plays = run_together(*[lambda: refused(lambda: record_play(user=user, track=song), CapError)] * 6)
    lists = run_together(*[lambda: refused(lambda: create_playlist(owner=user, name="x"), PlaylistFullError)] * 6)
    adds = [partial(add_tracks, playlist=playlist, tracks=[track]) for track in songs]
    items = run_together(*[partial(refused, add, PlaylistFullError) for add in adds])
    tokens = run_together(
        *[lambda: refused(lambda: create_token(user=user, name="x", scope="read"), TooManyTokensError)] * 6
    )

    assert [len(calls) - sum(calls) for calls in (plays, lists, items, tokens)] == [2, 1, 2, 2]
    assert Play.objects.count() == Playlist.objects.count() == PlaylistItem.objects.count() == 2
    assert ApiToken.objects.count() == 2


def test_a_catalogue_file_needs_room_on_the_disk(client: Client, settings: Settings) -> None:
    settings.MIN_FREE_DISK_MB = 10**9
    client.force_login(User.objects.create_superuser("operator", password="a long password of theirs"))
    upload = SimpleUploadedFile("songs.csv", b"track_name,artists\nOne,Somebody\n")
    answer = client.post("/admin/catalog/track/import/", {"file": upload})
    assert "the server keeps 1000000000 MB free (MIN_FREE_DISK_MB)" in answer.content.decode()
    assert not Track.objects.exists()


def test_0_is_no_cap(user: User, settings: Settings) -> None:
    for name in ("PLAYS", "OWN_SONGS", "IMPORTS", "PLAYLISTS", "PLAYLIST_SONGS", "TOKENS"):
        setattr(settings, f"LISTENER_MAX_{name}", 0)
    settings.SITE_MAX_IMPORTED_PLAYS = settings.SITE_MAX_OWN_SONGS = 0
    assert bring(user, "A", "B", "C").plays_added == 3
    song = make_track("One")
    record_play(user=user, track=song, played_at=datetime.now(UTC) - timedelta(days=1))
    for _more in range(3):
        create_token(user=user, name="x", scope="read")
        playlist = create_playlist(owner=user, name="x", tracks=[song])
    assert add_tracks(playlist=playlist, tracks=[make_track(title) for title in "ABC"]) == 3
