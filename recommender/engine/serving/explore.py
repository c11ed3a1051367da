"""Exploration by Thompson sampling over what is unknown about a listener and about a song.

The listener is a vector in an embedding of the songs, with the Gaussian posterior

    N(mean, Sigma),  Sigma = (ridge * I + Z' W Z)^-1

(Z: unit vectors of the songs heard, W: the weight of each observation), as in Agrawal & Goyal, "Thompson Sampling for
Contextual Bandits with Linear Payoffs" (ICML 2013). A draw of the vector moves all songs of one direction together, and
most where the listener has heard least. A song with few listeners is uncertain in itself and gets a draw of its own.
The scores are the mean; the draw is scaled to the deviation of the candidates' scores and by the adventure dial.

Which of the two draws counts depends on how well the top candidates are known (`known_share`). Where the page would
consist of known songs, the songs' own draws bring up unknown ones, and a draw of the listener only costs likes. Where
the top candidates are unknown already, the page is new without the songs' own draws; they would be plain noise, which
costs likes and finds nothing newer, so only the listener's draw is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, weighted_gram
from recommender.engine.serving.config import ExploringConfig

HALF_KNOWN = 2.0
"""Listeners at which the variance of a song's own appeal is half of the prior one."""
NEGLIGIBLE = 0.05
"""Deviation, against an unknown song's own, below which the listener's draw is not worth its time."""


@dataclass(frozen=True, eq=False)
class PosteriorInputs:
    """What is known about c candidates, best first, and about a listener.

    vectors: float32[c, d], of unit length or zero. heard: float32[m, d], the same of the listener's songs; weight:
    float32[m], weight of each observation in likes (>= 0). rarity: float32[c] in 0..1, 1 for a song nobody has played.
    """

    vectors: FloatArray
    heard: FloatArray
    weight: FloatArray
    rarity: FloatArray

    def precision(self) -> NDArray[np.float64]:
        """Return Z' W Z, float64[d, d]."""
        return weighted_gram(self.heard, self.weight).astype(np.float64)


def rarity(listeners: FloatArray) -> FloatArray:
    """Return the deviation of a song's own appeal relative to a song without listeners, float32[c].

    It is sqrt(h / (h + listeners)), that of a Gaussian mean whose prior is worth h = HALF_KNOWN observations.
    """
    return np.asarray(np.sqrt(HALF_KNOWN / (HALF_KNOWN + listeners)), dtype=np.float32)


def known_share(rare: FloatArray, top_n: int) -> float:
    """Return how well the top candidates are known, 0..1, from the rarity of all, best first (float32[c]).

    It is 1 - mean of r^2 over the first `top_n`: the share of their own variance that listeners have removed. 1 where
    all of them are well known, 0 where nobody has played any.
    """
    return 1.0 - float(np.square(rare[:top_n], dtype=np.float64).mean()) if len(rare) else 0.0


def item_uncertainty(rare: FloatArray, known: float) -> FloatArray:
    """Return the deviation of each candidate's own draw, float32[c]; known: see `known_share`."""
    return np.asarray(rare * np.float32(known), dtype=np.float32)


def listener_draws(evidence: PosteriorInputs, ridge: float, draws: int, rng: np.random.Generator) -> FloatArray:
    """Return draws of the candidates' scores from the posterior, less its mean: float32[draws, c].

    A song in a direction of which nothing was heard has unit deviation, one that was heard often has less. The draw is
    delta = L'^-1 e with Sigma^-1 = L L' and e standard normal.
    """
    precision = evidence.precision() / ridge
    precision[np.diag_indices_from(precision)] += 1.0
    lower = np.linalg.cholesky(precision).astype(np.float32)
    normal = rng.standard_normal((len(lower), draws), dtype=np.float32)
    delta = solve_triangular(lower, normal, lower=True, trans="T", check_finite=False)
    return np.asarray(delta.T @ evidence.vectors.T, dtype=np.float32)


def score_draws(
    evidence: PosteriorInputs, settings: ExploringConfig, amplitude: float, rng: np.random.Generator
) -> FloatArray:
    """Return draws to add to the candidates' scores, float32[settings.n_samples, c].

    amplitude: score that one deviation of an unknown direction is worth; at 0 nothing is drawn and all draws are 0.
    """
    shape = settings.n_samples, len(evidence.rarity)
    if amplitude == 0.0:
        return np.zeros(shape, dtype=np.float32)
    total = rng.standard_normal(shape, dtype=np.float32)
    total *= np.float32(np.sqrt(settings.item_share))
    known = known_share(evidence.rarity, settings.top_n)
    total *= item_uncertainty(evidence.rarity, known)
    listener_share = np.sqrt((1.0 - settings.item_share) * (1.0 - known))
    if listener_share > NEGLIGIBLE:
        draws = listener_draws(evidence, settings.ridge, settings.n_samples, rng)
        total += np.float32(listener_share) * draws
    total *= np.float32(amplitude)
    return total


def propensities(pages: IntArray, n_candidates: int) -> NDArray[np.float64]:
    """Return the share of the drawn pages (int32[draws, k], negative = empty) that hold each candidate: float64[c].

    A Monte Carlo estimate of the probability with which the policy shows it: at least 1 / draws for every song of a
    page that is among them, with a standard error of at most 0.5 / sqrt(draws).
    """
    shown = pages[pages >= 0]
    return np.bincount(shown, minlength=n_candidates) / len(pages)


def explored_mask(page: IntArray, greedy: IntArray) -> BoolArray:
    """Return which candidates are on the page only because of exploration: bool[k]."""
    return ~np.isin(page, greedy)
