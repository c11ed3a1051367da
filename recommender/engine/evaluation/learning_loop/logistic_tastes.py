"""A low-rank logistic model of yes-or-no answers of people to songs.

    logit P(yes) = design . global + appeal_t + offset_u + taste_u . loading_t,
    appeal_t ~ N(0, v_a),  offset_u ~ N(0, v_o),  taste_u ~ N(0, I),  loading_t ~ N(0, v_l I)

It is fitted by variational inference with the quadratic bound of the logistic function (Jaakkola & Jordan 2000,
"Bayesian parameter estimation via variational methods"). People and songs take turns. v_a and v_o are learned
(empirical Bayes); v_l is not, because the bound would shrink all loadings to nothing. Without dimensions it is a Rasch
model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import expit

from recommender.engine.data.arrays import IntArray

Doubles = NDArray[np.float64]
SMALLEST_VARIANCE = 1e-3


@dataclass(frozen=True)
class TasteConfig:
    """dimensions: of a taste; loading_variance: v_l; rounds: of the fit.

    Chosen on one half of the people of `rated-at-random.csv` (benchmarks, learning_loop), fitted on four fifths of them
    and checked on the rest.
    """

    dimensions: int = 4
    loading_variance: float = 0.8
    rounds: int = 40


class Answers(NamedTuple):
    """m answers. person, row: int32[m]; yes: float64[m], 1 or 0; design: float64[m, q], what all people share."""

    person: IntArray
    row: IntArray
    yes: Doubles
    design: Doubles


class Taste(NamedTuple):
    """The posterior of a person's taste and offset: mean float64[d + 1], covariance float64[d + 1, d + 1]."""

    mean: Doubles
    covariance: Doubles

    def draw(self, rng: np.random.Generator, number: int) -> Doubles:
        """Return float64[number, d + 1] draws."""
        lower = np.linalg.cholesky(self.covariance)
        return np.asarray(self.mean + rng.standard_normal((number, len(self.mean))) @ lower.T)


@dataclass(frozen=True, eq=False)
class LogisticTastes:
    """A fitted model. coefficients: float64[q], of the design; songs: the songs' sides; offset_variance: of people."""

    coefficients: Doubles
    songs: _Side
    offset_variance: float

    @classmethod
    def fit(cls, answers: Answers, n_people: int, n_tracks: int, config: TasteConfig, rng: np.random.Generator) -> Self:
        """Fit the answers of `n_people` to `n_tracks` songs."""
        dimensions = config.dimensions
        loadings = rng.normal(0.0, np.sqrt(config.loading_variance), (n_tracks, dimensions))
        songs = _Side.start(loadings, fixed=dimensions + 1)
        people = _Side.start(np.zeros((n_people, dimensions)), fixed=dimensions)
        coefficients = np.zeros(answers.design.shape[1])
        variances = np.append(np.full(dimensions, config.loading_variance), 1.0)
        offset_variance = 1.0
        by_person, by_song = (answers.person, answers.row), (answers.row, answers.person)
        for _round in range(config.rounds):
            curve = _Curve.of(answers, coefficients, people, songs)
            people = _posterior(people, songs, by_person, curve, np.append(np.ones(dimensions), offset_variance))
            curve = _Curve.of(answers, coefficients, people, songs)
            songs = _posterior(songs, people, by_song, curve, variances)
            curve = _Curve.of(answers, coefficients, people, songs)
            coefficients = curve.coefficients(answers, people, songs)
            offset_variance = float(max(people.free_moments(answers.person)[-1], SMALLEST_VARIANCE))
            variances[-1] = max(songs.free_moments(answers.row)[-1], SMALLEST_VARIANCE)
        return cls(coefficients, songs, offset_variance)

    def taste(self, rows: IntArray, yes: Doubles, design: Doubles, rounds: int = 8) -> Taste:
        """Return the posterior of a person who answered the distinct `rows` like this; the prior without any."""
        dimensions = self.songs.mean.shape[1] - 2
        answers = Answers(np.zeros(len(rows), dtype=np.int32), rows, yes, design)
        person = _Side.start(np.zeros((1, dimensions)), fixed=dimensions)
        variances = np.append(np.ones(dimensions), self.offset_variance)
        for _round in range(rounds):
            curve = _Curve.of(answers, self.coefficients, person, self.songs)
            person = _posterior(person, self.songs, (answers.person, answers.row), curve, variances)
        return Taste(person.mean[0, person.free], person.covariance()[0])

    def chances(self, rows: IntArray, tastes: Doubles, design: Doubles) -> Doubles:
        """Return P(yes) of r rows for each of `tastes` (float64[s, d + 1]): float64[s, r]; design: float64[r, q]."""
        song = self.songs.mean[rows]
        logit = tastes[:, :-1] @ song[:, :-2].T + tastes[:, -1:] + song[:, -2] + design @ self.coefficients
        return np.asarray(expit(logit))


