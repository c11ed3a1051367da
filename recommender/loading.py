"""The model in this process's memory, and its replacement by a newer one beside the requests."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, connection

from recommender.model_store import fetch, fetch_anew, is_elsewhere, remove_copies
from recommender.models import ModelVersion
from recommender.nearest import EVERY_SONG, is_wanted, open_index, say_once
from recommender.object_store import StoreError

if TYPE_CHECKING:
    from recommender.engine import Model

logger = logging.getLogger(__name__)

# A version that could not be loaded is tried again after so many seconds: a shared folder may be late.
RETRY_SECONDS = 10.0
# Each time twice as long, up to this, where a try can mean to fetch all of it from the store.
_LONGEST_RETRY_SECONDS = 320.0
_BLOCK = 1 << 18
# Between two of a model's files. All the loader computes slows the page that runs meanwhile; like this, many share it.
_PAUSE_SECONDS = 0.01


class UnusableModelError(Exception):
    """The version's file is missing, damaged, of another format, or cannot be fetched; the message says which."""


@dataclass(frozen=True)
class LoadedModel:
    """A model in this process's memory (its arrays mapped from the file, so shared between processes)."""

    version: ModelVersion
    model: Model
    regions: tuple[str, ...]


def model_path(version: ModelVersion) -> Path:
    """Return the folder of the version's file."""
    return Path(settings.MODEL_DIR) / version.directory


def bring_here(version: ModelVersion) -> None:
    """Fetch the version's file from the store, where there is one and the file is not on this machine.

    The files of versions that are not kept any more make room then. Raises ``UnusableModelError``.
    """
    try:
        is_new = fetch(version.directory)
    except StoreError as error:
        raise UnusableModelError(str(error)) from error
    if is_new:
        logger.info("model version %s was fetched from the store", version.pk)
        # With the database away it is done after the next one.
        with suppress(DatabaseError):
            remove_copies(keep=settings.MODELS_KEPT)


def read_model(path: Path, *, verify: bool = False, pause: Callable[[Path], object] | None = None) -> Model:
    """Return the model in the folder ``path``, its arrays mapped; with ``verify`` its checksums are compared too.

    ``pause`` is called before each file.

    Raises:
        UnusableModelError: it is missing, damaged or of another format.
    """
    # The engine brings numpy and scipy along, a second that commands and workers without recommendations need not pay.
    from recommender.engine import EngineError, load_model

    try:
        # The index's library is loaded only for a model that has an index.
        model = load_model(path, verify=verify, open_index=open_index, pause=pause)
    except EngineError as error:
        raise UnusableModelError(str(error)) from error
    if is_wanted(model):
        say_once(f"{model.catalogue.n_tracks:,} songs, and {EVERY_SONG}")
    return model


class Loader:
    """Keeps the last loaded model of this process.

    ``in_background``: a newer version is fetched, read and tried out beside the requests, which are served by the older
    one meanwhile, or without one: no request waits for the change.
    """

    def __init__(self) -> None:
        self.in_background = False
        self._lock = threading.Lock()
        self._loaded: LoadedModel | None = None
        # Until when each version is not tried again, and how long that was, in seconds.
        self._broken: dict[str, tuple[float, float]] = {}
        self._on_its_way = ""

    def get(self, version: ModelVersion) -> LoadedModel | None:
        """Return the model of ``version`` (or the one before it, while it is read); ``None`` if it cannot be used."""
        loaded = self._loaded
        if loaded is not None and loaded.version.directory == version.directory:
            return loaded
        if self.in_background and (loaded is not None or is_elsewhere(version.directory)):
            self._fetch(version)
            return loaded
        with self._lock:
            if self._loaded is None or self._loaded.version.directory != version.directory:
                fresh = self._load(version)
                if fresh is None:
                    return None
                self._loaded = fresh
            return self._loaded

    def forget(self) -> None:
        """Drop what was loaded, as a new process would start."""
        self._loaded = None
        self._broken.clear()

    def _fetch(self, version: ModelVersion) -> None:
        with self._lock:
            # One at a time: a machine that is new has no use for all versions at once.
            if self._on_its_way or self._is_resting(version):
                return
            self._on_its_way = version.directory
        threading.Thread(target=self._replace, args=(version,), name="model-loader", daemon=True).start()

    def _replace(self, version: ModelVersion) -> None:
        try:
            fresh = self._load(version, pause=_read_through)
            if fresh is not None:
                warm_up(fresh.model)
                self._loaded = fresh
        finally:
            self._on_its_way = ""
            connection.close()

    def _load(self, version: ModelVersion, pause: Callable[[Path], object] | None = None) -> LoadedModel | None:
        is_resting = self._is_resting(version)
        try:
            # The store is left alone meanwhile: each try could take as long as it takes to give up.
            if not is_resting:
                bring_here(version)
            model = _read_or_mend(version, pause, may_ask=not is_resting)
        except UnusableModelError as error:
            if not is_resting:
                self._let_rest(version, error)
            return None
        return LoadedModel(version, model, tuple(model.metadata["regions"]))

    def _is_resting(self, version: ModelVersion) -> bool:
        return time.monotonic() < self._broken.get(version.directory, (0.0, 0.0))[0]

    def _let_rest(self, version: ModelVersion, error: UnusableModelError) -> None:
        seconds = RETRY_SECONDS
        if version.directory not in self._broken:
            logger.error("model version %s cannot be used, the one before it serves: %s", version.pk, error)
        elif settings.MODEL_STORE:
            seconds = min(2 * self._broken[version.directory][1], _LONGEST_RETRY_SECONDS)
        self._broken[version.directory] = (time.monotonic() + seconds, seconds)


def _read_or_mend(version: ModelVersion, pause: Callable[[Path], object] | None, *, may_ask: bool) -> Model:
    """Read the version's file; one that is damaged here, and not in the store, is fetched again if that ``may_ask``."""
    try:
        return read_model(model_path(version), pause=pause)
    except UnusableModelError:
        try:
            if not (may_ask and fetch_anew(version.directory)):
                raise
        except StoreError as error:
            raise UnusableModelError(str(error)) from error
    return read_model(model_path(version), pause=pause)


def _read_through(file: Path) -> None:
    """Leave a moment to the requests, then have the file in memory before it is needed under Python's lock."""
    time.sleep(_PAUSE_SECONDS)
    # What is missing is told by who opens it next.
    with suppress(OSError), file.open("rb", buffering=0) as stream:
        while stream.read(_BLOCK):
            pass


def warm_up(model: Model) -> None:
    """Make a page nobody sees, so that what is computed or read from disk once is there before the first listener."""
    import numpy as np

    from recommender.engine import Feedback, Request, recommend

    liked = np.flatnonzero(model.catalogue.active)[:1]
    if not len(liked):
        return
    # A page of somebody who likes a song goes through all of the arithmetic; a second one would only cost the others.
    recommend(model, Feedback.likes(liked.tolist()), Request(adventure=0.5), np.random.default_rng(0))


def in_thread(work: Callable[[], object], *, name: str) -> None:
    """Run ``work`` beside the requests; what goes wrong is said in the log and costs no page."""

    def run() -> None:
        try:
            work()
        except Exception:
            logger.exception("%s failed", name)

    threading.Thread(target=run, name=name, daemon=True).start()
