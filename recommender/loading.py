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

from recommender.models import ModelVersion
from recommender.nearest import EVERY_SONG, is_wanted, open_index, say_once

if TYPE_CHECKING:
    from recommender.engine import Model

logger = logging.getLogger(__name__)

# A version that could not be loaded is tried again after so many seconds: a shared folder may be late.
RETRY_SECONDS = 10.0
_BLOCK = 1 << 18
# Between two of a model's files. All the loader computes slows the page that runs meanwhile; like this, many share it.
_PAUSE_SECONDS = 0.01


class UnusableModelError(Exception):
    """The version's file is missing, damaged or of another format; the message says which."""


@dataclass(frozen=True)
class LoadedModel:
    """A model in this process's memory (its arrays mapped from the file, so shared between processes)."""

    version: ModelVersion
    model: Model
    regions: tuple[str, ...]


def model_path(version: ModelVersion) -> Path:
    """Return the folder of the version's file."""
    return Path(settings.MODEL_DIR) / version.directory


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

    ``in_background``: a newer version is read and tried out beside the requests, which are served by the older one
    meanwhile: no request waits for the change.
    """

    def __init__(self) -> None:
        self.in_background = False
        self._lock = threading.Lock()
        self._loaded: LoadedModel | None = None
        self._broken: dict[str, float] = {}
        self._on_its_way = ""

    def get(self, version: ModelVersion) -> LoadedModel | None:
        """Return the model of ``version`` (or the one before it, while it is read); ``None`` if it cannot be used."""
        loaded = self._loaded
        if loaded is not None and loaded.version.directory == version.directory:
            return loaded
        if loaded is not None and self.in_background:
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
            is_broken = time.monotonic() < self._broken.get(version.directory, 0.0)
            if is_broken or self._on_its_way == version.directory:
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

    def _load(self, version: ModelVersion, pause: Callable[[Path], object] | None = None) -> LoadedModel | None:
        try:
            model = read_model(model_path(version), pause=pause)
        except UnusableModelError as error:
            if version.directory not in self._broken:
                logger.error("model version %s cannot be used, the one before it serves: %s", version.pk, error)
            self._broken[version.directory] = time.monotonic() + RETRY_SECONDS
            return None
        return LoadedModel(version, model, tuple(model.metadata["regions"]))


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