@dataclass(frozen=True, eq=False)
class _Side:
    """Posterior of people or songs as vectors (taste, appeal, offset), float64[n, d + 2], whose products are logits.

    fixed: the position that is always 1: of people that of the appeal, of songs that of the offset. second: moments
    E[v v'], float64[n, d + 2, d + 2].
    """

    mean: Doubles
    second: Doubles
    fixed: int

    @classmethod
    def start(cls, tastes: Doubles, fixed: int) -> Self:
        mean = np.column_stack([tastes, np.zeros((len(tastes), 2))])
        mean[:, fixed] = 1.0
        return cls(mean, mean[:, :, None] * mean[:, None, :], fixed)

    @property
    def free(self) -> NDArray[np.int64]:
        return np.setdiff1d(np.arange(self.mean.shape[1]), [self.fixed])

    def free_moments(self, rows: IntArray) -> Doubles:
        """Return the mean second moment of each free position over the distinct `rows`, float64[d + 1]."""
        return np.asarray(self.second[np.unique(rows)][:, self.free, self.free].mean(axis=0))

    def covariance(self) -> Doubles:
        """Return the covariances of the free positions, float64[n, d + 1, d + 1]."""
        mean = self.mean[:, self.free]
        return np.asarray(self.second[:, self.free][:, :, self.free] - mean[:, :, None] * mean[:, None, :])


class _Curve(NamedTuple):
    """The bound of each answer: weight: float64[m], twice lambda(xi); target: (yes - 1/2) less weight times base."""

    weight: Doubles
    target: Doubles

    @classmethod
    def of(cls, answers: Answers, coefficients: Doubles, people: _Side, songs: _Side) -> Self:
        base = answers.design @ coefficients
        product = np.einsum("mi,mi->m", people.mean[answers.person], songs.mean[answers.row])
        square = np.einsum("mij,mij->m", people.second[answers.person], songs.second[answers.row])
        xi = np.sqrt(np.maximum(base**2 + 2.0 * base * product + square, 1e-8))
        weight = np.tanh(xi / 2.0) / (2.0 * xi)
        return cls(weight, answers.yes - 0.5 - weight * base)

    def coefficients(self, answers: Answers, people: _Side, songs: _Side) -> Doubles:
        """Return the coefficients of the design that maximise the bound."""
        product = np.einsum("mi,mi->m", people.mean[answers.person], songs.mean[answers.row])
        weighted = answers.design * self.weight[:, None]
        rhs = answers.design.T @ (answers.yes - 0.5 - self.weight * product)
        ridge = 1e-6 * np.eye(answers.design.shape[1])
        return np.asarray(np.linalg.solve(weighted.T @ answers.design + ridge, rhs))


def _posterior(
    side: _Side, other: _Side, owners: tuple[IntArray, IntArray], curve: _Curve, variances: Doubles
) -> _Side:
    """Return the posterior of a side; owners: who of it and who of the other each answer is about."""
    n, size = side.mean.shape
    free, shape = side.free, (n, len(other.mean))
    weights, targets = (sp.csr_array((values, owners), shape=shape) for values in curve)
    products = np.asarray(weights @ other.second.reshape(len(other.mean), -1)).reshape(n, size, size)
    rhs = np.asarray(targets @ other.mean)[:, free] - products[:, free, side.fixed]
    precision = products[:, free][:, :, free] + np.diag(1.0 / variances)
    covariance = np.linalg.inv(precision)
    mean, second = np.ones((n, size)), np.empty((n, size, size))
    mean[:, free] = np.einsum("nij,nj->ni", covariance, rhs)
    second[:] = mean[:, :, None] * mean[:, None, :]
    second[np.ix_(np.arange(n), free, free)] += covariance
    return _Side(mean, second, side.fixed)
