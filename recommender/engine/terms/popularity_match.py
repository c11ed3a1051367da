"""`mainstream`: about as well known as your songs.

The listener's level of mainstreaminess as a property of taste follows Schedl & Hauger, "Tailoring Music Recommendations
to Users by Considering Diversity, Mainstreaminess, and Novelty" (SIGIR 2015).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from recommender.engine.data import Catalogue
from recommender.engine.data.arrays import IntArray, as_int32
from recommender.engine.terms.base import Weight, gettext_noop
from recommender.engine.terms.kernel import KernelTerm


class PopularityMatchTerm(KernelTerm):
    """How near a track's popularity in the catalogue (0..100, in whole points) is to that of the listener's songs."""

    name: ClassVar[str] = "mainstream"
    label: ClassVar[str] = gettext_noop("As well known as your songs")
    default_weight: ClassVar[Weight] = 0.3
    similar_weight: ClassVar[float] = 0.1
    LEVELS: ClassVar[int] = 101
    BANDWIDTH: ClassVar[float] = 10.0

    @classmethod
    def levels(cls, catalogue: Catalogue) -> IntArray:
        figure = np.rint(np.nan_to_num(catalogue.popularity))
        return as_int32(np.where(np.isnan(catalogue.popularity), cls.LEVELS, figure))
