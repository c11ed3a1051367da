"""Model versions: where their files lie, which one serves, how another is put in its place."""

from __future__ import annotations

import gc
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils import timezone

from recommender.loading import (
    LoadedModel,
    Loader,
    UnusableModelError,
    bring_here,
    in_thread,
    model_path,
    read_model,
    warm_up,
)
from recommender.model_store import TWIN, fetch, publish_missing, remove_copies, remove_stored
from recommender.models import ModelVersion
from recommender.object_store import StoreError, UnusableCopyError

if TYPE_CHECKING:
    from recommender.engine import Model

__all__ = [
    "TWIN",
    "LoadedModel",
    "UnusableModelError",
    "activate",
    "activate_checked",
    "active_model",
    "forget_loaded",
    "load_active",
    "model_path",
    "read_model",
    "remove_old_files",
    "serve_without_waiting",
]

logger = logging.getLogger(__name__)

# How many earlier versions are tried when the active one's file cannot be used.
MAX_FALLBACKS = 5


def active_model() -> LoadedModel | None:
    """Return the model that serves, or ``None`` before the first retrain. One query.

    A version whose file is missing, damaged or of another format is passed over for the one before it, and said in the
    log: an old model is better than no page. After ``serve_without_waiting`` the model before it serves for the moment
    that a new one takes to be loaded.
    """
    # The one activated last is the active one.
    served = ModelVersion.objects.filter(activated_at__isnull=False).order_by("-activated_at", "-pk")
    for version in served.defer("fitted_on", "metrics", "timings")[:MAX_FALLBACKS]:
        loaded = _loader.get(version)
        if loaded is not None:
            return loaded
    return None


def load_active(suffix: str) -> Model | None:
    """Return the active version's model, or with ``TWIN`` its twin; ``None`` where its file cannot be used.

    Raises ``StoreError`` where the store it would have to be fetched from does not answer.
    """
    version = ModelVersion.objects.filter(active_slot=True).first()
    if version is None:
        return None
    path = model_path(version)
    with suppress(UnusableCopyError):
        fetch(path.name + suffix)
    try:
        return read_model(path.with_name(path.name + suffix))
    except UnusableModelError:
        return None


def activate_checked(*, version: ModelVersion) -> None:
    """Let ``version`` serve after its file has been read through.

    Raises:
        UnusableModelError: the file cannot serve; the model before it goes on.
    """
    bring_here(version)
    read_model(model_path(version), verify=True)
    try:
        # It may be older than the store, or come out of a backup.
        publish_missing([version.directory])
    except StoreError as error:
        logger.error("model version %s is on this machine, and may be missing on others: %s", version.pk, error)
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


def serve_without_waiting() -> None:
    """Load the active model now, and every later one beside the requests; for the processes that answer them."""
    _loader.in_background = True
    in_thread(_warm_up, name="loading the model")


def _warm_up() -> None:
    try:
        loaded = active_model()
        if loaded is not None:
            warm_up(loaded.model)
    finally:
        connection.close()
    # What is there now stays. Without this, the collector walks all of it again and again: 70 ms of a page each time.
    gc.collect()
    gc.freeze()


def forget_loaded() -> None:
    """Let this process load the active model anew, as a new one would."""
    _loader.forget()


def remove_old_files(*, keep: int) -> list[str]:
    """Delete the files of all but the ``keep`` newest versions and the active one, here and in the store.

    Returns the folders removed here. A store that does not answer is tidied another time.
    """
    remove_stored(keep=keep)
    return remove_copies(keep=keep)


_loader = Loader()
