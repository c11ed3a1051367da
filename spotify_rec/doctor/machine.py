"""Checks of the machine: Python, folders, disk space, assets."""

import platform
import shutil
import sys
import tempfile
from pathlib import Path

from django.conf import settings

from spotify_rec import places
from spotify_rec.doctor.findings import Finding, broken, look, ok
from spotify_rec.management.commands.fetch_assets import FILES, SPRITE

NEWEST_TESTED = (3, 14)
# Bytes: a retrain and a backup of a middling site fit; SQLite's log and a session do.
SPARE_BYTES, LEAST_BYTES = 2 * 10**9, 2 * 10**8


def python() -> Finding:
    """Check the Python version."""
    kind = "installed" if places.IS_INSTALLED else "a checkout"
    text = f"{platform.python_version()} at {sys.executable}; {kind}, kept in {settings.HOME_DIR}"
    if sys.version_info[:2] > NEWEST_TESTED:
        advice = "should anything be odd, try Python 3.14"
        return look("python", f"{text}; newer than what the site was tested with", advice)
    return ok("python", text)


def folders() -> Finding:
    """See whether the folders that are written to can be."""
    wanted = [Path(settings.VAR_DIR), Path(settings.VAR_DIR) / "uploads", Path(settings.MODEL_DIR)]
    for folder in wanted:
        # One that is not there yet is made when it is needed.
        present = next(path for path in (folder, *folder.parents) if path.exists())
        try:
            with tempfile.TemporaryFile(dir=present):
                pass
        except OSError as error:
            advice = f"let the user that runs the site write there (chown, or another place: {_setting_of(folder)})"
            return broken("folders", f"{folder}: {error.strerror}", advice)
    return ok("folders", f"{', '.join(map(str, wanted))} can be written to")


def _setting_of(folder: Path) -> str:
    return "MODEL_DIR" if folder == Path(settings.MODEL_DIR) else "EARWORM_HOME"


def disk() -> Finding:
    """Check the free disk space."""
    places_ = {Path(settings.VAR_DIR), Path(settings.MODEL_DIR)}
    present = [next(path for path in (folder, *folder.parents) if path.exists()) for folder in sorted(places_)]
    free, folder = min((shutil.disk_usage(folder).free, str(folder)) for folder in present)
    text = f"{free / 10**9:.1f} GB free for {folder}"
    if free < LEAST_BYTES:
        return broken("disk", text, "make room: writing fails soon (MODELS_KEPT and SKETCH_CACHE_MB say what is kept)")
    if free < SPARE_BYTES:
        return look("disk", text, "a retrain or a backup may not fit: make room, or lower MODELS_KEPT")
    return ok("disk", text)


def assets() -> Finding:
    """See whether the browser's files are there: empty ones stand in for those that could not be fetched."""
    folder = Path(settings.VENDOR_DIR) / "vendor"
    missing = [name for name in (*FILES, SPRITE) if not _is_filled(folder / name)]
    if missing:
        advice = "install npm and run `make setup`, or `manage.py fetch_assets`"
        return broken("assets", f"pages are plain: {', '.join(missing)} not in {folder}", advice)
    if not settings.DEBUG and not (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        advice = "`serve` collects them; with another server run `manage.py collectstatic` first"
        return broken("assets", f"nothing is collected in {settings.STATIC_ROOT}", advice)
    return ok("assets", f"Bootstrap and the icons are in {folder}")


def _is_filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 100
