"""Ten processes that need a refresh at once make one refresh call, and none loses the connection."""

import subprocess
import sys

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import override_settings

from accounts.models import User
from accounts.spotify import RateLimited, SpotifyError, Unavailable
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import Fault
from accounts.spotify.tests.worlds import connected, site_settings
from accounts.spotify.web_api import circuit_breaker
from accounts.spotify.web_api.client import client_for
from jobs.tests.helpers import database_url

PROCESSES = 10
# Forked before any of them has a connection: ten that start on their own take a minute for their imports.
SCRIPT = f"""
import hashlib, multiprocessing
import django
django.setup()
from accounts.models import User
from accounts.spotify.web_api.client import client_for
fork = multiprocessing.get_context("fork")
together = fork.Barrier({PROCESSES})
def answer(_number):
    user = User.objects.get()
    together.wait(timeout=120)
    token = client_for(user, seconds=20).access_token()
    return hashlib.sha256(token.value.encode()).hexdigest(), client_for(user, seconds=20).my_id()
with fork.Pool({PROCESSES}) as pool:
    for line in pool.map(answer, range({PROCESSES}), chunksize=1):
        print(*line)
"""


REMEMBERED = """
import django
django.setup()
from accounts.models import User
from accounts.spotify import SpotifyError
from accounts.spotify.web_api.client import client_for
try:
    print(client_for(User.objects.get()).my_id())
except SpotifyError as error:
    print(type(error).__name__)
"""


def answer_of_another_process(sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> str:
    environment = {"DJANGO_SETTINGS_MODULE": "spotify_rec.settings", "DATABASE_URL": database_url()}
    for name, value in {**environment, **site_settings(sandbox)}.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-c", REMEMBERED]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=300, check=True)
    return done.stdout.strip()


@pytest.mark.usefixtures("real_clock")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("fault", "error"), [("quota", RateLimited), ("500", Unavailable)])
def test_other_processes_know_that_spotify_wants_no_calls_or_is_down(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, fault: str, error: type[SpotifyError]
) -> None:
    user = User.objects.create_user("ada", "ada@example.org", "long-and-odd-7")
    connected(user, sandbox)
    # The site's own cache, which all processes share; tests have one of their own otherwise.
    with override_settings(CACHES={**settings.CACHES, "default": settings.CACHES["site"]}):
        cache.clear()
        assert answer_of_another_process(sandbox, monkeypatch) == "ada"
        sandbox.world.faults.append(Fault(fault, "/v1/", times=circuit_breaker.FAILURES, retry_after=600))
        for _number in range(circuit_breaker.FAILURES):
            with pytest.raises(error):
                client_for(user).create_playlist("Mine")
        calls_before = len(sandbox.world.calls)
        assert answer_of_another_process(sandbox, monkeypatch) == error.__name__
        cache.clear()

    assert len(sandbox.world.calls) == calls_before


@pytest.mark.usefixtures("real_clock")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rotates", [False, True])
def test_ten_processes_make_one_refresh(sandbox: SandboxServer, rotates: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    user = User.objects.create_user("ada", "ada@example.org", "long-and-odd-7")
    before = connected(user, sandbox, seconds=1)
    sandbox.world.refresh_rotates = rotates
    # Long enough for all of them to come while it is under way.
    sandbox.world.faults.append(Fault("slow", "/api/token", times=99))
    environment = {"DJANGO_SETTINGS_MODULE": "spotify_rec.settings", "DATABASE_URL": database_url()}
    for name, value in {**environment, **site_settings(sandbox)}.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=300, check=True)
    answers = done.stdout.splitlines()

    assert len(answers) == PROCESSES
    assert len(set(answers)) == 1
    assert answers[0].split()[1] == "ada"
    assert [call for call in sandbox.world.calls if call[1] == "/api/token"] == [("POST", "/api/token", 200)]
    after = SpotifyAccount.objects.get()
    assert (after.needs_reconnect, after.lease_until, after.version) == (False, None, before.version + 1)
    assert (after.refresh_token == before.refresh_token) is not rotates
