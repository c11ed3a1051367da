"""Finds the tracks worth scoring for a listener in a very large catalogue.

The union of four sources is scored exactly: the nearest tracks to the listener in the space of the whole blend, by an
approximate index; the best of each linear term; of the tracks with a sparse score (songs of liked artists and albums,
neighbours of liked songs) the best in sum, and the best of each sparse term.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommender.engine.data.arrays import AnyArray, FloatArray, IntArray, as_float32, as_int32, sum_by_row, top_rows
from recommender.engine.data.checks import check_csr, check_range, check_rows
from recommender.engine.ranking.blend import BlendWeights
from recommender.engine.ranking.score_statistics import ScoreStatistics
from recommender.engine.retrieval.config import RetrievalConfig
from recommender.engine.retrieval.embedding_space import EmbeddingSpace, fit_embedding_space, sample_queries
from recommender.engine.retrieval.index import BuildIndex, NearestIndex
from recommender.engine.retrieval.query_vectors import QueryVectors
from recommender.engine.retrieval.top_items import GroupedItems, PrecomputedTop, TermTopN
from recommender.engine.terms import LinearTerm, Term

if TYPE_CHECKING:
    from recommender.engine.config import EngineConfig


BLEND = "blend"
"""Name of the index of the whole space; those of single terms have the terms' names."""


