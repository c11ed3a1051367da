"""What all tests share: quick passwords, a cache of their own, the browser, the real catalogue files."""

import os
import shutil
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import time_machine
from django.conf import settings
from django.core import signals
from django.core.cache import cache, caches
from django.db import OperationalError, connection, connections
from django.test import override_settings
from django.utils import translation
from playwright.sync_api import BrowserContext, Playwright, expect
from pytest_django import DjangoDbBlocker

# Playwright keeps an event loop in the main thread, which Django would take for an async view.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

TEST_SETTINGS = {
    # Argon2 is slow on purpose; it stays listed for the tests that are about it.
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS],
    # The site's cache table stays within reach under its own name (and so `migrate` makes it).
    "CACHES": {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "site": settings.CACHES["default"],
        "songs": settings.CACHES["songs"],
    },
    # Tests have stores of their own.
    "MODEL_STORE": "",
}


def pytest_configure(config: pytest.Config) -> None:
    """Put the settings of the tests in place for the whole run."""
    # Playwright's own five seconds are too few where others are at work on the machine.
    expect.set_options(timeout=60_000)
    overridden = override_settings(**TEST_SETTINGS)
    overridden.enable()
    config.add_cleanup(overridden.disable)
    # A name of its own lets two runs go on at once. SQLite gets a file: its in-memory databases know no waiting writer.
    test_database = f"test_spotify_rec_{os.getpid()}"
    if connection.vendor == "sqlite":
        test_database = str(settings.VAR_DIR / f"{test_database}.sqlite3")
    connection.settings_dict["TEST"]["NAME"] = test_database
    if clock := os.environ.get("TEST_CLOCK"):
        traveller = time_machine.travel(moved_clock(clock), tick=True)
        traveller.start()
        config.add_cleanup(traveller.stop)


def moved_clock(text: str) -> datetime:
    """Return when the tests are to run: ``text`` is a moment (ISO 8601), or hours from now with their sign, as +2h."""
    now = datetime.now().astimezone()
    return now + timedelta(hours=float(text[:-1])) if text.endswith("h") else datetime.fromisoformat(text).astimezone()


def pytest_report_header() -> str:
    """Say on which database the tests run, and what the clock says if it was moved."""
    clock = f", clock: {datetime.now().astimezone():%c}" if os.environ.get("TEST_CLOCK") else ""
    return f"database: {connection.vendor}{clock}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what asks for a page of the browser, or for the database, so that nobody has to remember to.

    Of TEST_SHARE=2/3 only the second third stays, and all races: they are where databases differ most.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if {"page", "context", "browser"} & fixtures:
            item.add_marker("browser")
        asks_database = {"db", "django_db_setup", "live_server", "transactional_db"} & fixtures
        if asks_database or item.get_closest_marker("django_db"):
            item.add_marker("database")
    if share := os.environ.get("TEST_SHARE"):
        number, shares = (int(part) for part in share.split("/"))
        left_out = [item for item in items if not _is_race(item) and crc32(item.nodeid.encode()) % shares != number - 1]
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


def _is_race(item: pytest.Item) -> bool:
    """Return whether the test has transactions of its own and no browser."""
    mark = item.get_closest_marker("django_db")
    return mark is not None and bool(mark.kwargs.get("transaction")) and not item.get_closest_marker("browser")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that need a browser where there is none; under REQUIRE_BROWSER they fail instead."""
    if item.get_closest_marker("browser") and find_chromium() is None:
        missing("no Chromium on this machine (Debian: apt install chromium)", required_by="REQUIRE_BROWSER")


def missing(reason: str, *, required_by: str) -> None:
    """Skip the test; fail it where the environment variable ``required_by`` says that nothing may be missing."""
    if os.environ.get(required_by, "") not in ("", "0"):
        pytest.fail(f"{reason}, and {required_by} is set", pytrace=False)
    pytest.skip(reason)


def find_chromium() -> str | None:
    """Return the path of an installed Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture
def real_clock() -> None:
    """Skip the test where the clock was moved: the processes that it starts have the machine's."""
    if os.environ.get("TEST_CLOCK"):
        pytest.skip("TEST_CLOCK moves no other process's clock")


@pytest.fixture(scope="session")
def base_url() -> None:
    """Have tests name the whole address; the plugin's own fixture of this name is deprecated by pytest."""


@pytest.fixture(scope="session")
def playwright(playwright: Playwright) -> Iterator[Playwright]:
    """Close, before the event loop ends, the connection that Django keeps for code beside a running event loop.

    Without the loop nobody finds it any more, and PostgreSQL drops no database that somebody is connected to.
    """
    yield playwright
    connections.close_all()


@pytest.fixture
def requests_ended() -> Iterator[None]:
    """Wait for what the browser still asked of the site when it was closed, before the tables are emptied.

    PostgreSQL ends one of the two otherwise, as a deadlock.
    """
    under_way: set[int] = set()

    def begun(**_kwargs: Any) -> None:
        under_way.add(threading.get_ident())

    def ended(**_kwargs: Any) -> None:
        under_way.discard(threading.get_ident())

    signals.request_started.connect(begun)
    signals.request_finished.connect(ended)
    yield
    quiet_since, end = time.monotonic(), time.monotonic() + 20
    while time.monotonic() < min(quiet_since + 0.1, end):
        time.sleep(0.01)
        if under_way - {threading.get_ident()}:
            quiet_since = time.monotonic()
    signals.request_started.disconnect(begun)
    signals.request_finished.disconnect(ended)


@pytest.fixture
def new_context(
    requests_ended: None,  # noqa: ARG001
    new_context: Callable[..., BrowserContext],
) -> Callable[..., BrowserContext]:
    """Close the browser's windows first, then wait for the requests they left behind."""
    return new_context


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the machine's own Chromium; as root it has to go without its sandbox."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": find_chromium(), "args": arguments}


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_blocker: DjangoDbBlocker) -> None:
    """Stop with one line, rather than with an error for each test, where the database server is missing."""
    if connection.vendor == "sqlite":
        return
    try:
        with warnings.catch_warnings(), django_db_blocker.unblock():
            warnings.simplefilter("ignore")
            with connection._nodb_cursor() as cursor:
                cursor.execute("SELECT 1")
    except OperationalError as error:
        server = f"{connection.vendor} at {connection.settings_dict['HOST']}"
        pytest.exit(f"no database server: {server} (DATABASE_URL): {error}", returncode=1)


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Let no rate limit count from one test to the next."""
    for each in (cache, caches["songs"]):
        each.clear()
    yield
    for each in (cache, caches["songs"]):
        each.clear()


@pytest.fixture(autouse=True)
def _site_language() -> Iterator[None]:
    """Let no page in another language decide what the next test reads: the middleware leaves it active."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the real catalogue files, which are not part of the project."""
    folder = Path(os.environ.get("SPOTIFY_REC_SHARED_DATA", "../shared/data"))
    path = (settings.BASE_DIR / folder).resolve()
    if not path.is_dir():
        missing("no folder of real catalogue files (SPOTIFY_REC_SHARED_DATA)", required_by="REQUIRE_SHARED_DATA")
    return path
