"""Imputation of missing audio features from the other songs of the artists and genres."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.engine.data import Catalogue
from recommender.engine.data.arrays import BoolArray, FloatArray, Sparse, membership

Values: TypeAlias = NDArray[np.float64]
NOMINAL = {"key", "mode", "time_signature"}
"""Features without a meaningful mean; they stay unknown."""
GENRE_SONGS = 2.0
"""Number of the artist's songs that the genre's mean is worth."""


def estimate_features(catalogue: Catalogue) -> tuple[FloatArray, BoolArray]:
    """Return features float32[n, F], imputed where unknown, and flags of songs without a measured one, bool[n].

    An estimate is the mean over the artists' songs, shrunk towards the mean over the genres' songs. Songs of unknown
    artists get the genres' mean; songs without either stay unknown. What was measured stays as it is, and nominal
    features are not estimated. Songs that are flagged as estimated are computed anew.
    """
    measured = catalogue.features.astype(np.float64)
    measured[catalogue.features_estimated] = np.nan
    bare: BoolArray = np.asarray(np.isnan(measured).all(axis=1), dtype=np.bool_)
    columns = np.array([i for i, name in enumerate(catalogue.feature_columns) if name not in NOMINAL], dtype=np.int32)
    features = measured.astype(np.float32)
    values = measured[:, columns]
    lacking: BoolArray = np.asarray(np.isnan(values).any(axis=1), dtype=np.bool_)
    if not lacking.any() or bare.all():
        return features, np.zeros(catalogue.n_tracks, dtype=np.bool_)
    artists = membership(catalogue.artist_indptr, catalogue.artist_indices, catalogue.n_artists)
    genres = membership(catalogue.genre_indptr, catalogue.genre_indices, catalogue.n_genres)
    by_artist, songs = _mean_of_groups(artists, values, lacking)
    by_genre, _ = _mean_of_groups(genres, values, lacking)
    genre_weight = np.where(np.isnan(by_genre), 0.0, GENRE_SONGS)
    weight = songs + genre_weight
    total = songs * np.nan_to_num(by_artist) + genre_weight * np.nan_to_num(by_genre)
    estimate = np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)
    features[np.ix_(lacking, columns)] = np.where(np.isnan(values[lacking]), estimate, values[lacking])
    return features, np.asarray(bare & ~np.isnan(features).all(axis=1), dtype=np.bool_)


def with_estimates(catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with missing features estimated and flagged."""
    features, estimated = estimate_features(catalogue)
    return replace(catalogue, features=features, features_estimated=estimated)


def _mean_of_groups(groups: Sparse, values: Values, lacking: BoolArray) -> tuple[Values, Values]:
    """Return for some songs the mean over the known songs of their groups (NaN if none) and the number of those."""
    known = ~np.isnan(values)
    of_group = sp.csr_array(groups.T)
    total = groups[lacking] @ (of_group @ np.where(known, values, 0.0))
    number = groups[lacking] @ (of_group @ known.astype(np.float64))
    return np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0), number
