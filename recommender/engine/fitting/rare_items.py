"""Item factors of songs with few answers, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from recommender.engine.data.arrays import FloatArray, as_float32


@dataclass(frozen=True, eq=False)
class RatingCounts:
    """Answers to m songs. likes, answers: float32[m], yeses and all; liked_sum, disliked_sum: float32[m, d], sums of
    the user factors of the listeners who said yes and no.
    """

    likes: FloatArray
    answers: FloatArray
    liked_sum: FloatArray
    disliked_sum: FloatArray


def closed_form_item_factors(
    counts: RatingCounts, listeners: int, unrated_weight: float, share: float, deviations: FloatArray, mean: FloatArray
) -> FloatArray:
    """Return w and a of songs with few answers, float32[m, d + 1], in closed form.

    share: of likes among all cells, by weight; mean: float32[m, d], expected of w. With p0 the song's share of
    likes, half a like of the usual kind added, the log-likelihood is taken to second order about eta = logit p0 over
    standard normal factors of the many who have not answered; for unrated_weight 1 and small p0 this is the Poisson
    limit w = (sum of likers' x + mean / s^2) / (likes + 1 / s^2), a = log p0 - |w|^2 / 2.
    """
    weight = counts.answers + unrated_weight * (listeners - counts.answers)
    p0 = ((counts.likes + 0.5) / (weight + 0.5 / share))[:, None]
    k = (1.0 - unrated_weight) * p0
    prior = deviations ** np.float32(-2.0)
    loadings = (1.0 - k) * counts.liked_sum - k * counts.disliked_sum + mean * prior
    loadings = loadings / (counts.likes[:, None] * (1.0 - p0) + prior)
    offset = logit(p0[:, 0]) - (0.5 - p0[:, 0]) * np.square(loadings).sum(axis=1)
    return as_float32(np.column_stack([loadings, offset]))
