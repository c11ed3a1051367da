"""A short day of two listeners with all their players at once: each listen is exactly one play."""

import threading
import time
from collections.abc import Iterator

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from benchmarks.faults.day_players import Library
from benchmarks.faults.listening_day import Found, found, furnish, import_again, read_last_plays
from benchmarks.faults.request_clock import time_of_request
from catalog.sources.subsonic.tests.stand_in import running

LISTENS = 8
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def port(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve a site whose clock each request may set."""
    settings.MIDDLEWARE = ["benchmarks.faults.request_clock.clock", *settings.MIDDLEWARE]
    monkeypatch.setattr(time, "time", time_of_request)
    server = LiveServer("127.0.0.1")
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    yield server.thread.port
    server.stop()


def test_each_listen_is_one_play(port: int) -> None:
    library = Library(12)
    with running(library):
        people = furnish(library, port=port, listeners=2, listens=LISTENS)
        for act in (lambda person: person.run(), import_again):
            threads = [threading.Thread(target=act, args=(person,)) for person in people]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            read_last_plays()
    assert [person.errors for person in people] == [[], []]
    assert sum((found(person, explain=True) for person in people), Found()) == Found(plays=2 * LISTENS)
