"""Restores a backup."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from jobs.files import whole_file
from recommender.lifecycle.model_store import EVAL_SUFFIX, publish_missing
from recommender.lifecycle.object_store import StoreError
from recommender.lifecycle.versions import active_model, forget_loaded
from spotify_rec.backup.common import (
    CHUNK,
    DATABASE_NAMES,
    BackupError,
    ReportProgress,
    model_folder,
    report_nothing,
    upload_folder,
)
from spotify_rec.backup.databases import database
from spotify_rec.backup.manifest import UNREADABLE, read_manifest
from spotify_rec.backup.signature import Digest, is_signed

_MODEL_PARTS, _UPLOAD_PARTS = 3, 2
_COPY_PREFIX = ".earworm-restore-"


@dataclass(frozen=True)
class Restored:
    """The result of a restore. ``migrations``: how many of this release's the restored database still lacks.

    ``store_error``: why the models are on this machine, but not in the store that it shares with others.
    """

    made_at: str
    migrations: int
    has_model: bool
    missing_uploads: int
    store_error: str = ""


class Backup:
    """A backup's file, opened and found whole. Raise ``BackupError``."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except FileNotFoundError as error:
            raise BackupError(f"{path}: no such file") from error
        except UNREADABLE as error:
            raise BackupError(f"{path} isn't a backup, or is incomplete: {error}") from error
        self.path = path
        self.manifest = read_manifest(self._archive, path)
        self.members: list[str] = self.manifest["members"]
        self.is_signed = is_signed(self.manifest)
        self._check_names()

    def size(self) -> int:
        """Return the bytes that a restore goes through: all once to see that they are whole, all once to write.

        The database is read once more, for what would run.
        """
        sizes = {name: self._archive.getinfo(name).file_size for name in self.members}
        return 2 * sum(sizes.values()) + sizes.get(DATABASE_NAMES[connection.vendor], 0)

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    def verify(self, report_progress: ReportProgress) -> None:
        """Read everything, so that a damaged file is refused before anything is changed."""
        for name in self.members:
            digest = Digest()
            try:
                with self._archive.open(name) as member:
                    while chunk := member.read(CHUNK):
                        digest.add(chunk)
                        report_progress("checking", len(chunk))
            except UNREADABLE as error:
                raise BackupError(f"{self.path} is damaged: {name}: {error}") from error
            if self.is_signed and self.manifest["sha256"].get(name) != digest.text():
                raise BackupError(f"{self.path} is damaged: {name} isn't what was signed")
        with self._archive.open(DATABASE_NAMES[connection.vendor]) as source:
            database().check(source, report_progress)

    def load_database(self, folder: Path, report_progress: ReportProgress) -> None:
        """Put the database in place of the one there is."""
        with self._archive.open(DATABASE_NAMES[connection.vendor]) as source:
            database().load(source, folder, report_progress)

    def unpack_files(self, report_progress: ReportProgress) -> None:
        """Put models and uploads in place, each folder whole or not at all."""
        folders: dict[str, list[str]] = {}
        for name in self.members:
            if name.startswith("models/"):
                folders.setdefault(name.split("/")[1], []).append(name)
            elif name.startswith("uploads/"):
                self._unpack([name], upload_folder(), report_progress)
        for folder, names in folders.items():
            self._unpack_model(folder, names, report_progress)

    def _unpack_model(self, folder: str, names: list[str], report_progress: ReportProgress) -> None:
        # Names are unique to a fit, so a folder that is there already is the same model, or what is left of it.
        target = model_folder() / folder
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".restore-") as name:
            fresh = Path(name) / "new"
            self._unpack(names, fresh, report_progress)
            if target.exists():
                target.rename(Path(name) / "old")
            fresh.rename(target)

    def _unpack(self, names: list[str], folder: Path, report_progress: ReportProgress) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            # Whole or not at all, as there may be a file of that name.
            with (
                self._archive.open(name) as member,
                whole_file(folder / PurePosixPath(name).name) as path,
                path.open("wb") as file,
            ):
                while chunk := member.read(CHUNK):
                    file.write(chunk)
                    report_progress(name.partition("/")[0], len(chunk))

    def _check_names(self) -> None:
        missing = sorted(set(self.members) - set(self._archive.namelist()))
        if missing:
            raise BackupError(f"{self.path} is damaged: {missing[0]} is missing")
        for name in self.members:
            parts = name.split("/")
            wanted = {"models": _MODEL_PARTS, "uploads": _UPLOAD_PARTS}.get(parts[0], 1)
            if len(parts) != wanted or any(part in ("", ".", "..") or "\\" in part for part in parts):
                raise BackupError(f"{self.path} isn't an Earworm backup: it contains {name!r}")


