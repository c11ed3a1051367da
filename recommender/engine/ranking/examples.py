"""Training examples of the second stage: feedback of held-out listeners, of which the model observes a part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from recommender.engine.data import Catalogue, Feedback, FeedbackKind
from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.ranking.attributes import TrackAttributes
from recommender.engine.ranking.blend import (
    BlendWeights,
    Scores,
    TermScores,
    batch_size,
    blend,
    score_term,
    score_term_for_many,
    weighted_sum,
)
from recommender.engine.ranking.candidates import candidate_rows
from recommender.engine.ranking.config import RankingConfig
from recommender.engine.ranking.exclusions import allowed_rows
from recommender.engine.ranking.features import candidate_features
from recommender.engine.ranking.score_statistics import ScoreStatistics
from recommender.engine.ranking.weights import Examples
from recommender.engine.terms import LinearTerm, Term

if TYPE_CHECKING:
    from recommender.engine.config import EngineConfig


AMOUNTS = (1, 2, 5, 10, 20)
SHARES = (0.8, 0.5)
Result = TypeVar("Result")
DISCOUNT = np.cumsum(1.0 / np.log2(np.arange(2, 12)))


@dataclass(frozen=True, eq=False)
class ListenerLabels:
    """Distinct rows that a listener likes, dislikes and skips, int32 each."""

    liked: IntArray
    disliked: IntArray
    skipped: IntArray

    @property
    def negative(self) -> IntArray:
        """Return the rows that are disliked or skipped."""
        return np.concatenate([self.disliked, self.skipped])

    @property
    def rows(self) -> IntArray:
        """Return all rows: the liked ones, then the disliked and the skipped ones."""
        return np.concatenate([self.liked, self.negative])

    def feedback(self) -> Feedback:
        """Return the labels as feedback of now."""
        rows = self.rows
        kinds = (FeedbackKind.LIKE, FeedbackKind.DISLIKE, FeedbackKind.SKIP)
        kind = np.repeat(np.array(kinds, np.int32), [len(self.liked), len(self.disliked), len(self.skipped)])
        return Feedback(rows, kind, np.ones(len(rows), np.float32), np.zeros(len(rows), np.float32))


@dataclass(frozen=True, eq=False)
class TrainingQuery:
    """Feedback of one listener: what the model observes, and what is held out, whose liked rows are relevant."""

    observed: ListenerLabels
    held_out: ListenerLabels

    @property
    def importance(self) -> float:
        """Return one over the ideal gain at 10, so that every query counts the same in nDCG@10."""
        return 3.0 / float(DISCOUNT[min(len(self.held_out.liked), 10) - 1])


@dataclass(frozen=True, eq=False)
class FoldedListener:
    """A listener after the observed feedback of a query, and each term's scores of all tracks."""

    listener: ListenerProfile
    by_term: Mapping[str, TermScores]

    def scores(self, weights: BlendWeights) -> Scores:
        """Return the first-stage scores of all tracks."""
        return weighted_sum(self.by_term, weights.at(self.listener.evidence))


@dataclass(frozen=True, eq=False)
class TrainingContext:
    """What scores tracks for held-out listeners: terms fitted without them.

    implicit_negative_weight: 0..1, weight of a track without feedback as a negative. score_statistics: of the linear
    terms.
    """

    catalogue: Catalogue
    terms: Mapping[str, Term]
    attributes: TrackAttributes
    config: EngineConfig
    implicit_negative_weight: float = 1.0
    score_statistics: Mapping[str, ScoreStatistics] = field(default_factory=dict)

    def fold_in(self, queries: Sequence[TrainingQuery], names: Collection[str]) -> list[FoldedListener]:
        """Fold the listeners of queries in, and score all tracks by the terms of these names."""
        listeners = [
            ListenerProfile.from_feedback(query.observed.feedback(), self.config.feedback) for query in queries
        ]
        by_term: list[dict[str, TermScores]] = [{} for _ in listeners]
        for name, term in self.terms.items():
            if name in names:
                for scores, of_listener in zip(self._term_scores(term, listeners), by_term, strict=True):
                    of_listener[name] = scores
        return [FoldedListener(*pair) for pair in zip(listeners, by_term, strict=True)]

    def _term_scores(self, term: Term, listeners: Sequence[ListenerProfile]) -> list[TermScores]:
        if isinstance(term, LinearTerm):
            return score_term_for_many(term, listeners, self.score_statistics.get(term.name))
        return [score_term(term, listener) for listener in listeners]

    def candidates(self, query: TrainingQuery, scores: Scores) -> IntArray:
        """Return the candidates among the tracks that were not observed in any version."""
        allowed = allowed_rows(self.catalogue, excluded=query.observed.rows)
        return candidate_rows(scores, allowed, self.config.ranking)


def make_queries(
    listeners: Iterable[ListenerLabels], config: RankingConfig, rng: np.random.Generator
) -> list[TrainingQuery]:
    """Return queries with several amounts observed of each listener, `config.queries` at most, in random order."""
    queries = [query for labels in listeners for query in _queries_of(labels, config.queries_per_listener, rng)]
    order = rng.permutation(len(queries))[: config.queries]
    return [queries[number] for number in order]


def _queries_of(labels: ListenerLabels, number: int, rng: np.random.Generator) -> Iterator[TrainingQuery]:
    """Yield queries of one listener; of the negative rows the same share is observed as of the liked ones."""
    likes = len(labels.liked)
    counts = {*AMOUNTS, *(round(share * likes) for share in SHARES)}
    possible = sorted(count for count in counts if 0 < count < likes)
    for count in rng.permutation(possible)[:number]:
        parts = [_split_rows(rows, count / likes, rng) for rows in (labels.liked, labels.disliked, labels.skipped)]
        observed, held_out = zip(*parts, strict=True)
        yield TrainingQuery(ListenerLabels(*observed), ListenerLabels(*held_out))


