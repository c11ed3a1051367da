"""The model in this process's memory, and its replacement by a newer one while requests are served."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, connection

from recommender.adapters.loaded import LoadedModel
from recommender.lifecycle.model_store import fetch, fetch_anew, is_only_in_store, remove_copies
from recommender.lifecycle.object_store import StoreError
from recommender.lifecycle.trial import has_died_of, marked, survives, warm_up
from recommender.models import ModelVersion
from recommender.scale.faiss_index import EVERY_SONG, is_wanted, open_index, say_once

if TYPE_CHECKING:
    from recommender.engine import Model

logger = logging.getLogger(__name__)

# Seconds after which a version that could not be loaded is tried again: a shared folder may be late.
RETRY_SECONDS = 10.0
# The wait doubles up to this where a try may fetch the whole version from the store.
_LONGEST_RETRY_SECONDS = 320.0
_BLOCK = 1 << 18
# Pause between two files of a model. Loading slows the page being served meanwhile; the pauses spread that over many
# pages.
_PAUSE_SECONDS = 0.01


class UnusableModelError(Exception):
    """The version's file is missing, damaged, of another format, or cannot be fetched; the message says which."""


class DeadlyModelError(UnusableModelError):
    """A process ended while it loaded the version."""


def model_path(version: ModelVersion) -> Path:
    """Return the folder of the version's file."""
    return Path(settings.MODEL_DIR) / version.directory


def ensure_local(version: ModelVersion) -> None:
    """Fetch the version's file from the store, where there is one and the file is not on this machine.

    The files of versions that are not kept any more make room then. Raise ``UnusableModelError``.
    """
    try:
        is_new = fetch(version.directory)
    except StoreError as error:
        raise UnusableModelError(str(error)) from error
    if is_new:
        logger.info("fetched model version %s from the model store", version.pk)
        # With the database away it is done after the next one.
        with suppress(DatabaseError):
            remove_copies(keep=settings.MODELS_KEPT)


def read_model(path: Path, *, verify: bool = False, pause: Callable[[Path], object] | None = None) -> Model:
    """Return the model in the folder ``path``, its arrays mapped; with ``verify`` its checksums are compared too.

    ``pause`` is called before each file.

    Raises:
        UnusableModelError: it is missing, damaged or of another format.
    """
    # Importing the engine loads numpy and scipy, which costs commands and workers without recommendations a second.
    from recommender.engine import EngineError, load_model

    try:
        # The index's library is loaded only for a model that has an index.
        model = load_model(path, verify=verify, open_index=open_index, pause=pause)
    except EngineError as error:
        raise UnusableModelError(str(error)) from error
    except Exception as error:
        # Whatever it is, the version before it serves.
        raise UnusableModelError(f"{path}: {type(error).__name__}: {error}") from error
    if is_wanted(model):
        say_once(f"{model.catalogue.n_tracks:,} songs, and {EVERY_SONG}")
    return model


