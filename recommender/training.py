"""The periodic fit: read the database, fit, measure, write, and let the result serve if it is good enough."""

from __future__ import annotations

import fcntl
import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from recommender.cluster import DaskEngine
from recommender.engine import Catalogue, EngineConfig, Interactions, Model, fit_model, save_model, with_shortlist
from recommender.engine.evaluation import Split
from recommender.engine.ranking.fit import SecondStage
from recommender.engine.update import update_model
from recommender.estimating import store_estimates
from recommender.feedback_input import AllFeedback, load_interactions
from recommender.gate import MIN_TEST_LISTENERS, Quality, Say, judge_candidate, split_by_listener
from recommender.model_store import FETCHING, is_anywhere, publish, remove_stored_orphans
from recommender.models import ModelVersion
from recommender.nearest import EVERY_SONG, build_index, is_installed, is_wanted, say_once
from recommender.versions import TWIN, activate, load_active, remove_old_files

SEED = 20


class RetrainBusyError(Exception):
    """Another retrain is running."""


class EmptyCatalogueError(Exception):
    """There is nothing to recommend yet."""


@dataclass
class RetrainResult:
    """What a retrain did; ``version`` is ``None`` when nothing had changed.

    ``is_serving``: whether the new version serves, or was found worse than the one that goes on serving. ``note``: what
    the operator should know besides.
    """

    version: ModelVersion | None
    quality: Quality = field(default_factory=Quality)
    is_serving: bool = False
    note: str = ""


def retrain(
    *,
    if_needed: bool = False,
    force: bool = False,
    incremental: bool = False,
    say: Say = lambda _step, _share: None,
    seed: int = SEED,
    cluster: DaskEngine | None = None,
    config: EngineConfig | None = None,
) -> RetrainResult:
    """Fit on what is in the database; let the result serve unless it is worse than what serves (or ``force``).

    ``incremental``: fold what is new into the active model instead of fitting anew; without one, fit. ``cluster``: has
    the matrix factorisation computed elsewhere. ``config``: other numbers than the engine's own.
    The file is written beside its place and renamed, then copied to the store if there is one, and the row is made only
    then: killed at any moment, the model before it goes on serving, and the next run removes what was left behind.

    Raises:
        RetrainBusyError: another one is running.
        StoreError: the store does not answer or refuses; nothing is registered.
        EmptyCatalogueError: no song has been imported yet.
        ClusterError: the cluster cannot be used.
    """
    with _alone():
        _remove_orphans()
        config = config or EngineConfig()
        fingerprint = _fingerprint(config)
        newest = ModelVersion.objects.first()
        if if_needed and newest and newest.fingerprint == fingerprint and is_anywhere(newest.directory):
            return RetrainResult(version=None)
        return _Run(say, seed, config, is_incremental=incremental, cluster=cluster).execute(fingerprint, force=force)