def restore_backup(
    backup: Backup, *, is_overwriting: bool, is_trusted: bool = False, report_progress: ReportProgress = report_nothing
) -> Restored:
    """Restore the site from ``backup``. Everything is checked before anything is written. Raise ``BackupError``.

    One that this site did not sign is restored only if it is said to be trusted: its rows become the site's accounts,
    operators among them.
    """
    _check_fits(backup)
    if not (backup.is_signed or is_trusted):
        raise BackupError(
            f"{backup.path} wasn't signed with this site's SECRET_KEY. Use --trust-unsigned if you know who made it."
        )
    if not is_overwriting and (tables := connection.introspection.table_names()):
        raise BackupError(
            f"The database isn't empty ({len(tables)} tables). Use --overwrite to replace everything in it."
        )
    backup.verify(report_progress)
    try:
        with _private_folder(_work_folder()) as name:
            # The files first, because a model without a row does no harm, but a row without its model would.
            backup.unpack_files(report_progress)
            backup.load_database(Path(name), report_progress)
    except OSError as error:
        raise BackupError(f"{error.filename or 'restore'}: {error.strerror or error}") from error
    connection.close()
    return replace(_restored(backup), store_error=_publish(backup))


@contextmanager
def _private_folder(parent: Path) -> Iterator[str]:
    """Give a folder for the copy of the database; those that killed restores left behind are removed first.

    Each is locked by the process that works in it, so that one at work is told from one that was killed.
    """
    for left in parent.glob(f"{_COPY_PREFIX}*"):
        with suppress(OSError):
            descriptor = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(descriptor)
    with tempfile.TemporaryDirectory(dir=parent, prefix=_COPY_PREFIX) as name:
        descriptor = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield name
        finally:
            os.close(descriptor)


def _publish(backup: Backup) -> str:
    folders = {name.split("/")[1].removesuffix(EVAL_SUFFIX) for name in backup.members if name.startswith("models/")}
    try:
        publish_missing(sorted(folders))
    except StoreError as error:
        return str(error)
    return ""


def _check_fits(backup: Backup) -> None:
    vendor = backup.manifest["database"]
    if vendor != connection.vendor:
        raise BackupError(f"{backup.path} is from a {vendor} database, but DATABASE_URL points to {connection.vendor}.")
    if DATABASE_NAMES[vendor] not in backup.members:
        raise BackupError(f"{backup.path} is damaged: {DATABASE_NAMES[vendor]} is missing")
    known = set(MigrationLoader(None).disk_migrations)
    unknown = [
        f"{app}.{name}" for app, names in backup.manifest["migrations"].items() for name in names
        if (app, name) not in known
    ]  # fmt: skip
    if unknown:
        raise BackupError(
            f"{backup.path} was made by a newer release (it has the migration {unknown[0]}). Update the site first."
        )


def _work_folder() -> Path:
    """Return where there is room for the database's file: beside it; for a server, the system's own place."""
    if connection.vendor == "sqlite":
        return Path(connection.settings_dict["NAME"]).parent
    return Path(tempfile.gettempdir())


def _restored(backup: Backup) -> Restored:
    from feedback.history_import.models import HistoryImport, upload_storage

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        # The tables are those of an earlier release: they are read after `migrate`, not before.
        return Restored(backup.manifest["made_at"], len(plan), has_model=True, missing_uploads=0)
    storage = upload_storage()
    files = HistoryImport.objects.exclude(file="").filter(finished_at=None).values_list("file", flat=True)
    missing = sum(not storage.exists(name) for name in files)
    forget_loaded()
    return Restored(backup.manifest["made_at"], 0, active_model() is not None, missing)
