"""What the player's script asks and is answered."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Track
from feedback.playlists.services import create_playlist
from feedback.plays.models import Play
from feedback.queue import services as queue_services
from feedback.queue.models import QueueItem
from feedback.ratings.services import rate
from feedback.tests.factories import UserFactory, make_track

NAMES = ("play", "list", "add", "remove", "jump", "next", "previous", "shuffle", "clear", "report")


@pytest.fixture
def songs(db: None) -> list[Track]:
    return [make_track(title, artist="Ada", genres=["folk"], popularity=50 - n) for n, title in enumerate("ABCD")]


def titles() -> str:
    return "".join(QueueItem.objects.order_by("position").values_list("track__title", flat=True))


def post(client: Client, name: str, **values: Any) -> Any:
    return client.post(f"/player/{name}/", values)


def test_strangers_are_told_to_log_in(client: Client, songs: list[Track]) -> None:
    for name in NAMES:
        assert post(client, name, track=songs[0].pk).status_code == 401
    for name in ("state", "queue"):
        assert client.get(f"/player/{name}/").status_code == 401
    assert not QueueItem.objects.exists()


def test_what_changes_something_is_a_post_with_a_token(listener: Client, user: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    for name in NAMES:
        assert listener.get(f"/player/{name}/").status_code == 405
        assert post(strict, name).status_code == 403


def test_the_state_before_the_first_song(listener: Client) -> None:
    answer = listener.get("/player/state/")
    assert answer.json() == {
        "current": None, "shuffle": False, "origin": "", "origin_url": "", "has_previous": False, "ahead": 0,
        "is_playing": False, "position_ms": 0, "song_ms_at": None, "device": "",
        "spotify": {"connected": False, "streams": False},
    }  # fmt: skip
    assert "no-store" in answer["Cache-Control"]


def test_a_song_is_played_with_all_the_means_it_has(listener: Client, user: User, settings: Any) -> None:
    track = make_track(
        "Étude", artist="Chopin", spotify_id="0" * 22, preview_url="https://sound.example/a.mp3", duration_ms=9000
    )
    rate(user=user, track=track, value=1)
    state = post(listener, "play", track=track.pk).json()
    song = state["current"]["track"]
    assert (song["title"], song["artists"], song["rating"], song["duration_ms"]) == ("Étude", "Chopin", 1, 9000)
    assert song["sources"] == {
        "spotify": f"spotify:track:{'0' * 22}",
        "preview": "https://sound.example/a.mp3",
        "sketch": f"/songs/{track.pk}/sketch.wav",
        "file": "",
    }
    settings.SPOTIFY_PLAYER = False
    assert listener.get("/player/state/").json()["current"]["track"]["sources"]["spotify"] == ""
    invented = make_track(spotify_id="demo" + "1" * 18)
    settings.SPOTIFY_PLAYER = True
    assert post(listener, "play", track=invented.pk).json()["current"]["track"]["sources"]["spotify"] == ""


def test_the_ids_of_a_page_are_played_in_their_order(listener: Client, songs: list[Track]) -> None:
    a, b, c, d = songs
    hidden = make_track(is_active=False)
    sent = ",".join(str(pk) for pk in (c.pk, a.pk, hidden.pk, 10**17, d.pk))
    state = post(listener, "list", tracks=sent, origin="Search", origin_url="/search/?q=x", first=a.pk).json()
    assert titles() == "CAD"
    assert (state["current"]["track"]["title"], state["origin"], state["origin_url"]) == ("A", "Search", "/search/?q=x")
    assert b.title not in titles()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"tracks": "1;2"}, "tracks"),
        ({"tracks": "1,x"}, "tracks"),
        ({"tracks": "9" * 30}, "tracks"),
        ({"source": "charts"}, "source"),
        ({"source": "artist", "source_id": "x"}, "source_id"),
        ({"tracks": "1", "origin_url": "https://elsewhere.example/"}, "origin_url"),
        ({"tracks": "1", "origin_url": "//elsewhere.example/"}, "origin_url"),
        ({"tracks": "1", "first": "0"}, "first"),
    ],
)
def test_bad_lists_are_named(listener: Client, songs: list[Track], values: dict[str, str], field: str) -> None:
    answer = post(listener, "list", **values)
    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])
    assert titles() == ""


def test_whole_lists_are_played_from_their_source(listener: Client, user: User, songs: list[Track]) -> None:
    a, b, c, d = songs
    for track in (a, c):
        rate(user=user, track=track, value=1)
    rate(user=user, track=b, value=-1)
    rate(user=UserFactory(), track=d, value=1)
    playlist = create_playlist(owner=user, name="Mine", tracks=[d, b])
    artist, genre = a.artists.get(), a.genres.get()
    for source, pk, expected in (
        ("likes", "", "CA"), ("playlist", playlist.pk, "DB"),
        ("artist", artist.pk, "ABCD"), ("genre", genre.pk, "ABCD"),
    ):  # fmt: skip
        post(listener, "list", source=source, source_id=pk)
        assert titles() == expected, source


def test_another_listeners_playlist_and_items_are_not_found(listener: Client, songs: list[Track]) -> None:
    other = UserFactory()
    playlist = create_playlist(owner=other, name="Not mine", tracks=songs)
    queue_services.play_all(user=other, tracks=songs)
    assert post(listener, "list", source="playlist", source_id=playlist.pk).status_code == 404
    for name in ("jump", "remove"):
        assert post(listener, name, item=QueueItem.objects.first().pk).status_code == 404  # type: ignore[union-attr]
        assert post(listener, name, item=10**17).status_code == 404
        assert post(listener, name).status_code == 422
    assert titles() == "ABCD"


def test_adding_removing_jumping_shuffling(listener: Client, songs: list[Track]) -> None:
    a, b, c, d = songs
    post(listener, "list", tracks=f"{a.pk},{b.pk}")
    assert post(listener, "add", tracks=str(c.pk)).json()["ahead"] == 2
    post(listener, "add", tracks=str(d.pk), next="on")
    assert titles() == "ADBC"
    item = QueueItem.objects.get(track=b)
    assert post(listener, "jump", item=item.pk).json()["current"]["item"] == item.pk
    assert post(listener, "previous").json()["current"]["track"]["title"] == "D"
    assert post(listener, "shuffle", on="on").json()["shuffle"] is True
    assert post(listener, "shuffle").json()["shuffle"] is False
    post(listener, "remove", item=item.pk)
    assert titles() == "ADC"
    assert post(listener, "clear").json()["ahead"] == 0
    assert titles() == "AD"
    assert post(listener, "add", tracks="").status_code == 422
    assert post(listener, "play", track=0).status_code == 422


def test_a_full_queue_is_said(listener: Client, songs: list[Track], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_services, "MAX_SONGS", 1)
    ids = ",".join(str(song.pk) for song in songs)
    answer = post(listener, "add", tracks=ids)
    assert (answer.status_code, answer.json()) == (409, {"error": "Your queue is full. Remove some songs first."})


def test_plays_are_reported(listener: Client, user: User, track: Track) -> None:
    token = str(uuid4())
    values = {"token": token, "track": track.pk, "ms_played": 0, "outcome": "started"}
    assert post(listener, "report", **values).status_code == 204
    assert (
        post(listener, "report", **{**values, "ms_played": 1234, "outcome": "skipped", "known": "on"}).status_code
        == 204
    )
    assert list(Play.objects.values_list("user", "track", "ms_played", "outcome")) == [
        (user.pk, track.pk, 1234, "skipped")
    ]
    assert post(listener, "report", **{**values, "track": make_track().pk}).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [("token", "x"), ("track", "0"), ("ms_played", "-1"), ("ms_played", "86400001"), ("outcome", "hummed")],
)
def test_bad_reports_are_named(listener: Client, track: Track, field: str, value: str) -> None:
    values = {"token": str(uuid4()), "track": track.pk, "ms_played": 0, "outcome": "started", field: value}
    answer = post(listener, "report", **values)
    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])
    assert not Play.objects.exists()


def test_the_panel_shows_what_was_is_and_comes(
    listener: Client, songs: list[Track], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert "Queue" in listener.get("/player/queue/").content.decode()
    for count in (2, 4):
        post(listener, "list", tracks=",".join(str(song.pk) for song in songs[:count]), first=songs[1].pk)
        with django_assert_num_queries(7):
            html = listener.get("/player/queue/").content.decode()
        assert [html.index(f'class="queue-title">{song.title}<') for song in songs[:count]] == sorted(
            html.index(f'class="queue-title">{song.title}<') for song in songs[:count]
        )
        assert html.count('aria-current="true"') == 1
        assert html.count("data-queue-remove") == count - 1


@pytest.mark.django_db(transaction=True)  # a full-text index sees what is committed
def test_lists_offer_to_play_all(listener: Client, songs: list[Track]) -> None:
    ids = ",".join(str(song.pk) for song in songs)
    for url, source in (("/songs/", ""), (f"/artists/{songs[0].artists.get().pk}/", "artist"), ("/search/?q=ada", "")):
        html = listener.get(url).content.decode()
        assert f'data-play-list="{ids}"' in html, url
        assert ('data-source="' in html) is bool(source)
        assert f'data-origin-url="{url}"' in html
    assert "data-play-list" not in Client().get("/songs/").content.decode()
