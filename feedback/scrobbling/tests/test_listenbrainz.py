"""The calls of ListenBrainz, as players make them."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.limits.limiter import Limit, wait_seconds
from accounts.models import User
from catalog.models import Track
from feedback.plays.models import Play
from feedback.plays.services import record_play
from feedback.ratings.models import Rating
from feedback.scrobbling.keys import create_key, find_key, revoke_key
from feedback.scrobbling.models import Scrobble, ScrobbledSong, ScrobbleKey
from feedback.scrobbling.tests.conftest import START, Call, listen
from feedback.tests.factories import UserFactory, make_track

pytestmark = pytest.mark.django_db
MBID = "a1b2c3d4-0000-4000-8000-000000000001"


def get(path: str, key: str = "", scheme: str = "Token") -> Any:
    headers = {"Authorization": f"{scheme} {key}"} if key else {}
    return Client().get(path, headers=headers)


def love(key: str, **body: Any) -> Any:
    headers = {"Authorization": f"Token {key}"}
    return Client().post("/1/feedback/recording-feedback", json.dumps(body), "application/json", headers=headers)


def plays() -> list[tuple[str, int, str]]:
    rows = Play.objects.order_by("played_at").values_list("track__title", "played_at", "outcome")
    return [(title, int(at.timestamp()) - START, outcome) for title, at, outcome in rows]


@pytest.mark.parametrize("scheme", ["Token", "token", "Bearer"])
def test_a_token_is_valid_in_either_case(token: str, scheme: str) -> None:
    for text in (token, token.upper()):
        answer = get("/1/validate-token", text, scheme)
        assert (answer.status_code, answer.json()) == (
            200,
            {"code": 200, "message": "Token valid.", "valid": True, "user_name": "ada"},
        )


def test_a_token_that_is_none_is_invalid(token: str) -> None:
    for text in ("", "nonsense", str(uuid.uuid4()), "\x00", token[:-1], f"{token}0"):
        assert get("/1/validate-token", text).json()["valid"] is False


def test_a_token_is_noted_with_the_program_that_uses_it(token: str, submit: Call, song: Track) -> None:
    submit(listen(at=START, submission_client="Navidrome"), agent="Go-http-client/1.1")
    key = ScrobbleKey.objects.get()
    assert key.last_client == "Go-http-client"
    assert key.last_used_at is not None
    assert token not in key.digest
    assert Scrobble.objects.get().client == "Navidrome"


def test_a_revoked_token_tells_nothing_and_no_json_throws_the_play_away(submit: Call, song: Track) -> None:
    revoke_key(key=ScrobbleKey.objects.get())
    answer = submit(listen(at=START))
    assert (answer.status_code, answer["Content-Type"]) == (401, "text/plain")
    assert plays() == []


def test_a_play_is_a_play_of_the_song(submit: Call, song: Track) -> None:
    assert submit(listen(at=START, duration_ms=180_000)).json() == {"status": "ok"}
    play = Play.objects.get()
    assert (play.track, play.outcome, play.source, play.ms_played) == (song, "completed", "scrobble", 180_000)


def test_what_is_sent_twice_is_one_play(submit: Call, song: Track) -> None:
    for _time in range(3):
        submit(listen(at=START))
    submit(listen(at=float(START)))
    assert plays() == [("Song 01", 0, "completed")]


def test_the_quirks_of_supysonic_are_understood(token: str, song: Track) -> None:
    body = {"listen_type": "single", "payload": [listen(at=float(START), media_player="Supysonic", duration_ms=26)]}
    headers = {"Authorization": f"Token {token.upper()}"}
    answer = Client().post("/1/submit-listens", json.dumps(body), content_type="text/plain", headers=headers)
    assert answer.json() == {"status": "ok"}
    assert Play.objects.get().ms_played == 26_000


def test_a_body_without_a_content_type_is_read(token: str, song: Track) -> None:
    body = json.dumps({"listen_type": "single", "payload": [listen(at=START)]}).encode()
    answer = Client().generic(
        "POST", "/1/submit-listens", body, content_type="", headers={"Authorization": f"Token {token}"}
    )
    assert (answer.status_code, plays()) == (200, [("Song 01", 0, "completed")])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_json_in_another_encoding_is_read(token: str, song: Track, encoding: str) -> None:
    body = json.dumps({"listen_type": "single", "payload": [listen(at=START)]}).encode(encoding)
    headers = {"Authorization": f"Token {token}"}
    answer = Client().post("/1/submit-listens", body, content_type="application/json", headers=headers)
    assert (answer.status_code, plays()) == (200, [("Song 01", 0, "completed")])


@pytest.mark.parametrize(
    ("artist", "title"),
    [
        ("Ada Lane", "01 - Song 01"),
        ("Ada Lane", "01. Song 01"),
        ("ADA LANE", "song 01"),
        ("The Ada Lane", "Song 01"),
        ("Ada Lane • Kit", "Song 01"),
        ("Ada Lane feat. Kit", "Song 01"),
        ("Ada Lane; Kit", "Song 01"),
    ],
)
def test_the_ways_in_which_servers_write_a_song(submit: Call, song: Track, artist: str, title: str) -> None:
    submit(listen(title, at=START, artist=artist, duration_ms=181_000))
    assert list(Play.objects.values_list("track", flat=True)) == [song.pk]


def test_a_guessed_name_of_another_length_is_another_song(submit: Call, song: Track) -> None:
    submit(listen("01 - Song 01", at=START, duration_ms=260_000))
    assert (Play.objects.count(), Scrobble.objects.get().is_waiting) == (0, True)


def test_what_the_operator_hides_is_taken_and_not_stored(submit: Call, song: Track) -> None:
    Track.objects.update(is_active=False)
    assert submit(listen(at=START)).status_code == 200
    assert (Play.objects.count(), Scrobble.objects.count(), ScrobbledSong.objects.count()) == (0, 0, 0)


def test_a_clock_that_is_wrong_loses_no_play(submit: Call, song: Track, other_song: Track) -> None:
    now = int(timezone.now().timestamp())
    submit(listen(at=now + 400 * 86_400))
    submit(listen("Song 02", at=0))
    times = [int(at.timestamp()) for at in Play.objects.values_list("played_at", flat=True)]
    assert len(times) == 2
    assert all(abs(at - now) < 10 for at in times)


def test_milliseconds_are_a_time(submit: Call, song: Track) -> None:
    submit(listen(at=START * 1000))
    assert plays() == [("Song 01", 0, "completed")]


def test_a_batch_keeps_what_can_be_kept(submit: Call, song: Track, other_song: Track) -> None:
    good = [listen(at=START), listen("Song 02", at=START + 500)]
    bad: list[Any] = [None, 7, {}, {"track_metadata": 3}, listen(""), {"track_metadata": {"track_name": ["x"]}}]
    assert submit(*bad, *good, *bad, kind="import").json() == {"status": "ok"}
    assert [title for title, _at, _outcome in plays()] == ["Song 01", "Song 02"]


@pytest.mark.parametrize("number", [1, 30])
def test_a_batch_takes_a_constant_number_of_queries(submit: Call, number: int) -> None:
    for index in range(30):
        make_track(f"Tune {index}", artist="Ada Lane", duration_ms=200_000)
    rows = [listen(f"Tune {index}", at=START + 300 * index) for index in range(number)]
    submit(listen("Tune 29", at=START - 9000))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        submit(*rows, kind="import")
    assert Play.objects.count() == number + 1
    assert len(queries) <= 40, len(queries)


def test_bodies_are_bounded(submit: Call, token: str) -> None:
    assert submit(*[listen(at=START)] * 1001, kind="import").status_code == 400
    large = Client().post(
        "/1/submit-listens", b" " * 3_000_000, "application/json", headers={"Authorization": f"Token {token}"}
    )
    assert large.status_code == 413
    deep = b'{"payload":' + b"[" * 100_000
    answer = Client().post("/1/submit-listens", deep, "application/json", headers={"Authorization": f"Token {token}"})
    assert (answer.status_code, answer.json()["code"]) == (400, 400)


def test_what_matches_nothing_waits_and_is_matched_when_the_song_comes(submit: Call, token: str, user: User) -> None:
    submit(listen("Late", at=START, recording_mbid=MBID))
    submit(listen("Late", at=START + 5000, recording_mbid=MBID))
    assert love(token, score=1, recording_mbid=MBID).json() == {"status": "ok"}
    assert (Play.objects.count(), Scrobble.objects.filter(is_waiting=True).count()) == (0, 2)
    late = make_track("Late", artist="Ada Lane")
    submit(listen("Late", at=START + 10_000))
    assert plays() == [("Late", 0, "completed"), ("Late", 5000, "completed"), ("Late", 10_000, "completed")]
    assert list(Rating.objects.values_list("track", "value", "source")) == [(late.pk, 1, "scrobble")]


def test_a_love_by_musicbrainz_id_is_a_like_and_is_taken_back(submit: Call, token: str, song: Track) -> None:
    submit(listen(at=START, recording_mbid=MBID))
    for score, values in ((1, [1]), (-1, [-1]), (0, [])):
        assert love(token, score=score, recording_mbid=MBID.upper()).json() == {"status": "ok"}
        assert list(Rating.objects.values_list("value", flat=True)) == values


def test_a_musicbrainz_id_of_the_catalogue_goes_before_names(submit: Call, token: str, song: Track) -> None:
    other = make_track("Written otherwise", artist="Somebody", mbid=MBID)
    submit(listen(at=START, recording_mbid=MBID.upper()))
    assert Play.objects.get().track == other
    unplayed = make_track("Unplayed", mbid=MBID[:-1] + "2")
    love(token, score=1, recording_mbid=unplayed.mbid)
    assert list(Rating.objects.values_list("track", "value")) == [(unplayed.pk, 1)]


def test_a_love_by_our_own_id_is_a_like_of_what_was_played(submit: Call, token: str, song: Track) -> None:
    submit(listen(at=START))
    msid = get("/1/user/ada/listens", token).json()["payload"]["listens"][0]["recording_msid"]
    love(token, score=1, recording_msid=msid)
    assert list(Rating.objects.values_list("track", "value")) == [(song.pk, 1)]
    unplayed = make_track("Unplayed")
    love(token, score=1, recording_msid=f"00000000-0000-8000-8000-{unplayed.pk:012x}")
    love(token, score=1, recording_msid="ffffffff-ffff-8fff-8fff-ffffffffffff")
    assert Rating.objects.count() == 1


@pytest.mark.parametrize("body", [{}, {"score": 2, "recording_mbid": MBID}, {"score": True, "recording_mbid": MBID}])
def test_a_love_that_is_none_is_refused(token: str, body: dict[str, Any]) -> None:
    assert love(token, **body).status_code == 400


def test_a_listener_reads_their_own_plays_and_nobody_elses(submit: Call, token: str, song: Track) -> None:
    submit(listen(at=START), kind="import")
    submit(listen(), kind="playing_now")
    other = UserFactory(username="bob")
    record_play(user=other, track=song)
    payload = get("/1/user/Ada/listens?count=5", token).json()["payload"]
    assert (payload["count"], payload["user_id"], payload["latest_listen_ts"]) == (1, "ada", START)
    assert payload["listens"][0]["track_metadata"]["track_name"] == "Song 01"
    assert get("/1/user/ada/listen-count", token).json() == {"payload": {"count": 1}}
    now = get("/1/user/ada/playing-now", token).json()["payload"]
    assert (now["count"], now["listens"][0]["track_metadata"]["track_name"]) == (1, "Song 01")
    assert get(f"/1/user/ada/listens?max_ts={START}", token).json()["payload"]["count"] == 0
    for path in ("listens", "listen-count", "playing-now"):
        assert get(f"/1/user/bob/{path}", token).status_code == 404
        assert get(f"/1/user/nobody/{path}", token).status_code == 404
        assert get(f"/1/user/ada/{path}").status_code == 401


def test_a_session_is_no_token(user: User, song: Track) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    assert browser.get("/1/user/ada/listens").status_code == 401
    body = json.dumps({"listen_type": "single", "payload": [listen(at=START)]})
    answer = browser.post("/1/submit-listens", body, content_type="application/json")
    assert (answer.status_code, Play.objects.count()) == (401, 0)
    assert "sessionid" not in answer.cookies


def test_other_sites_may_call_without_credentials(token: str) -> None:
    preflight = Client().options("/1/submit-listens", headers={"Origin": "https://player.example"})
    assert (preflight.status_code, preflight["Access-Control-Allow-Origin"]) == (204, "*")
    assert "Authorization" in preflight["Access-Control-Allow-Headers"]
    answer = get("/1/validate-token", token)
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer
    assert Client().get("/1/submit-listens").status_code == 405


def test_too_many_calls_and_too_many_wrong_tokens_are_put_off_and_not_thrown_away(submit: Call, song: Track) -> None:
    answers = [submit(listen(at=START), key="wrong") for _time in range(70)]
    assert {answer.status_code for answer in answers} == {401, 503}
    assert answers[-1].json()["code"] == 503
    limit = Limit("scrobbles", 600)
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
        for _time in range(599):
            wait_seconds(limit, "listener 900001")
        assert [submit(listen(at=START)).status_code for _time in range(2)] == [200, 503]


def test_a_token_of_somebody_who_may_not_log_in_is_none(user: User, token: str) -> None:
    User.objects.update(is_active=False)
    assert get("/1/validate-token", token).json()["valid"] is False


def test_tokens_are_of_their_own_kind(user: User, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    assert Client().get("/api/user/history", headers=headers).status_code == 401
    assert find_key("earworm_" + "x" * 43) is None
    second = create_key(user=user, name="Phone")[1]
    assert second != token
