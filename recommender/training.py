"""The periodic fit: read the database, measure, fit, write, activate."""

from __future__ import annotations

import fcntl
import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from accounts.models import User
from feedback.taste import feedback_fingerprint
from recommender.catalogue_input import catalogue_state, load_catalogue
from recommender.engine import Catalogue, EngineConfig, Interactions, Model, fit_model, save_model
from recommender.engine.evaluation import Reveal, Split, judge, model_scorers, split_listeners
from recommender.feedback_input import load_interactions
from recommender.models import ModelVersion
from recommender.versions import activate, model_path, remove_old_files

SEED = 20
# Quality is measured at these amounts of revealed songs ...
REVEALS = ("1", "5", "20", "80%")
# ... on so many test listeners at most: enough for an interval of a few percent, and bounded in time.
MAX_TEST_LISTENERS = 300
# Below this, one lucky listener would make the figure.
MIN_TEST_LISTENERS = 3
SCORERS_SHOWN = ("popularity", "audio", "content", "blend")

Say = Callable[[str, float], None]


class RetrainBusyError(Exception):
    """Another retrain is running."""


class EmptyCatalogueError(Exception):
    """There is nothing to recommend yet."""


@dataclass
class RetrainResult:
    """What a retrain did; ``version`` is ``None`` when nothing had changed."""

    version: ModelVersion | None
    fitted_on: dict[str, int] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)


def retrain(*, if_needed: bool = False, say: Say = lambda _step, _share: None, seed: int = SEED) -> RetrainResult:
    """Fit on what is in the database and let the result serve.

    The file is written beside its place and renamed, and the row is made only then: killed at any moment, the model
    before it goes on serving, and the next run removes what was left behind.

    Raises:
        RetrainBusyError: another one is running.
        EmptyCatalogueError: no song has been imported yet.
    """
    with _alone():
        _remove_orphans()
        fingerprint = _fingerprint()
        serving = ModelVersion.objects.filter(active_slot=True).first()
        if if_needed and serving and serving.fingerprint == fingerprint and model_path(serving).is_dir():
            return RetrainResult(version=None)
        return _Run(say, seed).execute(fingerprint)


class _Run:
    """One retrain, step by step, with the time each step took."""

    def __init__(self, say: Say, seed: int) -> None:
        self._say = say
        self._rngs = np.random.default_rng(seed).spawn(2)
        self._timings: dict[str, float] = {}

    def execute(self, fingerprint: str) -> RetrainResult:
        config = EngineConfig()
        with self._timed("read"):
            catalogue = load_catalogue()
            if not catalogue.n_tracks:
                raise EmptyCatalogueError
            interactions, regions = load_interactions(catalogue, config)
        with self._timed("measure"):
            metrics = measure(catalogue, interactions, config, self._rngs[0], self._say)
        with self._timed("fit"):
            metadata = {"regions": regions, "fitted_at": timezone.now().isoformat()}
            model = fit_model(catalogue, interactions, config, self._rngs[1], self._say, metadata)
        directory = f"{timezone.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        with self._timed("write"):
            save_model(model, Path(settings.MODEL_DIR) / directory)
        version = self._register(directory, fingerprint, _counts(model, interactions), metrics)
        remove_old_files(keep=settings.MODELS_KEPT)
        return RetrainResult(version, version.fitted_on, metrics, self._timings)

    @transaction.atomic
    def _register(
        self, directory: str, fingerprint: str, fitted_on: dict[str, int], metrics: dict[str, Any]
    ) -> ModelVersion:
        version = ModelVersion.objects.create(
            directory=directory, fingerprint=fingerprint, fitted_on=fitted_on, metrics=metrics, timings=self._timings
        )
        activate(version=version)
        return version

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        self._say(step, 0.0)
        start = time.perf_counter()
        yield
        self._timings[step] = round(time.perf_counter() - start, 3)
        self._say(step, 1.0)


def measure(
    catalogue: Catalogue, interactions: Interactions, config: EngineConfig, rng: np.random.Generator, say: Say
) -> dict[str, Any]:
    """Return the quality on a fifth of the listeners, held out, beside its baselines.

    ``rows``: one per scorer and amount revealed (see :mod:`recommender.engine.evaluation`); empty with a ``note``
    while there are too few listeners to say anything.
    """
    split = split_listeners(interactions, rng)
    test = tuple(rows for rows in split.test if len(rows) > 1)[:MAX_TEST_LISTENERS]
    if len(test) < MIN_TEST_LISTENERS:
        return {"rows": [], "note": f"{len(test)} test listeners with two likes or more: too few to measure"}
    model = fit_model(catalogue, split.training, config, rng.spawn(1)[0])
    scorers = {name: scorer for name, scorer in model_scorers(model).items() if name in SCORERS_SHOWN}
    amounts = [Reveal(label) for label in REVEALS]
    judged = judge(scorers, catalogue, Split(split.training, test), amounts, rng.spawn(1)[0], say)
    return {"rows": [asdict(row) for row in judged]}


def _counts(model: Model, interactions: Interactions) -> dict[str, int]:
    catalogue = model.catalogue
    return {
        "songs": catalogue.n_tracks,
        "artists": catalogue.n_artists,
        "genres": catalogue.n_genres,
        "listeners": interactions.n_listeners,
        "interactions": len(interactions.row),
    }


def _fingerprint() -> str:
    regions = list(User.objects.exclude(region="").order_by("region").values_list("region").annotate(Count("pk")))
    state = [catalogue_state(), feedback_fingerprint(), regions, EngineConfig().to_dict()]
    return hashlib.sha256(json.dumps(state, sort_keys=True, default=str).encode()).hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the retrain lock; the system lets go of it when the process ends, however it ends."""
    folder = Path(settings.MODEL_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".retrain.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RetrainBusyError from error
        yield


def _remove_orphans() -> None:
    """Delete what a killed retrain left: folders without a row. Only under the lock, when no other can be writing."""
    known = set(ModelVersion.objects.values_list("directory", flat=True))
    for folder in Path(settings.MODEL_DIR).iterdir():
        if folder.is_dir() and folder.name not in known:
            shutil.rmtree(folder, ignore_errors=True)
