"""The space of the index: the linear terms side by side, so that one product is what they add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from recommender.engine.arrays import FloatArray, IntArray, as_float32, as_int32, dense
from recommender.engine.blend import BlendWeights
from recommender.engine.config import EngineConfig
from recommender.engine.data import Feedback
from recommender.engine.listener import Listener
from recommender.engine.moments import Moments
from recommender.engine.shortlist.outlook import Outlook
from recommender.engine.terms import LinearTerm, Term

LEAST_STRETCH = 0.3
"""Of a coordinate, against the others of its block."""
SAMPLES = 100
SAMPLE_LIKES = (1, 5, 20)
"""Invented listeners, and their numbers of likes, from whom the blocks' stretches are measured."""


@dataclass(frozen=True, eq=False)
class Space:
    """Blocks of coordinates, one of each linear term.

    bases: float32[d, s] that a block is projected to (see `LinearTerm.basis`), of the terms that have one. stretch:
    float32[s] of each block, what its coordinates are multiplied by and queries divided by. Products do not change, but
    near are then tracks between which few listeners would see a difference. A term that is not named is left out.
    """

    bases: Mapping[str, FloatArray]
    stretch: Mapping[str, FloatArray]

    def vectors(self, terms: Mapping[str, Term], rows: IntArray) -> FloatArray:
        """Of some tracks, float32[len(rows), D]."""
        return np.hstack([self._block(terms, name, rows) * stretch for name, stretch in self.stretch.items()])

    def query(self, outlook: Outlook) -> FloatArray:
        """Of a listener, float32[D]: products with vectors are what the linear terms add to the blend."""
        blocks = [
            self.projected(name, outlook) * np.float32(outlook.factor(name)) / stretch
            for name, stretch in self.stretch.items()
        ]
        return np.concatenate(blocks)

    def projected(self, name: str, outlook: Outlook) -> FloatArray:
        """A listener's direction in one block, float32[s]; zero if the term has no weight."""
        basis, direction = self.bases.get(name), outlook.directions[name]
        return direction if basis is None else as_float32(direction @ basis)

    def only(self, name: str) -> Space:
        """The space of one term alone."""
        return Space({key: basis for key, basis in self.bases.items() if key == name}, {name: np.ones(1, np.float32)})

    def _block(self, terms: Mapping[str, Term], name: str, rows: IntArray) -> FloatArray:
        term = terms[name]
        assert isinstance(term, LinearTerm)
        basis, found = self.bases.get(name), term.coordinates(rows)
        return dense(found) if basis is None else as_float32(cast(FloatArray, found @ basis))


def fit_space(
    terms: Mapping[str, Term],
    weights: BlendWeights,
    moments: Mapping[str, Moments],
    config: EngineConfig,
    outlooks: Sequence[Outlook],
) -> Space:
    """The space of the linear terms with a weight, stretched by what queries are usually like: those of `outlooks`."""
    bases = {}
    for name in moments:
        term = terms[name]
        assert isinstance(term, LinearTerm)
        basis = term.basis(config.shortlist.directions)
        # Without a basis all coordinates are wanted, as they are.
        if basis is not None:
            bases[name] = basis
    names = sorted(name for name, one in moments.items() if len(one.mean) and name in weights.weights)
    space = Space(bases, {name: np.ones(1, dtype=np.float32) for name in names})
    stretch = {name: _usual_query(space, name, outlooks) for name in names}
    # Where nothing weighs anything, any order will do.
    return Space(bases, {name: found for name, found in stretch.items() if found.any()} or space.stretch)


def _usual_query(space: Space, name: str, outlooks: Sequence[Outlook]) -> FloatArray:
    """Root of the mean square of each coordinate of queries in one block: float32[s].

    The mean square of what queries make of the difference between two tracks is then its squared length, as far as the
    coordinates of queries have nothing to do with each other.
    """
    queries = np.stack([space.projected(name, one) * np.float32(one.factor(name)) for one in outlooks])
    usual = np.sqrt((queries**2).mean(axis=0))
    # What the few invented listeners have not asked for, others may.
    return as_float32(np.maximum(usual, LEAST_STRETCH * np.sqrt((usual**2).mean())))


def usual_outlooks(
    terms: Mapping[str, Term],
    weights: BlendWeights,
    moments: Mapping[str, Moments],
    listeners: FloatArray,
    config: EngineConfig,
    rng: np.random.Generator,
) -> list[Outlook]:
    """Of invented listeners who like songs drawn as often as they are heard; any songs where nothing is heard.

    listeners: float32[n], who liked or heard each track.
    """
    heard = np.flatnonzero(listeners)
    rows = heard if len(heard) else np.arange(len(listeners))
    share = listeners[rows] / listeners[rows].sum() if len(heard) else None
    found = []
    for number in range(SAMPLES):
        likes = min(SAMPLE_LIKES[number % len(SAMPLE_LIKES)], len(rows))
        liked = np.unique(rng.choice(rows, size=likes, p=share))
        listener = Listener.from_feedback(Feedback.likes(as_int32(liked)), config)
        found.append(Outlook.of(terms, weights.at(listener.amount), listener, moments))
    return found
