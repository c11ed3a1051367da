"""Last.fm 2.0 and AudioScrobbler 1.2, as recorded from pylast and mpdscribble."""

import hashlib
import time
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from catalog.models import Track
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from feedback.scrobbling.keys import create_key, set_old_protocols
from feedback.scrobbling.models import ScrobbleKey
from feedback.scrobbling.tests.conftest import START
from feedback.scrobbling.tests.test_listenbrainz import plays

pytestmark = pytest.mark.django_db
MPDSCRIBBLE = {"User-Agent": "mpdscribble/0.24"}


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def old_token(user: User) -> str:
    set_old_protocols(user=user, is_on=True)
    return create_key(user=user, name="mpd")[1]


def call(method: str, secret: str = "", **fields: Any) -> Any:
    sent = {"api_key": "KEY", "method": method, **{name: str(value) for name, value in fields.items()}}
    if secret:
        sent["api_sig"] = md5("".join(f"{name}{sent[name]}" for name in sorted(sent) if name != "format") + secret)
    return Client().post("/2.0/", sent)


def session(token: str) -> str:
    answer = call("auth.getMobileSession", username="ada", authToken=md5("ada" + md5(token)), format="json")
    return str(answer.json()["session"]["key"])


def handshake(token: str, at: int | None = None, name: str = "ada") -> list[str]:
    at = int(time.time()) if at is None else at
    proof = md5(md5(token) + str(at))
    answer = Client().get(f"/audioscrobbler/?hs=true&p=1.2&c=mdc&v=0.24&u={name}&t={at}&a={proof}")
    return answer.content.decode().splitlines()


def send(path: str, body: str) -> str:
    content_type = "application/x-www-form-urlencoded"
    return Client().post(path, body, content_type=content_type, headers=MPDSCRIBBLE).content.decode()


def test_a_session_is_opened_by_token_or_its_md5(old_token: str) -> None:
    by_md5 = call("auth.getMobileSession", username="ada", authToken=md5("ada" + md5(old_token)))
    assert b'<lfm status="ok"><session><name>ada</name><key>' in by_md5.content
    by_token = call("auth.getMobileSession", username="Ada", password=old_token.upper(), format="json")
    assert by_token.json()["session"]["key"] == session(old_token)


