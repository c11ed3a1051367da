"""A listener's whole life with clients that two independent generators made of the description."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django.live_server_helper import LiveServer

from recommender.tests.builders import make_catalogue
from tests.openapi.tools import HERE, install, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(live_server: LiveServer, settings: Any) -> list[str]:
    """Return the site's address and two songs, as the programs take them."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 0)
    settings.ACCOUNT_RATE_LIMITS = False
    songs = make_catalogue()
    return [str(live_server.url), str(songs[0].pk), str(songs[1].pk)]


def download(site: list[str], folder: Path) -> Path:
    description = folder / "openapi.json"
    description.write_bytes(requests.get(f"{site[0]}/api/openapi.json", timeout=300).content)
    return description


def finish(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def test_a_life_with_the_python_client(site: list[str], tmp_path: Path) -> None:
    programs = Path(sys.executable).parent
    printed = finish(
        [
            str(programs / "openapi-python-client"), "generate", "--path", str(download(site, tmp_path)),
            "--config", str(HERE / "client.yaml"), "--output-path", str(tmp_path / "earworm_client"), "--meta", "none",
            "--fail-on-warning",
        ],
        tmp_path,
        PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
    )  # fmt: skip
    assert "Warning" not in printed, printed
    life = [sys.executable, str(HERE / "life.py"), *site]
    assert "a whole life" in finish(life, tmp_path, PYTHONPATH=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")


def test_a_life_with_the_typescript_client(site: list[str], tmp_path: Path) -> None:
    folder = install()
    run("openapi-typescript", str(download(site, tmp_path)), "-o", "schema.d.ts", folder=folder, cwd=tmp_path)
    for name in ("life.ts", "tsconfig.json"):
        shutil.copy(HERE / name, tmp_path / name)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(folder / "node_modules")
    run("tsc", "--strict", "-p", "tsconfig.json", folder=folder, cwd=tmp_path)
    node = shutil.which("node")
    assert node is not None
    assert "a whole life" in finish([node, "life.js", *site], tmp_path)
