"""While nothing can be written, or the database does not answer at all: reads go on, writes say when to come again."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client

from accounts.limits import limiter
from accounts.limits.cache import DatabaseCache
from accounts.limits.limiter import Limit, wait_seconds
from accounts.models import RateCount
from catalog.models import Track
from feedback.ratings.models import Rating
from jobs.patience import impatient
from recommender.lifecycle.training import retrain
from recommender.models import Recommendation
from recommender.tests.builders import make_catalogue, make_user
from spotify_rec.web import away

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = ("accounts_ratecount", "recommender_recommendation", "feedback_rating", "django_session", "site_cache")


@pytest.fixture(autouse=True)
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wait as a process that serves does, but for a second."""
    monkeypatch.setattr(away, "WRITE_SECONDS", 1)
    monkeypatch.setattr(limiter._paused, "until", 0.0)
    database: dict[str, Any] = connection.settings_dict
    monkeypatch.setitem(database, "OPTIONS", dict(database["OPTIONS"]))
    away.wait_less()
    connection.close()
    yield
    monkeypatch.undo()
    connection.close()


@pytest.fixture
def site_cache(settings: Any) -> None:
    """Use the site's own cache, as in production."""
    settings.CACHES = {**settings.CACHES, "default": settings.CACHES["site"]}


@contextmanager
def writes_blocked() -> Iterator[None]:
    """Have another connection hold what every writer needs; readers may go on."""
    if connection.vendor == "sqlite":
        raw: Any = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        statement = "BEGIN IMMEDIATE"
    elif connection.vendor == "postgresql":
        raw = connection.get_new_connection(connection.get_connection_params())
        statement = f"BEGIN; LOCK TABLE {', '.join(TABLES)} IN EXCLUSIVE MODE"
    else:
        raw = connection.get_new_connection(connection.get_connection_params())
        statement = f"LOCK TABLES {', '.join(f'{table} READ' for table in TABLES)}"
    with closing(raw), closing(raw.cursor()) as cursor:
        cursor.execute(statement)
        yield


def kill_our_connection() -> None:
    """End this connection on the server, as a restart of it does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()" if connection.vendor == "postgresql" else "SELECT CONNECTION_ID()")
        number = cursor.fetchone()[0]
    other = connection.get_new_connection(connection.get_connection_params())
    end = "SELECT pg_terminate_backend(%s)" if connection.vendor == "postgresql" else "KILL %s"
    with closing(other), closing(other.cursor()) as cursor:
        cursor.execute(end, [number])


def test_reads_need_no_write(client: Client, settings: Any, tmp_path: Any) -> None:
    settings.MODEL_DIR = tmp_path
    make_catalogue()
    retrain(force=True)
    user = make_user()
    client.force_login(user)
    song = Track.objects.order_by("pk")[0]
    pages = ["/search/?q=song", "/", "/songs/", f"/songs/{song.pk}/", "/ratings/", "/history/", "/api/songs"]
    assert {page: client.get(page).status_code for page in pages[:1]} == {pages[0]: 200}
    before = Recommendation.objects.count()
    with writes_blocked():
        start = time.monotonic()
        assert {page: client.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)
        # One count fails after a second, and the record of what was shown; then nothing waits.
        assert time.monotonic() - start < 15
    assert Recommendation.objects.count() == before


@pytest.mark.usefixtures("site_cache")
def test_a_site_that_can_be_read_is_ready(client: Client) -> None:
    with writes_blocked():
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["cache"]) == (200, "ok")


@pytest.mark.usefixtures("site_cache")
def test_a_log_in_says_when_to_come_again_and_not_that_there_were_too_many(client: Client) -> None:
    """Its limits are taken under a lock, and a lock that can't be written is nobody else's."""
    user = make_user()
    user.set_password("three blind mice see how")
    user.save()
    sent = {"login": user.username, "password": "three blind mice see how"}
    with writes_blocked():
        page = client.post("/accounts/login/", sent)
        call = client.post("/api/auth/login", sent, "application/json")
    assert [(answer.status_code, answer["Retry-After"]) for answer in (page, call)] == [(503, "5"), (503, "5")]
    assert client.post("/api/auth/login", sent, "application/json").status_code == 200


@pytest.mark.usefixtures("site_cache")
def test_an_export_needs_no_write(client: Client) -> None:
    client.force_login(make_user())
    with writes_blocked():
        answer = client.get("/api/user/export")
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content).startswith(b"{")  # type: ignore[attr-defined]


def test_a_write_says_when_to_come_again_and_is_done_then(client: Client) -> None:
    make_catalogue()
    client.force_login(make_user())
    song = Track.objects.order_by("pk")[0]
    with writes_blocked():
        page = client.post(f"/songs/{song.pk}/rate/", {"value": "1"})
        call = client.post("/api/feedback", {"song_id": song.pk, "value": "like"}, "application/json")
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    # Without a script, a button sends what was typed again.
    assert '<input type="hidden" name="value" value="1">' in page.content.decode()
    assert (call.status_code, call["Retry-After"], call["Content-Type"]) == (503, "5", "application/problem+json")
    assert not Rating.objects.exists()
    assert client.post(f"/songs/{song.pk}/rate/", {"value": "1"}).status_code == 302
    assert Rating.objects.get().value == 1


def test_limits_fail_open_after_a_second_and_do_not_wait_again() -> None:
    limit = Limit("search", 1)
    with writes_blocked():
        start = time.monotonic()
        assert [wait_seconds(limit, "someone") for _turn in range(20)] == [0] * 20
        assert 0.5 < time.monotonic() - start < 3
    assert not RateCount.objects.exists()


def test_the_cache_fails_no_page() -> None:
    cache = DatabaseCache("site_cache", {})
    cache.set("weather", "rain", 60)
    with writes_blocked():
        assert cache.get("weather") == "rain"
        cache.set("weather", "sun", 60)
    assert cache.get("weather") == "rain"


def test_what_waited_a_second_waits_as_before_afterwards() -> None:
    with writes_blocked():
        with pytest.raises(OperationalError), impatient():
            RateCount.objects.create(key="0" * 64, tat=1)
        start = time.monotonic()
        with pytest.raises(OperationalError):
            RateCount.objects.create(key="0" * 64, tat=1)
        assert 0.5 < time.monotonic() - start < 5


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no server that could be restarted.")
def test_a_connection_that_the_server_ended_is_made_anew() -> None:
    client = Client(raise_request_exception=False)
    make_catalogue()
    song = Track.objects.order_by("pk")[0]
    client.force_login(make_user())
    kill_our_connection()
    answers = [client.post(f"/songs/{song.pk}/rate/", {"value": "1"}) for _try in range(3)]
    assert [answer.status_code for answer in answers] == [503, 302, 302]
    assert answers[0]["Retry-After"] == "5"
    assert Rating.objects.count() == 1


def test_a_database_that_is_not_there_is_one_line_and_503(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_arguments: Any) -> Any:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setattr(connections["default"], "get_new_connection", refuse)
    connection.close()
    for path in ("/songs/", "/api/songs", "/search/?q=song"):
        answer = client.get(path)
        assert (path, answer.status_code, answer.get("Retry-After")) == (path, 503, "5")
    lines = [text for text in caplog.messages if text.startswith("not available")]
    assert lines == ["not available: the database doesn't answer: connection refused"] * 3
