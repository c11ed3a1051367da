"""The learning loop on files: who plays, what the policies learn from, and what came of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from recommender.adapters.files import read_inputs
from recommender.adapters.rated_files import read_answers
from recommender.engine import Catalogue, EngineConfig, Interactions, InvalidDataError, Model, Progress, fit_model
from recommender.engine.evaluation import (
    GREEDY,
    AnswerCheck,
    LearningCurve,
    LoopPlan,
    Site,
    SitePlan,
    answering_sites,
    learning_curves,
    learning_policies,
    listed_sites,
    play_loop,
    split_listeners,
)


@dataclass(frozen=True)
class LearningTrial:
    """The files and the extent of a loop; ``dials``: settings besides 0."""

    catalogue: Path
    plan: LoopPlan
    sites: SitePlan
    dials: tuple[float, ...]
    interactions: Path | None = None
    answers: Path | None = None
    like_from: float | None = None


@dataclass(frozen=True)
class LearningResult:
    """``check`` is of the answer model, if there is one."""

    curves: tuple[LearningCurve, ...]
    check: AnswerCheck | None
    listeners: int
    sites: int


def run_trial(trial: LearningTrial, jobs: int, report_progress: Progress) -> LearningResult:
    """Play the loop in up to ``jobs`` processes.

    Raises:
        InputError, InvalidDataError: a file cannot be used, or nobody is left to play.
    """
    report_progress("read", 0.0)
    catalogue, sites, check = _sites(trial)
    if not sites:
        raise InvalidDataError(f"no test listener has {trial.sites.start} liked songs to start from")

    def fit(log: Interactions, rng: np.random.Generator) -> Model:
        return fit_model(catalogue, log, EngineConfig(), rng)

    policies = learning_policies(catalogue, fit, trial.dials)
    # Each page is so little work that a second thread of the linear algebra slows it down.
    with threadpool_limits(1, user_api="blas"):
        records = play_loop(policies, sites, trial.plan, jobs=jobs, progress=report_progress)
    curves = learning_curves(records, GREEDY, trial.plan.seed)
    return LearningResult(curves, check, sum(len(site.listeners) for site in sites), len(sites))


def _sites(trial: LearningTrial) -> tuple[Catalogue, list[Site], AnswerCheck | None]:
    split_rng, site_rng = np.random.default_rng(trial.plan.seed).spawn(2)
    if trial.answers is not None:
        answers = read_answers(trial.answers, trial.catalogue, trial.like_from)
        sites, check = answering_sites(answers.answered, answers.catalogue.n_tracks, trial.sites, site_rng)
        return answers.catalogue, sites, check
    assert trial.interactions is not None
    inputs = read_inputs(trial.interactions, trial.catalogue)
    split = split_listeners(inputs.interactions, split_rng)
    return inputs.catalogue, listed_sites(split, inputs.catalogue.n_tracks, trial.sites, site_rng), None
