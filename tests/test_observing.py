"""Logs, health and numbers: what the operator sees, and what they do not."""

import gc
import json
import logging
import time
from io import StringIO
from threading import Event
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client

from accounts.models import User
from feedback.tests.factories import PASSWORD, UserFactory
from recommender.lifecycle import versions
from spotify_rec.logs import logging_settings, redact
from spotify_rec.web.warming import warm_pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> Any:
    """What is written to the log, as the production settings write it."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    formatter = dict(logging_settings(level="INFO", is_json=True)["formatters"]["structured"])
    handler.setFormatter(formatter.pop("()")(**formatter))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def test_each_request_is_one_line_with_its_id_and_route(client: Client, lines: Any) -> None:
    answer = client.get("/songs/17/")

    line = next(line for line in lines() if line["event"] == "request")
    assert (line["route"], line["method"], line["status"]) == ("songs/<int:pk>/", "GET", 404)
    assert line["request_id"] == answer["X-Request-ID"]
    assert len(line["request_id"]) == 32


@pytest.mark.parametrize(("proxies", "is_kept"), [(0, False), (1, True)])
def test_only_a_proxy_of_ours_names_requests(client: Client, settings: Any, proxies: int, is_kept: bool) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    for sent, fits in (("a1b2c3d4-e5f6", True), ("x\ty" * 5, False), ("short", False)):
        answer = client.get("/healthz", headers={"X-Request-ID": sent})
        assert (answer["X-Request-ID"] == sent) is (is_kept and fits)


def test_nobody_is_in_the_logs(client: Client, lines: Any) -> None:
    user = UserFactory(username="ada-lovelace", email="ada@example.org")
    client.post("/accounts/login/", {"login": "ada@example.org", "password": "wrong-secret"})
    client.post("/accounts/login/", {"login": "ada-lovelace", "password": PASSWORD})
    client.get("/search/", {"q": "my private song"})
    client.get("/accounts/password/reset/key/1-abc-def/")
    client.get("/nothing/ada@example.org/")
    client.get("/api/songs/search?q=my+private+song", headers={"Authorization": "Bearer earworm_secret"})
    Client(enforce_csrf_checks=True).post("/profile/", {"x": "y"})

    # By chance three letters stand in the hexadecimal number of a request, too.
    text = json.dumps([{**line, "request_id": ""} for line in lines()])
    assert len(lines()) >= 7
    assert user.username == "ada-lovelace"
    for private in (
        "ada",
        "wrong-secret",
        PASSWORD,
        "private song",
        "private+song",
        "1-abc-def",
        "earworm_",
        "127.0.0.1",
    ):
        assert private not in text, private


def test_a_failure_is_told_with_its_place_and_without_the_data(
    client: Client, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_query: str) -> None:
        raise ValueError("Key (email)=(ada@example.org) already exists from 10.1.2.3")

    monkeypatch.setattr("catalog.views.search", fail)
    client.raise_request_exception = False
    answer = client.get("/search/?q=x")

    failure = next(line for line in lines() if "exception" in line)
    assert failure["request_id"] == answer["X-Request-ID"]
    assert "in fail" in failure["exception"]
    assert "ada" not in failure["exception"]
    assert "10.1.2.3" not in failure["exception"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from ada.l+x@mail.example.org to", "from [e-mail] to"),
        ("earworm_aB3-x_9 used", "[token] used"),
        ("Duplicate entry 'ada' for key 'name'", "Duplicate entry [row] for key 'name'"),
        ("DETAIL:  Key (email)=(a) already exists.", "DETAIL:  [row] already exists."),
        ("Key (name)=(a) b) already exists.", "[row] already exists."),
        ("Key (name)=(never ended", "[row]"),
        ("Duplicate entry 'a' for key' for key 'name'", "Duplicate entry [row] for key 'name'"),
        ("10.0.0.1:80 and 2001:db8:0:0:0:0:0:1", "[address]:80 and [address]"),
        ("from 2001:db8::1 or ::1", "from [address] or [address]"),
        ("took 1.5 s at 12:30:45", "took 1.5 s at 12:30:45"),
    ],
)
def test_what_slips_in_is_blackened(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_a_long_text_is_cut_before_it_is_read() -> None:
    start = time.process_time()
    text = redact("a" * 10_000_000 + " ada@example.org")

    assert time.process_time() - start < 0.5
    assert len(text) < 2_100
    assert text.endswith("a [e-mail]")


@pytest.mark.parametrize("host", ["a" * 8000, "ada@example.org", "a_b" * 2000, "1." * 4000])
def test_a_foreign_host_costs_a_short_constant_line(client: Client, lines: Any, host: str) -> None:
    client.get("/offline/")  # the first request imports all addresses
    start = time.process_time()
    answer = client.get("/", headers={"Host": host})

    assert answer.status_code == 400
    assert time.process_time() - start < 0.5
    written = [line for line in lines() if line["event"] != "request"]
    assert [line["event"] for line in written if line["logger"].startswith("django.security")] == ["request refused"]
    assert all("exception" not in line for line in written)
    assert len(json.dumps(written)) < 1000
    assert host[:20] not in json.dumps(written)


def test_what_gunicorn_says_of_a_request_is_constant(lines: Any) -> None:
    logger = logging.getLogger("gunicorn.error")
    logger.propagate = True
    try:
        logger.warning("Invalid request from ip=10.1.2.3: Invalid header: 'ada'")
        logger.error("Error handling request %s %s", "GET", "/search/?q=my+private+song")
        logger.info("Worker exiting (pid: %s)", 17)
    finally:
        logger.propagate = False

    events = ["Invalid request", "Error handling request", "Worker exiting (pid: 17)"]
    assert [line["event"] for line in lines() if line["logger"] == "gunicorn.error"] == events


def test_alive_and_ready(client: Client, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert client.get("/healthz").content == b"ok\n"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"database": "ok", "cache": "ok", "migrations": "ok", "warm": "ok"},
    )

    def broken() -> bool:
        raise OSError("the server at 10.0.0.1 is gone")

    monkeypatch.setitem(__import__("spotify_rec.observability").observability._CHECKS, "cache", broken)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["cache"]) == (503, "failed")
    assert "10.0.0.1" not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_start_is_ready_when_the_first_page_is_prepared(client: Client) -> None:
    is_asked, may_end = Event(), Event()

    def prepare() -> None:
        is_asked.set()
        may_end.wait(30)

    loader = versions._loader
    was_in_background = loader.in_background
    try:
        versions.serve_without_waiting(prepare)
        assert is_asked.wait(30)
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["warm"]) == (503, "failed")
        may_end.set()
        assert versions._is_warm.wait(30)
        assert client.get("/readyz").json()["warm"] == "ok"
    finally:
        may_end.set()
        loader.in_background = was_in_background
        gc.unfreeze()


def test_what_is_prepared_holds_for_the_first_page(caplog: pytest.LogCaptureFixture) -> None:
    warm_pages()
    assert "could not be prepared" not in caplog.text


def test_numbers_are_for_staff_and_for_prometheus(client: Client, settings: Any) -> None:
    assert client.get("/metrics").status_code == 404
    client.force_login(UserFactory())
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = "a long token"
    program = Client()
    assert program.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 404
    program.get("/songs/17/")
    text = program.get("/metrics", headers={"Authorization": "Bearer a long token"}).content.decode()
    assert 'site_requests_total{method="GET",route="songs/<int:pk>/",status="404"}' in text
    assert "site_request_seconds_bucket" in text
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", PASSWORD))
    assert client.get("/metrics").status_code == 200


def test_logs_are_json_outside_debug() -> None:
    settings = logging_settings(level="INFO", is_json=True)
    assert "JSONRenderer" in str(settings["formatters"]["structured"]["processors"][-1])
    assert site_settings.LOGGING["root"]["handlers"] == ["console"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_whoever_asks_by_address_and_without_https_is_told(client: Client, settings: Any, path: str) -> None:
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["songs.example.org"], True

    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200
    assert client.get("/songs/", headers={"host": "10.1.2.3:8000"}).status_code == 400
