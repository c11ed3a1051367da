"""The first stage: a few hundred tracks that the ranker is asked about."""

from __future__ import annotations

import numpy as np

from recommender.engine.arrays import BoolArray, IntArray, top_rows
from recommender.engine.blend import Scores
from recommender.engine.config import RankingConfig


def candidate_rows(scores: Scores, allowed: BoolArray, config: RankingConfig) -> IntArray:
    """The best allowed rows of the blend and the best of each term, so that a strong term is heard: int32[c].

    Best of the blend first; then those that only a term asked for, in the order of the blend. allowed: of each track
    that was scored.
    """
    chosen = [top_rows(scores.total, config.candidates, allowed)]
    chosen += [_asked_for(scores, name, allowed, config.per_term) for name in scores.plain if scores.scales[name][1]]
    places = np.unique(np.concatenate(chosen))
    return scores.rows_at(places[np.lexsort((places, -scores.total[places]))])


def _asked_for(scores: Scores, name: str, allowed: BoolArray, limit: int) -> IntArray:
    """The best of one term. One that finds a track no better than the average one does not ask for it."""
    rows, plain, mean = scores.rows.get(name), scores.plain[name], np.float32(scores.scales[name][0])
    if rows is None or mean < 0:
        return top_rows(plain, limit, allowed & (plain > mean))
    # What the term is silent about is not above its mean, so that the others need not be looked at.
    rows = np.sort(rows)
    said = plain[rows]
    return rows[top_rows(said, limit, allowed[rows] & (said > mean))]
