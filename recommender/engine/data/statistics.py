"""Statistics of scores that several stages need."""

from __future__ import annotations

import numpy as np

from recommender.engine.data.arrays import BoolArray, FloatArray


def roc_auc(scores: FloatArray, liked: BoolArray) -> float:
    """Return the area under the ROC curve: the share of (liked, other) pairs in which the liked track scores higher,
    ties counting half (Hanley & McNeil 1982). Raise ValueError unless there are both.
    """
    if liked.all() or not liked.any():
        raise ValueError("all or none are liked")
    others, mine = np.sort(scores[~liked]), scores[liked]
    wins = np.searchsorted(others, mine, "left") + np.searchsorted(others, mine, "right")
    return float(wins.mean() / (2 * len(others)))


def score_std(scores: FloatArray) -> float:
    """Return the standard deviation of the candidates' scores, the unit of exploration and penalties."""
    return float(scores.std(dtype=np.float64)) if len(scores) else 0.0