class _Run:
    """One retrain, step by step, with the time each step took."""

    def __init__(
        self, say: Say, seed: int, config: EngineConfig, *, is_incremental: bool, cluster: DaskEngine | None
    ) -> None:
        self._say = say
        self._cluster = cluster
        self._is_incremental = is_incremental
        self._split_rng, self._fit_rng, self._judge_rng = np.random.default_rng(seed).spawn(3)
        self._config = config
        self._timings: dict[str, float] = {}

    def execute(self, fingerprint: str, *, force: bool) -> RetrainResult:
        with self._timed("read"):
            catalogue = load_catalogue()
            if not catalogue.n_tracks:
                raise EmptyCatalogueError
            given = load_interactions(catalogue, self._config)
        twin, quality = self._measured_twin(catalogue, given)
        with self._timed("fit"):
            # What was learned about weighing the terms was learned from most listeners already.
            stage = SecondStage(twin.weights, twin.ranker) if twin else None
            model = self._fit(catalogue, given.interactions, given.regions, stage, self._base(""))
        model, note = self._with_index(model)
        directory = f"{timezone.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        with self._timed("estimate"):
            store_estimates(model.catalogue)
        with self._timed("write"):
            if twin is not None:
                save_model(twin, Path(settings.MODEL_DIR) / (directory + TWIN))
            save_model(model, Path(settings.MODEL_DIR) / directory)
        if settings.MODEL_STORE:
            with self._timed("upload"):
                publish([directory + TWIN, directory] if twin is not None else [directory])
        is_serving = force or not quality.verdict.is_worse
        version = self._register(directory, fingerprint, _counts(model, given.interactions), quality, is_serving)
        remove_old_files(keep=settings.MODELS_KEPT)
        return RetrainResult(version, quality, is_serving, note)

    def _with_index(self, model: Model) -> tuple[Model, str]:
        """Build the approximate index if there are songs enough; else, or without its library, every song is scored."""
        if not is_wanted(model):
            return model, ""
        if not is_installed():
            say_once(f"{model.catalogue.n_tracks:,} songs, and {EVERY_SONG}")
            return model, EVERY_SONG
        with self._timed("index"):
            return with_shortlist(model, build_index), ""

    def _measured_twin(self, catalogue: Catalogue, given: AllFeedback) -> tuple[Model | None, Quality]:
        """Fit without the test listeners, and measure on them beside the active model's twin."""
        split = split_by_listener(given.interactions, given.user_ids, self._split_rng)
        if len(split.test) < MIN_TEST_LISTENERS:
            note = f"{len(split.test)} test listeners with two likes or more: too few to measure"
            return None, Quality(note=note)
        with self._timed("fit without the test listeners"):
            twin = self._fit(catalogue, split.training, given.regions, None, self._base(TWIN))
        with self._timed("measure"):
            return twin, self._judge(catalogue, split, twin)

    def _judge(self, catalogue: Catalogue, split: Split, twin: Model) -> Quality:
        return judge_candidate(catalogue, split, twin, load_active(TWIN), self._judge_rng, self._say)

    def _base(self, suffix: str) -> Model | None:
        """Return the active model (``suffix`` "") or its twin to fold what is new into; ``None``: fit anew."""
        return load_active(suffix) if self._is_incremental else None

    def _fit(
        self,
        catalogue: Catalogue,
        interactions: Interactions,
        regions: list[str],
        stage: SecondStage | None,
        base: Model | None,
    ) -> Model:
        metadata = {"regions": regions, "fitted_at": timezone.now().isoformat()}
        rng = self._fit_rng.spawn(1)[0]
        if base is not None:
            return update_model(base, catalogue, interactions, rng, self._say, metadata)
        elsewhere = self._cluster.fits(self._say) if self._cluster else None
        return fit_model(catalogue, interactions, self._config, rng, self._say, metadata, stage, elsewhere)

    @transaction.atomic
    def _register(
        self, directory: str, fingerprint: str, fitted_on: dict[str, int], quality: Quality, is_serving: bool
    ) -> ModelVersion:
        version = ModelVersion.objects.create(
            directory=directory,
            fingerprint=fingerprint,
            fitted_on=fitted_on,
            metrics=quality.to_dict(),
            timings=self._timings,
        )
        if is_serving:
            activate(version=version)
        return version

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        self._say(step, 0.0)
        start = time.perf_counter()
        yield
        self._timings[step] = round(time.perf_counter() - start, 3)
        self._say(step, 1.0)


def _counts(model: Model, interactions: Interactions) -> dict[str, int]:
    catalogue = model.catalogue
    return {
        "songs": catalogue.n_tracks,
        "artists": catalogue.n_artists,
        "genres": catalogue.n_genres,
        "listeners": interactions.n_listeners,
        "interactions": len(interactions.row),
    }


def _fingerprint(config: EngineConfig) -> str:
    regions = list(User.objects.exclude(region="").order_by("region").values_list("region").annotate(Count("pk")))
    state: list[Any] = [catalogue_state(), feedback_fingerprint(), regions, config.to_dict()]
    return hashlib.sha256(json.dumps(state, sort_keys=True, default=str).encode()).hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the retrain lock; the system lets go of it when the process ends, however it ends.

    It is this machine's where ``MODEL_DIR`` is. Two machines that retrain at once do double work and no harm: folders
    have names of their own, the database says which serves, and the queue runs one retrain at a time anyway.
    """
    folder = Path(settings.MODEL_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".retrain.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RetrainBusyError from error
        yield


def _remove_orphans() -> None:
    """Delete what a killed retrain left: folders without a row. Only under the lock, when no other can be writing.

    What is being fetched from the store is left to who fetches. In the store itself others write: it keeps a day's.
    """
    known = set(ModelVersion.objects.values_list("directory", flat=True))
    for folder in Path(settings.MODEL_DIR).iterdir():
        is_fetched = settings.MODEL_STORE and folder.name.startswith(FETCHING)
        if folder.is_dir() and folder.name.removesuffix(TWIN) not in known and not is_fetched:
            shutil.rmtree(folder, ignore_errors=True)
    remove_stored_orphans(known)
