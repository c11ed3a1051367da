"""Refuses large writes when the disk is nearly full."""

import shutil

from django.conf import settings


class DiskFullError(Exception):
    """It would leave less room on the disk than ``MIN_FREE_DISK_MB``."""


def refuse_full_disk(size: int = 0) -> None:
    """Raise ``DiskFullError`` where ``size`` more bytes would leave less than ``MIN_FREE_DISK_MB`` free."""
    folder = settings.VAR_DIR
    free = shutil.disk_usage(folder if folder.is_dir() else folder.parent).free
    if free - size < settings.MIN_FREE_DISK_MB * 10**6:
        raise DiskFullError
