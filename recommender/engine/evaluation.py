"""How good the rankings are on listeners that were never trained on.

Protocol: a fifth of the listeners are test listeners; n of their tracks (or a share) are revealed as likes, the rest
must be found among all tracks that were not revealed. Rankings are judged before page rules such as the artist cap, but
for `page`, which is the blend after them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommender.engine.arrays import BoolArray, FloatArray, IntArray, top_rows
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Feedback, Interactions
from recommender.engine.errors import InvalidDataError
from recommender.engine.listener import Listener
from recommender.engine.metrics import Interval, bootstrap_interval, bootstrap_intervals, ndcg_of_hits, recall_of_hits
from recommender.engine.model import Model, fit_model
from recommender.engine.observations import liked_pairs
from recommender.engine.page import allowed_rows, pick_page
from recommender.engine.ranking.fit import liked_lists
from recommender.engine.terms import Progress, Term, no_progress

TEST_SHARE = 0.2
DEPTH = 100
PAGE = 20
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


@dataclass(frozen=True, eq=False)
class Query:
    """One test listener's question: what is revealed, and what is to be found; int32 rows, none in both."""

    revealed: IntArray
    held: IntArray


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
class Measured:
    """Quality of one scorer at one amount revealed, listener by listener: float64[listeners] each.

    novelty: mean -log2 of the share of training listeners who have a track, in bits; NaN where nothing was ranked.
    coverage_at_10: share of what could be ranked that is in anybody's first 10.
    """

    scorer: str
    reveal: str
    ndcg_at_10: NDArray[np.float64]
    ndcg_at_100: NDArray[np.float64]
    recall_at_20: NDArray[np.float64]
    novelty_at_10: NDArray[np.float64]
    coverage_at_10: float

    def row(self, bootstrap_seed: int) -> EvaluationRow:
        """Means and intervals; with one seed, all scorers are resampled alike."""
        ranked = self.novelty_at_10[~np.isnan(self.novelty_at_10)]

        figures = np.stack([self.ndcg_at_10, self.ndcg_at_100, self.recall_at_20], axis=1)
        intervals = bootstrap_intervals(figures, np.random.default_rng(bootstrap_seed))
        return EvaluationRow(
            scorer=self.scorer,
            reveal=self.reveal,
            listeners=len(self.ndcg_at_10),
            ndcg_at_10=intervals[0],
            ndcg_at_100=intervals[1],
            recall_at_20=intervals[2],
            coverage_at_10=self.coverage_at_10,
            novelty_at_10=float(ranked.mean()) if len(ranked) else 0.0,
        )

    def minus(self, other: Measured, bootstrap_seed: int) -> Interval:
        """Paired difference in nDCG@10 over the same listeners, with its bootstrap interval."""
        return bootstrap_interval(self.ndcg_at_10 - other.ndcg_at_10, np.random.default_rng(bootstrap_seed))


@dataclass(frozen=True, eq=False)
class Split:
    """Training interactions, and each test listener's distinct liked rows in a random order."""

    training: Interactions
    test: tuple[IntArray, ...]


def split_listeners(interactions: Interactions, rng: np.random.Generator, share: float = TEST_SHARE) -> Split:
    """Set a share of the listeners aside. Of a test listener only rows with positive weight count."""
    is_test = np.zeros(interactions.n_listeners, dtype=np.bool_)
    is_test[rng.permutation(interactions.n_listeners)[: round(interactions.n_listeners * share)]] = True
    lists = liked_lists(interactions.of_listeners(is_test))
    return Split(interactions.of_listeners(~is_test), tuple(rng.permutation(rows) for rows in lists))


def model_scorers(model: Model, candidates: BoolArray | None = None) -> dict[str, Scorer]:
    """One scorer per term of the model, `content` (without the terms that need listeners), `blend` and `page`.

    `blend` orders all tracks: its candidates by the ranker, the others behind them by the first stage. Here as in
    `content` other versions of what was revealed come last, for the listener has that song. The scorers share work:
    asked one after the other for the same feedback object, each term is scored once. `page` ranks what the
    page rules leave of `candidates` (bool[n], by default all) for a page of DEPTH songs, whose beginning is that of any
    shorter page.
    """
    shared = _Shared(model)

    def term_scorer(name: str) -> Scorer:
        return lambda feedback: shared.model.terms[name].score(shared.listener(feedback))

    def rankable(feedback: Feedback) -> BoolArray:
        allowed = allowed_rows(model.catalogue, excluded=feedback.rows)
        return allowed if candidates is None else allowed & candidates

    def content(feedback: Feedback) -> FloatArray:
        return _others_last(shared.model.score_content(shared.listener(feedback)).total, rankable(feedback))

    def whole(feedback: Feedback) -> FloatArray:
        allowed = rankable(feedback)
        return _others_last(shared.rank(feedback, allowed), allowed)

    def page(feedback: Feedback) -> FloatArray:
        allowed = rankable(feedback)
        total = shared.rank(feedback, allowed)
        rows = pick_page(total, allowed, model.catalogue, DEPTH, model.config.max_per_artist)
        scores = np.full(model.catalogue.n_tracks, -np.inf, dtype=np.float32)
        scores[rows] = np.arange(len(rows), 0, -1)
        return scores

    scorers = {name: term_scorer(name) for name in model.terms}
    return scorers | {"content": content, "blend": whole, "page": page}


