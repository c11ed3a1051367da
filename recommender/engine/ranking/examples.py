"""What the second stage learns from: lists of held-out listeners, part of which is revealed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from recommender.engine.arrays import BoolArray, FloatArray, IntArray
from recommender.engine.blend import BlendWeights, Scores, blend
from recommender.engine.config import EngineConfig, RankingConfig
from recommender.engine.data import Catalogue, Feedback
from recommender.engine.listener import Listener
from recommender.engine.page import allowed_rows
from recommender.engine.ranking.attributes import TrackAttributes
from recommender.engine.ranking.candidates import candidate_rows
from recommender.engine.ranking.features import candidate_features
from recommender.engine.ranking.weights import Examples
from recommender.engine.terms import Term

AMOUNTS = (1, 2, 5, 10, 20)
SHARES = (0.8, 0.5)
Found = TypeVar("Found")
DISCOUNT = np.cumsum(1.0 / np.log2(np.arange(2, 12)))


@dataclass(frozen=True, eq=False)
class Query:
    """Distinct liked rows of one listener: those shown to the model, and those to be found."""

    revealed: IntArray
    held: IntArray

    @property
    def importance(self) -> float:
        """One over the best possible gain at 10, so that every query counts the same in nDCG@10."""
        return 3.0 / float(DISCOUNT[min(len(self.held), 10) - 1])


@dataclass(frozen=True, eq=False)
class Bench:
    """What is needed to score for a held-out listener: terms fitted without those listeners."""

    catalogue: Catalogue
    terms: Mapping[str, Term]
    attributes: TrackAttributes
    config: EngineConfig

    def scores(self, query: Query, weights: BlendWeights) -> tuple[Listener, Scores]:
        """First-stage scores after the query's likes."""
        listener = Listener.from_feedback(Feedback.likes(query.revealed), self.config)
        return listener, blend(self.terms, weights.at(listener.amount), listener)

    def candidates(self, query: Query, scores: Scores) -> IntArray:
        """Candidates among the tracks that were not revealed, in whatever version."""
        allowed = allowed_rows(self.catalogue, excluded=query.revealed)
        return candidate_rows(scores, allowed, self.config.ranking)


def make_queries(lists: Iterable[IntArray], config: RankingConfig, rng: np.random.Generator) -> list[Query]:
    """Several amounts revealed of each list, at most `config.queries` in all, in random order."""
    queries = [query for rows in lists for query in _reveals(rows, config.queries_per_listener, rng)]
    order = rng.permutation(len(queries))[: config.queries]
    return [queries[place] for place in order]


def _reveals(rows: IntArray, number: int, rng: np.random.Generator) -> Iterator[Query]:
    counts = {*AMOUNTS, *(round(share * len(rows)) for share in SHARES)}
    possible = sorted(count for count in counts if 0 < count < len(rows))
    for count in rng.permutation(possible)[:number]:
        order = rng.permutation(rows)
        yield Query(order[:count], order[count:])


def first_stage_examples(
    bench: Bench, queries: list[Query], weights: BlendWeights, rng: np.random.Generator
) -> Examples:
    """Tracks to be found, and a weighted sample of the others: candidates and the whole catalogue."""

    def of(query: Query, own: np.random.Generator) -> Examples:
        listener, scores = bench.scores(query, weights)
        rows, labels, weight = _sample(bench, query, bench.candidates(query, scores), own)
        standard = np.stack([scores.standard(name, rows) for name in scores.plain], axis=1)
        amount = np.full(len(rows), listener.amount, dtype=np.float32)
        place, importance = np.zeros(len(rows), np.int32), np.array([query.importance], np.float32)
        return Examples(tuple(scores.plain), standard, labels, weight, amount, place, importance)

    found = _of_each(of, queries, rng)
    names = ("standard", "labels", "weights", "amount", "importance")
    arrays = {name: np.concatenate([getattr(part, name) for part in found]) for name in names}
    place = np.repeat(np.arange(len(found), dtype=np.int32), [len(part.labels) for part in found])
    return Examples(terms=found[0].terms, query=place, **arrays)


def ranker_examples(
    bench: Bench, queries: list[Query], weights: BlendWeights, rng: np.random.Generator
) -> tuple[FloatArray, BoolArray, FloatArray]:
    """Features, labels and weights of candidates: those to be found, the hardest others and a weighted sample."""
    config = bench.config.ranking

    def of(query: Query, own: np.random.Generator) -> tuple[FloatArray, BoolArray, FloatArray]:
        listener, scores = bench.scores(query, weights)
        rows = bench.candidates(query, scores)
        values = candidate_features(scores, rows, bench.terms, bench.attributes, listener).values
        labels = np.isin(rows, query.held)
        kept, weight = _thinned(labels, config, own)
        return values[kept], labels[kept], weight * np.float32(query.importance)

    found = _of_each(of, queries, rng)
    features, labels, weight = (np.concatenate([part[place] for part in found]) for place in range(3))
    return features, labels, weight


def _thinned(labels: BoolArray, config: RankingConfig, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
    """Places kept of candidates, best first, and their weights: one over the probability of being kept."""
    rate = min(config.sampled / max(len(labels) - config.hardest, 1), 1.0)
    certain = labels.copy()
    certain[: config.hardest] = True
    kept = np.flatnonzero(certain | (rng.random(len(labels)) < rate)).astype(np.int32)
    return kept, np.where(certain[kept], 1.0, 1.0 / rate).astype(np.float32)


def _sample(
    bench: Bench, query: Query, candidates: IntArray, rng: np.random.Generator
) -> tuple[IntArray, BoolArray, FloatArray]:
    others = candidates[~np.isin(candidates, query.held)]
    kept, weight = _thinned(np.zeros(len(others), dtype=np.bool_), bench.config.ranking, rng)
    n, drawn = bench.catalogue.n_tracks, bench.config.ranking.scattered
    scattered = rng.integers(n, size=drawn).astype(np.int32)
    scattered = scattered[~np.isin(scattered, np.concatenate([candidates, query.held, query.revealed]))]
    rows = np.concatenate([query.held, others[kept], scattered])
    labels = np.arange(len(rows)) < len(query.held)
    ones, many = np.ones(len(query.held)), np.full(len(scattered), n / drawn)
    return rows, labels, np.concatenate([ones, weight, many]).astype(np.float32)


def _of_each(
    of: Callable[[Query, np.random.Generator], Found], queries: list[Query], rng: np.random.Generator
) -> list[Found]:
    """`of` for every query, each with a random stream of its own.

    Not in threads: the arrays are so short that they would wait for the interpreter, and take longer than one alone.
    """
    with threadpool_limits(1, user_api="blas"):
        return [of(query, own) for query, own in zip(queries, rng.spawn(len(queries)), strict=True)]
