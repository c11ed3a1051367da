"""Machines that start at the same time migrate one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.django_db(transaction=True)
def test_several_migrate_at_once(other_database: str) -> None:
    environment = {**os.environ, "DEBUG": "true", "INSECURE_HTTP": "true", "DATABASE_URL": other_database}
    command = [sys.executable, "manage.py", "migrate", "-v0"]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    errors = [process.communicate(timeout=300)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], errors
