"""The header by which a proxy logs in, as the real web server hands it on."""

import http.client
import json
import sys
from collections.abc import Iterator

import pytest
from django.db import connection

from benchmarks.site import Site

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="has a database of its own, once is enough")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    site = Site.create(tmp_path_factory.mktemp("site"))
    site.environment |= {"DATABASE_URL": f"sqlite:///{site.folder / 'site.sqlite3'}", "LOG_LEVEL": "WARNING"}
    site.environment |= {"TRUSTED_PROXY_AUTH_HEADER": "Remote-User", "TRUSTED_PROXY_ADDRESSES": "127.0.0.1"}
    for name in ("PYTEST_CURRENT_TEST", "COVERAGE_PROCESS_START"):
        site.environment.pop(name, None)
    site.manage("migrate")
    site.manage("collectstatic", "--noinput")
    with site.serving(workers=1):
        yield site.port


def who(port: int, headers: list[tuple[str, str]], source: str = "127.0.0.1") -> str | None:
    """Return who the API says is logged in."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
    client.putrequest("GET", "/api/user/profile")
    for name, value in headers:
        client.putheader(name, value)
    client.endheaders()
    answer = client.getresponse()
    body = answer.read().decode()
    client.close()
    return json.loads(body)["username"] if answer.status == 200 else None


def test_the_header_logs_in(port: int) -> None:
    assert who(port, [("Remote-User", "anna")]) == "anna"
    assert who(port, [("remote-user", "jürgen".encode().decode("latin-1"))]) == "jürgen"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        # Other spellings that a proxy does not take away, and that CGI's naming would make the same.
        [("Remote_User", "anna")],
        [("Remote-User_", "anna")],
        [("Http-Remote-User", "anna")],
        # What a client sent beside what the proxy says: neither is believed.
        [("Remote-User", "anna"), ("Remote-User", "berta")],
        [("Remote-User", ""), ("Remote_User", "anna")],
    ],
)
def test_what_only_looks_like_it_logs_nobody_in(port: int, headers: list[tuple[str, str]]) -> None:
    assert who(port, headers) is None


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is Linux's")
def test_from_another_address_it_means_nothing(port: int) -> None:
    forged = [("X-Forwarded-For", "127.0.0.1"), ("X-Real-IP", "127.0.0.1"), ("Forwarded", "for=127.0.0.1")]
    assert who(port, [("Remote-User", "anna"), *forged], source="127.0.0.2") is None
