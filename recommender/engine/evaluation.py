"""How good the rankings are on listeners that were never trained on.

Protocol: a fifth of the listeners are test listeners; n of their tracks (or a share) are revealed as likes, the rest
must be found among all tracks that were not revealed. Rankings are judged before page rules such as the artist cap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from recommender.engine.arrays import BoolArray, FloatArray, IntArray, top_rows
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Feedback, Interactions
from recommender.engine.errors import InvalidDataError
from recommender.engine.metrics import (
    Interval,
    bootstrap_interval,
    coverage_at_k,
    ndcg_at_k,
    novelty_at_k,
    recall_at_k,
)
from recommender.engine.model import Model, fit_model
from recommender.engine.terms import Progress, no_progress

TEST_SHARE = 0.2
DEPTH = 100
Scorer = Callable[[Feedback], FloatArray]
"""From what is revealed of a listener to a score for every track, float32[n]."""
ScorerFactory = Callable[[Catalogue, Interactions, np.random.Generator], Scorer]
"""Fits a scorer on the training listeners; how other recommenders are compared in the same run."""


@dataclass(frozen=True)
class Reveal:
    """How much of a test listener is shown: a number of tracks ("5") or a share of their list ("80%")."""

    label: str

    def __post_init__(self) -> None:
        number = self.label.removesuffix("%")
        if not number.isascii() or not number.isdigit() or int(number) < 1:
            raise InvalidDataError(f"reveal: {self.label!r} is neither a positive number nor a percentage")
        if self.label.endswith("%") and int(number) >= 100:
            raise InvalidDataError(f"reveal: {self.label!r} leaves nothing to be found")

    def count(self, size: int) -> int:
        """Tracks revealed of a list of `size`, rounded to the nearest for a share."""
        if self.label.endswith("%"):
            return round(size * int(self.label[:-1]) / 100)
        return int(self.label)


@dataclass(frozen=True)
class EvaluationRow:
    """Quality of one scorer at one amount revealed: means over `listeners` test listeners, with bootstrap intervals."""

    scorer: str
    reveal: str
    listeners: int
    ndcg_at_10: Interval
    ndcg_at_100: Interval
    recall_at_20: Interval
    coverage_at_10: float
    novelty_at_10: float


@dataclass(frozen=True, eq=False)
class Split:
    """Training interactions, and each test listener's distinct liked rows in a random order."""

    training: Interactions
    test: tuple[IntArray, ...]


def split_listeners(interactions: Interactions, rng: np.random.Generator, share: float = TEST_SHARE) -> Split:
    """Set a share of the listeners aside. Of a test listener only rows with positive weight count."""
    is_test = np.zeros(interactions.n_listeners, dtype=np.bool_)
    is_test[rng.permutation(interactions.n_listeners)[: round(interactions.n_listeners * share)]] = True
    held = interactions.of_listeners(is_test)
    liked = held.weight > 0
    order = np.argsort(held.listener[liked], kind="stable")
    owner, row = held.listener[liked][order], held.row[liked][order]
    bounds = np.searchsorted(owner, np.arange(held.n_listeners + 1))
    lists = (np.unique(row[low:high]) for low, high in pairwise(bounds))
    return Split(interactions.of_listeners(~is_test), tuple(rng.permutation(rows) for rows in lists))


def model_scorers(model: Model) -> dict[str, Scorer]:
    """One scorer per term of the model, `content` (without the terms that need listeners) and `blend`."""

    def term_scorer(name: str) -> Scorer:
        return lambda feedback: model.terms[name].score(model.listener(feedback))

    needing = model.terms_needing_listeners()
    scorers = {name: term_scorer(name) for name in model.terms}
    scorers["content"] = lambda feedback: model.score(model.listener(feedback), left_out=needing).total
    scorers["blend"] = lambda feedback: model.score(model.listener(feedback)).total
    return scorers


