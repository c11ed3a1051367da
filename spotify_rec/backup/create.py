"""Creates a backup of a running site."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from feedback.history_import.models import HistoryImport
from recommender.lifecycle.model_store import EVAL_SUFFIX, fetch
from recommender.lifecycle.object_store import StoreError, UnusableCopyError
from recommender.models import ModelVersion
from spotify_rec.backup.common import (
    CHUNK,
    DATABASE_NAMES,
    FORMAT,
    MANIFEST,
    BackupError,
    ReportProgress,
    model_folder,
    report_nothing,
    upload_folder,
)
from spotify_rec.backup.databases import database
from spotify_rec.backup.signature import Digest, sign

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """A finished backup: where it is, its bytes, how many files of models and uploads are in it."""

    path: Path
    size: int
    models: int
    uploads: int
    # The model that serves has no files here, so that the restored site will need a retrain.
    lacks_model: bool


def expected_size() -> int:
    """Return roughly how many bytes ``make_backup`` goes through, for a progress bar. Raise ``BackupError``."""
    _applied_migrations()
    return database().size() + sum(path.stat().st_size for path in [*_model_files(), *_upload_files()])


def make_backup(*, target: Path, report_progress: ReportProgress = report_nothing) -> Made:
    """Write the site's state to ``target``, a new file, or an existing folder in which it gets a name with the time.

    It is written beside its place and renamed, readable by its owner alone. Raise ``BackupError``.
    """
    path = target / f"earworm-{timezone.now():%Y%m%d-%H%M%S}.zip" if target.is_dir() else target
    if path.exists():
        raise BackupError(f"{path} already exists, and backups never overwrite files. Choose another name.")
    if not path.parent.is_dir():
        raise BackupError(f"{path.parent}: no such folder")
    _fetch_active_model()
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as name:
            packed = Path(name) / "backup.zip"
            members = _pack(packed, Path(name), report_progress)
            packed.chmod(0o600)
            _rename(packed, path)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror or error}") from error
    return _made(path, members)


def _pack(packed: Path, folder: Path, report_progress: ReportProgress) -> list[str]:
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "database": connection.vendor,
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "migrations": _applied_migrations(),
    }
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        # Before the database and again after it: a model or an upload that the snapshot names was there at one of the
        # two moments, even if it came or went meanwhile.
        _add_files(archive, report_progress)
        with archive.open(DATABASE_NAMES[connection.vendor], "w", force_zip64=True) as into:
            database().dump(into, folder, report_progress)
        _add_files(archive, report_progress)
        members = archive.namelist()
    # The archive is read again for its digests, because the database's program wrote its member itself.
    digests = _digests(packed, members, report_progress)
    manifest = sign({**manifest, "members": members, "sha256": digests})
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return members


def _digests(packed: Path, members: list[str], report_progress: ReportProgress) -> dict[str, str]:
    digests = {}
    with zipfile.ZipFile(packed) as archive:
        for name in members:
            digest = Digest()
            with archive.open(name) as member:
                while chunk := member.read(CHUNK):
                    digest.add(chunk)
                    report_progress("signing", 0)
            digests[name] = digest.text()
    return digests


def _applied_migrations() -> dict[str, list[str]]:
    applied = sorted(MigrationRecorder(connection).applied_migrations())
    if not applied:
        raise BackupError(
            "The database is empty, so there is nothing to back up. `manage.py migrate` sets up a new one."
        )
    names: dict[str, list[str]] = {}
    for app, name in applied:
        names.setdefault(app, []).append(name)
    return names


def _fetch_active_model() -> None:
    """Make sure that the active model's files are on this machine; other models are backed up if they are here."""
    for name in ModelVersion.objects.filter(active_slot=True).values_list("directory", flat=True):
        try:
            fetch(name)
            # There may be none.
            with suppress(UnusableCopyError):
                fetch(name + EVAL_SUFFIX)
        except StoreError as error:
            logger.warning("not in the backup, because it isn't on this machine: %s", error)


def _model_files() -> list[Path]:
    folders = ModelVersion.objects.values_list("directory", flat=True)
    twins = [model_folder() / (name + ending) for name in folders for ending in ("", EVAL_SUFFIX)]
    return [path for folder in twins if folder.is_dir() for path in sorted(folder.iterdir()) if path.is_file()]


def _upload_files() -> list[Path]:
    """Return the uploads that wait for their import; files without a row are not backed up."""
    names = HistoryImport.objects.exclude(file="").order_by("file").values_list("file", flat=True)
    return [path for name in names if (path := upload_folder() / Path(name).name).is_file()]


def _add_files(archive: zipfile.ZipFile, report_progress: ReportProgress) -> None:
    known = set(archive.namelist())
    named = [(f"models/{path.parent.name}/{path.name}", path) for path in _model_files()]
    named += [(f"uploads/{path.name}", path) for path in _upload_files()]
    for name, path in named:
        if name not in known:
            with _unless_gone():
                _add_file(archive, name, path, report_progress)


@contextmanager
def _unless_gone() -> Iterator[None]:
    # The upload was imported, or the model deleted, meanwhile; the snapshot does not need it.
    with suppress(FileNotFoundError):
        yield


def _add_file(archive: zipfile.ZipFile, name: str, path: Path, report_progress: ReportProgress) -> None:
    with path.open("rb") as file, archive.open(name, "w", force_zip64=True) as into:
        while chunk := file.read(CHUNK):
            into.write(chunk)
            report_progress(name.partition("/")[0], len(chunk))


def _rename(packed: Path, path: Path) -> None:
    with packed.open("rb") as file:
        os.fsync(file.fileno())
    try:
        # Unlike a rename, a link never replaces a file.
        os.link(packed, path)
    except FileExistsError as error:
        raise BackupError(f"{path} already exists, and backups never overwrite files. Choose another name.") from error
    except OSError:
        # A file system without links.
        packed.rename(path)


def _made(path: Path, members: list[str]) -> Made:
    active = ModelVersion.objects.filter(active_slot=True).values_list("directory", flat=True).first()
    folders = {name.split("/")[1] for name in members if name.startswith("models/")}
    uploads = sum(name.startswith("uploads/") for name in members)
    models = sum(not name.endswith(EVAL_SUFFIX) for name in folders)
    return Made(path, path.stat().st_size, models, uploads, active is not None and active not in folders)