@dataclass(frozen=True, eq=False)
class CandidateRetriever:
    """score_statistics, best: of each linear term. space: that of `index`."""

    score_statistics: Mapping[str, ScoreStatistics]
    space: EmbeddingSpace
    index: NearestIndex
    best: Mapping[str, TermTopN]
    config: RetrievalConfig

    @classmethod
    def build(
        cls,
        terms: Mapping[str, Term],
        weights: BlendWeights,
        statistics: Mapping[str, ScoreStatistics],
        listeners: FloatArray,
        config: EngineConfig,
        build_index: BuildIndex,
        seed: int,
    ) -> Self:
        """Build the indices of fitted terms.

        weights: of their blend. statistics: of the linear terms. listeners: float32[n], how many know each track.
        """
        n_tracks, settings = len(listeners), config.retrieval
        linear = {name: term for name, term in terms.items() if isinstance(term, LinearTerm)}
        rng = np.random.default_rng(seed)
        samples = sample_queries(terms, weights, statistics, listeners, config, rng)
        space = fit_embedding_space(terms, weights, statistics, config, samples)
        queries = np.stack([space.query(query) for query in samples])
        index = build_index(lambda rows: space.vectors(terms, rows), n_tracks, queries, seed)
        best: dict[str, TermTopN] = {}
        for name, of_term in statistics.items():
            # Also for terms whose weight is 0: the ranker sees them all.
            if name in weights.weights and len(of_term.mean):
                top = PrecomputedTop.of(linear[name], settings.n_nearest) or GroupedItems.of(linear[name], n_tracks)
                projected = np.stack([space.projected(name, query) for query in samples])
                best[name] = _indexed(top, space.only(name), terms, build_index, projected, seed)
        return cls(statistics, space, index, best, settings)

    def rows(self, query: QueryVectors, known: int, widening: float = 1.0) -> IntArray:
        """Return the rows worth scoring, int32[c], increasing.

        known: number of songs the listener knows, which may be the nearest. widening: factor on the number of rows.
        """
        settings = self.config
        limit = round(settings.n_nearest * widening) + known
        candidates = [self.index.nearest(self.space.query(query), limit, settings.probe_share)]
        for name, best in self.best.items():
            if query.scales[name][1]:
                projected = self.space.projected(name, query)
                candidates.append(
                    best.rows(query.user_vectors[name], projected, settings.n_per_term + known, settings.probe_share)
                )
        return as_int32(np.unique(np.concatenate([*candidates, *self._from_sparse_terms(query, widening, known)])))

    def _from_sparse_terms(self, query: QueryVectors, widening: float, known: int) -> list[IntArray]:
        """Return the best tracks with a sparse score: in sum, and by each term alone."""
        scaled = [(sparse, query.factor(name)) for name, sparse in query.sparse.items() if len(sparse.rows)]
        if not scaled:
            return []
        rows = np.concatenate([sparse.rows for sparse, _ in scaled])
        values = np.concatenate([sparse.values * np.float32(factor) for sparse, factor in scaled])
        distinct, total = sum_by_row(rows, values, scaled[0][0].n_tracks)
        best_rows = [distinct[top_rows(total, round(self.config.n_sparse * widening) + known)]]
        for sparse, _ in scaled:
            order = np.argsort(sparse.rows)
            best = top_rows(sparse.values[order], self.config.n_per_term + known)
            best_rows.append(sparse.rows[order][best])
        return best_rows

    def indices(self) -> dict[str, NearestIndex]:
        """Return all indices by name; each is stored in a file of its own."""
        own = {
            name: best.index
            for name, best in self.best.items()
            if isinstance(best, GroupedItems) and best.index is not None
        }
        return {BLEND: self.index} | own

    def arrays(self) -> dict[str, AnyArray]:
        """Return the arrays to store besides the indices."""
        parts = {f"moments.{name}": part.arrays() for name, part in self.score_statistics.items()}
        parts |= {f"best.{name}": part.arrays() for name, part in self.best.items()}
        arrays = {f"{prefix}.{name}": array for prefix, part in parts.items() for name, array in part.items()}
        arrays |= {f"stretch.{name}": scale for name, scale in self.space.scale.items()}
        return arrays | {f"basis.{name}": basis for name, basis in self.space.projections.items()}

    def entry(self) -> dict[str, Any]:
        """Return the plain values to store, ready for JSON."""
        return {"space": list(self.space.scale), "moments": list(self.score_statistics), "best": list(self.best)}

    @classmethod
    def restored(
        cls,
        entry: Mapping[str, Any],
        arrays: Mapping[str, AnyArray],
        indices: Mapping[str, NearestIndex],
        terms: Mapping[str, Term],
        config: RetrievalConfig,
        n_tracks: int,
    ) -> Self:
        """Return the retriever that was stored. Raise KeyError or InvalidDataError if something is missing or wrong."""
        statistics = {name: ScoreStatistics.from_arrays(_part(arrays, f"moments.{name}")) for name in entry["moments"]}
        projections = {name: as_float32(array) for name, array in _part(arrays, "basis").items()}
        scale = {name: as_float32(arrays[f"stretch.{name}"]) for name in entry["space"]}
        space = EmbeddingSpace(projections, scale)
        best = {
            name: _best(terms[name], _part(arrays, f"best.{name}"), indices.get(name), n_tracks)
            for name in entry["best"]
        }
        return cls(statistics, space, indices[BLEND], best, config)


def _indexed(
    top: TermTopN,
    space: EmbeddingSpace,
    terms: Mapping[str, Term],
    build_index: BuildIndex,
    queries: FloatArray,
    seed: int,
) -> TermTopN:
    """Add an index where there are too many groups to go through."""
    if not isinstance(top, GroupedItems) or top.leaders is not None:
        return top
    tracks = top.first_tracks
    index = build_index(lambda numbers: space.vectors(terms, tracks[numbers]), len(tracks), queries, seed)
    return replace(top, index=index)


def _best(term: Term, arrays: Mapping[str, AnyArray], index: NearestIndex | None, n_tracks: int) -> TermTopN:
    assert isinstance(term, LinearTerm)
    if "best" in arrays:
        directions, best = as_float32(arrays["directions"]), as_int32(arrays["best"])
        check_rows("best", len(best), directions=directions)
        check_range("best", best, 0, n_tracks)
        return PrecomputedTop(directions, best)
    indptr, tracks = as_int32(arrays["indptr"]), as_int32(arrays["tracks"])
    check_csr("best", indptr, tracks, len(indptr) - 1, n_tracks)
    return GroupedItems.opened(term, indptr, tracks, index)


def _part(arrays: Mapping[str, AnyArray], prefix: str) -> dict[str, AnyArray]:
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
