"""The first stage: a few hundred tracks that the ranker is asked about."""

from __future__ import annotations

import numpy as np

from recommender.engine.arrays import BoolArray, IntArray, top_rows
from recommender.engine.blend import Scores
from recommender.engine.config import RankingConfig


def candidate_rows(scores: Scores, allowed: BoolArray, config: RankingConfig) -> IntArray:
    """The best allowed rows of the blend and the best of each term, so that a strong term is heard: int32[c].

    Best of the blend first; then those that only a term asked for, in the order of the blend.
    """
    barred = np.where(allowed, np.float32(0.0), np.float32(-np.inf))
    total = scores.total + barred
    chosen = [top_rows(total, config.candidates)]
    masked = np.empty_like(barred)
    for name, plain in scores.plain.items():
        mean, deviation = scores.scales[name]
        if deviation:
            best = top_rows(np.add(plain, barred, out=masked), config.per_term)
            # A term that finds a track no better than the average one does not ask for it.
            chosen.append(best[plain[best] > mean])
    rows = np.unique(np.concatenate(chosen))
    return rows[np.lexsort((rows, -total[rows]))]
