"""Ridge regressions from the engine's numbers to audio features, and how far they err on songs they were not fitted on.

The engine's own energy, danceability, valence and acousticness are not on the scale of the catalogue's features: raw
they err more than the mean does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
COLUMNS = ("energy", "danceability", "valence", "acousticness")
MIN_PAIRS = 100
# Of the variance that a column must explain on songs it was not fitted on. At 100 sketches energy had .93, acousticness
# .82, danceability and valence less than nothing.
MIN_R2 = 0.3
# Of three (1, 10, 30) the best on sketches, by little.
_RIDGE = 10.0
_FOLDS = 5
_SEED = 0


@dataclass(frozen=True)
class Column:
    """A fitted column: ``weights`` of the standardised inputs, and its errors by cross-validation.

    error and mean_error: the mean absolute errors of the fit and of guessing the mean; r2: the share of the variance
    that the fit explains, below 0 where it is worse than the mean. low and high: the range of the known values.
    """

    pairs: int
    r2: float
    error: float
    mean_error: float
    low: float
    high: float
    intercept: float
    weights: dict[str, tuple[float, float, float]]

    @property
    def is_kept(self) -> bool:
        """Return whether the column may be filled."""
        return self.r2 >= MIN_R2 and self.error < self.mean_error

    def value(self, numbers: Mapping[str, float]) -> float | None:
        """Return the estimate for a recording; ``None`` where one of its numbers is missing."""
        if any(name not in numbers for name in self.weights):
            return None
        total = sum(w * (numbers[name] - mean) / scale for name, (w, mean, scale) in self.weights.items())
        return round(min(max(self.intercept + total, self.low), self.high), 4)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self)

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the column that ``as_dict`` wrote."""
        weights = {name: (float(w), float(mean), float(scale)) for name, (w, mean, scale) in values["weights"].items()}
        return cls(**{**values, "weights": weights})


def fit_columns(pairs: Sequence[tuple[Mapping[str, float], Mapping[str, float]]]) -> dict[str, Column]:
    """Return the columns that have enough ``pairs`` of a recording's numbers and its song's known features."""
    fits = {}
    for column in COLUMNS:
        known = [(numbers, float(features[column])) for numbers, features in pairs if column in features]
        if len(known) >= MIN_PAIRS:
            names = sorted(set.intersection(*(set(numbers) for numbers, _value in known)))
            inputs = np.array([[numbers[name] for name in names] for numbers, _value in known])
            fits[column] = _fit(names, inputs, np.array([value for _numbers, value in known]))
    return fits


def _fit(names: Sequence[str], inputs: Values, known: Values) -> Column:
    guesses, means = np.empty_like(known), np.empty_like(known)
    order = np.random.default_rng(_SEED).permutation(len(known))
    for fold in range(_FOLDS):
        test = order[fold::_FOLDS]
        train = np.setdiff1d(order, test)
        weights, center, scale, intercept = _solve(inputs[train], known[train])
        fitted = (inputs[test] - center) / scale @ weights + intercept
        guesses[test] = np.clip(fitted, known[train].min(), known[train].max())
        means[test] = intercept
    spread = float(((known - means) ** 2).sum())
    weights, center, scale, intercept = _solve(inputs, known)
    numbers = zip(weights.tolist(), center.tolist(), scale.tolist(), strict=True)
    return Column(
        pairs=len(known),
        r2=round(1 - float(((known - guesses) ** 2).sum()) / spread, 4) if spread else 0.0,
        error=round(float(np.abs(known - guesses).mean()), 4),
        mean_error=round(float(np.abs(known - means).mean()), 4),
        low=float(known.min()),
        high=float(known.max()),
        intercept=intercept,
        weights=dict(zip(names, numbers, strict=True)),
    )


def _solve(inputs: Values, known: Values) -> tuple[Values, Values, Values, float]:
    """Return the ridge's weights of standardised inputs, these inputs' means and scales, and the mean of ``known``."""
    center, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale[scale == 0] = 1.0
    scaled, intercept = (inputs - center) / scale, float(known.mean())
    weights = np.linalg.solve(scaled.T @ scaled + _RIDGE * np.eye(inputs.shape[1]), scaled.T @ (known - intercept))
    return weights, center, scale, intercept
