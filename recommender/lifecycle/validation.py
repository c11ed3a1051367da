"""Validates a new model: compares it with the active one, on listeners that neither was fitted on.

A served model is fitted on everybody, so it cannot be measured on anybody. Each version therefore has an evaluation
model, fitted in the same way without the test listeners, and these are compared. The listener's id alone decides
whether they are a test listener, so that all versions have the same ones.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.engine import Catalogue, Feedback, FloatArray, Interactions, Model, Progress, liked_lists
from recommender.engine.evaluation import (
    REVEALS,
    Interval,
    Measured,
    Reveal,
    Scorer,
    Split,
    bootstrap_interval,
    measure,
    model_scorers,
    queries,
)
from recommender.lifecycle.held_out import is_test_listener
from recommender.lifecycle.log_comparison import LogComparison

# Quality is measured on so many test listeners at most: enough for an interval of a few percent, and bounded in time.
MAX_TEST_LISTENERS = 300
# Below this, one lucky listener would make the figure.
MIN_TEST_LISTENERS = 3
SCORERS_SHOWN = ("popularity", "audio", "content", "blend")
ACTIVE = "active model"


@dataclass(frozen=True)
class Verdict:
    """Whether the candidate is worse than the active model; ``difference`` in nDCG@10, candidate minus active."""

    is_worse: bool
    difference: Interval | None = None


@dataclass(frozen=True)
class Quality:
    """The measured rows, as plain values, the verdict, and what the log of the site says."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    verdict: Verdict = field(default_factory=lambda: Verdict(is_worse=False))
    note: str = ""
    on_log: LogComparison | None = None

    @property
    def is_worse(self) -> bool:
        """Whether the candidate must not serve: it measures worse, or the log says that it would earn less."""
        return self.verdict.is_worse or (self.on_log is not None and self.on_log.is_worse)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``ModelVersion.metrics`` keeps."""
        stored: dict[str, Any] = {"rows": self.rows}
        if self.note:
            stored["note"] = self.note
        if self.verdict.difference is not None:
            stored["against_active"] = asdict(self.verdict.difference)
        if self.on_log is not None:
            stored["on_log"] = self.on_log.to_dict()
        return stored


def split_by_listener(interactions: Interactions, user_ids: NDArray[np.int64], rng: np.random.Generator) -> Split:
    """Set the test listeners aside, with their liked songs in a random order.

    Args:
        interactions: of ``n`` listeners.
        user_ids: int64[n], who they are.
        rng: draws the order, and which test listeners are used where there are too many.
    """
    is_test = is_test_listener(user_ids)
    lists = [rng.permutation(rows) for rows in liked_lists(interactions.of_listeners(is_test)) if len(rows) > 1]
    sampled = sorted(rng.permutation(len(lists))[:MAX_TEST_LISTENERS])
    return Split(interactions.of_listeners(~is_test), tuple(lists[number] for number in sampled))


def judge_candidate(
    catalogue: Catalogue,
    split: Split,
    candidate: Model,
    active: Model | None,
    rng: np.random.Generator,
    report_progress: Progress,
) -> Quality:
    """Measure the evaluation models of the candidate and the active version, and baselines, on the same queries.

    The candidate is worse if the 95 % interval of the paired difference lies below zero: smaller differences are
    chance, and a new model that is as good knows the newer songs.
    """
    scorers = {name: scorer for name, scorer in model_scorers(candidate).items() if name in SCORERS_SHOWN}
    if active is not None:
        scorers[ACTIVE] = _Translated(active, catalogue)
    questions = {label: queries(split, Reveal(label)) for label in REVEALS}
    seed = int(rng.integers(2**32))
    measured = measure(scorers, catalogue, split.training, questions, rng, report_progress)
    rows = [asdict(line.row(seed)) for line in measured]
    return Quality(rows, _verdict(measured, seed) if active is not None else Verdict(is_worse=False))


def _verdict(measured: list[Measured], seed: int) -> Verdict:
    values = {
        scorer: np.concatenate([line.ndcg_at_10 for line in measured if line.scorer == scorer])
        for scorer in ("blend", ACTIVE)
    }
    difference = bootstrap_interval(values["blend"] - values[ACTIVE], np.random.default_rng(seed))
    return Verdict(is_worse=difference.high < 0.0, difference=difference)


class _Translated:
    """The blend of a model with an older catalogue, asked in rows of the new one.

    Songs that the older model does not know come last, because not knowing them is part of its quality now.
    """

    def __init__(self, model: Model, catalogue: Catalogue) -> None:
        self._blend: Scorer = model_scorers(model)["blend"]
        self._rows = model.catalogue.rows_of(catalogue.track_ids)

    def __call__(self, feedback: Feedback) -> FloatArray:
        known = self._rows >= 0
        revealed = self._rows[feedback.rows]
        old = self._blend(Feedback.likes(revealed[revealed >= 0]))
        scores = np.full(len(known), -np.inf, dtype=np.float32)
        scores[known] = old[self._rows[known]]
        return scores
