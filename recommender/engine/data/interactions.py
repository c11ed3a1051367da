"""The interactions of all listeners with the tracks of a catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, as_int32
from recommender.engine.data.catalogue import Catalogue
from recommender.engine.data.checks import check_array, check_range, require

NO_REGION = -1


@dataclass(frozen=True, eq=False)
class Interactions:
    """The interactions that a model is fitted on; m observations by `len(region)` listeners.

    listener: int32[m]; row: int32[m]; weight: float32[m], positive = liked or heard (for instance the number of plays),
    negative = disliked; region: int32[number of listeners], -1 = unknown. Raise InvalidDataError.
    """

    listener: IntArray
    row: IntArray
    weight: FloatArray
    region: IntArray

    def __post_init__(self) -> None:
        require(isinstance(self.listener, np.ndarray), "listener: expected a numpy array")
        m = len(self.listener)
        check_array("listener", self.listener, np.int32, (m,))
        check_array("row", self.row, np.int32, (m,))
        check_array("weight", self.weight, np.float32, (m,))
        require(bool(np.all(np.isfinite(self.weight))), "weight: must be finite")
        check_array("region", self.region, np.int32, (len(self.region),))
        check_range("listener", self.listener, 0, len(self.region))
        check_range("row", self.row, 0, np.iinfo(np.int32).max)

    @classmethod
    def empty(cls) -> Self:
        """Return interactions without any listener."""
        none = np.empty(0, dtype=np.int32)
        return cls(listener=none, row=none, weight=np.empty(0, dtype=np.float32), region=none)

    @property
    def n_listeners(self) -> int:
        return len(self.region)

    def check_against(self, catalogue: Catalogue) -> None:
        """Raise InvalidDataError if a row lies outside `catalogue`."""
        check_range("row", self.row, 0, catalogue.n_tracks)

    def of_listeners(self, keep: BoolArray) -> Interactions:
        """Return the observations of the listeners flagged in `keep` (bool[n_listeners]), renumbered from 0."""
        number = np.cumsum(keep, dtype=np.int32) - np.int32(1)
        entries = keep[self.listener]
        return Interactions(
            listener=as_int32(number[self.listener[entries]]),
            row=self.row[entries],
            weight=self.weight[entries],
            region=self.region[keep],
        )