def evaluate(
    catalogue: Catalogue,
    interactions: Interactions,
    config: EngineConfig,
    reveals: Sequence[str] = ("1", "5", "20", "80%"),
    seed: int = 0,
    others: Mapping[str, ScorerFactory] | None = None,
    progress: Progress = no_progress,
) -> list[EvaluationRow]:
    """Fit on four fifths of the listeners and judge every scorer on the rest; the same seed gives the same figures.

    Rows for which no listener has enough tracks are left out. Raises InvalidDataError for a bad `reveals` or inputs
    that do not match.
    """
    amounts = [Reveal(label) for label in reveals]
    split_rng, fit_rng, other_rng, judge_rng = np.random.default_rng(seed).spawn(4)
    split = split_listeners(interactions, split_rng)
    progress("fit", 0.0)
    model = fit_model(catalogue, split.training, config, fit_rng)
    scorers = model_scorers(model)
    for name, factory in (others or {}).items():
        progress(f"fit {name}", 0.0)
        scorers[name] = factory(catalogue, split.training, other_rng)
    return judge(scorers, catalogue, split, amounts, judge_rng, progress)


def judge(
    scorers: Mapping[str, Scorer],
    catalogue: Catalogue,
    split: Split,
    reveals: Sequence[Reveal],
    rng: np.random.Generator,
    progress: Progress = no_progress,
) -> list[EvaluationRow]:
    """Judge fitted scorers on the test listeners of a split; one row per scorer and amount."""
    share = listener_share(split.training, catalogue.n_tracks)
    tie_break = rng.permutation(catalogue.n_tracks).astype(np.int32)
    rows: list[EvaluationRow] = []
    for done, reveal in enumerate(reveals):
        lists = [rows_ for rows_ in split.test if 0 < reveal.count(len(rows_)) < len(rows_)]
        for step, (name, scorer) in enumerate(scorers.items()):
            progress(f"{name}, {reveal.label} revealed", (done + step / len(scorers)) / len(reveals))
            if lists:
                ranked = [_ranked(scorer, rows_[: reveal.count(len(rows_))], catalogue, tie_break) for rows_ in lists]
                rows.append(_row(name, reveal, lists, ranked, share, catalogue, rng))
    progress("done", 1.0)
    return rows


def listener_share(training: Interactions, n_tracks: int) -> NDArray[np.float64]:
    """Share of the training listeners who have each track, with one added to every count: float64[n], positive."""
    liked = training.weight > 0
    pairs = np.unique(np.stack([training.listener[liked], training.row[liked]], axis=1), axis=0)
    counts = np.bincount(pairs[:, 1], minlength=n_tracks)
    return np.asarray((counts + 1.0) / (training.n_listeners + 2.0))


def _ranked(scorer: Scorer, revealed: IntArray, catalogue: Catalogue, tie_break: IntArray) -> IntArray:
    """The best rows that were not revealed; ties in random order, as the catalogue's own may be by quality."""
    scores = np.where(catalogue.active, scorer(Feedback.likes(revealed)), -np.inf).astype(np.float32)
    scores[revealed] = -np.inf
    return tie_break[top_rows(scores[tie_break], DEPTH)]


def _row(
    name: str,
    reveal: Reveal,
    lists: list[IntArray],
    ranked: list[IntArray],
    share: NDArray[np.float64],
    catalogue: Catalogue,
    rng: np.random.Generator,
) -> EvaluationRow:
    held = [rows[reveal.count(len(rows)) :] for rows in lists]
    pairs = list(zip(ranked, held, strict=True))
    active: BoolArray = catalogue.active
    return EvaluationRow(
        scorer=name,
        reveal=reveal.label,
        listeners=len(lists),
        ndcg_at_10=bootstrap_interval(np.array([ndcg_at_k(r, h, 10) for r, h in pairs]), rng),
        ndcg_at_100=bootstrap_interval(np.array([ndcg_at_k(r, h, DEPTH) for r, h in pairs]), rng),
        recall_at_20=bootstrap_interval(np.array([recall_at_k(r, h, 20) for r, h in pairs]), rng),
        coverage_at_10=coverage_at_k(ranked, int(active.sum()), 10),
        novelty_at_10=float(np.mean([novelty_at_k(r, share, 10) for r in ranked])),
    )
