"""What the ranker knows of a track besides the terms: how many listeners it and its artists have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp

from recommender.engine.arrays import AnyArray, FloatArray, Sparse, as_float32, membership
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.observations import column_counts, liked_matrix


@dataclass(frozen=True, eq=False)
class TrackAttributes:
    """listeners: float32[n], who liked or heard the track; artist_listeners: float32[n], sum over the tracks of its
    artists (mean over several artists); artist_tracks: float32[n], how many tracks those have.
    """

    listeners: FloatArray
    artist_listeners: FloatArray
    artist_tracks: FloatArray

    @classmethod
    def of(cls, catalogue: Catalogue, interactions: Interactions) -> Self:
        """Count what is in `interactions`; likes and plays, each listener once."""
        listeners = column_counts(liked_matrix(interactions, catalogue.n_tracks))
        credited = membership(catalogue.artist_indptr, catalogue.artist_indices, catalogue.n_artists)
        sizes = np.ones(catalogue.n_tracks, dtype=np.float32)
        return cls(listeners, _mean_of_artists(credited, listeners), _mean_of_artists(credited, sizes))

    def arrays(self) -> Mapping[str, AnyArray]:
        """What has to be stored."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """The inverse of `arrays`, without copying. Raises KeyError if one is missing."""
        return cls(**{name: as_float32(arrays[name]) for name in cls.__dataclass_fields__})


def _mean_of_artists(credited: Sparse, values: FloatArray) -> FloatArray:
    totals = sp.csr_array(credited.T) @ values
    number = np.maximum(np.diff(credited.indptr), 1)
    return as_float32((credited @ totals) / number)
