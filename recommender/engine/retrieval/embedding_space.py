"""The space of the index: the vectors of the linear terms side by side, so that one product is their sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from recommender.engine.data import Feedback
from recommender.engine.data.arrays import FloatArray, IntArray, as_float32, as_int32, dense
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.ranking.blend import BlendWeights
from recommender.engine.ranking.score_statistics import ScoreStatistics
from recommender.engine.retrieval.query_vectors import QueryVectors
from recommender.engine.terms import LinearTerm, Term

if TYPE_CHECKING:
    from recommender.engine.config import EngineConfig


MIN_SCALE = 0.3
"""Of a coordinate, relative to the others of its block."""
SAMPLES = 100
SAMPLE_LIKES = (1, 5, 20)
"""Number of synthetic listeners, and their numbers of likes, used to estimate the scale of each block."""


@dataclass(frozen=True, eq=False)
class EmbeddingSpace:
    """Blocks of coordinates, one for each linear term.

    projections: float32[d, s] of the terms that are projected (`LinearTerm.projection`). scale: float32[s] of each
    block; item vectors are multiplied by it and queries divided. Products do not change, but tracks are then near each
    other where few listeners would see a difference. A term without a scale is left out.
    """

    projections: Mapping[str, FloatArray]
    scale: Mapping[str, FloatArray]

    def vectors(self, terms: Mapping[str, Term], rows: IntArray) -> FloatArray:
        """Return the vectors of some tracks, float32[len(rows), D]."""
        return np.hstack([self._block(terms, name, rows) * scale for name, scale in self.scale.items()])

    def query(self, query: QueryVectors) -> FloatArray:
        """Return the vector of a listener, float32[D]; its products with item vectors are the blend's linear part."""
        blocks = [
            self.projected(name, query) * np.float32(query.factor(name)) / scale for name, scale in self.scale.items()
        ]
        return np.concatenate(blocks)

    def projected(self, name: str, query: QueryVectors) -> FloatArray:
        """Return a listener's vector in one block, float32[s]; zero if the term has no weight."""
        projection, user_vector = self.projections.get(name), query.user_vectors[name]
        return user_vector if projection is None else as_float32(user_vector @ projection)

    def only(self, name: str) -> EmbeddingSpace:
        """Return the space of one term alone."""
        return EmbeddingSpace(
            {key: matrix for key, matrix in self.projections.items() if key == name}, {name: np.ones(1, np.float32)}
        )

    def _block(self, terms: Mapping[str, Term], name: str, rows: IntArray) -> FloatArray:
        term = terms[name]
        assert isinstance(term, LinearTerm)
        projection, vectors = self.projections.get(name), term.item_vectors(rows)
        return dense(vectors) if projection is None else as_float32(cast(FloatArray, vectors @ projection))


def fit_embedding_space(
    terms: Mapping[str, Term],
    weights: BlendWeights,
    statistics: Mapping[str, ScoreStatistics],
    config: EngineConfig,
    queries: Sequence[QueryVectors],
) -> EmbeddingSpace:
    """Return the space of the linear terms with a weight, scaled to `queries`, a sample of those to come."""
    projections = {}
    for name in statistics:
        term = terms[name]
        assert isinstance(term, LinearTerm)
        projection = term.projection(config.retrieval.n_dimensions)
        # Without a projection the space holds all coordinates as they are.
        if projection is not None:
            projections[name] = projection
    names = sorted(name for name, of_term in statistics.items() if len(of_term.mean) and name in weights.weights)
    space = EmbeddingSpace(projections, {name: np.ones(1, dtype=np.float32) for name in names})
    scale = {name: _root_mean_square(space, name, queries) for name in names}
    # Where no term has a weight, any order will do.
    return EmbeddingSpace(projections, {name: block for name, block in scale.items() if block.any()} or space.scale)


def _root_mean_square(space: EmbeddingSpace, name: str, queries: Sequence[QueryVectors]) -> FloatArray:
    """Return the root mean square of each coordinate of queries in one block: float32[s].

    The squared distance of two scaled item vectors is then the mean square difference of their scores, as far as the
    coordinates of queries are uncorrelated.
    """
    vectors = np.stack([space.projected(name, query) * np.float32(query.factor(name)) for query in queries])
    scale = np.sqrt((vectors**2).mean(axis=0))
    # Other listeners may use coordinates that the few synthetic ones do not.
    return as_float32(np.maximum(scale, MIN_SCALE * np.sqrt((scale**2).mean())))


def sample_queries(
    terms: Mapping[str, Term],
    weights: BlendWeights,
    statistics: Mapping[str, ScoreStatistics],
    listeners: FloatArray,
    config: EngineConfig,
    rng: np.random.Generator,
) -> list[QueryVectors]:
    """Return queries of synthetic listeners, who like songs drawn by popularity, or uniformly where nobody played any.

    listeners: float32[n], how many know each track.
    """
    heard = np.flatnonzero(listeners)
    rows = heard if len(heard) else np.arange(len(listeners))
    share = listeners[rows] / listeners[rows].sum() if len(heard) else None
    queries = []
    for number in range(SAMPLES):
        likes = min(SAMPLE_LIKES[number % len(SAMPLE_LIKES)], len(rows))
        liked = np.unique(rng.choice(rows, size=likes, p=share))
        listener = ListenerProfile.from_feedback(Feedback.likes(as_int32(liked)), config.feedback)
        queries.append(QueryVectors.of(terms, weights.at(listener.evidence), listener, statistics))
    return queries
