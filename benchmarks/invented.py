"""An invented catalogue and invented listeners, as large as asked for: sizes and shapes are real, tastes are not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine import Catalogue, Interactions

COLUMNS = (
    *("danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness"),
    *("liveness", "valence", "tempo", "time_signature"),
)
TRACKS_PER_ARTIST = 5
N_GENRES = 114
POPULARITY_EXPONENT = 0.7
LENGTH_DEVIATION = 0.8
"""Of the logarithm of the lists' lengths, as in public playlists."""


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    listeners: int
    tracks: int
    interactions: int


def invent_catalogue(n_tracks: int, rng: np.random.Generator) -> Catalogue:
    """Artists of five songs on average, two genres an artist, features, popularity."""
    n_artists = max(n_tracks // TRACKS_PER_ARTIST, 1)
    artist = np.sort(rng.integers(n_artists, size=n_tracks)).astype(np.int32)
    first = rng.integers(N_GENRES, size=n_artists)
    other = (first + rng.integers(1, N_GENRES, size=n_artists)) % N_GENRES
    genres_of = np.stack([first, other], axis=1).astype(np.int32)
    features = rng.uniform(0.01, 1.0, size=(n_tracks, len(COLUMNS))).astype(np.float32)
    steps = np.arange(n_tracks + 1, dtype=np.int32)
    return Catalogue(
        track_ids=np.arange(n_tracks, dtype=np.int64),
        artist_ids=np.arange(n_artists, dtype=np.int64),
        genre_ids=np.arange(N_GENRES, dtype=np.int64),
        artist_indptr=steps,
        artist_indices=artist,
        genre_indptr=2 * steps,
        genre_indices=genres_of[artist].ravel(),
        features=features,
        feature_columns=COLUMNS,
        features_estimated=np.zeros(n_tracks, dtype=np.bool_),
        popularity=rng.integers(0, 101, size=n_tracks).astype(np.float32),
        recording=steps[:-1],
        album=(steps[:-1] // 3).astype(np.int32),
        explicit=np.zeros(n_tracks, dtype=np.bool_),
        active=np.ones(n_tracks, dtype=np.bool_),
    )


def invent_interactions(size: Size, rng: np.random.Generator) -> Interactions:
    """Lists of log-normal length, drawn by popularity (a power law of the rank), half of each from one cluster."""
    strength = rng.permutation(np.arange(1, size.tracks + 1, dtype=np.float64) ** -POPULARITY_EXPONENT)
    cumulative = np.cumsum(strength)
    length = rng.lognormal(0.0, LENGTH_DEVIATION, size.listeners)
    # A third more than asked for makes up for pairs drawn twice.
    drawn = int(size.interactions * 4 / 3)
    listener = rng.choice(size.listeners, size=drawn, p=length / length.sum())
    position = rng.random(drawn)
    clustered = rng.random(drawn) < 0.5
    centre = rng.random(size.listeners)
    position[clustered] = (centre[listener[clustered]] + 0.02 * position[clustered]) % 1.0
    row = np.minimum(np.searchsorted(cumulative, position * cumulative[-1]), size.tracks - 1)
    pairs: NDArray[np.int64] = np.unique(listener.astype(np.int64) * size.tracks + row)
    pairs = rng.permutation(pairs)[: size.interactions]
    return Interactions(
        listener=(pairs // size.tracks).astype(np.int32),
        row=(pairs % size.tracks).astype(np.int32),
        weight=np.ones(len(pairs), dtype=np.float32),
        region=np.full(size.listeners, -1, dtype=np.int32),
    )
