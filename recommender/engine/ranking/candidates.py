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
    total = np.where(allowed, scores.total, np.float32(-np.inf))
    chosen = [top_rows(total, config.candidates)]
    for standard in scores.standard.values():
        best = top_rows(np.where(allowed, standard, np.float32(-np.inf)), config.per_term)
        # A term that is silent, or no higher than on an average track, does not ask for it.
        chosen.append(best[standard[best] > 0])
    rows = np.unique(np.concatenate(chosen))
    return rows[np.lexsort((rows, -total[rows]))]
