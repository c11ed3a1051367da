"""The npm programs that check the API's description and make a client of it, in the versions of the lock file."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from conftest import missing

HERE = Path(__file__).parent
_LOCK = ("package.json", "package-lock.json", ".npmrc")


def install() -> Path:
    """Install the programs, once for each version of the lock, and return their folder; skip the test without them."""
    npm = shutil.which("npm")
    if npm is None:
        missing("npm isn't installed", required_by="REQUIRE_NPM")
    assert npm is not None
    lock = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _LOCK)).hexdigest()[:12]
    folder = Path(settings.BASE_DIR, "var", "openapi-tools", lock)
    if not (folder / ".installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in _LOCK:
            shutil.copy(HERE / name, folder / name)
        done = subprocess.run([npm, "ci"], cwd=folder, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            missing(f"npm can't install the tools: {done.stderr.strip()[:300]}", required_by="REQUIRE_NPM")
        (folder / ".installed").touch()
    return folder


def run(program: str, *arguments: str, folder: Path, cwd: Path) -> str:
    """Run one of the programs and return what it printed; fail the test with that where it is not content."""
    command = [str(folder / "node_modules" / ".bin" / program), *arguments]
    quiet = {**os.environ, "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "REDOCLY_TELEMETRY": "off", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=cwd, env=quiet, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        pytest.fail(f"{program}: {done.stdout[-6000:]}{done.stderr[-2000:]}", pytrace=False)
    return done.stdout + done.stderr
