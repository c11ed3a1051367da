"""Features of the candidates for the ranker, and their values when a term is neutral."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np

from recommender.engine.data.arrays import FloatArray, IntArray, as_float32
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.ranking.attributes import TrackAttributes
from recommender.engine.ranking.blend import Scores
from recommender.engine.terms import Term
from recommender.engine.terms.item_similarity import ItemSimilarityTerm
from recommender.engine.terms.popularity import PopularityTerm

TERM_FEATURES = ("standard", "plain", "rank", "ratio")
"""Of each term: standard score, raw score, log of the rank among the candidates, ratio to their largest score."""
NEIGHBOUR_FEATURES = ("nearest", "support")
"""Of `item_to_item`: weight of the nearest of the listener's songs, and share of those songs that are neighbours."""
POPULARITY_FEATURES = ("listeners", "artist_listeners", "share_of_artist", "less_than_usual")
"""Logarithms: the track's listeners, its artists', their difference, and that to the listener's usual songs."""
CONTEXT_FEATURES = ("blend", "amount", "spread", "usual_listeners", "artist_tracks")


@dataclass(frozen=True)
class FeatureSchema:
    """Names of the features, and the term that owns each ("" = none does)."""

    names: tuple[str, ...]
    owner: tuple[str, ...]

    @staticmethod
    @lru_cache(maxsize=8)
    def of(terms: tuple[str, ...]) -> FeatureSchema:
        """Return the schema for a blend of these terms."""
        pairs = [(name, "") for name in CONTEXT_FEATURES]
        for term in terms:
            more = {ItemSimilarityTerm.name: NEIGHBOUR_FEATURES, PopularityTerm.name: POPULARITY_FEATURES}.get(term, ())
            pairs += [(f"{term}.{name}", term) for name in (*TERM_FEATURES, *more)]
        return FeatureSchema(tuple(name for name, _ in pairs), tuple(owner for _, owner in pairs))

    def columns(self, term: str) -> IntArray:
        """Return the columns that the term owns."""
        return np.array([number for number, owner in enumerate(self.owner) if owner == term], dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Features:
    """The features of c candidates.

    values: float32[c, F]. neutral: float32[F], the values for an average track of the catalogue, which make the owning
    term neutral. The blend's column loses the term's part instead; parts: float32[c] of each term.
    """

    schema: FeatureSchema
    values: FloatArray
    neutral: FloatArray
    parts: Mapping[str, FloatArray]

    def without(self, term: str, positions: IntArray) -> FloatArray:
        """Return the features of some candidates with one term neutral, float32[len(positions), F]."""
        values = self.values[positions]
        columns = self.schema.columns(term)
        values[:, columns] = self.neutral[columns]
        values[:, self.schema.names.index("blend")] -= self.parts[term][positions]
        return values


def candidate_features(
    scores: Scores, rows: IntArray, terms: Mapping[str, Term], attributes: TrackAttributes, listener: ListenerProfile
) -> Features:
    """Return the features of candidates `rows` (int32[c]) of a listener with the first-stage `scores`."""
    schema, positions = FeatureSchema.of(tuple(scores.raw)), scores.positions_of(rows)
    columns, neutral = _context_features(scores.total[positions], rows, attributes, listener)
    for name, raw in scores.raw.items():
        more, absent = _term_features(scores.standard(name, rows), raw[positions], scores.scales[name][0])
        columns, neutral = columns + more, neutral + absent
        if name == ItemSimilarityTerm.name:
            neighbours = _neighbour_features(cast(ItemSimilarityTerm, terms[name]), listener, rows)
            columns, neutral = columns + neighbours, [*neutral, *[0.0] * len(neighbours)]
        if name == PopularityTerm.name:
            more, absent = _popularity_features(rows, attributes, listener)
            columns, neutral = columns + more, neutral + absent
    values = np.empty((len(rows), len(schema.names)), dtype=np.float32)
    for number, column in enumerate(columns):
        values[:, number] = column
    return Features(schema, values, np.array(neutral, dtype=np.float32), scores.parts_at(rows))


Columns = list["FloatArray | float"]


def _context_features(
    total: FloatArray, rows: IntArray, attributes: TrackAttributes, listener: ListenerProfile
) -> tuple[Columns, list[float]]:
    best = np.partition(total, -10)[-10:] if len(total) >= 10 else total
    spread = float(best.max() - best.min()) if len(best) else 0.0
    columns: Columns = [
        total,
        float(np.log1p(listener.evidence)),
        spread,
        _usual_listeners(attributes, listener),
        np.log1p(attributes.artist_tracks[rows]),
    ]
    # Nothing owns these, so they are never neutral.
    return columns, [0.0] * len(columns)


def _term_features(standard: FloatArray, raw: FloatArray, mean: float) -> tuple[Columns, list[float]]:
    largest = max(float(np.abs(raw).max(initial=0.0)), 1e-9)
    ordered = np.sort(-standard)
    rank = np.log1p(np.searchsorted(ordered, -standard).astype(np.float32))
    absent = float(np.log1p(np.searchsorted(ordered, 0.0)))
    return [standard, raw, rank, raw / np.float32(largest)], [0.0, mean, absent, mean / largest]


def _neighbour_features(term: ItemSimilarityTerm, listener: ListenerProfile, rows: IntArray) -> Columns:
    liked = listener.weights > 0
    if not liked.any():
        return [0.0, 0.0]
    source, position, weight = term.pairs(listener, rows)
    linked = liked[source] & (weight > 0)
    nearest = np.zeros(len(rows), dtype=np.float32)
    np.maximum.at(nearest, position[linked], weight[linked])
    return [nearest, as_float32(np.bincount(position[linked], minlength=len(rows)) / liked.sum())]


def _popularity_features(
    rows: IntArray, attributes: TrackAttributes, listener: ListenerProfile
) -> tuple[Columns, list[float]]:
    listeners = np.log1p(attributes.listeners[rows])
    artist = np.log1p(attributes.artist_listeners[rows])
    usual = _usual_listeners(attributes, listener)
    return [listeners, artist, listeners - artist, listeners - np.float32(usual)], [0.0, 0.0, 0.0, 0.0]


def _usual_listeners(attributes: TrackAttributes, listener: ListenerProfile) -> float:
    liked: Sequence[int] | IntArray = listener.rows[listener.weights > 0]
    return float(np.log1p(attributes.listeners[liked]).mean()) if len(liked) else 0.0
