"""`era`: from the years of your songs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from recommender.engine.arrays import IntArray, as_int32
from recommender.engine.config import EngineConfig
from recommender.engine.data import UNKNOWN, Catalogue
from recommender.engine.terms.levels import LevelTerm

FIRST_YEAR = 1900


class EraTerm(LevelTerm):
    """How near a track's year of release is to those of the listener's songs; what is older counts as of 1900."""

    name: ClassVar[str] = "era"
    LEVELS: ClassVar[int] = 200

    @classmethod
    def levels(cls, catalogue: Catalogue) -> IntArray:
        year = np.clip(catalogue.year - FIRST_YEAR, 0, cls.LEVELS - 1)
        return as_int32(np.where(catalogue.year == UNKNOWN, cls.LEVELS, year))

    @classmethod
    def bandwidth(cls, config: EngineConfig) -> float:
        return config.era_bandwidth
