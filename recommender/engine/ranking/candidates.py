"""Candidates: the few hundred tracks that the ranker orders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recommender.engine.data.arrays import BoolArray, IntArray, top_rows
from recommender.engine.ranking.blend import Scores
from recommender.engine.ranking.config import RankingConfig


def candidate_rows(scores: Scores, allowed: BoolArray, config: RankingConfig) -> IntArray:
    """Return the best allowed rows of the blend and of each single term, in the order of the blend: int32[c].

    The best of each term are candidates whatever the blend says. allowed: of each track that was scored.
    """
    best = [top_rows(scores.total, config.candidates, allowed)]
    best += [_best_of_term(scores, name, allowed, config.per_term) for name in scores.raw if scores.scales[name][1]]
    positions = np.unique(np.concatenate(best))
    return scores.rows_at(positions[np.lexsort((positions, -scores.total[positions]))])


def _best_of_term(scores: Scores, name: str, allowed: BoolArray, limit: int) -> IntArray:
    """Return the positions of one term's best tracks, as far as they score above its mean."""
    nonzero, raw, mean = scores.nonzero.get(name), scores.raw[name], np.float32(scores.scales[name][0])
    if nonzero is None or mean < 0:
        best = top_rows(raw, limit, allowed)
        return best[raw[best] > mean]
    # The term is 0 everywhere else, which is not above its mean.
    nonzero = np.sort(nonzero)
    values = raw[nonzero]
    return nonzero[top_rows(values, limit, allowed[nonzero] & (values > mean))]


def widened(config: RankingConfig, adventure: float) -> RankingConfig:
    """Return the configuration with more candidates: twice as many at adventure 1."""
    return replace(config, candidates=round(config.candidates * (1.0 + adventure)))