class Loader:
    """Keeps the last loaded model of this process. ``in_background``: a newer version is fetched, read and tried out in
    a thread while the older one, or none, serves requests, so that no request waits.
    """

    def __init__(self) -> None:
        self.in_background = False
        self._lock = threading.Lock()
        self._loaded: LoadedModel | None = None
        # By version: when it may be tried again, and how long the wait was, in seconds.
        self._broken: dict[str, tuple[float, float]] = {}
        self._loading = ""
        self._on_trial: set[str] = set()
        self._trials = threading.Lock()

    def get(self, version: ModelVersion) -> LoadedModel | None:
        """Return the model of ``version`` (or the one before it, while it is read); ``None`` if it cannot be used."""
        # Read once: another thread may replace it at any time.
        loaded = self._loaded
        if _is_of(loaded, version):
            return loaded
        if self.in_background and (loaded is not None or is_only_in_store(version.directory)):
            self._fetch(version)
            return loaded
        with self._lock:
            if not _is_of(self._loaded, version):
                fresh = self._load(version)
                if fresh is None:
                    return None
                self._loaded = fresh
            return self._loaded

    def get_or_start(self, version: ModelVersion) -> LoadedModel | None:
        """Return the model of ``version``, or with ``in_background`` ``None`` until a thread has read it."""
        if not self.in_background:
            return self.get(version)
        if self._loaded is None:
            self._fetch(version)
        return self._loaded

    def has(self, version: ModelVersion) -> bool:
        """Return whether the model of ``version`` is in this process's memory."""
        return _is_of(self._loaded, version)

    def forget(self) -> None:
        """Drop what was loaded, as a new process would start."""
        self._loaded = None
        self._broken.clear()

    def _fetch(self, version: ModelVersion) -> None:
        with self._lock:
            # One at a time: a new machine does not need all versions at once.
            if self._loading or self._is_backing_off(version):
                return
            self._loading = version.directory
        threading.Thread(target=self._replace, args=(version,), name="model-loader", daemon=True).start()

    def _replace(self, version: ModelVersion) -> None:
        try:
            fresh = self._load(version, pause=_read_through)
            if fresh is not None:
                self._loaded = fresh
        finally:
            self._loading = ""
            connection.close()

    def _load(self, version: ModelVersion, pause: Callable[[Path], object] | None = None) -> LoadedModel | None:
        is_backing_off = self._is_backing_off(version)
        try:
            # The store is left alone meanwhile, because each try could last until its timeout.
            if not is_backing_off:
                ensure_local(version)
            return self._read_under_a_marker(version, pause, may_ask=not is_backing_off)
        except Exception as error:
            # The version before it makes the page, or the page says that there is none; a broken model is never an
            # error page.
            if not is_backing_off:
                self._back_off(version, error)
            return None

    def _read_under_a_marker(
        self, version: ModelVersion, pause: Callable[[Path], object] | None, *, may_ask: bool
    ) -> LoadedModel:
        folder = model_path(version)
        if has_died_of(folder):
            self._try_out(folder)
        with marked(folder):
            model = _read_or_mend(version, pause, may_ask=may_ask)
            warm_up(model)
            return LoadedModel(version, model, tuple(model.metadata["regions"]))

    def _try_out(self, folder: Path) -> None:
        """Raise ``DeadlyModelError`` unless the version survives a trial, whose end no request waits for."""
        if not self.in_background:
            if verdict := survives(folder):
                raise DeadlyModelError(f"{folder}: {verdict}")
            return
        with self._trials:
            if folder.name not in self._on_trial:
                self._on_trial.add(folder.name)
                threading.Thread(target=self._judge, args=(folder,), name="model-trial", daemon=True).start()
        raise DeadlyModelError(f"{folder}: a process ended while it loaded this version; it is tried out again")

    def _judge(self, folder: Path) -> None:
        try:
            if verdict := survives(folder):
                logger.error("model version in %s stays passed over: %s", folder, verdict)
            else:
                self._broken.pop(folder.name, None)
        finally:
            self._on_trial.discard(folder.name)

    def _is_backing_off(self, version: ModelVersion) -> bool:
        return time.monotonic() < self._broken.get(version.directory, (0.0, 0.0))[0]

    def _back_off(self, version: ModelVersion, error: Exception) -> None:
        seconds = RETRY_SECONDS
        if version.directory not in self._broken:
            what = error if isinstance(error, UnusableModelError) else repr(error)
            logger.error("model version %s can't be used, so the previous one stays active: %s", version.pk, what)
        elif settings.MODEL_STORE or isinstance(error, DeadlyModelError):
            seconds = min(2 * self._broken[version.directory][1], _LONGEST_RETRY_SECONDS)
        self._broken[version.directory] = (time.monotonic() + seconds, seconds)


def _read_or_mend(version: ModelVersion, pause: Callable[[Path], object] | None, *, may_ask: bool) -> Model:
    """Read the version's file through; one damaged here, and not in the store, is fetched again if that ``may_ask``."""
    try:
        return read_model(model_path(version), verify=True, pause=pause)
    except UnusableModelError:
        try:
            if not (may_ask and fetch_anew(version.directory)):
                raise
        except StoreError as error:
            raise UnusableModelError(str(error)) from error
    return read_model(model_path(version), verify=True, pause=pause)


def _read_through(file: Path) -> None:
    """Yield to the requests, then read the file into memory before it is needed while Python's lock is held."""
    time.sleep(_PAUSE_SECONDS)
    # A missing file is reported when it is opened.
    with suppress(OSError), file.open("rb", buffering=0) as stream:
        while stream.read(_BLOCK):
            pass


def in_thread(work: Callable[[], object], *, name: str) -> None:
    """Run ``work`` in a thread; failures are logged and affect no page."""

    def run() -> None:
        try:
            work()
        except Exception:
            logger.exception("%s failed", name)

    threading.Thread(target=run, name=name, daemon=True).start()


def _is_of(loaded: LoadedModel | None, version: ModelVersion) -> bool:
    return loaded is not None and loaded.version.directory == version.directory
