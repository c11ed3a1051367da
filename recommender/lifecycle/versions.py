"""Model versions: where their files are, which one serves, and how another one is activated."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import F, Max, Q, QuerySet, Subquery
from django.utils import timezone

from recommender.adapters.loaded import LoadedModel
from recommender.lifecycle.loading import (
    Loader,
    UnusableModelError,
    ensure_local,
    in_thread,
    model_path,
    read_model,
)
from recommender.lifecycle.model_store import (
    EVAL_SUFFIX,
    fetch,
    is_only_in_store,
    publish_missing,
    remove_copies,
    remove_stored,
)
from recommender.lifecycle.object_store import StoreError, UnusableCopyError
from recommender.lifecycle.trial import has_died_of, marked, survives, warm_up
from recommender.models import ModelVersion, SiteServing

if TYPE_CHECKING:
    from recommender.engine import Model

__all__ = [
    "EVAL_SUFFIX",
    "UnusableModelError",
    "activate",
    "activate_checked",
    "active_model",
    "active_model_and_token",
    "forget_loaded",
    "is_warm",
    "keep_loaded",
    "load_active",
    "load_active_evaluation_model",
    "load_evaluation_model",
    "model_path",
    "read_model",
    "remove_old_files",
    "serve_without_waiting",
    "version_model",
    "why_unusable",
]

logger = logging.getLogger(__name__)

# How many earlier versions are tried when the active one's file cannot be used.
MAX_FALLBACKS = 5


def active_model() -> LoadedModel | None:
    """Return the model that serves, or ``None`` before the first retrain. One query.

    A version whose file is missing, damaged or of another format is skipped and logged, and the one before it is used:
    an old model is better than no page. After ``serve_without_waiting`` the previous model serves while a new one is
    loaded.
    """
    return _first_usable(_served())


def active_model_and_token() -> tuple[LoadedModel | None, str]:
    """Return `active_model` and the token of ``SiteServing`` (empty where there is none), by the same one query."""
    token = SiteServing.objects.values("token")[:1]
    versions = list(_served().annotate(token=Subquery(token))[:MAX_FALLBACKS])
    return _first_usable(versions), (versions[0].token or "") if versions else ""


def version_model(version: ModelVersion, active: LoadedModel) -> LoadedModel | None:
    """Return the model of a version beside the ``active`` one, or ``None`` while it is read or if it is unusable.

    Models of arms are read as the active one is: in processes that answer requests, none waits for it.
    """
    if version.directory == active.version.directory:
        return active
    loader = _loaders_of_arms.setdefault(version.directory, Loader())
    loader.in_background = _loader.in_background
    return loader.get_or_start(version)


def why_unusable(version: ModelVersion) -> str:
    """Return why this machine can't use the file of a version; empty where it can, or will fetch it from the store.

    The file is read through unless this process has the model in its memory.
    """
    loaders = (_loader, _loaders_of_arms.get(version.directory))
    if any(loader is not None and loader.has(version) for loader in loaders) or is_only_in_store(version.directory):
        return ""
    folder = model_path(version)
    if has_died_of(folder):
        return f"{folder}: a process ended while it loaded this version"
    try:
        with marked(folder):
            read_model(folder, verify=True)
    except UnusableModelError as error:
        return str(error)
    return ""


def keep_loaded(directories: Collection[str]) -> None:
    """Drop the models of arms other than these from this process's memory."""
    for directory in set(_loaders_of_arms) - set(directories):
        _loaders_of_arms.pop(directory, None)


def _served() -> QuerySet[Any]:
    """Return the versions that can serve, the active one first."""
    # The slot says which one is active, even if a process of the previous release, which assigns no numbers, activated
    # it.
    served: QuerySet[Any] = ModelVersion.objects.filter(Q(active_slot=True) | Q(activated_at__isnull=False)).order_by(
        F("active_slot").desc(nulls_last=True), F("activation").desc(nulls_last=True), "-pk"
    )
    return served.defer("fitted_on", "metrics", "timings")


def _first_usable(versions: QuerySet[Any] | list[Any]) -> LoadedModel | None:
    for version in versions[:MAX_FALLBACKS]:
        loaded = _loader.get(version)
        if loaded is not None:
            return loaded
    return None


