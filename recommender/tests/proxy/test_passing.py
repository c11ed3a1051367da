"""Calls that pass through the proxy, and what no caller can make it do (security points of the protocol)."""

import logging
import re
import threading
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from catalog.models import MusicServer
from catalog.sources.servers.services import LibraryError, connect_folder, set_proxied
from recommender.proxy import guessing, relay
from recommender.tests.builders import make_user
from recommender.tests.proxy.server import PASSWORDS, Server, login

pytestmark = pytest.mark.django_db


def content(response: Any) -> bytes:
    """Return the body, streamed or not."""
    return b"".join(response.streaming_content) if response.streaming else bytes(response.content)


def hang_up(response: Any) -> None:
    """Read no more of a response, without ending the request as Django's test client does."""
    for close in response._resource_closers:
        close()


def test_nothing_is_proxied_until_the_operator_says_so(client: Client, server: Server, proxied: MusicServer) -> None:
    set_proxied(server=proxied, is_proxied=False)
    assert client.get("/rest/ping", login()).status_code == 404
    set_proxied(server=proxied, is_proxied=True)
    MusicServer.objects.update(is_active=False)
    assert client.get("/rest/ping", login()).status_code == 404
    assert server.calls == []


def test_at_most_one_server_is_proxied_and_no_folder(proxied: MusicServer, tmp_path: Any) -> None:
    other = MusicServer.objects.create(kind="subsonic", address="http://192.168.1.3")
    set_proxied(server=other, is_proxied=True)
    assert list(MusicServer.objects.filter(is_proxied=True)) == [other]
    with pytest.raises(LibraryError, match="not a folder"):
        set_proxied(server=connect_folder(path=tmp_path), is_proxied=True)


@pytest.mark.parametrize("path", ["ping", "ping.view"])
def test_a_call_is_answered_as_the_server_answers(
    client: Client, server: Server, proxied: MusicServer, path: str
) -> None:
    response = client.get(f"/rest/{path}", login())
    assert b'"status": "ok"' in content(response)
    assert response["Content-Type"] == "application/json"
    [(verb, method, values, _headers)] = server.calls
    assert (verb, method, values) == ("GET", "ping", {key: str(value) for key, value in login().items()})


def test_a_form_is_passed_on_as_a_form(client: Client, server: Server, proxied: MusicServer) -> None:
    form = "&".join(f"{key}={value}" for key, value in login().items())
    response = client.post("/rest/ping.view", form, content_type="application/x-www-form-urlencoded")
    assert b'"status": "ok"' in content(response)
    [(verb, _method, values, _headers)] = server.calls
    assert verb == "POST"
    assert values["t"] == login()["t"]


def test_an_api_key_passes_too(client: Client, server: Server, proxied: MusicServer) -> None:
    assert b'"status": "ok"' in content(client.get("/rest/ping", {"apiKey": Server.api_key, "f": "json"}))


def test_sound_comes_in_ranges_and_whole(client: Client, server: Server, proxied: MusicServer) -> None:
    sound = bytes(range(256)) * 8000
    server.files["so-1"] = ("audio/mpeg", sound)
    whole = client.get("/rest/stream", login(id="so-1"))
    assert (whole.status_code, whole["Content-Type"]) == (200, "audio/mpeg")
    assert whole["Content-Length"] == str(len(sound))
    assert whole.streaming
    assert content(whole) == sound
    part = client.get("/rest/stream", login(id="so-1"), headers={"Range": "bytes=1000-1999"})
    assert part.status_code == 206
    assert part["Content-Range"] == f"bytes 1000-1999/{len(sound)}"
    assert content(part) == sound[1000:2000]


def test_so_many_threads_may_load_sound_and_no_more(client: Client, server: Server, proxied: MusicServer) -> None:
    server.files["so-1"] = ("audio/mpeg", b"x" * 1_500_000)
    playing = [client.get("/rest/stream", login(id="so-1")) for _number in range(relay.STREAMS)]
    refused = client.get("/rest/stream", login(id="so-1"))
    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    assert b'"status": "ok"' in content(client.get("/rest/ping", login()))
    for response in playing:
        hang_up(response)
    assert len(content(client.get("/rest/stream", login(id="so-1")))) == 1_500_000


def test_head_is_passed_on_without_a_body(client: Client, server: Server, proxied: MusicServer) -> None:
    response = client.head("/rest/ping", login())
    assert (response.status_code, response.content) == (200, b"")
    assert [call[0] for call in server.calls] == ["GET"]


# --- Security, point by point ---------------------------------------------------------------------------------------


