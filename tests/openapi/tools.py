"""The npm programs that check the API's description and make a client of it, in the versions of the lock file."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.npm import install_locked

HERE = Path(__file__).parent


def install() -> Path:
    """Install the programs, once for each version of the lock, and return their folder; skip the test without them."""
    return install_locked(HERE, name="openapi-tools")


def run(program: str, *arguments: str, folder: Path, cwd: Path) -> str:
    """Run one of the programs and return what it printed; fail the test with that where it is not content."""
    command = [str(folder / "node_modules" / ".bin" / program), *arguments]
    quiet = {**os.environ, "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "REDOCLY_TELEMETRY": "off", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=cwd, env=quiet, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        pytest.fail(f"{program}: {done.stdout[-6000:]}{done.stderr[-2000:]}", pytrace=False)
    return done.stdout + done.stderr
