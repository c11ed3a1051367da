"""What other policies would have earned on the pages that were logged, before any of them serves.

Models are judged by their evaluation models on test listeners: neither has learned from the answers that judge it.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accounts.models import User
from recommender.adapters.loaded import LoadedModel
from recommender.adapters.logged_pages import LoggedPage, RewardName, listeners_with_pages, logged_pages
from recommender.adapters.past_feedback import PastListener, past_listeners
from recommender.engine import (
    JudgedPolicy,
    Progress,
    model_probabilities,
    no_progress,
    popularity_probabilities,
    random_probabilities,
    song_features,
)
from recommender.engine.evaluation import (
    EstimatorName,
    LoggedSongs,
    OffPolicyConfig,
    OffPolicyReport,
    TargetPolicy,
    evaluate_off_policy,
)
from recommender.lifecycle.held_out import is_test_listener

MAX_PAGES = 1000
"""Pages that are judged: each costs every policy about as long as the page itself took."""
PAGES_BETWEEN_COLLECTIONS = 100
SEED = 20
BASELINES: dict[str, JudgedPolicy] = {"popularity": popularity_probabilities, "random": random_probabilities}
HEADLINE: EstimatorName = "dr"
"""The estimator that decides and that reports name: its intervals hold the truth about as often as they claim."""


class EmptyLogError(Exception):
    """No page was shown to a test listener in this time."""


@dataclass(frozen=True, eq=False)
class Policy:
    """A policy to be judged: its name, the model it asks, and how; ``dial``: ``None`` is each listener's."""

    name: str
    loaded: LoadedModel
    probabilities: JudgedPolicy = model_probabilities
    dial: float | None = None


@dataclass(frozen=True, eq=False)
class LogComparison:
    """Policies judged on the same pages; the first is what the others are compared with."""

    report: OffPolicyReport
    reward: RewardName
    since: datetime
    until: datetime

    @property
    def is_worse(self) -> bool:
        """Whether the last policy would have earned less than the first, as far as the log can tell."""
        names = list(self.report.estimates)
        enough = self.report.is_enough(names[0], names[-1])
        return enough and len(names) > 1 and self.report.differences[names[-1]][HEADLINE].high < 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as plain values, per page."""
        report = self.report
        return {
            "reward": self.reward,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "pages": report.pages,
            "listeners": report.listeners,
            "logged": asdict(report.logged),
            "exposure_by_position": [round(float(value), 4) for value in report.exposure],
            "policies": {
                name: {
                    **{estimator: asdict(value) for estimator, value in estimate.value.items()},
                    "effective_songs": estimate.effective_songs,
                    "overlap": estimate.overlap,
                    "clipped_share": estimate.clipped_share,
                    "not_enough": list(estimate.doubts),
                }
                for name, estimate in report.estimates.items()
            },
            "differences": {
                name: {estimator: asdict(value) for estimator, value in by_estimator.items()}
                for name, by_estimator in report.differences.items()
            },
        }


def compare_on_log(
    policies: Sequence[Policy],
    *,
    since: datetime,
    until: datetime,
    reward: RewardName = "likes",
    max_pages: int = MAX_PAGES,
    report_progress: Progress = no_progress,
    config: OffPolicyConfig | None = None,
    seed: int = SEED,
) -> LogComparison:
    """Judge policies on up to ``max_pages`` pages of test listeners.

    Raises:
        EmptyLogError: nothing was shown to any of them.
    """
    draw_rng, bootstrap_rng = np.random.default_rng(seed).spawn(2)
    report_progress("read the log", 0.0)
    user_ids = np.array(listeners_with_pages(since, until), dtype=np.int64)
    held_out = user_ids[is_test_listener(user_ids)].tolist()
    pages = logged_pages(held_out, since, until, reward=reward, at_most=max_pages, rng=draw_rng)
    if not pages:
        raise EmptyLogError
    judged = _judge(policies, pages, seed, report_progress)
    log = judged.log(pages)
    targets = {policy.name: judged.target(number) for number, policy in enumerate(policies)}
    return LogComparison(evaluate_off_policy(log, targets, bootstrap_rng, config), reward, since, until)


class _Judged:
    """What each policy would have done on each page, and the features of the logged songs, in the order of pages."""

    def __init__(self, n_policies: int) -> None:
        self.features: list[NDArray[np.float64]] = []
        self.propensities: list[list[NDArray[np.float64]]] = [[] for _policy in range(n_policies)]
        self.page_features: list[list[NDArray[np.float64]]] = [[] for _policy in range(n_policies)]
        self.page_songs: list[list[float]] = [[] for _policy in range(n_policies)]

    def log(self, pages: Sequence[LoggedPage]) -> LoggedSongs:
        """Return the logged songs as arrays."""
        lengths = [len(page.track_ids) for page in pages]
        return LoggedSongs(
            page=np.repeat(np.arange(len(pages)), lengths),
            listener=np.repeat([page.user_id for page in pages], lengths),
            position=np.concatenate([page.position for page in pages]),
            reward=np.concatenate([page.reward for page in pages]),
            propensity=np.concatenate([page.propensity for page in pages]),
            features=np.concatenate(self.features),
        )

    def target(self, number: int) -> TargetPolicy:
        """Return what one policy would have done."""
        return TargetPolicy(
            np.concatenate(self.propensities[number]),
            np.array(self.page_features[number]),
            np.array(self.page_songs[number]),
        )


def _judge(policies: Sequence[Policy], pages: Sequence[LoggedPage], seed: int, report_progress: Progress) -> _Judged:
    """Judge pages ordered by listener."""
    judged = _Judged(len(policies))
    users = User.objects.in_bulk({page.user_id for page in pages})
    listeners = past_listeners([users[pk] for pk in dict.fromkeys(page.user_id for page in pages)])
    past = next(listeners)
    for number, page in enumerate(pages):
        if past.user.pk != page.user_id:
            past = next(listeners)
        _judge_page(policies, page, past, judged, (seed, number))
        report_progress("judge the pages", (number + 1) / len(pages))
        if number % PAGES_BETWEEN_COLLECTIONS == 0:
            # Profiles of listeners refer to their parts and back, with arrays whose size the collector doesn't know.
            gc.collect()
    return judged


def _judge_page(
    policies: Sequence[Policy], page: LoggedPage, past: PastListener, judged: _Judged, seed: tuple[int, int]
) -> None:
    models = {id(policy.loaded): policy.loaded for policy in policies}
    requests = {key: past.request_at(page.at, loaded, len(page.track_ids)) for key, loaded in models.items()}
    for number, policy in enumerate(policies):
        model = policy.loaded.model
        feedback, request = requests[id(policy.loaded)]
        if policy.dial is not None:
            request = replace(request, adventure=policy.dial)
        # The same draws for all: what is equal is equal to the last digit, and differences vary less.
        probability = policy.probabilities(model, feedback, request, np.random.default_rng(seed))
        rows = model.catalogue.rows_of(page.track_ids)
        # A song that the model does not know is one that it would not have shown.
        judged.propensities[number].append(np.where(rows >= 0, probability[rows], 0.0))
        shown = np.flatnonzero(probability).astype(np.int32)
        judged.page_features[number].append(probability[shown] @ song_features(model, feedback, shown))
        judged.page_songs[number].append(float(probability.sum()))
        if number == 0:
            features = song_features(model, feedback, np.maximum(rows, 0))
            judged.features.append(np.where(rows[:, None] >= 0, features, 0.0))
