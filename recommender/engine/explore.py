"""Exploring on purpose: Thompson sampling over what is not known of a listener and of a song.

The listener is a vector in an embedding of the songs, and what has been heard leaves a Gaussian posterior of it,

    N(mean, Sigma),  Sigma = (ridge * I + Z' W Z)^-1

(Z: unit vectors of the songs heard, W: how much each observation says), as in Agrawal & Goyal, "Thompson Sampling for
Contextual Bandits with Linear Payoffs" (ICML 2013). A draw of the vector moves all songs of one direction together, and
most where the listener has heard least. A song that few have played is uncertain by itself: it gets a draw of its own.
The scores stand for the mean; the draw is scaled to the spread of the candidates' scores and by the adventure dial. A
song's own draw may have a mean as well, in proportion to its uncertainty: optimism in the face of uncertainty, as in
Auer, "Using Confidence Bounds for Exploitation-Exploration Trade-offs" (JMLR 2002).

A song's own draw counts as far as the best candidates are known (`own_uncertainty`). Where the page would be of known
songs, it brings up unknown ones. Where the best are unknown already, the page is new without it: it would be plain
noise on all candidates, which costs likes and finds nothing newer. There only the draw of the listener's taste is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from recommender.engine.arrays import BoolArray, FloatArray, IntArray, weighted_gram
from recommender.engine.config import ExploringConfig


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known about c candidates, best first, and a listener, for the posterior.

    vectors: float32[c, d], unit length or zero. heard: float32[m, d], likewise, of the listener's songs; weight:
    float32[m], how much each was observed, in likes (>= 0). rarity: float32[c] in 0..1, 1 for a song nobody has played.
    """

    vectors: FloatArray
    heard: FloatArray
    weight: FloatArray
    rarity: FloatArray

    @cached_property
    def observed(self) -> NDArray[np.float64]:
        """Z' W Z, float64[d, d]."""
        return weighted_gram(self.heard, self.weight).astype(np.float64)


def rarity(plays: FloatArray, half_known: float) -> FloatArray:
    """Deviation of a song's own appeal after so many plays, against none: sqrt(h / (h + plays)), float32[c].

    That of a Gaussian mean whose prior is worth `half_known` observations.
    """
    return np.asarray(np.sqrt(half_known / (half_known + plays)), dtype=np.float32)


def own_uncertainty(rare: FloatArray, best: int) -> FloatArray:
    """Deviation of each candidate's own draw, given the rarity of all, best first: float32[c].

    r * (1 - mean of r^2 over the first `best`). The factor is how much of their own variance plays have taken from the
    best candidates: 1 where all of these are well known, 0 where nobody has played any.
    """
    known = 1.0 - np.square(rare[:best], dtype=np.float64).mean() if len(rare) else 0.0
    return np.asarray(rare * np.float32(known), dtype=np.float32)


def listener_draws(evidence: Evidence, ridge: float, draws: int, rng: np.random.Generator) -> FloatArray:
    """Draws of the candidates' scores from the posterior, less its mean: float32[draws, c].

    Scaled so that a song in a direction of which nothing was heard has unit deviation, one heard often less. The draw
    is delta = L'^-1 e with Sigma^-1 = L L' and e standard normal.
    """
    precision = evidence.observed / ridge
    precision[np.diag_indices_from(precision)] += 1.0
    lower = np.linalg.cholesky(precision).astype(np.float32)
    normal = rng.standard_normal((len(lower), draws), dtype=np.float32)
    delta = solve_triangular(lower, normal, lower=True, trans="T", check_finite=False)
    return np.asarray(delta.T @ evidence.vectors.T, dtype=np.float32)


def score_draws(
    evidence: Evidence, settings: ExploringConfig, amplitude: float, rng: np.random.Generator
) -> FloatArray:
    """What to add to the candidates' scores, one line for each of `settings.draws`: float32[draws, c].

    All 0, and nothing drawn, for amplitude 0. amplitude: points of score that one deviation of an unknown direction is
    worth.
    """
    shape = settings.draws, len(evidence.rarity)
    if amplitude == 0.0:
        return np.zeros(shape, dtype=np.float32)
    total = rng.standard_normal(shape, dtype=np.float32)
    total *= np.float32(np.sqrt(settings.own))
    total += np.float32(settings.optimism)
    total *= own_uncertainty(evidence.rarity, settings.best)
    if settings.own < 1.0:
        total += np.float32(np.sqrt(1.0 - settings.own)) * listener_draws(evidence, settings.ridge, settings.draws, rng)
    total *= np.float32(amplitude)
    return total


def pool_size(base: int, adventure: float) -> int:
    """How many candidates to look at: up to twice as many at adventure 1."""
    return round(base * (1.0 + adventure))


def spread(scores: FloatArray) -> float:
    """Deviation of the candidates' scores, the unit of what exploring adds."""
    return float(scores.std(dtype=np.float64)) if len(scores) else 0.0


def propensities(pages: IntArray, n_candidates: int) -> NDArray[np.float64]:
    """Share of the drawn pages (int32[draws, k], negative = empty place) that hold each candidate: float64[c].

    A Monte Carlo estimate of the probability with which the policy shows it: at least 1 / draws for every song of a
    page that is among them, with a standard error of at most 0.5 / sqrt(draws).
    """
    shown = pages[pages >= 0]
    return np.bincount(shown, minlength=n_candidates) / len(pages)


def newly_found(page: IntArray, greedy: IntArray) -> BoolArray:
    """Which candidates of a page only exploring has put there: bool[k]."""
    return ~np.isin(page, greedy)
