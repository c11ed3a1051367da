"""What every term of a recommendation offers. A new term is one module with one class that satisfies `Term`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, Self, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from recommender.engine.arrays import AnyArray, BoolArray, FloatArray, IntArray, Sparse, top_rows
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.listener import Listener

Progress: TypeAlias = Callable[[str, float], None]
CauseKind: TypeAlias = Literal["track", "artist", "genre", "region", "listeners", "catalogue"]


def no_progress(step: str, share: float) -> None:
    """A progress callback that does nothing. `step` names what is done, `share` is 0..1."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing about the listener (or the world) that raised or lowered a term.

    kind and index: a track row, artist index, genre index or region code; index is -1 for `listeners` (what all
    listeners play) and `catalogue` (its own popularity figure). value: signed, in units of the term's score.
    tracks: rows of the listener's own tracks behind an artist or genre, strongest first; empty if it was stated.
    """

    kind: CauseKind
    index: int
    value: float
    tracks: tuple[int, ...] = ()


class Term(Protocol):
    """One named summand of a recommendation.

    A fitted term is immutable. `score` is linear in its causes: for each row, the values of all causes that `explain`
    gives add up to the score (tested for all terms). Unknown is neutral: a track or a listener of whom the term knows
    nothing gets the value that stands for "no opinion".
    """

    name: ClassVar[str]
    heavy_tailed: ClassVar[bool]
    """Whether the blend should take the signed square root before standardising."""
    needs_listeners: ClassVar[bool]
    """Whether the term says nothing without other listeners; such terms are left out of the `content` blend."""

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        """Learn the catalogue side; nothing per listener is kept."""

    def score(self, listener: Listener) -> FloatArray:
        """Opinion on every track: a new float32[n] that the caller may overwrite; higher is better."""

    def explain(self, listener: Listener, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        """Causes of the scores of `rows`, one list per row.

        Without a limit all of them, in any order; with one, the `limit` that raised the score most, strongest first.
        """

    def arrays(self) -> Mapping[str, AnyArray]:
        """What has to be stored; the keys are file names without suffix."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> Self:
        """The inverse of `arrays`, without copying (they may be memory-mapped). Raises KeyError if one is missing."""


@dataclass(frozen=True, eq=False)
class Opinions:
    """What a term says of a few of n tracks: float32[m] values of distinct rows int32[m]; of every other it says 0."""

    rows: IntArray
    values: FloatArray
    n_tracks: int

    def of_all(self) -> FloatArray:
        """The same of every track, float32[n]."""
        scores = np.zeros(self.n_tracks, dtype=np.float32)
        scores[self.rows] = self.values
        return scores


class SparseTerm(ABC):
    """A term that is silent about most tracks, so that nobody has to go through them all."""

    name: ClassVar[str]
    heavy_tailed: ClassVar[bool]

    @abstractmethod
    def opinions(self, listener: Listener) -> Opinions:
        """What `score` says, where it says anything; the caller may overwrite it."""

    def score(self, listener: Listener) -> FloatArray:
        """See `Term`."""
        return self.opinions(listener).of_all()


class LinearTerm(ABC):
    """A term whose score is a product: score[t] = coordinates of t . direction of the listener, of d dimensions.

    So a few tracks can be scored without the others, and the mean and deviation over all of them follow from moments
    of the coordinates that no listener changes.
    """

    @abstractmethod
    def direction(self, listener: Listener) -> FloatArray:
        """What the listener makes of the term: float32[d]."""

    @abstractmethod
    def coordinates(self, rows: IntArray) -> FloatArray | Sparse:
        """What the term knows of some tracks: len(rows) x d."""

    def basis(self, limit: int) -> FloatArray | None:
        """Orthonormal directions float32[d, at most about `limit`] that hold most of every score; None: all d."""
        return None

    def groups(self) -> IntArray | None:
        """Numbers int32[n], equal only where the coordinates are; None where hardly any are."""
        return None

    def kinds(self) -> Sequence[Listener] | None:
        """Listeners of whom one has the direction of any other there can be; None where such are not few."""
        return None

    @abstractmethod
    def score(self, listener: Listener) -> FloatArray:
        """See `Term`."""


@dataclass(frozen=True, eq=False)
class Change:
    """What is new since a model was fitted. old_rows: int32[n], each track's row in the model, -1 if it is new.

    touched: bool[n], tracks whose number of listeners is another now.
    """

    old_rows: IntArray
    touched: BoolArray


@runtime_checkable
class Updatable(Protocol):
    """A term that can be brought up to date for what has changed, cheaper than by a fit."""

    def updated(
        self,
        change: Change,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
    ) -> Self:
        """The term for `catalogue` and all `interactions`, old and new."""


Valued: TypeAlias = tuple[int, float]
"""The index of a possible cause, and its value."""


def strongest(values: list[Valued], limit: int | None) -> list[Valued]:
    """All values if there is no limit, else the `limit` largest positive ones, largest first, ties by index."""
    if limit is None:
        return values
    return sorted((pair for pair in values if pair[1] > 0), key=lambda pair: (-pair[1], pair[0]))[:limit]


def track_causes(tracks: IntArray, values: FloatArray, limit: int | None) -> list[list[Cause]]:
    """Causes of a term that sums over the listener's tracks: values[i, j] is what tracks[j] did for the i-th row."""
    return [
        [Cause("track", int(tracks[j]), float(line[j])) for j in places]
        for line, places in zip(values, _leading(values, limit), strict=True)
    ]


def _leading(values: FloatArray, limit: int | None) -> list[NDArray[np.intp]]:
    """For each line, the places of all values that are not 0 if there is no limit, else of the `limit` largest positive
    ones, largest first, ties by place.
    """
    if limit is None or not values.size:
        return [np.flatnonzero(line) for line in values]
    left, lines = np.array(values), np.arange(len(values))
    places = np.empty((len(values), min(limit, values.shape[1])), dtype=np.intp)
    # A few passes over thousands of songs that say something: sorting them would take longer.
    for column in range(places.shape[1]):
        places[:, column] = left.argmax(axis=1)
        left[lines, places[:, column]] = -np.inf
    positive = values[lines[:, None], places] > 0
    return [line[:many] for line, many in zip(places, positive.sum(axis=1), strict=True)]


def strongest_tracks(rows: IntArray, weights: FloatArray, limit: int = 3) -> tuple[int, ...]:
    """The `limit` of increasing `rows` with the largest absolute weight, strongest first, ties by row."""
    if len(rows) == 1:
        return (int(rows[0]),)
    return tuple(rows[top_rows(np.abs(weights), limit)].tolist())
