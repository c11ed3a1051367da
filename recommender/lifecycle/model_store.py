"""The model store that several machines share (``MODEL_STORE``). It is authoritative; ``MODEL_DIR`` is a local copy.

A version is a folder in both. In the store its manifest is written last and deleted first: a folder without one is no
version. Without ``MODEL_STORE`` nothing here does anything.
"""

from __future__ import annotations

import fcntl
import logging
import re
import secrets
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from recommender.lifecycle.object_store import ObjectStore, StoredObject, StoreError, UnusableCopyError
from recommender.models import Experiment, ExperimentArm, ModelVersion

logger = logging.getLogger(__name__)

# The folder of a version's evaluation model, fitted without the test listeners (see lifecycle.validation), has this at
# its end.
EVAL_SUFFIX = ".twin"
# Prefix of the folders of unfinished downloads.
DOWNLOAD_PREFIX = ".fetch-"
# A folder in the store that no version names is deleted only then: another machine may be writing it.
ORPHAN_AGE = timedelta(days=1)
_MANIFEST = "manifest.json"
_MANIFEST_LIMIT = 1 << 24
# Nothing else in the store is ever deleted.
_VERSION = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}(\.twin)?")


def open_store() -> ObjectStore | None:
    """Return the store that ``MODEL_STORE`` names; nothing is asked of it yet."""
    return _store_at(settings.MODEL_STORE) if settings.MODEL_STORE else None


@cache
def _store_at(address: str) -> ObjectStore:
    from recommender.lifecycle.s3 import S3Store

    # Cached, because boto3 takes 0.2 s and 12 MB for each client.
    return S3Store(address)


def is_only_in_store(directory: str) -> bool:
    """Return whether the version's folder would have to be fetched."""
    return bool(settings.MODEL_STORE) and not (Path(settings.MODEL_DIR) / directory).is_dir()


def publish(directories: Iterable[str]) -> None:
    """Copy these folders of ``MODEL_DIR`` into the store. Raise ``StoreError``."""
    store = open_store()
    if store is not None:
        for directory in directories:
            _put(store, directory)


def publish_missing(directories: Iterable[str]) -> None:
    """Copy these folders and their evaluation models to the store, if it lacks them. Raise ``StoreError``."""
    store = open_store()
    if store is None:
        return
    # The evaluation model first, so that a version in the store is complete.
    for name in [directory + ending for directory in directories for ending in (EVAL_SUFFIX, "")]:
        if (Path(settings.MODEL_DIR) / name).is_dir() and not store.has(f"{name}/{_MANIFEST}"):
            _put(store, name)


def _put(store: ObjectStore, directory: str) -> None:
    files = [path for path in (Path(settings.MODEL_DIR) / directory).iterdir() if path.is_file()]
    for file in sorted(files, key=lambda path: (path.name == _MANIFEST, path.name)):
        store.put(file, f"{directory}/{file.name}")


def is_available(directory: str) -> bool:
    """Return whether the version's files are on this machine or in the store. Raise ``StoreError``."""
    if (Path(settings.MODEL_DIR) / directory).is_dir():
        return True
    store = open_store()
    return store is not None and store.has(f"{directory}/{_MANIFEST}")


def stored_directories() -> set[str]:
    """Return the names of the whole folders in the store. Raise ``StoreError``."""
    store = open_store()
    objects_by_directory = _by_directory(store) if store is not None else {}
    return {name for name, objects in objects_by_directory.items() if any(_is_manifest(entry) for entry in objects)}


def fetch(directory: str) -> bool:
    """Bring the folder from the store into its place, whole or not at all; return whether that was needed.

    Of several processes and threads one fetches, and the others wait for it. Sizes and checksums are compared before it
    gets its name.

    Raises:
        UnusableCopyError: it is not in the store, or damaged there.
        StoreError: the store does not answer, or it cannot be written here.
    """
    store = open_store()
    if store is None:
        return False
    target = Path(settings.MODEL_DIR) / directory
    if target.name != directory or directory in ("", ".", ".."):
        raise UnusableCopyError(f"{directory!r} is no name of a version")
    if target.is_dir():
        return False
    with _one_at_a_time(target):
        if target.is_dir():
            return False
        _fetch_whole(store, target)
    return True


def fetch_anew(directory: str) -> bool:
    """Put the store's copy in place of a damaged one on this machine; return whether there was such a copy to put.

    One that another process has mended meanwhile, or that is not in the store, is left alone. Raises as ``fetch``.
    """
    from recommender.engine import ModelDamagedError, load_model

    store, target = open_store(), Path(settings.MODEL_DIR) / directory
    if store is None or not target.is_dir() or not store.has(f"{directory}/{_MANIFEST}"):
        return False
    with _one_at_a_time(target):
        try:
            load_model(target, verify=True)
        except ModelDamagedError as error:
            logger.warning("fetched from the store again: %s", error)
            shutil.rmtree(target, ignore_errors=True)
            _fetch_whole(store, target)
    return True