def _others_last(scores: FloatArray, allowed: BoolArray) -> FloatArray:
    """The scores, those of what is not allowed lowered below all others."""
    step = float(scores.max(initial=0.0) - scores.min(initial=0.0)) + 1.0
    return np.where(allowed, scores, scores - np.float32(step)).astype(np.float32)


class _Shared:
    """A model whose terms remember the scores of the listener they were asked for last."""

    def __init__(self, model: Model) -> None:
        remembering = {name: cast(Term, _Remembering(term)) for name, term in model.terms.items()}
        # Terms that remember have scored all tracks anyway.
        self.model = replace(model, terms=remembering, shortlist=None)
        self._last: tuple[Feedback, Listener] | None = None
        self._ranked: tuple[Feedback, FloatArray] | None = None

    def listener(self, feedback: Feedback) -> Listener:
        if self._last is None or self._last[0] is not feedback:
            self._last = feedback, self.model.listener(feedback)
        return self._last[1]

    def rank(self, feedback: Feedback, allowed: BoolArray) -> FloatArray:
        """Final scores; the same `allowed` is assumed for the same feedback object."""
        if self._ranked is None or self._ranked[0] is not feedback:
            self._ranked = feedback, self.model.rank(self.listener(feedback), allowed).total
        return self._ranked[1]


class _Remembering:
    """A term whose last scores are kept, as several scorers ask for them one after the other."""

    def __init__(self, term: Term) -> None:
        self._term = term
        self._last: tuple[Listener, FloatArray] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._term, name)

    def score(self, listener: Listener) -> FloatArray:
        if self._last is None or self._last[0] is not listener:
            self._last = listener, self._term.score(listener)
        return self._last[1].copy()


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
    measured = compare(catalogue, interactions, config, reveals, seed, others, progress)
    return [one.row(seed) for one in measured]


def compare(
    catalogue: Catalogue,
    interactions: Interactions,
    config: EngineConfig,
    reveals: Sequence[str],
    seed: int = 0,
    others: Mapping[str, ScorerFactory] | None = None,
    progress: Progress = no_progress,
) -> list[Measured]:
    """As `evaluate`, listener by listener."""
    amounts = [Reveal(label) for label in reveals]
    split_rng, fit_rng, other_rng, judge_rng = np.random.default_rng(seed).spawn(4)
    split = split_listeners(interactions, split_rng)
    scorers = fit_scorers(catalogue, split.training, config, fit_rng, other_rng, others or {}, progress)
    questions = {reveal.label: queries(split, reveal) for reveal in amounts}
    return measure(scorers, catalogue, split.training, questions, judge_rng, progress)


def fit_scorers(
    catalogue: Catalogue,
    training: Interactions,
    config: EngineConfig,
    fit_rng: np.random.Generator,
    other_rng: np.random.Generator,
    others: Mapping[str, ScorerFactory],
    progress: Progress = no_progress,
    candidates: BoolArray | None = None,
) -> dict[str, Scorer]:
    """Fit the model and the others on the training listeners; `candidates` as in `model_scorers`."""
    model = fit_model(catalogue, training, config, fit_rng, lambda step, share: progress(f"fit {step}", share))
    scorers = model_scorers(model, candidates)
    for done, (name, factory) in enumerate(others.items()):
        progress(f"fit {name}", done / len(others))
        # Each has its own stream: leaving one out does not change the rest.
        scorers[name] = factory(catalogue, training, other_rng.spawn(1)[0])
    return scorers


def unplayed_shares(catalogue: Catalogue, interactions: Interactions, seed: int = 0) -> tuple[float, float]:
    """Share of the test listeners' tracks, and of the catalogue, that no training listener has; split as in `compare`.

    Where the first is the larger one, a ranking gains merely by preferring what nobody has.
    """
    split = split_listeners(interactions, np.random.default_rng(seed).spawn(4)[0])
    unplayed = np.ones(catalogue.n_tracks, dtype=np.bool_)
    unplayed[split.training.row] = False
    wanted = np.concatenate([np.empty(0, dtype=np.int32), *split.test])
    return float(unplayed[wanted].mean()) if len(wanted) else 0.0, float(unplayed.mean())


def queries(split: Split, reveal: Reveal) -> list[Query]:
    """What is asked at one amount: only listeners of whom something is revealed and something is left."""
    counted = ((rows, reveal.count(len(rows))) for rows in split.test)
    return [Query(rows[:count], rows[count:]) for rows, count in counted if 0 < count < len(rows)]