def test_no_redirect_is_followed(client: Client, server: Server, proxied: MusicServer) -> None:
    server.faults["stream"] = (302, {"Location": "http://169.254.169.254/latest"}, b"")
    response = client.get("/rest/stream", login(id="so-1"))
    assert response.status_code == 502
    assert not response.has_header("Location")
    assert len(server.calls) == 1


@pytest.mark.parametrize("path", ["../admin", "a/b", "http://169.254.169.254/", "ping%00", "ping?x", "..%2fadmin", "é"])
def test_a_path_is_one_method_name(client: Client, server: Server, proxied: MusicServer, path: str) -> None:
    assert client.get(f"/rest/{path}", login()).status_code in (400, 404) or not server.calls[0][1].strip("ping")
    assert all(re.fullmatch("[A-Za-z0-9]+", method) for _verb, method, _values, _headers in server.calls)


def test_only_named_headers_reach_the_server_and_come_back(
    client: Client, server: Server, proxied: MusicServer
) -> None:
    client.force_login(make_user())
    server.faults["ping"] = (
        200,
        {"Content-Type": "application/json", "Set-Cookie": "a=b", "Refresh": "0;url=//evil", "X-Accel-Redirect": "/x"},
        b"{}",
    )
    sent = {"Remote-User": "admin", "Authorization": "Bearer x", "X-Forwarded-For": "1.2.3.4", "Cookie": "sessionid=1"}
    response = client.get("/rest/ping", login(), headers=sent)
    content(response)
    assert not {name.lower() for name in response.headers} & {"set-cookie", "refresh", "x-accel-redirect"}
    assert not response.cookies
    headers = {name.lower() for name in server.calls[0][3]}
    assert not headers & {"remote-user", "authorization", "x-forwarded-for", "cookie"}


