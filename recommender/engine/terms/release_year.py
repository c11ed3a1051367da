"""`era`: from the years of your songs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from recommender.engine.data import UNKNOWN, Catalogue
from recommender.engine.data.arrays import IntArray, as_int32
from recommender.engine.terms.base import Weight, Wording, gettext_noop
from recommender.engine.terms.kernel import KernelTerm

FIRST_YEAR = 1900


class ReleaseYearTerm(KernelTerm):
    """How near a track's year of release is to those of the listener's songs; what is older counts as of 1900."""

    name: ClassVar[str] = "era"
    label: ClassVar[str] = gettext_noop("From the same era as your songs")
    wording: ClassVar[Wording | None] = dict.fromkeys(
        ("liked", "played"), gettext_noop("From the same era as %(title)s")
    )
    default_weight: ClassVar[Weight] = 0.4
    similar_weight: ClassVar[float] = 0.1
    LEVELS: ClassVar[int] = 200
    BANDWIDTH: ClassVar[float] = 3.0

    @classmethod
    def levels(cls, catalogue: Catalogue) -> IntArray:
        year = np.clip(catalogue.year - FIRST_YEAR, 0, cls.LEVELS - 1)
        return as_int32(np.where(catalogue.year == UNKNOWN, cls.LEVELS, year))
