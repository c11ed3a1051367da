"""Logistic matrix factorisation of likes and dislikes, in log-odds.

    eta_ut = a_t + w_t . x_u,    P(u likes t) = sigmoid(eta_ut),    x_u ~ N(0, I),    w_tk ~ N(0, s_k^2)

An answer restricts eta to an interval, up to logistic noise: a plain yes is (0, inf), a plain no (-inf, 0), a graded
answer a narrower interval (the proportional-odds model, McCullagh 1980, "Regression Models for Ordinal Data"). An
unanswered song counts as a no of weight `silence`. (For the binary case: Collins, Dasgupta & Schapire 2001, "A
Generalization of Principal Component Analysis to the Exponential Family"; Johnson 2014, "Logistic Matrix Factorization
for Implicit Feedback Data".)

The fit is expectation maximisation with a normal approximation of each listener's x about its mode (Laplace): Newton
steps of the listeners and of the songs alternate, and the posterior covariance S_u of x enters the songs' step, which
would otherwise treat the modes as certain. The deviations s_k are learned as well (empirical Bayes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.special import expit, logit

from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, Sparse, as_float32, weighted_gram

CHUNK = 500
"""Listeners whose answers are made dense at a time."""
NEWTON_STEPS, LEAST_MOVE, LEAST_GAIN = 30, 1e-5, 1e-10
PRIOR_ANSWERS = 10.0
"""Pseudo-answers of average kind that every song gets, so that one like is no share of 1."""
START_ANSWERS = 20.0
"""Answers two songs must share before their covariance counts half at the start."""
LARGEST_DEVIATION = 0.8
LARGEST_BOUND = 8.0
"""Largest bound of a strong answer, in log-odds."""
MANY_ANSWERS = 200_000
"""Sample of answers from which the bounds of strong answers are estimated."""


@dataclass(frozen=True, eq=False)
class Scale:
    """The intervals of eta that graded answers stand for.

    An answer is a whole number: 1 = a strong no, 2 = no, 3 = yes, 4 = a strong yes. bounds: increasing, -inf, between 1
    and 2, 0, between 3 and 4, inf.
    """

    bounds: tuple[float, float, float, float, float] = (-np.inf, 0.0, 0.0, 0.0, np.inf)

    def interval(self, answer: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the lower and upper bound of eta for each answer, float32[m] each."""
        bounds = as_float32(self.bounds)
        return bounds[answer - 1], bounds[answer]

    @classmethod
    def learned(cls, eta: FloatArray, answer: IntArray) -> Self:
        """Return bounds that predict the observed numbers of strong yeses and noes.

        They are 0 if all answers are strong and LARGEST_BOUND if none is; either gives the model of plain answers.
        """
        yes = answer >= YES
        strong_yes = _bound(eta[yes], float((answer[yes] == STRONG_YES).sum()))
        strong_no = _bound(-eta[~yes], float((answer[~yes] == STRONG_NO).sum()))
        return cls((-np.inf, -strong_no, 0.0, strong_yes, np.inf))


STRONG_NO, NO, YES, STRONG_YES = 1, 2, 3, 4


def sigmoid(values: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x)) of float32, in a quarter of the time of scipy's `expit`."""
    with np.errstate(over="ignore"):
        chance = np.exp(-values)
    chance += np.float32(1.0)
    return np.reciprocal(chance, out=chance)


def _bound(eta: FloatArray, strong: float) -> float:
    """Return by bisection the bound >= 0 beyond which `strong` of the answers with eta > 0 are expected."""
    low, high = 0.0, LARGEST_BOUND
    chance = sigmoid(eta)
    for _step in range(30):
        middle = 0.5 * (low + high)
        expected = float((sigmoid(eta - np.float32(middle)) / chance).sum())
        low, high = (middle, high) if expected > strong else (low, middle)
    return 0.0 if low < 1e-6 else high