def load_active(suffix: str) -> Model | None:
    """Return the active version's model, or with ``EVAL_SUFFIX`` its evaluation model; ``None`` if it is unusable.

    Raise ``StoreError`` where the store it would have to be fetched from does not answer.
    """
    version = ModelVersion.objects.filter(active_slot=True).first()
    if version is None:
        return None
    try:
        return _fetched_model(version, suffix)
    except UnusableModelError:
        return None


def load_active_evaluation_model() -> LoadedModel | None:
    """Return the active version with its evaluation model; ``None`` if there is none or it is unusable.

    Raise ``StoreError`` if the store that it would have to be fetched from does not answer.
    """
    version = ModelVersion.objects.filter(active_slot=True).first()
    try:
        return None if version is None else load_evaluation_model(version)
    except UnusableModelError:
        return None


def load_evaluation_model(version: ModelVersion) -> LoadedModel:
    """Return a version with its evaluation model, which was fitted without the test listeners.

    Raises:
        UnusableModelError: its file is missing or cannot be used.
        StoreError: the store that it would have to be fetched from does not answer.
    """
    model = _fetched_model(version, EVAL_SUFFIX)
    return LoadedModel(version, model, tuple(model.metadata["regions"]))


def _fetched_model(version: ModelVersion, suffix: str) -> Model:
    path = model_path(version)
    with suppress(UnusableCopyError):
        fetch(path.name + suffix)
    return read_model(path.with_name(path.name + suffix), verify=True)


def activate_checked(*, version: ModelVersion) -> None:
    """Let ``version`` serve after its file has been read through.

    Raises:
        UnusableModelError: the file cannot serve; the model before it goes on.
    """
    ensure_local(version)
    folder = model_path(version)
    if has_died_of(folder) and (verdict := survives(folder)):
        raise UnusableModelError(f"{folder}: {verdict}")
    with marked(folder):
        warm_up(read_model(folder, verify=True))
    try:
        # It may be older than the store, or come from a backup.
        publish_missing([version.directory])
    except StoreError as error:
        logger.error("model version %s is on this machine but may be missing on others: %s", version.pk, error)
    activate(version=version)


@transaction.atomic
def activate(*, version: ModelVersion) -> None:
    """Let ``version`` serve from the next request on; the one before it is retired, its file kept."""
    # Locked in a fixed order, so that two concurrent activations wait for each other.
    list(ModelVersion.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
    ModelVersion.objects.filter(active_slot=True).update(state=ModelVersion.State.RETIRED, active_slot=None)
    version.state = ModelVersion.State.ACTIVE
    version.active_slot = True
    version.activated_at = timezone.now()
    version.activation = 1 + (ModelVersion.objects.aggregate(last=Max("activation"))["last"] or 0)
    version.save(update_fields=["state", "active_slot", "activated_at", "activation"])


_is_warm = Event()
_is_warm.set()


def is_warm() -> bool:
    """Return whether this process has finished what `serve_without_waiting` began; true where it was not called."""
    return _is_warm.is_set()


def serve_without_waiting(prepare: Callable[[], None] = lambda: None) -> None:
    """Load the active model now, and every later one beside the requests; for the processes that answer them.

    `prepare` does whatever else the first page would wait for. `is_warm` is false until both are done.
    """
    _loader.in_background = True
    _is_warm.clear()
    in_thread(partial(_warm_up, prepare), name="loading the model")


def _warm_up(prepare: Callable[[], None]) -> None:
    try:
        # A loaded model has passed its trial.
        active_model()
        prepare()
    finally:
        _is_warm.set()
        connection.close()
    # These objects stay. Otherwise the garbage collector traverses all of them again and again, at 70 ms of a page each
    # time.
    gc.collect()
    gc.freeze()


def forget_loaded() -> None:
    """Make this process load the active model again, as a new process would."""
    _loader.forget()
    _loaders_of_arms.clear()


def remove_old_files(*, keep: int) -> list[str]:
    """Delete the files of all but the ``keep`` newest versions and the active one, here and in the store.

    Returns the folders removed here. A store that does not answer is cleaned up another time.
    """
    remove_stored(keep=keep)
    return remove_copies(keep=keep)


_loader = Loader()
_loaders_of_arms: dict[str, Loader] = {}
"""By folder; the active model has its own."""
