"""The player's state on the server, and the GETs that change something."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.spotify.models import SpotifyAccount
from accounts.tokens.services import create_token
from catalog.models import Track, TrackCode
from catalog.tests.factories import make_track
from feedback.queue.models import PlayQueue
from feedback.tests.factories import RatingFactory
from tests.api_calls import JSON, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ada", "ada@example.org", "three blind mice see how")


@pytest.fixture
def program(user: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {create_token(user=user, name='tests', scope='write')[1]}"})


@pytest.fixture
def page(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def songs() -> list[Track]:
    return [make_track(f"Song {number}") for number in range(4)]


def test_pause_pauses_and_every_page_sees_it(program: Client, page: Client, songs: list[Track]) -> None:
    state = send(program, "put", "/api/playback/queue", {"songs": [song.pk for song in songs]})
    assert (state["is_playing"], state["position_ms"], state["device"]) == (True, 0, "")
    values = {"playing": "on", "song_ms": "31000", "device": "Browser 1"}
    assert page.post("/player/playing/", values).json()["is_playing"] is True
    seen = page.get("/player/state/")
    tag = {"If-None-Match": seen["ETag"]}
    assert page.get("/player/state/", headers=tag).status_code == 304

    paused = send(program, "post", "/api/playback/pause")
    assert (paused["is_playing"], paused["device"]) == (False, "Browser 1")
    assert paused["position_ms"] >= 31000
    answer = page.get("/player/state/", headers=tag)
    assert answer.status_code == 200
    assert (answer.json()["is_playing"], answer.json()["position_ms"]) == (False, paused["position_ms"])
    assert send(program, "post", "/api/playback/resume")["is_playing"] is True


def test_a_program_tells_where_it_is(program: Client, songs: list[Track]) -> None:
    send(program, "post", f"/api/playback/play/{songs[0].pk}")
    body = {"is_playing": False, "position_ms": 5000, "device": "Kitchen"}
    state = send(program, "put", "/api/playback/state", body)
    assert (state["is_playing"], state["position_ms"], state["device"]) == (False, 5000, "Kitchen")
    assert state["position_at"] is not None
    assert send(program, "get", "/api/playback") == state
    after = send(program, "post", f"/api/playback/play/{songs[1].pk}")
    assert (after["is_playing"], after["position_ms"], after["device"]) == (True, 0, "Kitchen")
    send(program, "put", "/api/playback/state", {"is_playing": True, "device": "x" * 61}, 422)
    send(program, "put", "/api/playback/state", {"is_playing": True, "position_ms": -1}, 422)


def test_no_position_is_beyond_the_end(program: Client, songs: list[Track]) -> None:
    timed, untimed = make_track("Timed", duration_ms=200_000), make_track("Untimed", duration_ms=None)
    body = {"is_playing": False, "position_ms": 86_400_000}
    send(program, "post", f"/api/playback/play/{timed.pk}")
    assert send(program, "put", "/api/playback/state", body)["position_ms"] == 200_000
    send(program, "post", f"/api/playback/play/{untimed.pk}")
    assert send(program, "put", "/api/playback/state", body)["position_ms"] == 86_400_000
    send(program, "post", f"/api/playback/play/{timed.pk}")
    PlayQueue.objects.update(song_ms_at=timezone.now() - timedelta(hours=1))
    assert send(program, "post", "/api/playback/pause")["position_ms"] == 200_000


def test_a_list_without_songs_leaves_the_queue_as_it_is(program: Client, page: Client, songs: list[Track]) -> None:
    ids = [song.pk for song in songs[:3]]
    before = send(program, "put", "/api/playback/queue", {"songs": ids, "first": ids[1]})
    assert (before["current"]["song"]["id"], before["ahead"], before["is_playing"]) == (ids[1], 1, True)
    empty = send(program, "post", "/api/playlists", {"name": "Empty"}, 201)["id"]
    for body, field in (
        ({}, "body.songs"),
        ({"songs": [999_998, 999_999]}, "body.songs"),
        ({"source": "playlist", "source_id": empty}, "body.source"),
        ({"source": "artist"}, "body.source_id"),
        ({"songs": ids, "first": songs[3].pk}, "body.first"),
        ({"songs": ids, "first": 999_999}, "body.first"),
    ):
        refused = send(program, "put", "/api/playback/queue", body, 422)
        assert [error["field"] for error in refused["errors"]] == [field]
    send(program, "put", "/api/playback/queue", {"source": "playlist", "source_id": 999_999}, 404)
    assert page.post("/player/list/", {"tracks": ""}).status_code == 422
    assert send(program, "get", "/api/playback") == before


def test_nothing_new_is_a_304(program: Client, songs: list[Track]) -> None:
    send(program, "post", f"/api/playback/play/{songs[0].pk}")
    first = program.get("/api/playback")
    tag = {"If-None-Match": first["ETag"]}
    assert program.get("/api/playback", headers=tag).status_code == 304
    send(program, "post", "/api/playback/pause")
    assert program.get("/api/playback", headers=tag).status_code == 200


@pytest.mark.parametrize("action", ["next", "previous", "pause", "play"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Referer": "http://evil.example/page"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Referer": "http://testserver/for-you/"}, 200),
    ],
)
def test_gets_that_change_something_need_proof_of_our_own_page(
    page: Client, songs: list[Track], action: str, headers: dict[str, str], status: int
) -> None:
    path = f"/api/playback/play/{songs[0].pk}" if action == "play" else f"/api/playback/{action}"
    assert page.get(path, headers=headers).status_code == status


def test_a_token_is_proof_enough_and_a_read_only_one_is_not(program: Client, user: User, songs: list[Track]) -> None:
    send(program, "get", f"/api/playback/play/{songs[0].pk}")
    assert send(program, "get", "/api/playback/pause")["is_playing"] is False
    reader = Client(headers={"Authorization": f"Bearer {create_token(user=user, name='r', scope='read')[1]}"})
    send(reader, "get", "/api/playback/pause", status=403)


def test_every_address_in_the_state_opens_with_the_token(program: Client, songs: list[Track]) -> None:
    state = send(program, "post", f"/api/playback/play/{songs[0].pk}")
    sketch = state["current"]["means"]["sketch"]
    assert sketch == f"/api/songs/{songs[0].pk}/sketch.wav"
    answer = program.get(sketch)
    assert (answer.status_code, answer["Content-Type"]) == (200, "audio/wav")
    assert Client().get(sketch).status_code == 401


def test_the_whole_queue_is_paged(program: Client) -> None:
    ids = [make_track(f"Song {number}").pk for number in range(7)]
    send(program, "put", "/api/playback/queue", {"songs": [*ids, 999_999]})
    seen: list[int] = []
    cursor: Any = ""
    while cursor is not None:
        page = send(program, "get", f"/api/playback/queue?size=4{f'&cursor={cursor}' if cursor else ''}")
        seen += [item["song"]["id"] for item in page["items"]]
        cursor = page["next"]
    assert seen == ids[1:]
    assert PlayQueue.objects.count() == 1


def test_a_queued_song_moves(program: Client, page: Client, songs: list[Track]) -> None:
    send(program, "put", "/api/playback/queue", {"songs": [song.pk for song in songs]})

    def ahead() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = send(program, "get", "/api/playback/queue")["items"]
        return items

    first, second, third = ahead()
    state = send(program, "put", f"/api/playback/queue/{third['id']}", {"place": 0})
    assert (state["current"]["song"]["id"], state["ahead"]) == (songs[0].pk, 3)
    assert ahead() == [third, first, second]
    # The page does the same.
    assert page.post("/player/move/", {"item": third["id"], "index": 99}).status_code == 200
    assert ahead() == [first, second, third]
    send(program, "put", f"/api/playback/queue/{state['current']['item']}", {"place": 0}, 404)
    send(program, "put", f"/api/playback/queue/{first['id']}", {"place": -1}, 422)

    stranger = User.objects.create_user("eve", "eve@example.org", "three blind mice see how")
    theirs = Client(headers={"Authorization": f"Bearer {create_token(user=stranger, name='t', scope='write')[1]}"})
    send(theirs, "put", f"/api/playback/queue/{third['id']}", {"place": 0}, 404)
    assert ahead() == [first, second, third]


def test_the_email_before_spotify_expires_is_turned_on_by_a_call(program: Client, user: User, settings: Any) -> None:
    settings.SPOTIFY_CLIENT_ID = "an app"
    send(program, "patch", "/api/user/spotify", {"wants_email": True}, 404)
    account = SpotifyAccount.objects.create(user=user, account_id="ada", expires_at=timezone.now())
    for wanted in (True, False):
        send(program, "patch", "/api/user/spotify", {"wants_email": wanted}, 204)
        account.refresh_from_db()
        assert (account.wants_email, send(program, "get", "/api/user/spotify")["wants_email"]) == (wanted, wanted)


def test_calls_about_spotify_without_a_connection(
    program: Client, user: User, songs: list[Track], settings: Any
) -> None:
    settings.SPOTIFY_CLIENT_ID = "an app"
    RatingFactory(user=user, track=songs[0], value=1, source="spotify")
    for method, path, body in (
        ("post", "/songs", {"parts": ["saved"], "consent": True}),
        ("get", "/playlists", None),
        ("post", "/playlists", {"playlist": "1" * 22, "into": "likes"}),
        ("put", "/playlists/likes", None),
        ("put", "/playlists/for-you", None),
    ):
        send(program, method, f"/api/user/spotify{path}", body, 409)
    send(program, "patch", "/api/user/spotify", {"wants_email": True}, 404)
    send(program, "delete", "/api/user/spotify", status=404)
    # A call that is refused deletes nothing.
    assert user.ratings.count() == 1
    assert send(program, "delete", "/api/user/spotify/songs")["likes"] == 1
    assert not user.ratings.exists()


def test_unknown_songs_are_named(program: Client, songs: list[Track]) -> None:
    known = songs[0].pk
    for method, path, body in (
        ("put", "/api/playback/queue", {"songs": [known, 999_998, 999_999, 999_998]}),
        ("post", "/api/playback/queue", {"songs": [known, 999_998, 999_999]}),
    ):
        assert send(program, method, path, body)["unknown_songs"] == [999_998, 999_999]
    made = send(program, "post", "/api/playlists", {"name": "Mine", "songs": [known, 999_998]}, 201)
    assert (made["song_count"], made["unknown_songs"]) == (1, [999_998])
    more = send(program, "post", f"/api/playlists/{made['id']}/songs", {"songs": [songs[1].pk, 999_999]})
    assert (more["song_count"], more["unknown_songs"]) == (2, [999_999])


def test_songs_are_looked_up_by_their_codes(client: Client, songs: list[Track]) -> None:
    coded = make_track("Coded", isrc="GBAYE0601498", spotify_id="4uLU6hMCjMI75M1A2tKUQC")
    body = send(client, "get", f"/api/songs/lookup?id={songs[2].pk}&id=999999&id={songs[0].pk}")
    assert [song["id"] for song in body["items"]] == [songs[2].pk, songs[0].pk]
    assert body["unknown_ids"] == [999_999]
    body = send(client, "get", f"/api/songs/lookup?spotify_id={coded.spotify_id}&isrc=gbaye0601498&isrc=GBAYE0000000")
    assert [song["id"] for song in body["items"]] == [coded.pk]
    assert (body["unknown_spotify_ids"], body["unknown_isrcs"]) == ([], ["GBAYE0000000"])
    send(client, "get", "/api/songs/lookup?isrc=x", status=422)


def test_songs_are_looked_up_by_further_codes_and_musicbrainz_ids(client: Client) -> None:
    mbids = [f"b1a9c0e9-d987-4042-ae91-78d6a3267d6{n}" for n in range(3)]
    coded = make_track("Coded", isrc="GBAYE0601498", mbid=mbids[0], has_file=True)
    TrackCode.objects.create(track=coded, scheme="isrc", value="GBAYE0601499")
    TrackCode.objects.create(track=coded, scheme="mbid", value=mbids[1])
    query = f"mbid={mbids[0].upper()}&mbid={mbids[1]}&mbid={mbids[2]}&isrc=GBAYE0601499"
    answer = send(client, "get", f"/api/songs/lookup?{query}")
    assert [song["id"] for song in answer["items"]] == [coded.pk]
    assert (answer["unknown_isrcs"], answer["unknown_mbids"]) == ([], [mbids[2]])
    send(client, "get", "/api/songs/lookup?mbid=x", status=422)
    song = send(client, "get", f"/api/songs/{coded.pk}")
    assert (song["mbid"], song["has_file"]) == (mbids[0], True)


def test_several_songs_are_rated_at_once(program: Client, songs: list[Track]) -> None:
    items = [
        {"song_id": songs[0].pk, "value": "like"},
        {"song_id": songs[1].pk, "value": "dislike"},
        {"song_id": 999_999, "value": "like"},
    ]
    answer = send(program, "post", "/api/feedback/several", {"items": items})
    assert answer == {
        "items": [{"song_id": songs[0].pk, "value": "like"}, {"song_id": songs[1].pk, "value": "dislike"}],
        "unknown_songs": [999_999],
    }
    assert send(program, "get", f"/api/feedback/{songs[1].pk}")["value"] == "dislike"


def test_an_upper_case_uuid_is_one(program: Client, songs: list[Track]) -> None:
    token = "6C84FB90-12C4-11E1-840D-7B25C5EE775A"
    first = send(program, "post", "/api/user/history", {"song_id": songs[0].pk, "token": token}, 201)
    again = send(program, "post", "/api/user/history", {"song_id": songs[0].pk, "token": token.lower()}, 201)
    assert first["id"] == again["id"]


def test_a_slash_too_many_redirects(program: Client, songs: list[Track]) -> None:
    answer = program.get("/api/songs/?size=2")
    assert (answer.status_code, answer["Location"]) == (308, "/api/songs?size=2")
    answer = program.post("/api/playlists/", {"name": "Mine"}, content_type=JSON, follow=True)
    assert answer.status_code == 201
    assert program.get("/api/nothing/").status_code == 404
    assert program.get("/api//evil.example/").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("post", "/api/feedback", 200), ("put", "/api/user/profile", 200), ("delete", "/api/playback/queue", 200)],
)
def test_a_slash_too_many_redirects_what_changes_something(
    user: User, songs: list[Track], method: str, path: str, status: int
) -> None:
    bodies = {
        "post": {"song_id": songs[0].pk, "value": "like"},
        "put": {"region": "SE", "adventure": 0.5, "explicit_allowed": True},
    }
    # As browsers and programs are treated, not as Django's tests are.
    program = Client(enforce_csrf_checks=True)
    key = {"Authorization": f"Bearer {create_token(user=user, name='tests', scope='write')[1]}"}
    answer = getattr(program, method)(f"{path}/", bodies.get(method), content_type=JSON, headers=key)
    assert (answer.status_code, answer["Location"]) == (308, path)
    send(program, method, path, bodies.get(method), status, headers=key)
    program.force_login(user)
    answer = getattr(program, method)(f"{path}/", bodies.get(method), content_type=JSON)
    assert (answer.status_code, answer["Location"]) == (308, path)
    refused = send(program, method, path, bodies.get(method), 403)
    assert refused["detail"] == "The CSRF token (X-CSRFToken) is missing or wrong."
    assert send(program, "post", "/api/nothing/", {}, 404)["detail"] == "No such endpoint."


@pytest.mark.parametrize("path", ["/api", "/api/"])
def test_the_root_leads_to_the_docs(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (302, "/api/docs")
    assert client.get(path, follow=True).status_code == 200


def test_other_sites_read_nothing_unless_the_operator_says_so(program: Client, settings: Any) -> None:
    origin = {"Origin": "https://app.example.org"}
    assert "Access-Control-Allow-Origin" not in program.get("/api/songs", headers=origin).headers
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    answer = program.get("/api/songs", headers=origin)
    assert answer["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Origin" not in program.get("/accounts/login/", headers=origin).headers
    preflight = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "idempotency-key"}
    answer = program.options("/api/feedback", headers=preflight)
    assert "idempotency-key" in answer["Access-Control-Allow-Headers"]
