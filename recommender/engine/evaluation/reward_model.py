"""A reward predicted from features of the song and the listener, and how much a position alone earns.

The position-based model of clicks: the expected reward is the product of an exposure that depends on the position
alone and an attraction that depends on listener and song (Craswell, Zoeter, Taylor & Ramsey 2008, "An experimental
comparison of click position-bias models"). Both are fitted in turn. A listener's rewards are predicted by a model that
was fitted without that listener (cross-fitting: Chernozhukov et al. 2018, "Double/debiased machine learning").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.integer[Any]]
FOLDS = 2
ROUNDS = 5
"""Of fitting attraction and exposure in turn: the exposure moves by less than a thousandth after three."""
RIDGE = 1.0
"""Weight of the penalty on coefficients, in songs: enough to keep copies of a feature apart."""
PRIOR_REWARDS = 20.0
"""Expected rewards at a position that weigh as much as the curve through all positions."""
STEEPNESS = np.linspace(-0.5, 2.0, 101)
"""Exponents of the curve (1 + position) ** -a that are tried."""


@dataclass(frozen=True, eq=False)
class RewardModel:
    """coefficients: float64[folds, c + 1], the constant first; fold: int[l], of each listener; exposure: float64[k].

    The exposure is 1 on the mean of the songs shown; beyond its end it is that of the last position.
    """

    coefficients: NDArray[np.float64]
    fold: Integers
    exposure: NDArray[np.float64]

    def predict(
        self, features: NDArray[np.float64], owner: Integers, songs: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the expected rewards at mean exposure, float64[m], of rows float64[m, c] of listeners int[m].

        songs: float64[m], of how many songs a row is the sum; one each unless given.
        """
        constant = np.ones(len(features)) if songs is None else songs
        # By each fold's coefficients, which are few: a row of them for each song would be as large as the log.
        attraction = features @ self.coefficients[:, 1:].T
        fold = self.fold[owner]
        own = np.take_along_axis(attraction, fold[:, None], axis=1)[:, 0]
        return np.asarray(constant * self.coefficients[fold, 0] + own)

    def exposure_at(self, position: Integers) -> NDArray[np.float64]:
        """Return the exposure of positions, float64[m]."""
        return np.asarray(self.exposure[np.minimum(position, len(self.exposure) - 1)])


def fit_reward_model(
    features: NDArray[np.float64], position: Integers, reward: NDArray[np.float64], owner: Integers
) -> RewardModel:
    """Fit attraction and exposure in turn.

    features: float64[n, c]; position: int[n]; reward: float64[n]; owner: int[n], listeners 0..l-1, whose parity is
    their fold. Least squares with a ridge on all coefficients but the constant.
    """
    fold = np.arange(int(owner.max()) + 1) % FOLDS
    design = np.column_stack([np.ones(len(features)), features])
    n_positions = int(position.max()) + 1
    shown = np.bincount(position, minlength=n_positions).astype(np.float64)
    rewards = sums_by(position, reward, n_positions)
    model = RewardModel(np.zeros((FOLDS, design.shape[1])), fold, np.ones(n_positions))
    for _round in range(ROUNDS):
        exposure = model.exposure_at(position)
        coefficients = np.stack(
            [_least_squares(design, reward, exposure, fold[owner] != part) for part in range(FOLDS)]
        )
        model = RewardModel(coefficients, fold, model.exposure)
        expected = sums_by(position, np.maximum(model.predict(features, owner), 0.0), n_positions)
        exposure = _exposure(rewards, expected)
        model = RewardModel(coefficients, fold, exposure * shown.sum() / float(exposure @ shown))
    return model


def sums_by(owner: Integers, values: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Return the sum of values (float64[n]) of each owner (int[n], 0..number-1), float64[number]."""
    return np.bincount(owner, values, number).astype(np.float64)


def _exposure(rewards: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ratio of rewards to expected rewards by position, drawn to a power law where there are few.

    The exponent is the most likely one if rewards are Poisson counts; the ratio is then the posterior mean under a
    gamma prior around that curve. Both float64[k].
    """
    curves = (1.0 + np.arange(len(rewards))) ** -STEEPNESS[:, None]
    total = rewards.sum()
    if not total or not expected.sum():
        return np.ones(len(rewards))
    curves *= total / (curves @ expected)[:, None]
    curve = curves[np.argmax(np.log(curves) @ rewards)]
    return np.asarray((rewards + PRIOR_REWARDS * curve) / (expected + PRIOR_REWARDS))


def _least_squares(
    design: NDArray[np.float64],
    reward: NDArray[np.float64],
    exposure: NDArray[np.float64],
    is_used: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the coefficients of reward ~ exposure x (design @ coefficients) on some rows, float64[c]."""
    if not is_used.any():
        is_used = np.ones(len(design), dtype=np.bool_)
    rows = design[is_used]
    rows *= exposure[is_used, None]
    penalty = np.full(design.shape[1], RIDGE)
    penalty[0] = 1e-9
    return np.asarray(np.linalg.solve(rows.T @ rows + np.diag(penalty), rows.T @ reward[is_used]))
