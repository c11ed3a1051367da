"""Is a new model good enough to serve? Measured beside the active one, on listeners that neither was fitted on.

A served model is fitted on everybody, so it cannot be measured: it has seen the answers. Each version therefore has a
twin, fitted in the same way without the test listeners, and the twins are compared. Who is a test listener follows from
the listener's id alone, so that it is the same people for every version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.engine import Catalogue, Feedback, Interactions, Model
from recommender.engine.arrays import BoolArray, FloatArray
from recommender.engine.evaluation import Measured, Reveal, Scorer, Split, measure, model_scorers, queries
from recommender.engine.metrics import Interval, bootstrap_interval
from recommender.engine.ranking.fit import liked_lists

# One listener in so many is a test listener.
TEST_SHARE = 5
# Quality is measured at these amounts of revealed songs ...
REVEALS = ("1", "5", "20", "80%")
# ... on so many test listeners at most: enough for an interval of a few percent, and bounded in time.
MAX_TEST_LISTENERS = 300
# Below this, one lucky listener would make the figure.
MIN_TEST_LISTENERS = 3
SCORERS_SHOWN = ("popularity", "audio", "content", "blend")
ACTIVE = "active model"

Say = Callable[[str, float], None]


@dataclass(frozen=True)
class Verdict:
    """Whether the candidate is worse than the active model; ``difference`` in nDCG@10, candidate minus active."""

    is_worse: bool
    difference: Interval | None = None


@dataclass(frozen=True)
class Quality:
    """The measured rows, as plain values, and the verdict."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    verdict: Verdict = field(default_factory=lambda: Verdict(is_worse=False))
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what ``ModelVersion.metrics`` keeps."""
        kept: dict[str, Any] = {"rows": self.rows}
        if self.note:
            kept["note"] = self.note
        if self.verdict.difference is not None:
            kept["against_active"] = asdict(self.verdict.difference)
        return kept


def is_test_listener(user_ids: NDArray[np.int64]) -> BoolArray:
    """Return which listeners are test listeners: by a digest of the id, the same for every version."""
    digests = (blake2b(str(user_id).encode(), digest_size=2).digest() for user_id in user_ids)
    return np.fromiter((int.from_bytes(digest) % TEST_SHARE == 0 for digest in digests), np.bool_, len(user_ids))


def split_by_listener(interactions: Interactions, user_ids: NDArray[np.int64], rng: np.random.Generator) -> Split:
    """Set the test listeners aside, with their liked songs in a random order.

    Args:
        interactions: of ``n`` listeners.
        user_ids: int64[n], who they are.
        rng: draws the order, and which of the test listeners are asked where there are too many.
    """
    is_test = is_test_listener(user_ids)
    lists = [rng.permutation(rows) for rows in liked_lists(interactions.of_listeners(is_test)) if len(rows) > 1]
    asked = sorted(rng.permutation(len(lists))[:MAX_TEST_LISTENERS])
    return Split(interactions.of_listeners(~is_test), tuple(lists[number] for number in asked))


def judge_candidate(
    catalogue: Catalogue, split: Split, candidate: Model, active: Model | None, rng: np.random.Generator, say: Say
) -> Quality:
    """Measure the twin of the candidate beside its baselines and the twin of the active model, on the same questions.

    The candidate is worse if the 95 % interval of the paired difference lies below zero: smaller differences are
    chance, and a new model that is as good knows the newer songs.
    """
    scorers = {name: scorer for name, scorer in model_scorers(candidate).items() if name in SCORERS_SHOWN}
    if active is not None:
        scorers[ACTIVE] = _Translated(active, catalogue)
    questions = {label: queries(split, Reveal(label)) for label in REVEALS}
    seed = int(rng.integers(2**32))
    measured = measure(scorers, catalogue, split.training, questions, rng, say)
    rows = [asdict(one.row(seed)) for one in measured]
    return Quality(rows, _verdict(measured, seed) if active is not None else Verdict(is_worse=False))


def _verdict(measured: list[Measured], seed: int) -> Verdict:
    values = {
        scorer: np.concatenate([one.ndcg_at_10 for one in measured if one.scorer == scorer])
        for scorer in ("blend", ACTIVE)
    }
    difference = bootstrap_interval(values["blend"] - values[ACTIVE], np.random.default_rng(seed))
    return Verdict(is_worse=difference.high < 0.0, difference=difference)


class _Translated:
    """The blend of a model with an older catalogue, asked in rows of the new one.

    Songs that the older model does not know come last: not knowing them is part of how good it is now.
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