def _split_rows(rows: IntArray, share: float, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    order = rng.permutation(rows)
    count = round(share * len(rows))
    return order[:count], order[count:]


def first_stage_examples(
    context: TrainingContext, queries: list[TrainingQuery], weights: BlendWeights, rng: np.random.Generator
) -> Examples:
    """Return held-out tracks and a weighted sample of the others, of the candidates and of the whole catalogue."""

    def of(query: TrainingQuery, folded: FoldedListener, own: np.random.Generator) -> Examples:
        listener, scores = folded.listener, folded.scores(weights)
        rows, labels, weight = _sample(context, query, context.candidates(query, scores), own)
        standard = np.stack([scores.standard(name, rows) for name in scores.raw], axis=1)
        evidence = np.full(len(rows), listener.evidence, dtype=np.float32)
        number, importance = np.zeros(len(rows), np.int32), np.array([query.importance], np.float32)
        return Examples(tuple(scores.raw), standard, labels, weight, evidence, number, importance)

    parts = _for_each_query(of, context, weights, queries, rng)
    names = ("standard", "labels", "weights", "evidence", "importance")
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    number = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part.labels) for part in parts])
    return Examples(terms=parts[0].terms, query=number, **arrays)


def ranker_examples(
    context: TrainingContext, queries: list[TrainingQuery], weights: BlendWeights, rng: np.random.Generator
) -> tuple[FloatArray, BoolArray, FloatArray]:
    """Return features, labels and weights of candidates: those with feedback, the hardest and a weighted sample."""

    def of(
        query: TrainingQuery, folded: FoldedListener, own: np.random.Generator
    ) -> tuple[FloatArray, BoolArray, FloatArray]:
        listener, scores = folded.listener, folded.scores(weights)
        rows = context.candidates(query, scores)
        # The ranker learns from what it will see in use: the scores after the liked songs.
        positive_profile = listener.positive_only()
        positive = scores
        if positive_profile is not listener:
            positive = blend(context.terms, weights.at(listener.evidence), positive_profile, context.score_statistics)
        values = candidate_features(positive, rows, context.terms, context.attributes, positive_profile).values
        labels, negative = np.isin(rows, query.held_out.liked), np.isin(rows, query.held_out.negative)
        sample, weight = _sample_candidates(labels | negative, context, own)
        return values[sample], labels[sample], weight * np.float32(query.importance)

    parts = _for_each_query(of, context, weights, queries, rng)
    features, labels, weight = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return features, labels, weight


def _sample_candidates(
    has_feedback: BoolArray, context: TrainingContext, rng: np.random.Generator
) -> tuple[IntArray, FloatArray]:
    """Sample candidates, best first; return their positions and weights, one over the probability of being sampled.

    Those with feedback are sampled for certain; the others count as implicit negatives.
    """
    config = context.config.ranking
    rate = min(config.n_candidate_negatives / max(len(has_feedback) - config.n_hard_negatives, 1), 1.0)
    certain = has_feedback.copy()
    certain[: config.n_hard_negatives] = True
    sample = np.flatnonzero(certain | (rng.random(len(has_feedback)) < rate)).astype(np.int32)
    label_weight = np.where(has_feedback, 1.0, context.implicit_negative_weight)
    return sample, (label_weight * np.where(certain, 1.0, 1.0 / rate))[sample].astype(np.float32)


def _sample(
    context: TrainingContext, query: TrainingQuery, candidates: IntArray, rng: np.random.Generator
) -> tuple[IntArray, BoolArray, FloatArray]:
    held_out = query.held_out.rows
    others = candidates[~np.isin(candidates, held_out)]
    sample, weight = _sample_candidates(np.zeros(len(others), dtype=np.bool_), context, rng)
    n, n_drawn = context.catalogue.n_tracks, context.config.ranking.n_random_negatives
    random_rows = rng.integers(n, size=n_drawn).astype(np.int32)
    random_rows = random_rows[~np.isin(random_rows, np.concatenate([candidates, held_out, query.observed.rows]))]
    rows = np.concatenate([held_out, others[sample], random_rows])
    labels = np.arange(len(rows)) < len(query.held_out.liked)
    ones, many = np.ones(len(held_out)), np.full(len(random_rows), context.implicit_negative_weight * n / n_drawn)
    return rows, labels, np.concatenate([ones, weight, many]).astype(np.float32)


def _for_each_query(
    of: Callable[[TrainingQuery, FoldedListener, np.random.Generator], Result],
    context: TrainingContext,
    weights: BlendWeights,
    queries: Sequence[TrainingQuery],
    rng: np.random.Generator,
) -> list[Result]:
    """Return `of` for every query, each with its own random stream; several listeners are folded in together.

    There are no threads: the arrays are so short that threads would only wait for the interpreter.
    """
    results: list[Result] = []
    streams, number = iter(rng.spawn(len(queries))), batch_size(context.catalogue.n_tracks)
    with threadpool_limits(1, user_api="blas"):
        for start in range(0, len(queries), number):
            batch = queries[start : start + number]
            pairs = zip(batch, context.fold_in(batch, weights.weights), strict=True)
            results += [of(query, folded, next(streams)) for query, folded in pairs]
    return results