def judge(
    scorers: Mapping[str, Scorer],
    catalogue: Catalogue,
    split: Split,
    reveals: Sequence[Reveal],
    rng: np.random.Generator,
    progress: Progress = no_progress,
) -> list[EvaluationRow]:
    """Judge fitted scorers on the test listeners of a split; one row per scorer and amount."""
    questions = {reveal.label: queries(split, reveal) for reveal in reveals}
    bootstrap_seed = int(rng.integers(2**32))
    return [one.row(bootstrap_seed) for one in measure(scorers, catalogue, split.training, questions, rng, progress)]


def measure(
    scorers: Mapping[str, Scorer],
    catalogue: Catalogue,
    training: Interactions,
    questions: Mapping[str, Sequence[Query]],
    rng: np.random.Generator,
    progress: Progress = no_progress,
    candidates: BoolArray | None = None,
) -> list[Measured]:
    """Ask every scorer every question, by the label of its amount; what is ranked: `candidates`, bool[n], or all.

    All scorers are asked about one listener before the next one, so that they can share work.
    """
    ranked = catalogue.active if candidates is None else catalogue.active & candidates
    judged = _Judge(ranked, listener_share(training, catalogue.n_tracks), rng)
    total = max(1, sum(map(len, questions.values())))
    done = 0
    measured: list[Measured] = []
    for label, asked in questions.items():
        tallies = {name: _Tally(len(asked)) for name in scorers} if asked else {}
        # What is computed for one listener is so small that a second thread of the linear algebra only gets in the way.
        with threadpool_limits(1, user_api="blas"):
            for number, query in enumerate(asked):
                progress(f"{label} revealed, {len(asked):,} listeners", done / total)
                feedback = Feedback.likes(query.revealed)
                for name, tally in tallies.items():
                    judged.ask(scorers[name](feedback), query, number, tally)
                done += 1
        measured += [judged.measured(name, label, asked, tally) for name, tally in tallies.items()]
    progress("done", 1.0)
    return measured


def listener_share(training: Interactions, n_tracks: int) -> NDArray[np.float64]:
    """Share of the training listeners who have each track, with one added to every count: float64[n], positive."""
    counts = np.bincount(liked_pairs(training)[1], minlength=n_tracks)
    return np.asarray((counts + 1.0) / (training.n_listeners + 2.0))


class _Tally:
    """The rankings of one scorer: rows int32[listeners, DEPTH], -1 beyond their end, and which of them are hits."""

    def __init__(self, listeners: int) -> None:
        self.rows = np.full((listeners, DEPTH), -1, dtype=np.int32)
        self.hits = np.zeros((listeners, DEPTH), dtype=np.bool_)


class _Judge:
    """Turns scores into rankings, and rankings into figures."""

    def __init__(self, ranked: BoolArray, share: NDArray[np.float64], rng: np.random.Generator) -> None:
        # Ties in random order, as the catalogue's own order may be by quality.
        order = rng.permutation(len(ranked)).astype(np.int32)
        self._rows = order[ranked[order]]
        self._place = np.full(len(ranked), -1, dtype=np.int32)
        self._place[self._rows] = np.arange(len(self._rows), dtype=np.int32)
        self._information = -np.log2(share)
        self._wanted = np.zeros(len(ranked), dtype=np.bool_)

    def ask(self, scores: FloatArray, query: Query, number: int, tally: _Tally) -> None:
        """Rank what may be ranked and was not revealed, and note the hits."""
        shuffled = scores[self._rows].astype(np.float32, copy=False)
        places = self._place[query.revealed]
        shuffled[places[places >= 0]] = -np.inf
        rows = self._rows[top_rows(shuffled, DEPTH)]
        self._wanted[query.held] = True
        tally.rows[number, : len(rows)] = rows
        tally.hits[number, : len(rows)] = self._wanted[rows]
        self._wanted[query.held] = False

    def measured(self, name: str, label: str, asked: Sequence[Query], tally: _Tally) -> Measured:
        """The figures of one scorer at one amount."""
        held = np.array([len(query.held) for query in asked])
        first = tally.rows[:, :10]
        shown = first >= 0
        information = np.where(shown, self._information[first], 0.0).sum(axis=1)
        return Measured(
            scorer=name,
            reveal=label,
            ndcg_at_10=ndcg_of_hits(tally.hits, held, 10),
            ndcg_at_100=ndcg_of_hits(tally.hits, held, DEPTH),
            recall_at_20=recall_of_hits(tally.hits, held, 20),
            novelty_at_10=np.where(shown.any(axis=1), information / np.maximum(shown.sum(axis=1), 1), np.nan),
            coverage_at_10=len(np.unique(first[shown])) / max(1, len(self._rows)),
        )