def test_an_address_without_its_last_slash_is_answered_as_well(old_token: str) -> None:
    sent = {"method": "auth.getMobileSession", "username": "ada", "password": old_token, "format": "json"}
    answers = [Client().post(path, sent) for path in ("/2.0", "/2.0/")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert reverse("feedback:lastfm") == "/2.0/"


def test_neither_protocol_is_open_until_it_is_switched_on(user: User, token: str) -> None:
    answer = call("auth.getMobileSession", username="ada", password=token, format="json")
    assert (answer.status_code, answer.json()["error"]) == (403, 4)
    assert handshake(token) == ["BADAUTH"]
    set_old_protocols(user=user, is_on=True)
    assert handshake(token) == ["BADAUTH"]


def test_switching_off_closes_sessions(user: User, old_token: str, song: Track) -> None:
    key = session(old_token)
    set_old_protocols(user=user, is_on=False)
    assert call("track.love", sk=key, artist="Ada Lane", track="Song 01", format="json").json()["error"] == 9
    assert send("/audioscrobbler/protocol_1.2", f"s={key}&a[0]=Ada+Lane&t[0]=Song+01&i[0]={START}") == "BADSESSION\n"
    assert Play.objects.count() == 0


def test_a_revoked_token_closes_its_sessions_and_no_other_key_opens_them(old_token: str, user: User) -> None:
    key = session(old_token)
    number, _dash, rest = key.partition("-")
    create_key(user=user, name="second")
    for wrong in ("", "x", "1-", f"{int(number) + 1}-{rest}", f"{number}-{'0' * 32}", f"{'9' * 30}-{rest}", f"{key}0"):
        assert call("user.getInfo", sk=wrong, format="json").json()["error"] == 9
    ScrobbleKey.objects.get(name="mpd").delete()
    assert call("user.getInfo", sk=key, format="json").json()["error"] == 9


def test_the_password_of_the_account_opens_nothing(old_token: str) -> None:
    answer = call("auth.getMobileSession", username="ada", password="correct horse battery staple", format="json")
    assert answer.json()["error"] == 4


def test_scrobbles_by_the_batch(old_token: str, song: Track, other_song: Track) -> None:
    key = session(old_token)
    fields: dict[str, Any] = {"artist[0]": "Ada Lane", "track[0]": "Song 01", "timestamp[0]": START, "duration[0]": 180}
    fields |= {"artist[1]": "Ada Lane", "track[1]": "Song 02", "timestamp[1]": START + 300, "artist[2]": ""}
    answer = call("track.scrobble", sk=key, **fields)
    scrobbles = ET.fromstring(answer.content)[0]
    assert (scrobbles.tag, scrobbles.attrib) == ("scrobbles", {"accepted": "2", "ignored": "1"})
    rows = [[(part.tag, part.text, part.attrib) for part in scrobble] for scrobble in scrobbles]
    assert rows[0] == [
        ("track", "Song 01", {"corrected": "0"}),
        ("artist", "Ada Lane", {"corrected": "0"}),
        ("album", None, {"corrected": "0"}),
        ("albumArtist", None, {"corrected": "0"}),
        ("ignoredMessage", None, {"code": "0"}),
        ("timestamp", str(START), {}),
    ]
    assert [scrobble[4] for scrobble in rows[1:]] == [
        ("ignoredMessage", None, {"code": "0"}),
        ("ignoredMessage", "artist and track are needed", {"code": "1"}),
    ]
    assert plays() == [("Song 01", 0, "completed"), ("Song 02", 300, "completed")]
    single = call("track.scrobble", sk=key, artist="Ada Lane", track="Song 01", timestamp=START, format="json")
    assert single.json()["scrobbles"] == {
        "@attr": {"accepted": 1, "ignored": 0},
        "scrobble": {
            "track": {"corrected": "0", "#text": "Song 01"},
            "artist": {"corrected": "0", "#text": "Ada Lane"},
            "album": {"corrected": "0", "#text": ""},
            "albumArtist": {"corrected": "0", "#text": ""},
            "ignoredMessage": {"code": "0", "#text": ""},
            "timestamp": str(START),
        },
    }
    fields["format"] = "json"
    assert [
        row["track"]["#text"] for row in call("track.scrobble", sk=key, **fields).json()["scrobbles"]["scrobble"]
    ] == [
        "Song 01",
        "Song 02",
        "",
    ]
    assert Play.objects.count() == 2


def test_more_than_fifty_at_once_are_refused(old_token: str) -> None:
    fields: dict[str, Any] = {f"{name}[{n}]": "x" for n in range(51) for name in ("artist", "track")}
    assert call("track.scrobble", sk=session(old_token), format="json", **fields).json()["error"] == 6


def test_love_and_unlove_of_lastfm(old_token: str, user: User, song: Track) -> None:
    key = session(old_token)
    fields: dict[str, Any] = {"sk": key, "artist": "Ada Lane", "track": "Song 01"}
    assert call("track.love", **fields).content.endswith(b'<lfm status="ok" />')
    assert list(Rating.objects.values_list("value", "source")) == [(1, "scrobble")]
    call("track.unlove", **fields)
    assert Rating.objects.count() == 0
    rate(user=user, track=song, value=-1)
    call("track.unlove", **fields)
    assert Rating.objects.get().value == -1


def test_now_playing_and_info(old_token: str, song: Track) -> None:
    key = session(old_token)
    call("track.updateNowPlaying", sk=key, artist="Ada Lane", track="Song 01", duration=180)
    call("track.scrobble", sk=key, artist="Ada Lane", track="Song 01", timestamp=START)
    answer = call("user.getInfo", sk=key, user="ADA", format="json")
    assert answer.json() == {"user": {"name": "ada", "playcount": "1", "subscriber": "0"}}
    assert call("user.getInfo", sk=key, user="bob", format="json").json()["error"] == 6


def test_signatures_are_checked_where_the_secret_is_known(old_token: str, song: Track) -> None:
    key = session(old_token)
    fields: dict[str, Any] = {
        "api_key": "earworm",
        "sk": key,
        "artist": "Ada Lane",
        "track": "Song 01",
        "format": "json",
    }
    assert call("track.love", secret="earworm", **fields).json() == {}
    assert call("track.love", secret="wrong", **fields).json()["error"] == 13
    assert call("track.love", **fields).json()["error"] == 13


def test_no_method_and_text_that_is_no_xml(old_token: str) -> None:
    key = session(old_token)
    assert call("user.getEverything", sk=key, format="json").json()["error"] == 3
    answer = call("track.updateNowPlaying", sk=key, artist="<A&B>\x08", track="]]>\x0b")
    assert b"&lt;A&amp;B&gt;</artist>" in answer.content


def test_the_handshake_of_mpdscribble_and_its_listens(old_token: str, song: Track, other_song: Track) -> None:
    status, key, now, submit = handshake(old_token)
    assert (status, now) == ("OK", "http://testserver/audioscrobbler/np_1.2")
    names = f"a={quote('Ada Lane')}&t={quote('Song 01')}&b=Loops&l=180&n=1&m="
    with time_machine.travel(START, tick=False):
        assert send(now, f"s={key}&{names}") == "OK\n"
    # It stamps the end.
    row = "a[{0}]=Ada%20Lane&t[{0}]={1}&l[{0}]=180&i[{0}]={2}&o[{0}]=P&r[{0}]={3}&b[{0}]=&n[{0}]=1&m[{0}]="
    batch = "&".join((row.format(0, "Song%2001", START + 180, ""), row.format(1, "Song%2002", START + 400, "L")))
    with time_machine.travel(START + 400, tick=False):
        for _time in range(2):
            assert send(submit, f"s={key}&{batch}") == "OK\n"
    # The start of the first is known from "now playing"; of the second only that half of it was heard.
    assert plays() == [("Song 01", 0, "completed"), ("Song 02", 310, "completed")]
    assert list(Rating.objects.values_list("track", "value")) == [(other_song.pk, 1)]


def test_an_overheard_handshake_is_good_for_an_hour(old_token: str) -> None:
    assert handshake(old_token, at=int(time.time()) - 3700) == ["BADTIME"]
    assert handshake(old_token, name="bob") == ["BADAUTH"]
    assert handshake("x") == ["BADAUTH"]


def test_while_the_database_is_away_everybody_is_told_to_come_again(old_token: str, token: str) -> None:
    key = session(old_token)

    def away(*_arguments: Any) -> Any:
        raise OperationalError("gone")

    with connection.execute_wrapper(away):
        listens = Client().post(
            "/1/submit-listens", "{}", "application/json", headers={"Authorization": f"Token {token}"}
        )
        assert (listens.status_code, listens.json()["code"]) == (503, 503)
        assert call("track.scrobble", sk=key, format="json").json()["error"] == 16
        answer = Client().post("/audioscrobbler/protocol_1.2", {"s": key})
        assert (answer.status_code, answer.content[:6]) == (503, b"FAILED")


def test_a_body_in_another_encoding_is_refused_and_not_put_off(
    old_token: str, caplog: pytest.LogCaptureFixture
) -> None:
    form = "application/x-www-form-urlencoded; charset=iso-8859-1"
    listen = {"method": "track.scrobble", "sk": session(old_token), "track": "Song"}
    body = "&".join(f"{name}={value}" for name, value in listen.items())
    answer = Client().post("/2.0/", body, content_type=form)
    assert answer.status_code == 400
    assert b'<error code="6">This request can\'t be read.</error>' in answer.content
    for path in ("np_1.2", "protocol_1.2"):
        answer = Client().post(f"/audioscrobbler/{path}", body, content_type=form)
        assert (answer.status_code, answer.content) == (200, b"FAILED This request can't be read.\n")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