@dataclass(frozen=True, eq=False)
class LogisticFactors:
    """Factors of m songs, for standard normal user factors.

    songs: float32[m, d + 1], w and a of each; deviations: float32[d], of loadings along each direction; scale: of the
    answers.
    """

    songs: FloatArray
    deviations: FloatArray
    scale: Scale


def fit_item_factors(answers: Sparse, silence: float, directions: int, rounds: int) -> LogisticFactors:
    """Fit answers (see `Scale`), listeners x m. There are at most as many directions as songs.

    O(rounds x listeners x m x d^2); memory for CHUNK of the listeners and for m x m.
    """
    prior = SongPrior.of(answers, silence)
    songs = _initial_loadings(answers, silence, prior, directions)
    tastes = np.zeros((answers.shape[0], songs.shape[1] - 1), dtype=np.float32)
    deviations = np.full(songs.shape[1] - 1, LARGEST_DEVIATION, dtype=np.float32)
    # Bounds of 0 would force eta of every plain answer to 0.
    scale = Scale.learned(*_some_etas(answers, songs, tastes))
    for number in range(rounds):
        tastes, sums = _expect(answers, silence, scale, songs, tastes, steps=2 if number == 0 else 1)
        scale = Scale.learned(*_some_etas(answers, songs, tastes))
        songs, doubt = _maximise(songs, sums, prior, deviations)
        if number:
            spread = np.sqrt((np.square(songs[:, :-1]) + doubt).mean(axis=0))
            deviations = np.minimum(spread, np.float32(LARGEST_DEVIATION))
        songs, tastes = _standardised(songs, tastes, as_float32(sums.spread / len(tastes)))
    return LogisticFactors(songs, deviations, scale)


def fit_user_factors(answers: Sparse, silence: float, learned: LogisticFactors) -> FloatArray:
    """Return the most probable x of each listener, float32[listeners, d], given w and a of the songs."""
    tastes, by_song = np.zeros((answers.shape[0], len(learned.deviations)), np.float32), _pairs(learned.songs[:, :-1])
    for low in range(0, len(tastes), CHUNK):
        chunk = slice(low, low + CHUNK)
        tastes[chunk] = _map_factors(
            answers[chunk], silence, learned.scale, learned.songs, by_song, tastes[chunk], steps=5
        )
    return tastes


