"""One listener as vectors and sparse scores, by which a few tracks are scored without the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommender.engine.data.arrays import FloatArray, IntArray, as_float32, as_int32
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.ranking.blend import Scores, TermScores, score_sparse_term, score_term, weighted_sum
from recommender.engine.ranking.score_statistics import ScoreStatistics
from recommender.engine.terms import LinearTerm, SparseScores, SparseTerm, Term


@dataclass(frozen=True, eq=False)
class QueryVectors:
    """A listener as the terms with a weight see them.

    scales: mean and deviation of each over all tracks, as in `Scores`. user_vectors: of the linear terms. sparse:
    scores of the sparse ones, after the square root. dense_scores: of the remaining terms for all tracks.
    """

    terms: Mapping[str, Term]
    weights: Mapping[str, float]
    scales: Mapping[str, tuple[float, float]]
    user_vectors: Mapping[str, FloatArray]
    sparse: Mapping[str, SparseScores]
    dense_scores: Mapping[str, TermScores]

    @classmethod
    def of(
        cls,
        terms: Mapping[str, Term],
        weights: Mapping[str, float],
        listener: ListenerProfile,
        statistics: Mapping[str, ScoreStatistics],
    ) -> QueryVectors:
        """Fold a listener into the terms with a weight. statistics: of the linear ones."""
        scales: dict[str, tuple[float, float]] = {}
        user_vectors: dict[str, FloatArray] = {}
        sparse: dict[str, SparseScores] = {}
        dense_scores: dict[str, TermScores] = {}
        learned = listener.without_adjustments()
        for name, term in terms.items():
            if name not in weights:
                continue
            if isinstance(term, SparseTerm):
                scales[name], sparse[name] = score_sparse_term(term, listener)
            elif isinstance(term, LinearTerm) and name in statistics:
                user_vectors[name] = term.user_vector(listener)
                scales[name] = statistics[name].scale(
                    user_vectors[name] if learned is listener else term.user_vector(learned)
                )
            else:
                dense_scores[name] = score_term(term, listener)
                scales[name] = dense_scores[name].scale
        return cls(terms, weights, scales, user_vectors, sparse, dense_scores)

    def at(self, rows: IntArray) -> Scores:
        """Return the scores that `blend` gives `rows` (int32[c], increasing), up to rounding."""
        return weighted_sum(
            {name: self._scores_of(name, rows) for name in self.terms if name in self.scales}, self.weights, rows
        )

    def factor(self, name: str) -> float:
        """Return what one unit of a term's score adds to the blend."""
        deviation = self.scales[name][1]
        return self.weights[name] / deviation if deviation else 0.0

    def _scores_of(self, name: str, rows: IntArray) -> TermScores:
        scale = self.scales[name]
        if name in self.sparse:
            positions, values = _at(self.sparse[name], rows)
            return TermScores(SparseScores(positions, values, len(rows)).of_all(), scale, positions)
        if name in self.dense_scores:
            return TermScores(self.dense_scores[name].raw[rows], scale)
        term = self.terms[name]
        assert isinstance(term, LinearTerm)
        return TermScores(as_float32(term.item_vectors(rows) @ self.user_vectors[name]), scale)


def _at(sparse: SparseScores, rows: IntArray) -> tuple[IntArray, FloatArray]:
    """Return the positions in `rows` of those with a score, and their scores."""
    if not len(rows):
        return rows, np.empty(0, dtype=np.float32)
    position = np.minimum(np.searchsorted(rows, sparse.rows), len(rows) - 1)
    is_wanted = rows[position] == sparse.rows
    return as_int32(position[is_wanted]), sparse.values[is_wanted]
