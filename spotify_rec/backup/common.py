"""Shared code of creating and restoring backups: the file's layout, progress, errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from django.conf import settings

# Raised whenever an older release could not read the file.
FORMAT = 1
MANIFEST = "backup.json"
DATABASE_NAMES = {"sqlite": "database.sqlite3", "postgresql": "database.sql", "mysql": "database.sql"}
CHUNK = 1 << 20

# Called with the step and the bytes dealt with since the last call.
ReportProgress: TypeAlias = Callable[[str, int], Any]


class BackupError(Exception):
    """A backup cannot be made or restored; the message says why, in one line."""


def report_nothing(_step: str, _size: int) -> None:
    """Report nothing."""


def model_folder() -> Path:
    """Return where the models' files lie."""
    return Path(settings.MODEL_DIR)


def upload_folder() -> Path:
    """Return where uploads wait for their import."""
    return Path(settings.VAR_DIR) / "uploads"