def _some_etas(answers: Sparse, songs: FloatArray, tastes: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return eta of about MANY_ANSWERS entries, float32[m], and the answers."""
    step = max(answers.nnz // MANY_ANSWERS, 1)
    rows, columns = (part[::step] for part in _entries(answers))
    eta = np.einsum("md,md->m", tastes[rows], songs[columns, :-1]) + songs[columns, -1]
    return as_float32(eta), answers.data[::step].astype(np.int32)


@dataclass(frozen=True, eq=False)
class SongPrior:
    """The prior of a song. centre: log-odds of a like; ridge: its precision."""

    share: FloatArray
    centre: float
    ridge: float

    @classmethod
    def of(cls, answers: Sparse, silence: float) -> Self:
        """Estimate the prior; share: float32[m], likes among the answers of each song, shrunk towards that of all."""
        listeners, m = answers.shape
        likes = np.bincount(answers.indices[answers.data >= YES], minlength=m).astype(np.float64)
        weight = np.bincount(answers.indices, minlength=m) * (1.0 - silence) + silence * listeners
        # Half a like more keeps the share above 0 if nothing is liked.
        mean = float((likes.sum() + 0.5) / (weight.sum() + 1.0))
        share = (likes + PRIOR_ANSWERS * mean) / (weight + PRIOR_ANSWERS)
        return cls(as_float32(share), float(logit(mean)), max(PRIOR_ANSWERS * mean * (1.0 - mean), 1e-3))


def _initial_loadings(answers: Sparse, silence: float, prior: SongPrior, directions: int) -> FloatArray:
    """Return principal components of the answers less each song's share: float32[m, at most `directions` + 1]."""
    listeners, m = answers.shape
    products, together = np.zeros((m, m), dtype=np.float32), np.zeros((m, m), dtype=np.float32)
    for low in range(0, listeners, CHUNK):
        chunk = answers[low : low + CHUNK]
        answered = as_float32(chunk.toarray())
        weight = np.where(answered > 0, np.float32(1.0), np.float32(silence))
        away = weight * ((answered >= YES) - prior.share)
        products += away.T @ away
        together += weight.T @ weight
    covariance = products / (together + np.float32(START_ANSWERS))
    np.fill_diagonal(covariance, 0.0)
    first = max(m - directions, 0)
    values, vectors = scipy.linalg.eigh(covariance.astype(np.float64), subset_by_index=(first, m - 1))
    slopes = (vectors * np.sqrt(np.maximum(values, 0.0)))[:, ::-1]
    # The slope of the sigmoid at its offset is p (1 - p).
    steepness = (prior.share * (1.0 - prior.share))[:, None]
    return as_float32(np.column_stack([slopes / steepness, logit(prior.share)]))


def _entries(chunk: Sparse) -> tuple[IntArray, IntArray]:
    return np.repeat(np.arange(chunk.shape[0], dtype=np.int32), np.diff(chunk.indptr)), chunk.indices


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over listeners for the songs' step. slope: float32[m, d + 1]; curve: float32[m, pairs of d + 1],
    of the log-likelihood at the modes; doubt: float32[m, pairs of d], what the spread of x adds; spread: float32[d, d].
    """

    slope: FloatArray
    curve: FloatArray
    doubt: FloatArray
    spread: FloatArray


def _expect(
    answers: Sparse, silence: float, scale: Scale, songs: FloatArray, tastes: FloatArray, steps: int
) -> tuple[FloatArray, Sums]:
    """Return the modes of the user factors after some Newton steps, and the sums for the songs' step."""
    m, d = len(songs), songs.shape[1] - 1
    moved, by_song, ridge = np.empty_like(tastes), _pairs(songs[:, :-1]), np.ones(d, dtype=np.float32)
    slope, curve = np.zeros_like(songs), np.zeros((m, (d + 1) * (d + 2) // 2), dtype=np.float32)
    doubt, spread = np.zeros_like(by_song), np.zeros((d, d), dtype=np.float32)
    for low in range(0, len(tastes), CHUNK):
        chunk, at = answers[low : low + CHUNK], tastes[low : low + CHUNK]
        at = _map_factors(chunk, silence, scale, songs, by_song, at, steps)
        moved[low : low + CHUNK] = at
        rise, bend = _residuals(chunk, at, songs, silence, scale)
        with_offset = np.column_stack([at, np.ones(len(at), dtype=np.float32)])
        slope += rise.T @ with_offset
        curve += bend.T @ _pairs(with_offset)
        covariance = np.linalg.inv(_full(bend @ by_song, d) + np.diag(ridge))
        doubt += bend.T @ _packed(covariance)
        spread += covariance.sum(axis=0)
    return moved, Sums(slope, curve, doubt, spread)


def _map_factors(
    chunk: Sparse, silence: float, scale: Scale, songs: FloatArray, by_song: FloatArray, at: FloatArray, steps: int
) -> FloatArray:
    """Return the user factors of some listeners after Newton steps; by_song: `_pairs` of the songs' loadings."""
    ridge = np.ones(at.shape[1], dtype=np.float32)
    for _step in range(steps):
        rise, bend = _residuals(chunk, at, songs, silence, scale)
        at = _newton_step(at, rise @ songs[:, :-1] - at, bend @ by_song, ridge)
    return at


def _residuals(
    chunk: Sparse, tastes: FloatArray, songs: FloatArray, silence: float, scale: Scale
) -> tuple[FloatArray, FloatArray]:
    """Return the first and the negated second derivative of the log-likelihood by eta, float32[c, m] each."""
    eta = as_float32(tastes @ songs[:, :-1].T)
    eta += songs[:, -1]
    chance = sigmoid(eta)
    rise = np.float32(-silence) * chance
    bend = np.multiply(chance, rise, out=chance)
    bend -= rise
    answered = _entries(chunk)
    rise[answered], bend[answered] = interval_derivatives(eta[answered], chunk.data.astype(np.int32), scale)
    return rise, bend


def interval_derivatives(eta: FloatArray, answer: IntArray, scale: Scale) -> tuple[FloatArray, FloatArray]:
    """Return the first and negated second derivative of log(sigmoid(eta - low) - sigmoid(eta - high)), float32[m]."""
    low, high = scale.interval(answer)
    below, above = sigmoid(eta - low), sigmoid(eta - high)
    return as_float32(1.0 - below - above), as_float32(below * (1.0 - below) + above * (1.0 - above))


def _maximise(songs: FloatArray, sums: Sums, prior: SongPrior, deviations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the songs after a Newton step, and the posterior variance of each loading, float32[m, d]."""
    d = songs.shape[1] - 1
    doubt, curve = _full(sums.doubt, d), _full(sums.curve, d + 1)
    ridge = np.append(deviations ** np.float32(-2.0), np.float32(prior.ridge))
    curve[:, :d, :d] += doubt
    slope = sums.slope.copy()
    slope[:, :d] -= np.einsum("mij,mj->mi", doubt, songs[:, :d])
    centre = np.append(np.zeros(d, dtype=np.float32), np.float32(prior.centre))
    curve[:, np.arange(d + 1), np.arange(d + 1)] += ridge
    inverse = np.linalg.inv(curve)
    move = np.einsum("mij,mj->mi", inverse, slope - ridge * (songs - centre))
    return songs + _short(move), inverse[:, np.arange(d), np.arange(d)]


def _newton_step(at: FloatArray, slope: FloatArray, curve: FloatArray, ridge: FloatArray) -> FloatArray:
    """Return `at` (float32[n, d]) after a Newton step; curve: packed, without the prior's `ridge`."""
    full = _full(curve, at.shape[1]) + np.diag(ridge)
    return at + _short(np.linalg.solve(full, slope[:, :, None])[:, :, 0])


def _short(move: FloatArray) -> FloatArray:
    """Scale the steps so that no entry exceeds 1."""
    return as_float32(move / np.abs(move).max(axis=1, keepdims=True, initial=1.0))


def _pairs(vectors: FloatArray) -> FloatArray:
    """Return the pairwise products of the entries of each vector, float32[n, d (d + 1) / 2]."""
    first, second = np.triu_indices(vectors.shape[1])
    return vectors[:, first] * vectors[:, second]


def _packed(matrices: FloatArray) -> FloatArray:
    """Return the upper triangles of symmetric matrices float32[n, d, d], in the order of `_pairs`."""
    first, second = np.triu_indices(matrices.shape[1])
    return as_float32(matrices[:, first, second])


def _full(packed: FloatArray, d: int) -> FloatArray:
    """Return the inverse of `_packed`."""
    first, second = np.triu_indices(d)
    packed_index = np.empty((d, d), dtype=np.intp)
    packed_index[first, second] = packed_index[second, first] = np.arange(len(first))
    return packed.take(packed_index.ravel(), axis=1).reshape(len(packed), d, d)


def _standardised(songs: FloatArray, tastes: FloatArray, spread: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Reparametrise so that user factors have zero mean and identity covariance."""
    offset, loadings, mean = songs[:, -1], songs[:, :-1], tastes.mean(axis=0)
    covariance = np.cov(tastes.T).reshape(len(mean), -1) + spread
    root = np.linalg.cholesky(covariance + 1e-6 * np.eye(len(mean)))
    turned = np.column_stack([loadings @ root, offset + loadings @ mean])
    return as_float32(turned), as_float32(np.linalg.solve(root, (tastes - mean).T).T)


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
    counts: RatingCounts, listeners: int, silence: float, share: float, deviations: FloatArray, mean: FloatArray
) -> FloatArray:
    """Return w and a of songs with few answers, float32[m, d + 1], in closed form.

    share: of likes among all cells, by weight; mean: float32[m, d], expected of w. With p0 the song's share of
    likes, half a like of the usual kind added, the log-likelihood is taken to second order about eta = logit p0 over
    standard normal tastes of the many who have said nothing; for silence 1 and small p0 this is the Poisson limit
    w = (sum of likers' x + mean / s^2) / (likes + 1 / s^2), a = log p0 - |w|^2 / 2.
    """
    weight = counts.answers + silence * (listeners - counts.answers)
    p0 = ((counts.likes + 0.5) / (weight + 0.5 / share))[:, None]
    k = (1.0 - silence) * p0
    prior = deviations ** np.float32(-2.0)
    loadings = (1.0 - k) * counts.liked_sum - k * counts.disliked_sum + mean * prior
    loadings = loadings / (counts.likes[:, None] * (1.0 - p0) + prior)
    offset = logit(p0[:, 0]) - (0.5 - p0[:, 0]) * np.square(loadings).sum(axis=1)
    return as_float32(np.column_stack([loadings, offset]))


@dataclass(frozen=True, eq=False)
class GaussianPrior:
    """A normal distribution of x before a listener's answers. pull: float64[d], precision @ mean; precision: float64
    d x d.
    """

    pull: NDArray[np.float64]
    precision: NDArray[np.float64]

    def scaled(self, share: float) -> GaussianPrior:
        """Return the prior with its difference from N(0, I) scaled by `share`."""
        identity = np.eye(len(self.pull))
        return GaussianPrior(share * self.pull, identity + share * (self.precision - identity))

    def of_likes(self, likes: float, half: float) -> GaussianPrior:
        """Return the prior of a listener with so many likes; it is scaled by half after `half` likes.

        The more a listener likes, the more songs were available and not chosen. A dislike adds nothing: it would lower
        popular songs merely because one more song was answered.
        """
        return self.scaled(likes / (likes + half))

    @classmethod
    def from_unobserved(cls, songs: FloatArray, weight: float) -> Self:
        """Return N(0, I) updated with "none of these songs is liked" at this weight, to second order about x = 0."""
        offset, loadings = songs[:, -1], songs[:, :-1]
        chance = expit(offset)
        curve = weighted_gram(loadings, chance * (1.0 - chance)).astype(np.float64)
        silence = -(chance @ loadings).astype(np.float64)
        return cls(weight * silence, np.eye(loadings.shape[1]) + weight * curve)


def map_user_factor(
    belief: GaussianPrior, songs: FloatArray, liked: BoolArray, confidence: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the MAP estimate of x, float64[d], from m answers to songs of these w and a (float32[m, d + 1]).

    The mode of Bayesian logistic regression (Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, 3.4),
    found by Newton's method; liked: bool[m]; confidence: float64[m] >= 0, the weight of an answer.
    """
    loadings, offset = songs[:, :-1], songs[:, -1]

    def log_posterior(taste: NDArray[np.float64]) -> float:
        log_odds = offset + loadings @ taste
        answers = confidence @ (liked * log_odds - np.logaddexp(0.0, log_odds))
        return float(answers + (belief.pull - 0.5 * belief.precision @ taste) @ taste)

    taste = np.zeros(len(belief.pull))
    reached = log_posterior(taste)
    for _step in range(NEWTON_STEPS):
        chance = expit(offset + loadings @ taste)
        slope = loadings.T @ (confidence * (liked - chance)) + belief.pull - belief.precision @ taste
        curve = belief.precision + weighted_gram(loadings, as_float32(confidence * chance * (1.0 - chance)))
        move = np.linalg.solve(curve, slope)
        # A full step may overshoot the maximum.
        while (gained := log_posterior(taste + move) - reached) < 0.0 and np.abs(move).max() > LEAST_MOVE:
            move *= 0.5
        if gained > 0.0:
            taste, reached = taste + move, reached + gained
        if gained <= LEAST_GAIN:
            break
    return taste
