"""Audio features of songs that have none, estimated from their artists' and genres' other songs."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.engine.arrays import BoolArray, FloatArray, Sparse, membership
from recommender.engine.data import Catalogue

Values: TypeAlias = NDArray[np.float64]
NOMINAL = {"key", "mode", "time_signature"}
"""Their mean says nothing, so they stay unknown."""
GENRE_SONGS = 2.0
"""How many songs of the artist the genre's mean counts as much as."""


def estimate_features(catalogue: Catalogue) -> tuple[FloatArray, BoolArray]:
    """Features float32[n, F], filled in for songs without any measured one, and which songs those are, bool[n].

    An estimate is the mean over the artists' songs, drawn towards that over its genres' songs; songs of unknown artists
    have the genres' mean, and songs of which nothing is known stay unknown. Songs that are measured, even in part, stay
    as they are; so do nominal features. What was estimated before is estimated anew.
    """
    measured = catalogue.features.astype(np.float64)
    measured[catalogue.features_estimated] = np.nan
    bare: BoolArray = np.asarray(np.isnan(measured).all(axis=1), dtype=np.bool_)
    columns = np.array([i for i, name in enumerate(catalogue.feature_columns) if name not in NOMINAL], dtype=np.int32)
    features = measured.astype(np.float32)
    if not bare.any() or bare.all() or not len(columns):
        return features, np.zeros(catalogue.n_tracks, dtype=np.bool_)
    values = measured[:, columns]
    artists = membership(catalogue.artist_indptr, catalogue.artist_indices, catalogue.n_artists)
    genres = membership(catalogue.genre_indptr, catalogue.genre_indices, catalogue.n_genres)
    by_artist, songs = _mean_of_groups(artists, values, bare)
    by_genre, _ = _mean_of_groups(genres, values, bare)
    pull = np.where(np.isnan(by_genre), 0.0, GENRE_SONGS)
    weight = songs + pull
    total = songs * np.nan_to_num(by_artist) + pull * np.nan_to_num(by_genre)
    estimate = np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)
    features[np.ix_(bare, columns)] = estimate
    return features, np.asarray(bare & ~np.isnan(features).all(axis=1), dtype=np.bool_)


def with_estimates(catalogue: Catalogue) -> Catalogue:
    """The catalogue with features estimated where none are measured, and flagged."""
    features, estimated = estimate_features(catalogue)
    return replace(catalogue, features=features, features_estimated=estimated)


def _mean_of_groups(groups: Sparse, values: Values, bare: BoolArray) -> tuple[Values, Values]:
    """For the bare songs, mean over the known songs of their groups (NaN if there is none) and how many those are."""
    known = ~np.isnan(values)
    of_group = sp.csr_array(groups.T)
    total = groups[bare] @ (of_group @ np.where(known, values, 0.0))
    number = groups[bare] @ (of_group @ known.astype(np.float64))
    return np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0), number
