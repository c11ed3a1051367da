"""What the terms make of a listener before any track is scored; then the scores of a few tracks only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommender.engine.arrays import FloatArray, IntArray, as_float32, as_int32
from recommender.engine.blend import Said, Scores, said_of_all, sparse_opinions, summed
from recommender.engine.listener import Listener
from recommender.engine.moments import Moments
from recommender.engine.terms import LinearTerm, Opinions, SparseTerm, Term


@dataclass(frozen=True, eq=False)
class Outlook:
    """scales: (mean, deviation) over all tracks of each term with a weight, as in Scores. directions: of the linear
    terms; opinions: of the sparse ones, after the root; said: of all others, which have scored all tracks.
    """

    terms: Mapping[str, Term]
    weights: Mapping[str, float]
    scales: Mapping[str, tuple[float, float]]
    directions: Mapping[str, FloatArray]
    opinions: Mapping[str, Opinions]
    said: Mapping[str, Said]

    @classmethod
    def of(
        cls, terms: Mapping[str, Term], weights: Mapping[str, float], listener: Listener, moments: Mapping[str, Moments]
    ) -> Outlook:
        """Ask the terms that are given a weight; moments: of the linear ones."""
        scales: dict[str, tuple[float, float]] = {}
        directions: dict[str, FloatArray] = {}
        opinions: dict[str, Opinions] = {}
        said: dict[str, Said] = {}
        learned = listener.as_learned()
        for name, term in terms.items():
            if name not in weights:
                continue
            if isinstance(term, SparseTerm):
                scales[name], opinions[name] = sparse_opinions(term, listener)
            elif isinstance(term, LinearTerm) and name in moments:
                directions[name] = term.direction(listener)
                scales[name] = moments[name].scale(directions[name] if learned is listener else term.direction(learned))
            else:
                said[name] = said_of_all(term, listener)
                scales[name] = said[name].scale
        return cls(terms, weights, scales, directions, opinions, said)

    def at(self, rows: IntArray) -> Scores:
        """What `blend` says of `rows` (int32[c], increasing), the same up to rounding."""
        return summed(
            {name: self._said_of(name, rows) for name in self.terms if name in self.scales}, self.weights, rows
        )

    def factor(self, name: str) -> float:
        """What one unit of a term's score adds to the blend."""
        deviation = self.scales[name][1]
        return self.weights[name] / deviation if deviation else 0.0

    def _said_of(self, name: str, rows: IntArray) -> Said:
        scale = self.scales[name]
        if name in self.opinions:
            places, values = _at(self.opinions[name], rows)
            return Said(Opinions(places, values, len(rows)).of_all(), scale, places)
        if name in self.said:
            return Said(self.said[name].plain[rows], scale)
        term = self.terms[name]
        assert isinstance(term, LinearTerm)
        return Said(as_float32(term.coordinates(rows) @ self.directions[name]), scale)


def _at(opinions: Opinions, rows: IntArray) -> tuple[IntArray, FloatArray]:
    """Places in `rows` of those with an opinion, and the opinions."""
    if not len(rows):
        return rows, np.empty(0, dtype=np.float32)
    place = np.minimum(np.searchsorted(rows, opinions.rows), len(rows) - 1)
    asked = rows[place] == opinions.rows
    return as_int32(place[asked]), opinions.values[asked]
