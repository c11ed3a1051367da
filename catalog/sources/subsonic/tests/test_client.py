"""Calls to a music server: how we log in, and what a server cannot make us do."""

import json
import logging
from collections.abc import Iterator

import pytest

from catalog.sources.servers.services import LibraryError, clean_address, connect_server
from catalog.sources.subsonic import client as client_module
from catalog.sources.subsonic.client import Login, SubsonicClient, SubsonicError, is_safe_for_passwords
from catalog.sources.subsonic.tests.stand_in import StandIn, running

LOGIN = Login(StandIn.user, StandIn.password)


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with running(StandIn(3)) as server:
        yield server


def test_a_salted_token_is_sent_by_post_and_never_twice_the_same(stand_in: StandIn) -> None:
    client = SubsonicClient(stand_in.address, LOGIN)
    assert client.probe().has_form_post
    client.call("ping")
    (verb, _method, first, headers), (_verb, _m, second, _h) = stand_in.calls[-2:]
    assert (verb, first["u"], first["v"], first["f"]) == ("POST", "ada", "1.16.1", "json")
    assert first["t"] != second["t"]
    assert first["s"] != second["s"]
    assert not first.keys() & {"p", "apiKey"}
    assert headers["Accept-Encoding"] == "identity"


def test_an_api_key_is_sent_without_a_username(stand_in: StandIn) -> None:
    SubsonicClient(stand_in.address, Login("", StandIn.api_key, is_api_key=True)).probe()
    values = stand_in.calls[-1][2]
    assert values["apiKey"] == StandIn.api_key
    assert not values.keys() & {"u", "t", "p"}


def test_a_server_without_tokens_gets_the_password_within_ones_own_network_alone(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.has_tokens = False
    client = SubsonicClient(stand_in.address, LOGIN)
    assert client.probe().wants_password
    assert stand_in.calls[-1][2]["p"] == "enc:" + StandIn.password.encode().hex()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_a, **_k: [(0, 0, 0, "", ("93.184.215.14", 80))])
    assert not is_safe_for_passwords("http://music.example.org")
    assert is_safe_for_passwords("https://music.example.org")


@pytest.mark.parametrize(
    ("status", "headers", "body", "message"),
    [
        (302, {"Location": "http://169.254.169.254/"}, b"", "sends us elsewhere"),
        (200, {"Content-Type": "text/html"}, b"<h1>Welcome</h1>", r"no answer of a Subsonic server \(HTTP 200\)"),
        (422, {}, json.dumps({"detail": "bad"}).encode(), r"no answer of a Subsonic server \(HTTP 422\)"),
        (200, {}, b"[" * 100_000, "no answer of a Subsonic server"),
        (200, {}, b'{"subsonic-response": {"status": "failed", "error": "?"}}', r"ping: refused \(code 0\)"),
        (200, {"Content-Length": "500"}, b"{}", "broke off"),
    ],
)
def test_odd_answers_are_errors_that_say_why(
    stand_in: StandIn, status: int, headers: dict[str, str], body: bytes, message: str
) -> None:
    stand_in.faults["ping"] = (status, {**headers, "Connection": "close"}, body)
    with pytest.raises(SubsonicError, match=message):
        SubsonicClient(stand_in.address, LOGIN).call("ping")
    # No redirect was followed.
    assert len(stand_in.calls) == 1


def test_an_answer_may_be_no_longer_than_is_said(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "JSON_BYTES", 1_000_000)
    stand_in.faults["ping"] = (200, {}, b" " * 1_000_001)
    with pytest.raises(SubsonicError, match="longer than 1 MB"):
        SubsonicClient(stand_in.address, LOGIN).call("ping")


def test_an_answer_that_drips_in_ends(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "JSON_SECONDS", 0.0)
    with pytest.raises(SubsonicError, match="takes too long"):
        SubsonicClient(stand_in.address, LOGIN).call("ping")


def test_no_error_and_no_log_tells_the_secret_or_the_token(stand_in: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SubsonicError) as refused:
        SubsonicClient(stand_in.address, Login("", "wrong-key", is_api_key=True)).probe()
    assert str(refused.value) == "ping: invalid API key *** (code 44)"
    stand_in.faults["ping"] = (200, {}, _refusal_of(f"no such p=enc:{StandIn.password.encode().hex()}"))
    with pytest.raises(SubsonicError, match=r"^ping: no such p=enc:\*\*\* \(code 40\)$"):
        SubsonicClient(stand_in.address, LOGIN).call("ping")
    stand_in.faults.clear()
    gone = SubsonicClient("http://127.0.0.1:9", LOGIN)
    with pytest.raises(SubsonicError) as away:
        gone.call("ping")
    assert str(away.value) == "ping: the server can't be reached (ConnectionError)"
    assert away.value.__cause__ is None
    stand_in.has_form_post = False
    SubsonicClient(stand_in.address, LOGIN).call("ping")
    token = stand_in.calls[-1][2]["t"]
    assert token not in caplog.text
    assert StandIn.password not in repr(LOGIN)


def _refusal_of(message: str) -> bytes:
    return json.dumps({"subsonic-response": {"status": "failed", "error": {"code": 40, "message": message}}}).encode()


@pytest.mark.parametrize(
    "address",
    [
        "music.example.org", "file:///etc/passwd", "ftp://a.example", "http://", "https://ada:pw@a.example",
        "http://a.example/?x=1", "http://a.example/#x", "http://[::1", "http://a.example:0", "gopher://a.example",
        "http://a.example/" + "x" * 500,
    ],
)  # fmt: skip
def test_addresses_that_are_none_are_refused(address: str) -> None:
    with pytest.raises(LibraryError, match=r"^address: "):
        clean_address(address)


def test_addresses_lose_what_is_not_part_of_them() -> None:
    assert clean_address(" http://192.168.1.2:4533/ ") == "http://192.168.1.2:4533"
    assert clean_address("https://a.example/music/rest/") == "https://a.example/music"


def test_nothing_is_connected_without_a_secret() -> None:
    with pytest.raises(LibraryError, match="must be given"):
        connect_server(address="http://127.0.0.1:9", username="ada", secret="")
