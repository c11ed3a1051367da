"""Installs npm programs that tests run, in the versions of the lock file beside these tests."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from django.conf import settings

from conftest import missing

_LOCK = ("package.json", "package-lock.json", ".npmrc")


def install_locked(source: Path, *, name: str) -> Path:
    """Install what ``source`` locks, once for each version of the lock, into a folder below ``var/name``; return it.

    The test is skipped where npm or its registry is missing.
    """
    npm = shutil.which("npm")
    if npm is None:
        missing("npm isn't installed", required_by="REQUIRE_NPM")
    assert npm is not None
    lock = hashlib.sha256(b"".join((source / file).read_bytes() for file in _LOCK)).hexdigest()[:12]
    folder = Path(settings.BASE_DIR, "var", name, lock)
    if not (folder / ".installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for file in _LOCK:
            shutil.copy(source / file, folder / file)
        done = subprocess.run([npm, "ci"], cwd=folder, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            missing(f"npm can't install {name}: {done.stderr.strip()[:300]}", required_by="REQUIRE_NPM")
        (folder / ".installed").touch()
    return folder
