"""Ten processes that need a refresh at once make one refresh call, and none loses the connection."""

import subprocess
import sys

import pytest
from django.conf import settings

from accounts.models import User
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.world import Fault
from accounts.spotify.tests.worlds import connected, site_settings
from jobs.tests.helpers import database_url

PROCESSES = 10
SCRIPT = """
import hashlib, sys
import django
django.setup()
from accounts.models import User
from accounts.spotify.client import client_for
user = User.objects.get()
print("ready", flush=True)
sys.stdin.readline()
token = client_for(user, seconds=20).access_token()
print(hashlib.sha256(token.value.encode()).hexdigest(), client_for(user, seconds=20).my_id(), flush=True)
"""


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
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _number in range(PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=60)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()

    assert len(set(answers)) == 1
    assert answers[0].split()[1] == "ada"
    assert [call for call in sandbox.world.calls if call[1] == "/api/token"] == [("POST", "/api/token", 200)]
    after = SpotifyAccount.objects.get()
    assert (after.needs_reconnect, after.lease_until, after.version) == (False, None, before.version + 1)
    assert (after.refresh_token == before.refresh_token) is not rotates
