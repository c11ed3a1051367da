"""The periodic fit: read the database, fit, measure, write, and activate the result if it is good enough."""

from __future__ import annotations

import fcntl
import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from accounts.models import User
from feedback.taste import feedback_fingerprint
from recommender.adapters.catalogue import catalogue_state, load_catalogue
from recommender.adapters.imputed_features import store_estimates
from recommender.adapters.interactions import AllFeedback, load_interactions
from recommender.adapters.loaded import LoadedModel
from recommender.engine import (
    Catalogue,
    EngineConfig,
    Interactions,
    Model,
    Progress,
    SecondStage,
    fit_model,
    no_progress,
    save_model,
    update_model,
    with_retriever,
)
from recommender.lifecycle.log_comparison import EmptyLogError, LogComparison, Policy, compare_on_log
from recommender.lifecycle.model_store import DOWNLOAD_PREFIX, is_available, publish, remove_stored_orphans
from recommender.lifecycle.validation import MIN_TEST_LISTENERS, Quality, judge_candidate, split_by_listener
from recommender.lifecycle.versions import (
    EVAL_SUFFIX,
    UnusableModelError,
    activate,
    load_active,
    load_active_evaluation_model,
    model_path,
    read_model,
    remove_old_files,
)
from recommender.models import ModelVersion
from recommender.scale.cluster import DaskEngine
from recommender.scale.faiss_index import EVERY_SONG, build_index, is_installed, is_wanted, say_once

