"""Quality of the rankings for listeners that were never trained on.

Protocol: a fifth of the listeners are test listeners; n of their tracks (or a share) are observed as likes, the rest
must be found among all other tracks. Rankings are measured before page rules such as the artist cap, except `page`,
which is the blend after them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Feedback, Interactions
from recommender.engine.data.arrays import BoolArray, FloatArray, top_rows
from recommender.engine.data.interaction_matrix import liked_pairs
from recommender.engine.errors import InvalidDataError
from recommender.engine.evaluation.metrics import (
    Interval,
    bootstrap_interval,
    bootstrap_intervals,
    ndcg_of_hits,
    recall_of_hits,
)
from recommender.engine.evaluation.scorers import DEPTH, ModelScorer, Scorer, ScorerFactory, fit_scorers
from recommender.engine.evaluation.split import EvaluationQuery, Reveal, queries, split_listeners
from recommender.engine.ranking.blend import batch_size, weights_without
from recommender.engine.terms import TERMS, Progress, no_progress

PAGE = 20


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
        """Return means and intervals; with one seed, all scorers are resampled alike."""
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
        """Return the paired difference in nDCG@10 over the same listeners, with its bootstrap interval."""
        return bootstrap_interval(self.ndcg_at_10 - other.ndcg_at_10, np.random.default_rng(bootstrap_seed))


def compare(
    catalogue: Catalogue,
    interactions: Interactions,
    config: EngineConfig,
    reveals: Sequence[str],
    seed: int = 0,
    others: Mapping[str, ScorerFactory] | None = None,
    progress: Progress = no_progress,
) -> list[Measured]:
    """Fit on four fifths of the listeners and measure every scorer on the others; a seed gives the same figures again.

    Amounts for which no listener has enough tracks are left out. Raise InvalidDataError for a bad `reveals` or inputs
    that do not match.
    """
    amounts = [Reveal(label) for label in reveals]
    split_rng, fit_rng, other_rng, judge_rng = np.random.default_rng(seed).spawn(4)
    split = split_listeners(interactions, split_rng)
    scorers = fit_scorers(catalogue, split.training, config, fit_rng, other_rng, others or {}, progress)
    queries_by_label = {reveal.label: queries(split, reveal) for reveal in amounts}
    return measure(scorers, catalogue, split.training, queries_by_label, judge_rng, progress)


def without_terms(config: EngineConfig, left_out: Collection[str]) -> EngineConfig:
    """Return the configuration with some terms off. Raise InvalidDataError for unknown names or none left."""
    if unknown := sorted(set(left_out) - set(config.blend.term_weights)):
        known = ", ".join(config.blend.term_weights)
        raise InvalidDataError(f"no term is named {', '.join(map(repr, unknown))}; there are {known}")
    weights = weights_without(config.blend.term_weights, left_out)
    if all(TERMS[name].is_collaborative for name in weights):
        raise InvalidDataError("no term is left that needs no other listeners")
    similar_weights = weights_without(config.blend.similar_weights, left_out)
    return replace(config, blend=replace(config.blend, term_weights=weights, similar_weights=similar_weights))


def unplayed_shares(catalogue: Catalogue, interactions: Interactions, seed: int = 0) -> tuple[float, float]:
    """Return the shares of the test listeners' tracks and of the catalogue that no training listener has.

    Where the first is larger, a ranking gains by merely preferring such tracks. The split is that of `compare`.
    """
    split = split_listeners(interactions, np.random.default_rng(seed).spawn(4)[0])
    unplayed = np.ones(catalogue.n_tracks, dtype=np.bool_)
    unplayed[split.training.row] = False
    wanted = np.concatenate([np.empty(0, dtype=np.int32), *split.test])
    return float(unplayed[wanted].mean()) if len(wanted) else 0.0, float(unplayed.mean())


def measure(
    scorers: Mapping[str, Scorer],
    catalogue: Catalogue,
    training: Interactions,
    queries_by_label: Mapping[str, Sequence[EvaluationQuery]],
    rng: np.random.Generator,
    progress: Progress = no_progress,
    candidates: BoolArray | None = None,
) -> list[Measured]:
    """Measure every scorer on queries by the label of their amount. candidates: bool[n], what is ranked; None: all.

    All scorers score one listener before the next, so that they can share work.
    """
    ranked = catalogue.active if candidates is None else catalogue.active & candidates
    measurement = _Measurement(ranked, listener_share(training, catalogue.n_tracks), rng)
    total = max(1, sum(map(len, queries_by_label.values())))
    done = 0
    measured: list[Measured] = []
    for label, of_label in queries_by_label.items():
        tallies = {name: _Tally(len(of_label)) for name in scorers} if of_label else {}
        # The computation for one listener is so small that a second thread of the linear algebra slows it down.
        with threadpool_limits(1, user_api="blas"):
            for number, (query, feedback) in enumerate(_feedbacks(of_label, scorers, catalogue)):
                progress(f"{label} revealed, {len(of_label):,} listeners", done / total)
                for name, tally in tallies.items():
                    measurement.ask(scorers[name](feedback), query, number, tally)
                done += 1
        measured += [measurement.measured(name, label, of_label, tally) for name, tally in tallies.items()]
    progress("done", 1.0)
    return measured


def _feedbacks(
    queries: Sequence[EvaluationQuery], scorers: Mapping[str, Scorer], catalogue: Catalogue
) -> Iterator[tuple[EvaluationQuery, Feedback]]:
    """Yield each query with its observed feedback; scorers of a model fold several listeners in together."""
    number = batch_size(catalogue.n_tracks)
    for start in range(0, len(queries), number):
        batch = queries[start : start + number]
        feedbacks = [Feedback.likes(query.observed) for query in batch]
        for scorer in scorers.values():
            if isinstance(scorer, ModelScorer):
                scorer.shared.expect(feedbacks)
        yield from zip(batch, feedbacks, strict=True)


def listener_share(training: Interactions, n_tracks: int) -> NDArray[np.float64]:
    """Return the share of the training listeners with each track, one added to every count: float64[n], positive."""
    counts = np.bincount(liked_pairs(training)[1], minlength=n_tracks)
    return np.asarray((counts + 1.0) / (training.n_listeners + 2.0))


class _Tally:
    """The rankings of one scorer: rows int32[listeners, DEPTH], -1 beyond their end, and which of them are hits."""

    def __init__(self, listeners: int) -> None:
        self.rows = np.full((listeners, DEPTH), -1, dtype=np.int32)
        self.hits = np.zeros((listeners, DEPTH), dtype=np.bool_)


class _Measurement:
    """Turns scores into rankings, and rankings into figures."""

    def __init__(self, ranked: BoolArray, share: NDArray[np.float64], rng: np.random.Generator) -> None:
        # Ties in random order, as the catalogue's own order may be by quality.
        order = rng.permutation(len(ranked)).astype(np.int32)
        self._rows = order[ranked[order]]
        self._position_of = np.full(len(ranked), -1, dtype=np.int32)
        self._position_of[self._rows] = np.arange(len(self._rows), dtype=np.int32)
        self._information = -np.log2(share)
        self._wanted = np.zeros(len(ranked), dtype=np.bool_)

    def ask(self, scores: FloatArray, query: EvaluationQuery, number: int, tally: _Tally) -> None:
        """Rank what may be ranked and was not observed, and record the hits."""
        shuffled = scores[self._rows].astype(np.float32, copy=False)
        positions = self._position_of[query.observed]
        shuffled[positions[positions >= 0]] = -np.inf
        rows = self._rows[top_rows(shuffled, DEPTH)]
        self._wanted[query.held_out] = True
        tally.rows[number, : len(rows)] = rows
        tally.hits[number, : len(rows)] = self._wanted[rows]
        self._wanted[query.held_out] = False

    def measured(self, name: str, label: str, queries: Sequence[EvaluationQuery], tally: _Tally) -> Measured:
        """Return the figures of one scorer at one amount."""
        n_relevant = np.array([len(query.held_out) for query in queries])
        first = tally.rows[:, :10]
        is_ranked = first >= 0
        information = np.where(is_ranked, self._information[first], 0.0).sum(axis=1)
        return Measured(
            scorer=name,
            reveal=label,
            ndcg_at_10=ndcg_of_hits(tally.hits, n_relevant, 10),
            ndcg_at_100=ndcg_of_hits(tally.hits, n_relevant, DEPTH),
            recall_at_20=recall_of_hits(tally.hits, n_relevant, 20),
            novelty_at_10=np.where(is_ranked.any(axis=1), information / np.maximum(is_ranked.sum(axis=1), 1), np.nan),
            coverage_at_10=len(np.unique(first[is_ranked])) / max(1, len(self._rows)),
        )
