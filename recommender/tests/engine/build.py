"""Small catalogues and listeners for the engine's tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recommender.engine import Catalogue, Feedback, FeedbackKind, Interactions
from recommender.engine.data.arrays import IntArray

COLUMNS = ("danceability", "energy", "key", "loudness", "mode", "instrumentalness", "tempo", "time_signature")


def csr_of(lists: Sequence[Sequence[int]]) -> tuple[IntArray, IntArray]:
    indptr = np.concatenate([[0], np.cumsum([len(members) for members in lists])]).astype(np.int32)
    return indptr, np.array([member for members in lists for member in members], dtype=np.int32)


def make_catalogue(
    artists: Sequence[Sequence[int]],
    genres: Sequence[Sequence[int]] | None = None,
    **fields: Any,
) -> Catalogue:
    """A catalogue of len(artists) tracks; everything not given is unknown, active, clean and a song of its own."""
    n = len(artists)
    genres = genres if genres is not None else [[] for _ in artists]
    artist_indptr, artist_indices = csr_of(artists)
    genre_indptr, genre_indices = csr_of(genres)
    defaults: dict[str, Any] = {
        "track_ids": np.arange(n, dtype=np.int64) * 10 + 100,
        "artist_ids": np.arange(int(artist_indices.max(initial=-1)) + 1, dtype=np.int64),
        "genre_ids": np.arange(int(genre_indices.max(initial=-1)) + 1, dtype=np.int64),
        "artist_indptr": artist_indptr,
        "artist_indices": artist_indices,
        "genre_indptr": genre_indptr,
        "genre_indices": genre_indices,
        "features": np.full((n, len(COLUMNS)), np.nan, dtype=np.float32),
        "feature_columns": COLUMNS,
        "features_estimated": np.zeros(n, dtype=np.bool_),
        "popularity": np.full(n, np.nan, dtype=np.float32),
        "recording": np.arange(n, dtype=np.int32),
        "album": np.full(n, -1, dtype=np.int32),
        "explicit": np.zeros(n, dtype=np.bool_),
        "active": np.ones(n, dtype=np.bool_),
    }
    return Catalogue(**(defaults | fields))


def random_catalogue(n: int = 120, seed: int = 3) -> Catalogue:
    """Tracks with collaborations, several genres, unknown values, versions and hidden songs."""
    rng = np.random.default_rng(seed)
    n_artists, n_genres = max(n // 5, 1), 6
    artists = [rng.choice(n_artists, size=min(int(rng.integers(1, 4)), n_artists), replace=False) for _ in range(n)]
    genres = [rng.choice(n_genres, size=int(rng.integers(0, 3)), replace=False) for _ in range(n)]
    features = rng.uniform(0, 1, size=(n, len(COLUMNS))).astype(np.float32)
    features[:, 2] = rng.integers(0, 12, size=n)
    features[rng.uniform(size=features.shape) < 0.1] = np.nan
    popularity = rng.integers(0, 101, size=n).astype(np.float32)
    features[: n // 10] = np.nan
    popularity[n // 20 : n // 8] = np.nan
    return make_catalogue(
        [list(members) for members in artists],
        [list(members) for members in genres],
        artist_ids=np.arange(n_artists, dtype=np.int64) + 7,
        genre_ids=np.arange(n_genres, dtype=np.int64) + 3,
        features=features,
        popularity=popularity,
        features_estimated=rng.uniform(size=n) < 0.1,
        recording=np.minimum(np.arange(n), rng.integers(0, n, size=n) + n // 2).astype(np.int32),
        album=rng.integers(-1, n // 3, size=n).astype(np.int32),
        explicit=rng.uniform(size=n) < 0.2,
        active=rng.uniform(size=n) > 0.05,
        year=np.random.default_rng(seed + 1).choice([-1, *range(1950, 2026)], size=n).astype(np.int32),
    )


def random_interactions(catalogue: Catalogue, n_listeners: int = 60, seed: int = 4) -> Interactions:
    """Each listener has a dozen tracks or so, most of them by a few artists; two regions and unknown ones."""
    rng = np.random.default_rng(seed)
    listeners, rows = [], []
    for listener in range(n_listeners):
        favourites = rng.choice(catalogue.n_artists, size=3, replace=False)
        owner = np.repeat(np.arange(catalogue.n_tracks), np.diff(catalogue.artist_indptr))
        liked = np.unique(owner[np.isin(catalogue.artist_indices, favourites)])
        liked = np.union1d(liked, rng.choice(catalogue.n_tracks, size=3))
        listeners += [listener] * len(liked)
        rows += list(liked)
    return Interactions(
        listener=np.array(listeners, dtype=np.int32),
        row=np.array(rows, dtype=np.int32),
        weight=rng.integers(1, 5, size=len(rows)).astype(np.float32),
        region=rng.integers(-1, 2, size=n_listeners).astype(np.int32),
    )


def feedback_of(*events: tuple[int, FeedbackKind, float, float], **stated: Any) -> Feedback:
    """Feedback from (row, kind, count, age in days) and stated genres, artists, region."""
    arrays: dict[str, Any] = {
        name: np.array(value, dtype=np.int32) for name, value in stated.items() if name != "region"
    }
    return Feedback(
        rows=np.array([event[0] for event in events], dtype=np.int32),
        kind=np.array([event[1] for event in events], dtype=np.int32),
        count=np.array([event[2] for event in events], dtype=np.float32),
        age_days=np.array([event[3] for event in events], dtype=np.float32),
        region=stated.get("region", -1),
        **arrays,
    )
