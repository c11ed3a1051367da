"""Attributes of tracks that the ranker reads besides the terms: listeners of the track and of its artists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp

from recommender.engine.data import Catalogue, Interactions
from recommender.engine.data.arrays import AnyArray, FloatArray, Sparse, as_float32, membership
from recommender.engine.data.checks import check_rows
from recommender.engine.data.interaction_matrix import column_counts, liked_matrix


@dataclass(frozen=True, eq=False)
class TrackAttributes:
    """Counts for each track.

    listeners: float32[n], listeners who liked or heard it; artist_listeners: float32[n], their sum over
    the tracks of its artist (the mean over several artists); artist_tracks: float32[n], the artist's tracks.
    """

    listeners: FloatArray
    artist_listeners: FloatArray
    artist_tracks: FloatArray

    @classmethod
    def of(cls, catalogue: Catalogue, interactions: Interactions) -> Self:
        """Count the listeners with a like or play in `interactions`, each once."""
        listeners = column_counts(liked_matrix(interactions, catalogue.n_tracks))
        credited = membership(catalogue.artist_indptr, catalogue.artist_indices, catalogue.n_artists)
        sizes = np.ones(catalogue.n_tracks, dtype=np.float32)
        return cls(listeners, _mean_of_artists(credited, listeners), _mean_of_artists(credited, sizes))

    def arrays(self) -> Mapping[str, AnyArray]:
        """Return the arrays to store."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], n_tracks: int) -> Self:
        """Return the attributes that were stored, without copying. Raise KeyError or InvalidDataError if bad."""
        stored = {name: as_float32(arrays[name]) for name in cls.__dataclass_fields__}
        check_rows("attributes", n_tracks, **stored)
        return cls(**stored)


def _mean_of_artists(credited: Sparse, values: FloatArray) -> FloatArray:
    totals = sp.csr_array(credited.T) @ values
    number = np.maximum(np.diff(credited.indptr), 1)
    return as_float32((credited @ totals) / number)
