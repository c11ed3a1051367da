"""Simulated listeners who react by their own ratings and those of all others (``simulate --answers``).

A low-rank Gaussian model (`low_rank_gaussian`) is fitted on the likes and dislikes of everybody, test listeners
included. Each test listener's taste is drawn from its posterior given their ratings, because a posterior mean would
leave less to be learned than a person's taste. Listeners react to a song they have rated as they rated it. They like
any other song with the probability that the model gives it, drawn once per listener and song. A song without any rating
is liked like the average one.

The recommender never sees this model; its own model is a different one, fitted on the training listeners alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.engine.data.arrays import BoolArray, IntArray, Sparse, as_float32
from recommender.engine.evaluation.low_rank_gaussian import BINARY, LowRankGaussian
from recommender.engine.evaluation.rated import Ratings
from recommender.engine.evaluation.simulation import Plan, Reaction, SimulatedListener

DISLIKE_SHARE = 0.3
"""Share of the songs that are not liked that is disliked; the others are skipped."""


@dataclass(frozen=True, eq=False)
class RatingReactions:
    """The reactions of one listener. taste: float64[d]; rows: int32[a], increasing, that they rated; liked: bool[a].

    seed: of the draws for this listener, which do not depend on the order in which songs are shown.
    """

    model: LowRankGaussian
    taste: NDArray[np.float64]
    rows: IntArray
    liked: BoolArray
    dislike_share: float
    seed: tuple[int, ...]

    def __call__(self, page: IntArray) -> Reaction:
        draws = np.array([np.random.default_rng([*self.seed, int(row)]).random(2) for row in page]).reshape(-1, 2)
        liked = draws[:, 0] < self.model.chances(page, self.taste)
        answered = np.isin(page, self.rows)
        liked[answered] = self.liked[np.searchsorted(self.rows, page[answered])]
        return Reaction(liked, ~liked & (draws[:, 1] < self.dislike_share))


def rating_listeners(
    ratings: Ratings, is_test: BoolArray, n_tracks: int, plan: Plan, dislike_share: float, rng: np.random.Generator
) -> list[SimulatedListener]:
    """Return the first `plan.listeners` of `is_test` (bool[people]) who have liked at least `plan.start` songs.

    They start from `plan.start` of their liked songs, drawn at random.
    """
    fit_rng, start_rng, taste_rng = rng.spawn(3)
    model = LowRankGaussian.fit(_likes(ratings, n_tracks), BINARY, fit_rng)
    listeners = []
    for person in np.flatnonzero(is_test):
        own = np.flatnonzero(ratings.listener == person)
        own = own[np.argsort(ratings.row[own])]
        rows, liked = ratings.row[own], ratings.weight[own] > 0
        # Drawn for everybody, so that no taste depends on the other listeners.
        start = start_rng.permutation(rows[liked])[: plan.start]
        taste = model.draw_taste(rows, as_float32(liked), taste_rng)
        seed = (plan.seed, int(person))
        react = RatingReactions(model, taste, rows, liked, dislike_share, seed)
        if len(start) == plan.start:
            listeners.append(SimulatedListener(start, react))
    return listeners[: plan.listeners]


def _likes(ratings: Ratings, n_tracks: int) -> Sparse:
    """Return 1 for a like, 0 for a dislike, float32 people x n; the zeros are stored."""
    shape = (ratings.n_people, n_tracks)
    values = as_float32(ratings.weight > 0)
    return sp.coo_array((values, (ratings.listener, ratings.row)), shape=shape).tocsr()
