"""Model versions: where their files lie, which one serves, how another is put in its place."""

from __future__ import annotations

import logging
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from recommender.models import ModelVersion

if TYPE_CHECKING:
    from recommender.engine import Model

logger = logging.getLogger(__name__)

# The folder of a version's twin, fitted without the test listeners (see recommender.gate), has this at its end.
TWIN = ".twin"
# How many earlier versions are tried when the active one's file cannot be used.
MAX_FALLBACKS = 5


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


def active_model() -> LoadedModel | None:
    """Return the model that serves, or ``None`` before the first retrain. One query.

    A version whose file is missing, damaged or of another format is passed over for the one before it, and said in the
    log: an old model is better than no page.
    """
    # The one activated last is the active one.
    served = ModelVersion.objects.filter(activated_at__isnull=False).order_by("-activated_at", "-pk")
    for version in served.defer("fitted_on", "metrics", "timings")[:MAX_FALLBACKS]:
        loaded = _loader.get(version)
        if loaded is not None:
            return loaded
    return None


def load_active(suffix: str) -> Model | None:
    """Return the active version's model, or with ``TWIN`` its twin; ``None`` where its file cannot be used."""
    version = ModelVersion.objects.filter(active_slot=True).first()
    if version is None:
        return None
    path = model_path(version)
    try:
        return read_model(path.with_name(path.name + suffix))
    except UnusableModelError:
        return None


def read_model(path: Path, *, verify: bool = False) -> Model:
    """Return the model in the folder ``path``, its arrays mapped; with ``verify`` its checksums are compared too.

    Raises:
        UnusableModelError: it is missing, damaged or of another format.
    """
    # The engine brings numpy and scipy along, a second that commands and workers without recommendations need not pay.
    from recommender.engine import EngineError, load_model

    try:
        return load_model(path, verify=verify)
    except EngineError as error:
        raise UnusableModelError(str(error)) from error


def activate_checked(*, version: ModelVersion) -> None:
    """Let ``version`` serve after its file has been read through.

    Raises:
        UnusableModelError: the file cannot serve; the model before it goes on.
    """
    read_model(model_path(version), verify=True)
    activate(version=version)


@transaction.atomic
def activate(*, version: ModelVersion) -> None:
    """Let ``version`` serve from the next request on; the one before it is retired, its file kept."""
    # Taken in a fixed order, so that two who activate at once wait for each other.
    list(ModelVersion.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
    ModelVersion.objects.filter(active_slot=True).update(state=ModelVersion.State.RETIRED, active_slot=None)
    version.state = ModelVersion.State.ACTIVE
    version.active_slot = True
    version.activated_at = timezone.now()
    version.save(update_fields=["state", "active_slot", "activated_at"])


def forget_loaded() -> None:
    """Let this process load the active model anew, as a new one would."""
    _loader.forget()


def remove_old_files(*, keep: int) -> list[str]:
    """Delete the files of all but the ``keep`` newest versions and the active one; return the folders removed."""
    kept = set(ModelVersion.objects.order_by("-pk").values_list("directory", flat=True)[:keep])
    kept |= set(ModelVersion.objects.filter(active_slot=True).values_list("directory", flat=True))
    old = ModelVersion.objects.exclude(directory__in=kept)
    removed = [version.directory for version in old if model_path(version).is_dir()]
    for directory in removed:
        for name in (directory, directory + TWIN):
            shutil.rmtree(Path(settings.MODEL_DIR) / name, ignore_errors=True)
    return removed


class _Loader:
    """Keeps the last loaded model of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: LoadedModel | None = None
        self._broken: set[str] = set()

    def get(self, version: ModelVersion) -> LoadedModel | None:
        """Return the model of ``version``, loading it once; ``None`` if its file cannot be used."""
        loaded = self._loaded
        if loaded is not None and loaded.version.directory == version.directory:
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

    def _load(self, version: ModelVersion) -> LoadedModel | None:
        try:
            model = read_model(model_path(version))
        except UnusableModelError as error:
            self._say_once(version, error)
            return None
        return LoadedModel(version, model, tuple(model.metadata["regions"]))

    def _say_once(self, version: ModelVersion, error: UnusableModelError) -> None:
        if version.directory not in self._broken:
            self._broken.add(version.directory)
            logger.error("model version %s cannot be used, the one before it serves: %s", version.pk, error)


_loader = _Loader()
