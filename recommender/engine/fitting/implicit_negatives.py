"""The weight of an unanswered song as a negative, learned from held-out answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.engine.data.arrays import Sparse, as_float32, top_rows
from recommender.engine.data.interaction_matrix import column_counts
from recommender.engine.data.statistics import roc_auc
from recommender.engine.fitting.logistic import fit_item_factors
from recommender.engine.fitting.map_estimate import GaussianPrior, map_user_factor
from recommender.engine.fitting.ordinal import YES

HELD_OUT = 0.2
TUNING_LISTENERS = 1500
"""Listeners on whom the candidate weights are compared."""
LEAST_DISLIKES = 0.02
"""Share of dislikes and skips below which the answers are taken for lists of chosen songs."""
LEAST_DIFFERENCE = 0.003
"""Difference of AUC below which two weights are equally good; the larger one is chosen."""


@dataclass(frozen=True)
class PreferenceConfig:
    """The model of likes, dislikes and skips (`preference`).

    n_factors: dimensions of taste. n_iterations: of learning them. n_anchor_items: the most answered songs, from which
    they are learned. max_listeners: limit of the listeners that are learned from; the factors of the others follow.
    min_listeners: the term is silent with fewer.
    implicit_negative_weights: candidate weights of an unanswered song, as a share of a dislike; the best is chosen.
    half_likes: likes of a listener after which unanswered songs count half; half_skips: skips that halve them again.

    With `answers`, the term before this one, 12 or 20 dimensions and five iterations were within chance of 16, and 8 or
    32 found .2 likes less in sessions on HetRec (benchmarks/results/2026-11.md); 16 was taken over with it. Which of
    implicit_negative_weights holds is measured at each fit. That dislikes do not count towards half_likes was chosen on
    invented listeners who choose what they answer, where counting them cost .004 AUC at 5 and 10 answers. The other
    numbers are first choices, and no search for better ones is on record.
    """

    n_factors: int = 16
    n_iterations: int = 8
    n_anchor_items: int = 1000
    max_listeners: int = 5000
    min_listeners: int = 50
    implicit_negative_weights: tuple[float, ...] = (0.01, 0.1, 1.0)
    half_likes: float = 15.0
    half_skips: float = 10.0


def learn_implicit_negative_weight(answers: Sparse, settings: PreferenceConfig, rng: np.random.Generator) -> float:
    """Return the weight 0..1 of a song that was not answered, as a no, from `settings.implicit_negative_weights`.

    answers: listeners x n, entries as in `Scale`. If people answer songs that they chose, an unanswered song is a
    negative (1), because they like unchosen songs less. If the songs were put before them, it says almost nothing.
    """
    negative_share = float((answers.data < YES).mean()) if answers.nnz else 0.0
    if negative_share < LEAST_DISLIKES:
        return 1.0
    best = np.sort(top_rows(column_counts(answers), settings.n_anchor_items))
    some = rng.permutation(answers.shape[0])[:TUNING_LISTENERS]
    judged = round(len(some) * HELD_OUT)
    seen, unseen = answers[np.sort(some[judged:])][:, best], answers[some[:judged]][:, best]
    seed = int(rng.integers(2**63))
    quality = {
        candidate: _quality(seen, unseen, candidate, settings, seed) for candidate in settings.implicit_negative_weights
    }
    good = [candidate for candidate, auc in quality.items() if auc >= max(quality.values()) - LEAST_DIFFERENCE]
    return max(good)


def _quality(seen: Sparse, unseen: Sparse, candidate: float, settings: PreferenceConfig, seed: int) -> float:
    """Return the mean AUC of the held-out likes among all songs that were not revealed."""
    songs = fit_item_factors(seen, candidate, settings.n_factors, settings.n_iterations).songs
    prior, rng = GaussianPrior.from_unobserved(songs, candidate), np.random.default_rng(seed)
    values = []
    for listener in range(unseen.shape[0]):
        entries = slice(unseen.indptr[listener], unseen.indptr[listener + 1])
        order = rng.permutation(unseen.indptr[listener + 1] - unseen.indptr[listener])
        rows, liked = unseen.indices[entries][order], unseen.data[entries][order] >= YES
        revealed = len(rows) // 2
        wanted, judged = np.zeros(len(songs), dtype=np.bool_), np.ones(len(songs), dtype=np.bool_)
        wanted[rows[revealed:][liked[revealed:]]] = True
        judged[rows[:revealed]] = False
        if not revealed or not wanted.any() or wanted[judged].all():
            continue
        before = prior.of_likes(float(liked[:revealed].sum()), settings.half_likes)
        taste = map_user_factor(before, songs[rows[:revealed]], liked[:revealed], np.ones(revealed))
        scores = as_float32(songs[judged, -1] + songs[judged, :-1] @ taste)
        values.append(roc_auc(scores, wanted[judged]))
    return float(np.mean(values)) if values else 0.0