def _fetch_whole(store: ObjectStore, target: Path) -> None:
    from recommender.engine import EngineError, load_model

    for left_behind in target.parent.glob(f"{DOWNLOAD_PREFIX}*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    temporary = target.with_name(f"{DOWNLOAD_PREFIX}{target.name}-{secrets.token_hex(3)}")
    temporary.mkdir()
    try:
        _download(store, target.name, temporary)
        load_model(temporary, verify=True)
        temporary.rename(target)
    except EngineError as error:
        raise UnusableCopyError(f"{store}/{target.name}: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _download(store: ObjectStore, directory: str, folder: Path) -> None:
    """Fetch the manifest, and what it lists; it lists plain names only, so that nothing lands elsewhere."""
    from recommender.engine import listed_files, read_manifest

    store.get(f"{directory}/{_MANIFEST}", folder / _MANIFEST, _MANIFEST_LIMIT)
    for name, size in listed_files(read_manifest(folder)).items():
        store.get(f"{directory}/{name}", folder / name, size)


@contextmanager
def _one_at_a_time(target: Path) -> Iterator[None]:
    """Let nobody else on this machine fetch meanwhile. What cannot be written here is a ``StoreError``."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (target.parent / ".fetch.lock").open("w") as lock:
            # The operating system releases the lock when the process ends, however it ends.
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise StoreError(f"{target}: {error.strerror or error}") from error


def kept_directories(keep: int) -> set[str]:
    """Return the folders of the ``keep`` newest versions, the active one and those of experiments that aren't over.

    Their files stay.
    """
    newest = set(ModelVersion.objects.order_by("-pk").values_list("directory", flat=True)[:keep])
    active = set(ModelVersion.objects.filter(active_slot=True).values_list("directory", flat=True))
    arms = ExperimentArm.objects.filter(experiment__state__in=[Experiment.State.DRAFT, Experiment.State.RUNNING])
    versions = arms.values_list("model_version__directory", "pinned_version__directory")
    return newest | active | {directory for pair in versions for directory in pair if directory}


def remove_copies(*, keep: int) -> list[str]:
    """Delete from this machine the files of versions that are not kept; return the folders removed."""
    old = ModelVersion.objects.exclude(directory__in=kept_directories(keep)).values_list("directory", flat=True)
    removed = []
    for name in old:
        # An evaluation model may be here alone, because a retrain fetches nothing else.
        here = [path for ending in ("", EVAL_SUFFIX) if (path := Path(settings.MODEL_DIR) / (name + ending)).is_dir()]
        for path in here:
            shutil.rmtree(path, ignore_errors=True)
        removed += [name] if here else []
    return removed


def remove_stored(*, keep: int) -> None:
    """Delete from the store the files of versions that are not kept; what fails is logged, and done another time."""
    if settings.MODEL_STORE:
        directories = kept_directories(keep)
        old = set(ModelVersion.objects.exclude(directory__in=directories).values_list("directory", flat=True))
        _tidy(lambda name, _objects: name.removesuffix(EVAL_SUFFIX) in old)


def remove_stored_orphans(known: Collection[str]) -> None:
    """Delete from the store what retrains that failed left a day ago or earlier; what fails is logged."""
    limit = timezone.now() - ORPHAN_AGE
    _tidy(
        lambda name, objects: (
            name.removesuffix(EVAL_SUFFIX) not in known and max(entry.modified for entry in objects) < limit
        )
    )


def _tidy(is_unwanted: Callable[[str, list[StoredObject]], bool]) -> None:
    store = open_store()
    if store is None:
        return
    try:
        for name, objects in _by_directory(store).items():
            if is_unwanted(name, objects):
                for entry in sorted(objects, key=lambda entry: not _is_manifest(entry)):
                    store.delete(entry.key)
    except StoreError as error:
        logger.warning("old files of models stay in the store until the next retrain: %s", error)


def _by_directory(store: ObjectStore) -> dict[str, list[StoredObject]]:
    directories: dict[str, list[StoredObject]] = {}
    for entry in store.objects():
        directory = entry.key.partition("/")[0]
        if _VERSION.fullmatch(directory):
            directories.setdefault(directory, []).append(entry)
    return directories


def _is_manifest(entry: StoredObject) -> bool:
    return entry.key.endswith(f"/{_MANIFEST}")
