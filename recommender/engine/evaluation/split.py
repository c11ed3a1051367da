"""Splits the listeners into training and test, and the tracks of a test listener into observed and held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.engine.data import Interactions
from recommender.engine.data.arrays import IntArray
from recommender.engine.errors import InvalidDataError
from recommender.engine.ranking.training import liked_lists

TEST_SHARE = 0.2
REVEALS = ("1", "5", "20", "80%")
"""How much is observed where nothing else is asked for."""


@dataclass(frozen=True)
class Reveal:
    """How much of a test listener's list is observed: a number of tracks ("5") or a share ("80%")."""

    label: str

    def __post_init__(self) -> None:
        number = self.label.removesuffix("%")
        if not number.isascii() or not number.isdigit() or int(number) < 1:
            raise InvalidDataError(f"reveal: {self.label!r} is neither a positive number nor a percentage")
        if self.label.endswith("%") and int(number) >= 100:
            raise InvalidDataError(f"reveal: {self.label!r} leaves nothing to be found")

    def count(self, size: int) -> int:
        """Return the number of observed tracks of a list of `size`; a share is rounded to the nearest number."""
        if self.label.endswith("%"):
            return round(size * int(self.label[:-1]) / 100)
        return int(self.label)


@dataclass(frozen=True, eq=False)
class EvaluationQuery:
    """One test listener: the rows that a scorer observes, and those held out to be found; int32, none in both."""

    observed: IntArray
    held_out: IntArray


@dataclass(frozen=True, eq=False)
class Split:
    """Training interactions, and each test listener's distinct liked rows in a random order."""

    training: Interactions
    test: tuple[IntArray, ...]


def split_listeners(interactions: Interactions, rng: np.random.Generator, share: float = TEST_SHARE) -> Split:
    """Split off a share of the listeners for testing. Of these only rows with positive weight count."""
    is_test = np.zeros(interactions.n_listeners, dtype=np.bool_)
    is_test[rng.permutation(interactions.n_listeners)[: round(interactions.n_listeners * share)]] = True
    lists = liked_lists(interactions.of_listeners(is_test))
    return Split(interactions.of_listeners(~is_test), tuple(rng.permutation(rows) for rows in lists))


def queries(split: Split, reveal: Reveal) -> list[EvaluationQuery]:
    """Return the queries at one amount, of listeners with something observed and something held out."""
    counted = ((rows, reveal.count(len(rows))) for rows in split.test)
    return [EvaluationQuery(rows[:count], rows[count:]) for rows, count in counted if 0 < count < len(rows)]
