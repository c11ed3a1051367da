"""What the ranker sees of each candidate, and what it would see if a term had nothing to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np

from recommender.engine.arrays import FloatArray, IntArray, as_float32
from recommender.engine.blend import Scores
from recommender.engine.listener import Listener
from recommender.engine.ranking.attributes import TrackAttributes
from recommender.engine.terms import Term
from recommender.engine.terms.neighbours import ItemToItemTerm
from recommender.engine.terms.popularity import PopularityTerm

OF_TERM = ("standard", "plain", "rank", "ratio")
"""Of each term: standardised over the catalogue, before that, place among the candidates, ratio to their largest."""
OF_NEIGHBOURS = ("nearest", "support")
"""Of `item_to_item`: weight of the one nearest of the listener's songs, and share of the songs that are neighbours."""
OF_POPULARITY = ("listeners", "artist_listeners", "share_of_artist", "less_than_usual")
"""Logarithms: the track's listeners, its artists', their difference, and that to the listener's usual songs."""
CONTEXT = ("blend", "amount", "spread", "usual_listeners", "artist_tracks")


@dataclass(frozen=True)
class Layout:
    """Names of the features, and for each the term whose opinion it is ("" = of none)."""

    names: tuple[str, ...]
    owner: tuple[str, ...]

    @staticmethod
    @lru_cache(maxsize=8)
    def of(terms: tuple[str, ...]) -> Layout:
        """The layout for a blend of these terms."""
        pairs = [(name, "") for name in CONTEXT]
        for term in terms:
            more = {ItemToItemTerm.name: OF_NEIGHBOURS, PopularityTerm.name: OF_POPULARITY}.get(term, ())
            pairs += [(f"{term}.{name}", term) for name in (*OF_TERM, *more)]
        return Layout(tuple(name for name, _ in pairs), tuple(owner for _, owner in pairs))

    def columns(self, term: str) -> IntArray:
        """Columns that are the term's opinion."""
        return np.array([place for place, owner in enumerate(self.owner) if owner == term], dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Features:
    """values: float32[c, F]. neutral: float32[F], what stands there when the owning term is neutral (an average track
    of the catalogue). The blend's column loses the term's part instead; parts: float32[c] of each term.
    """

    layout: Layout
    values: FloatArray
    neutral: FloatArray
    parts: Mapping[str, FloatArray]

    def without(self, term: str, places: IntArray) -> FloatArray:
        """Features of some candidates with one term neutral, float32[len(places), F]."""
        values = self.values[places]
        columns = self.layout.columns(term)
        values[:, columns] = self.neutral[columns]
        values[:, self.layout.names.index("blend")] -= self.parts[term][places]
        return values


def candidate_features(
    scores: Scores, rows: IntArray, terms: Mapping[str, Term], attributes: TrackAttributes, listener: Listener
) -> Features:
    """The features of candidates `rows` (int32[c]) of a listener with the first-stage `scores`."""
    layout, places = Layout.of(tuple(scores.plain)), scores.places(rows)
    columns, neutral = _context(scores.total[places], rows, attributes, listener)
    for name, plain in scores.plain.items():
        found, absent = _of_term(scores.standard(name, rows), plain[places], scores.scales[name][0])
        columns, neutral = columns + found, neutral + absent
        if name == ItemToItemTerm.name:
            neighbours = _of_neighbours(cast(ItemToItemTerm, terms[name]), listener, rows)
            columns, neutral = columns + neighbours, [*neutral, *[0.0] * len(neighbours)]
        if name == PopularityTerm.name:
            found, absent = _of_popularity(rows, attributes, listener)
            columns, neutral = columns + found, neutral + absent
    values = np.empty((len(rows), len(layout.names)), dtype=np.float32)
    for place, column in enumerate(columns):
        values[:, place] = column
    return Features(layout, values, np.array(neutral, dtype=np.float32), scores.parts_at(rows))


Columns = list["FloatArray | float"]


def _context(
    total: FloatArray, rows: IntArray, attributes: TrackAttributes, listener: Listener
) -> tuple[Columns, list[float]]:
    best = np.partition(total, -10)[-10:] if len(total) >= 10 else total
    spread = float(best.max() - best.min()) if len(best) else 0.0
    columns: Columns = [
        total,
        float(np.log1p(listener.amount)),
        spread,
        _usual(attributes, listener),
        np.log1p(attributes.artist_tracks[rows]),
    ]
    # Nothing owns these, so they are never neutral.
    return columns, [0.0] * len(columns)


def _of_term(standard: FloatArray, plain: FloatArray, mean: float) -> tuple[Columns, list[float]]:
    largest = max(float(np.abs(plain).max(initial=0.0)), 1e-9)
    ordered = np.sort(-standard)
    rank = np.log1p(np.searchsorted(ordered, -standard).astype(np.float32))
    absent = float(np.log1p(np.searchsorted(ordered, 0.0)))
    return [standard, plain, rank, plain / np.float32(largest)], [0.0, mean, absent, mean / largest]


def _of_neighbours(term: ItemToItemTerm, listener: Listener, rows: IntArray) -> Columns:
    liked = listener.weights > 0
    if not liked.any():
        return [0.0, 0.0]
    source, place, weight = term.pairs(listener, rows)
    linked = liked[source] & (weight > 0)
    nearest = np.zeros(len(rows), dtype=np.float32)
    np.maximum.at(nearest, place[linked], weight[linked])
    return [nearest, as_float32(np.bincount(place[linked], minlength=len(rows)) / liked.sum())]


def _of_popularity(rows: IntArray, attributes: TrackAttributes, listener: Listener) -> tuple[Columns, list[float]]:
    listeners = np.log1p(attributes.listeners[rows])
    artist = np.log1p(attributes.artist_listeners[rows])
    usual = _usual(attributes, listener)
    return [listeners, artist, listeners - artist, listeners - np.float32(usual)], [0.0, 0.0, 0.0, 0.0]


def _usual(attributes: TrackAttributes, listener: Listener) -> float:
    liked: Sequence[int] | IntArray = listener.rows[listener.weights > 0]
    return float(np.log1p(attributes.listeners[liked]).mean()) if len(liked) else 0.0
