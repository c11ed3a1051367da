"""The whole API against its own description: every phase of schemathesis, as visitor, listener and staff.

`make fuzz` runs the same with many more examples (FUZZ_EXAMPLES).
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from accounts.tokens.services import create_token
from feedback.playlists import services as playlist_services
from feedback.tests.factories import PlayFactory, RatingFactory
from recommender.tests.builders import make_catalogue, make_user

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "")
# What the description cannot say: which texts are cursors, regions, good passwords. Such are refused with a 422.
NOT_CHECKED = "positive_data_acceptance"


# With this Python 3.11 now and then stumbles over Hypothesis, in the tool's process and not in the site's.
OWN_CRASH = "SystemError: AST constructor recursion depth mismatch"


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=3600, check=False)


@pytest.fixture
def site(live_server: LiveServer, settings: Any, tmp_path: Path) -> str:
    """A site with songs, a model and listeners; no rate limits, for they would answer for it."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 0)
    settings.ACCOUNT_RATE_LIMITS = False
    settings.MODEL_DIR = tmp_path / "models"
    make_catalogue()
    call_command("retrain", verbosity=0)
    return str(live_server.url)


def header_of(who: str) -> list[str]:
    if who == "visitor":
        return []
    user = make_user("ada", is_staff=who == "staff", is_superuser=who == "staff")
    for track in make_catalogue()[:3]:
        RatingFactory(user=user, track=track)
        PlayFactory(user=user, track=track)
    playlist_services.create_playlist(owner=user, name="Mine", tracks=make_catalogue()[:3])
    return ["-H", f"Authorization: Bearer {create_token(user=user, name='fuzz', scope='write')[1]}"]


@pytest.mark.parametrize("who", ["visitor", "listener", "staff"])
def test_every_answer_is_as_described(site: str, who: str, tmp_path: Path) -> None:
    # Coverage takes a thousand cases of its own: as everybody only where there is time.
    phases = "examples,coverage,fuzzing,stateful" if EXAMPLES or who == "listener" else "examples,fuzzing,stateful"
    # It would wait ten seconds for the description, whatever it is told.
    description = tmp_path / "openapi.json"
    description.write_bytes(requests.get(f"{site}/api/openapi.json", timeout=300).content)
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", str(description), "--url", site,
        "--phases", phases, "--max-examples", EXAMPLES or "2", "--continue-on-failure",
        "--exclude-checks", NOT_CHECKED, "--suppress-health-check", "all", "--workers", "2", "--no-color",
        "--request-timeout", "120",
        *header_of(who),
    ]  # fmt: skip
    done = run(command, tmp_path)
    if OWN_CRASH in done.stdout:
        done = run(command, tmp_path)

    counted = re.search(r"(\d+) generated", done.stdout)
    print(f"{who}: {counted[0] if counted else 'none'}")
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    assert counted
    assert int(counted[1]) > 100