SEED = 20
# A new version is judged on so many pages at most of so many days: each page costs two versions some 20 ms.
LOG_DAYS = 30
LOG_PAGES = 500
CANDIDATE = "candidate"


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
    report_progress: Progress = no_progress,
    seed: int = SEED,
    cluster: DaskEngine | None = None,
    config: EngineConfig | None = None,
) -> RetrainResult:
    """Fit a model on the data in the database; activate it unless it is worse than the active one (or ``force``).

    ``incremental``: update the active model with new data instead of a new fit; without an active one, fit.
    ``cluster``: computes the matrix factorisation on other machines. ``config``: instead of the engine's defaults.
    The files are written under another name and renamed, then copied to the store if there is one, and only then is
    the row created. If the run is killed, the previous model stays active and the next run removes the leftovers.

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
        if if_needed and newest and newest.fingerprint == fingerprint and _is_whole(newest):
            return RetrainResult(version=None)
        return _TrainingRun(report_progress, seed, config, is_incremental=incremental, cluster=cluster).execute(
            fingerprint, force=force
        )


class _TrainingRun:
    """One retrain, step by step, with the time each step took."""

    def __init__(
        self,
        report_progress: Progress,
        seed: int,
        config: EngineConfig,
        *,
        is_incremental: bool,
        cluster: DaskEngine | None,
    ) -> None:
        self._report_progress = report_progress
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
            all_feedback = load_interactions(catalogue, self._config)
        evaluation_model, quality = self._evaluated(catalogue, all_feedback)
        with self._timed("fit"):
            # The weights of the terms were already learned from most listeners.
            stage = SecondStage(evaluation_model.weights, evaluation_model.ranker) if evaluation_model else None
            model = self._fit(catalogue, all_feedback.interactions, all_feedback.regions, stage, self._base(""))
        model, note = self._with_index(model)
        directory = f"{timezone.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        with self._timed("estimate"):
            store_estimates(model.catalogue)
        with self._timed("write"):
            if evaluation_model is not None:
                save_model(evaluation_model, Path(settings.MODEL_DIR) / (directory + EVAL_SUFFIX))
            save_model(model, Path(settings.MODEL_DIR) / directory)
        if settings.MODEL_STORE:
            with self._timed("upload"):
                publish([directory + EVAL_SUFFIX, directory] if evaluation_model is not None else [directory])
        is_serving = force or not quality.is_worse
        version = self._register(directory, fingerprint, _counts(model, all_feedback.interactions), quality, is_serving)
        remove_old_files(keep=settings.MODELS_KEPT)
        return RetrainResult(version, quality, is_serving, note)

    def _with_index(self, model: Model) -> tuple[Model, str]:
        """Build the approximate index if there are enough songs; otherwise, or without its library, every song is
        scored."""
        if not is_wanted(model):
            return model, ""
        if not is_installed():
            say_once(f"{model.catalogue.n_tracks:,} songs, and {EVERY_SONG}")
            return model, EVERY_SONG
        with self._timed("index"):
            return with_retriever(model, build_index), ""

    def _evaluated(self, catalogue: Catalogue, all_feedback: AllFeedback) -> tuple[Model | None, Quality]:
        """Fit without the test listeners, and measure on them beside the active model's evaluation model."""
        split = split_by_listener(all_feedback.interactions, all_feedback.user_ids, self._split_rng)
        if len(split.test) < MIN_TEST_LISTENERS:
            note = f"only {len(split.test)} test listeners have two likes or more, which is too few to measure"
            return None, Quality(note=note)
        with self._timed("fit without the test listeners"):
            evaluation_model = self._fit(catalogue, split.training, all_feedback.regions, None, self._base(EVAL_SUFFIX))
        with self._timed("measure"):
            active = load_active_evaluation_model()
            quality = judge_candidate(
                catalogue,
                split,
                evaluation_model,
                None if active is None else active.model,
                self._judge_rng,
                self._report_progress,
            )
        with self._timed("compare on the log"):
            on_log = None if active is None else self._on_log(active, evaluation_model, all_feedback.regions)
            return evaluation_model, replace(quality, on_log=on_log)

    def _on_log(self, active: LoadedModel, evaluation_model: Model, regions: list[str]) -> LogComparison | None:
        """Judge the active version and the candidate, by their evaluation models, on the pages of the last weeks."""
        now = timezone.now()
        serving = Policy(str(active.version.pk), active)
        try:
            candidate = Policy(CANDIDATE, LoadedModel(ModelVersion(), evaluation_model, tuple(regions)))
            return compare_on_log(
                [serving, candidate],
                since=now - timedelta(days=LOG_DAYS),
                until=now,
                max_pages=LOG_PAGES,
                report_progress=self._report_progress,
            )
        except EmptyLogError:
            # There is nothing to judge by, so the measured quality decides alone.
            return None

    def _base(self, suffix: str) -> Model | None:
        """Return the active model (``suffix`` "") or its evaluation model to be updated; ``None``: fit anew."""
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
            return update_model(base, catalogue, interactions, rng, self._report_progress, metadata)
        term_fitters = self._cluster.fits(self._report_progress) if self._cluster else None
        return fit_model(
            catalogue, interactions, self._config, rng, self._report_progress, metadata, stage, term_fitters
        )

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
        self._report_progress(step, 0.0)
        start = time.perf_counter()
        yield
        self._timings[step] = round(time.perf_counter() - start, 3)
        self._report_progress(step, 1.0)


def _is_whole(version: ModelVersion) -> bool:
    """Return whether the version's files are in the store, or here and undamaged. Raise ``StoreError``."""
    if not is_available(version.directory):
        return False
    try:
        read_model(model_path(version), verify=True)
    except UnusableModelError:
        return bool(settings.MODEL_STORE)
    return True


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
    """Hold the retrain lock, which the operating system releases when the process ends, however it ends.

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

    Downloads in progress are left alone. In the store, orphans are kept for a day, because another machine may be
    writing them.
    """
    known = set(ModelVersion.objects.values_list("directory", flat=True))
    for folder in Path(settings.MODEL_DIR).iterdir():
        is_fetched = settings.MODEL_STORE and folder.name.startswith(DOWNLOAD_PREFIX)
        if folder.is_dir() and folder.name.removesuffix(EVAL_SUFFIX) not in known and not is_fetched:
            shutil.rmtree(folder, ignore_errors=True)
    remove_stored_orphans(known)