def test_another_sites_script_may_call_and_has_no_session(client: Client, proxied: MusicServer) -> None:
    checking = Client(enforce_csrf_checks=True)
    checking.force_login(make_user())
    before = dict(checking.session.items())
    form = "application/x-www-form-urlencoded"
    headers = {"Origin": "https://player.example"}
    response = checking.post("/rest/ping", urlencode(login()), content_type=form, headers=headers)
    content(response)
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == "*"
    assert not response.has_header("Access-Control-Allow-Credentials")
    assert dict(checking.session.items()) == before
    preflight = client.options("/rest/stream", headers={"Origin": "https://player.example"})
    assert preflight.status_code == 204
    assert "Range" in preflight["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "application/xhtml+xml", ""])
def test_what_a_browser_would_run_is_a_file(
    client: Client, server: Server, proxied: MusicServer, content_type: str
) -> None:
    server.faults["getCoverArt"] = (200, {"Content-Type": content_type}, b"<script>alert(1)</script>")
    response = client.get("/rest/getCoverArt", login(id="x"))
    content(response)
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_jsonp_runs_nothing_in_a_page_of_this_site(client: Client, server: Server, proxied: MusicServer) -> None:
    bad = client.get("/rest/ping", login(f="jsonp", callback="alert(1)//"))
    assert bad.status_code == 400
    own = {"Sec-Fetch-Dest": "script", "Sec-Fetch-Site": "same-origin"}
    assert client.get("/rest/ping", login(f="jsonp", callback="take"), headers=own).status_code == 403
    assert server.calls == []


def guess(client: Client, name: str = "ada", password: str = "wrong", **headers: str) -> HttpResponse:
    response = client.get("/rest/ping", login(name, password), headers=headers)
    content(response)
    return response  # type: ignore[return-value]


def test_guessing_ends_after_five_even_for_the_right_password(
    client: Client, server: Server, proxied: MusicServer
) -> None:
    statuses = [guess(client).status_code for _number in range(8)]
    assert statuses == [200] * 6 + [429] * 2
    locked = client.get("/rest/ping", login())
    assert (locked.status_code, locked["Retry-After"]) == (429, str(guessing.LOCKED_SECONDS))
    # Others, and whoever is elsewhere, may log in.
    assert guess(client, "bob", PASSWORDS["bob"]).status_code == 200
    assert Client(REMOTE_ADDR="198.51.100.7").get("/rest/ping", login()).status_code == 200
    assert len(server.calls) == 8


def test_guesses_in_xml_and_with_names_in_other_letters_count_too(
    client: Client, server: Server, proxied: MusicServer
) -> None:
    refusal = b'<subsonic-response status="failed"><error code="40" message="Wrong"/></subsonic-response>'
    server.faults["ping"] = (200, {"Content-Type": "text/xml"}, refusal)
    for name in ("ada", "ADA", " ada ", "Ada", "adA", "aDa"):
        content(client.get("/rest/ping", {"u": name, "p": "guess"}))
    assert client.get("/rest/ping", {"u": "ada", "p": "guess"}).status_code == 429


def test_guessing_api_keys_ends_too(client: Client, server: Server, proxied: MusicServer) -> None:
    statuses = []
    for number in range(8):
        response = client.get("/rest/ping", {"apiKey": f"guess-{number}", "f": "json"})
        content(response)
        statuses.append(response.status_code)
    assert statuses == [200] * 6 + [429] * 2


def test_a_guess_by_head_counts_too(client: Client, server: Server, proxied: MusicServer) -> None:
    statuses = [client.head("/rest/ping", {"u": "ada", "p": "guess", "f": "json"}).status_code for _number in range(8)]
    assert statuses == [200] * 6 + [429] * 2


def test_a_refusal_in_plain_text_counts_too(client: Client, server: Server, proxied: MusicServer) -> None:
    server.faults["ping"] = (401, {"Content-Type": "text/plain"}, b"no")
    statuses = []
    for _number in range(7):
        response = client.get("/rest/ping", {"u": "ada", "p": "guess"})
        content(response)
        statuses.append(response.status_code)
    assert statuses == [401] * 6 + [429]


@pytest.mark.parametrize("query", ["u=ada&u=bob&p=x", "u=ada&p=x&p=y", "apiKey=a&apiKey=b", "u=ada&p=a%00b"])
def test_log_ins_that_can_be_read_in_two_ways_are_not_passed_on(
    client: Client, server: Server, proxied: MusicServer, query: str
) -> None:
    assert client.get(f"/rest/ping?{query}").status_code == 400
    assert client.post(f"/rest/ping?{query}", "", content_type="application/x-www-form-urlencoded").status_code == 400
    assert server.calls == []


def test_a_body_that_is_no_form_is_not_passed_on(client: Client, server: Server, proxied: MusicServer) -> None:
    assert client.post("/rest/ping", {"u": "ada", "p": "guess"}).status_code == 400
    assert client.post("/rest/ping", b'{"u": "ada"}', content_type="application/json").status_code == 400
    assert server.calls == []


def test_an_answer_that_lies_about_its_length_ends(
    client: Client, server: Server, proxied: MusicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MAX_BYTES", 1000)
    server.files["so-1"] = ("audio/mpeg", b"x" * 1001)
    assert client.get("/rest/stream", login(id="so-1")).status_code == 502


def test_a_server_that_is_away_says_so_without_secrets(
    client: Client, server: Server, proxied: MusicServer, caplog: pytest.LogCaptureFixture
) -> None:
    MusicServer.objects.update(address="http://127.0.0.1:9")
    with caplog.at_level(logging.DEBUG):
        response = client.get("/rest/ping", login(p="enc:736563726574"))
    assert response.status_code == 502
    assert response.json()["subsonic-response"]["error"]["message"] == "The music server can't be reached."
    assert "127.0.0.1" not in response.content.decode()
    log = caplog.text + response.content.decode()
    assert not [text for text in ("736563726574", login()["t"], "c0ffee") if text in log]


def test_nothing_of_a_log_in_is_logged_or_stored(
    client: Client, server: Server, proxied: MusicServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        content(client.get("/rest/ping", login(p="enc:736563726574")))
        guess(client)
    assert not [text for text in ("736563726574", login()["t"], "c0ffee") if text in caplog.text]
    with connection.cursor() as cursor:
        tables = [table for table in connection.introspection.table_names(cursor) if "search" not in table]
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert login()["t"] not in str(cursor.fetchall())
    assert login()["t"] not in str(getattr(cache, "_cache", {}))


def test_a_stream_that_nobody_reads_lets_the_server_go(client: Client, server: Server, proxied: MusicServer) -> None:
    server.files["so-1"] = ("audio/mpeg", b"x" * 3_000_000)
    before = threading.active_count()
    response = client.get("/rest/stream", login(id="so-1"))
    hang_up(response)
    assert relay._streams.acquire(blocking=False)
    relay._streams.release()
    assert threading.active_count() <= before + 3


def test_a_thousand_parameters_pass_and_a_flood_does_not(client: Client, server: Server, proxied: MusicServer) -> None:
    ids = "&".join(f"songId=so-{number}" for number in range(3000))
    form = "&".join(f"{key}={value}" for key, value in login().items())
    response = client.post("/rest/ping", f"{form}&{ids}", content_type="application/x-www-form-urlencoded")
    assert b'"status": "ok"' in content(response)
    flood = "a=1&" * 30_000
    assert client.post("/rest/ping", flood, content_type="application/x-www-form-urlencoded").status_code == 400
