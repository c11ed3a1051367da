"""`logistic`: how likely somebody of your taste is to like this; a few broad directions of taste, by log-odds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import expit

from recommender.engine.arrays import (
    AnyArray,
    BoolArray,
    FloatArray,
    IntArray,
    Sparse,
    as_float32,
    as_int32,
    dense_matvec,
    top_rows,
)
from recommender.engine.config import EngineConfig, LogisticConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.factors.logistic import Belief, fit_log_odds, most_probable, rare_songs
from recommender.engine.listener import Listener
from recommender.engine.observations import column_counts, liked_matrix
from recommender.engine.terms.base import Cause, Change, LinearTerm, Progress, no_progress, track_causes
from recommender.engine.terms.collaborative import first_artists


@dataclass(frozen=True, eq=False)
class Taste:
    """x: float64[d], a listener's taste; surprise: float64[m], by how much each of their songs has moved it."""

    x: NDArray[np.float64]
    surprise: NDArray[np.float64]


class LogisticTerm(LinearTerm):
    """score[t] = a_t + w_t . x, the log-odds that the listener likes track t; see `factors.logistic`.

    x is the most probable taste after the likes, and a no for each dislike and, with its small weight, each skip; that
    anything else was not liked is half a no. Of the most liked songs a and w are learned by Newton's method, of the
    others from the tastes of those who like them and of those who like the artist. Songs that nobody has heard share
    what is known of their first artist.
    """

    name: ClassVar[str] = "logistic"
    heavy_tailed: ClassVar[bool] = False
    needs_listeners: ClassVar[bool] = True

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> None:
        self._table = as_float32(arrays["table"])
        self._place = as_int32(arrays["place"])
        self._heard = as_int32(arrays["heard"])
        self._belief = Belief(np.asarray(arrays["pull"], np.float64), np.asarray(arrays["precision"], np.float64))

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        """Learn from the listeners; says nothing while there are too few to learn a ranking from."""
        likes = liked_matrix(interactions, catalogue.n_tracks)
        likes = likes[np.diff(likes.indptr) > 0]
        if likes.shape[0] < max(config.ranking.min_listeners, config.term_min_listeners):
            return cls(_silent(catalogue.n_tracks), catalogue, config)
        progress("directions of taste", 0.0)
        likes.data[:] = 1.0
        songs, artists = _songs_and_artists(likes, first_artists(catalogue), catalogue.n_artists, config.logistic)
        progress("directions of taste", 1.0)
        return cls(_stored(songs, artists, column_counts(likes) > 0, catalogue, config.logistic), catalogue, config)

    def updated(
        self,
        change: Change,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
    ) -> Self:
        """A fit, which takes no longer than going through the likes a few times."""
        return self.fit(catalogue, interactions, config, rng, no_progress)

    def score(self, listener: Listener) -> FloatArray:
        return dense_matvec(self._table, self.direction(listener))[self._place]

    def direction(self, listener: Listener) -> FloatArray:
        return as_float32(np.append(listener.once(self._taste).x, 1.0))

    def coordinates(self, rows: IntArray) -> FloatArray:
        return self._table[self._place[rows]]

    def groups(self) -> IntArray:
        return self._place

    def knows(self, rows: IntArray) -> BoolArray:
        """Which of `rows` somebody has liked: bool[len(rows)]."""
        return np.asarray(self._place[rows] < self._heard[0])

    def explain(self, listener: Listener, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        # At the mode, precision x = pull + sum over the songs of surprise w.
        known, taste = self.coordinates(rows), listener.once(self._taste)
        solved = np.linalg.solve(self._belief.precision, known[:, :-1].T).T
        values = (solved @ self.coordinates(listener.rows)[:, :-1].T) * taste.surprise
        others = solved @ self._belief.pull + known[:, -1]
        causes = track_causes(
            np.append(listener.rows, np.int32(-1)), as_float32(np.column_stack([values, others])), limit
        )
        return [[replace(cause, kind="listeners") if cause.index < 0 else cause for cause in line] for line in causes]

    def arrays(self) -> Mapping[str, AnyArray]:
        belief = {"pull": self._belief.pull, "precision": self._belief.precision}
        return belief | {"table": self._table, "place": self._place, "heard": self._heard}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> Self:
        return cls(arrays, catalogue, config)

    def _taste(self, listener: Listener) -> Taste:
        known = self.coordinates(listener.rows)
        liked, sureness = listener.weights > 0, np.minimum(np.abs(listener.weights), 1.0).astype(np.float64)
        taste = most_probable(self._belief, known[:, -1], known[:, :-1], liked, sureness)
        return Taste(taste, sureness * (liked - expit(known[:, -1] + known[:, :-1] @ taste)))


def _songs_and_artists(
    likes: Sparse, artist: IntArray, n_artists: int, settings: LogisticConfig
) -> tuple[FloatArray, FloatArray]:
    """(w, a) of every song, float32[n, d + 1], and what is expected of one by each artist, float32[n_artists + 1, d +
    1], last of one by nobody. likes: listeners x n, ones; artist: int32[n], -1 = none.
    """
    listeners, counts = likes.shape[0], column_counts(likes)
    best = np.sort(top_rows(counts, settings.songs, counts > 0))
    learned = fit_log_odds(likes[:, best], settings.directions, settings.deviation, settings.rounds)
    sums = as_float32(likes.T @ learned.tastes)
    pairs = np.ones(len(artist), np.float32), (artist % (n_artists + 1), np.arange(len(artist)))
    credited = sp.csr_array(pairs, shape=(n_artists + 1, len(artist)))
    nothing = np.zeros((n_artists + 1, sums.shape[1]), dtype=np.float32)
    _, expected = rare_songs(credited @ counts, credited @ sums, listeners, settings.deviation, nothing)
    expected[-1] = 0.0
    by_artist = rare_songs(np.zeros(n_artists + 1, np.float32), nothing, listeners, settings.deviation, expected)
    offset, loadings = rare_songs(counts, sums, listeners, settings.deviation, expected[artist])
    offset[best], loadings[best] = learned.offset, learned.loadings
    return np.column_stack([loadings, offset]), np.column_stack([by_artist[1], by_artist[0]])


def _stored(
    songs: FloatArray, artists: FloatArray, heard: BoolArray, catalogue: Catalogue, settings: LogisticConfig
) -> dict[str, AnyArray]:
    """The heard songs' own line each, then one for each artist of the others."""
    belief = Belief.after_silence(songs[heard, -1], songs[heard, :-1], settings.silence)
    needed, number = np.unique(first_artists(catalogue)[~heard] % len(artists), return_inverse=True)
    place, many = np.empty(len(heard), dtype=np.int32), np.count_nonzero(heard)
    place[heard], place[~heard] = np.arange(many), many + number
    table = as_float32(np.concatenate([songs[heard], artists[needed]]))
    lines = {"table": table, "place": place, "heard": as_int32([many])}
    return lines | {"pull": belief.pull, "precision": belief.precision}


def _silent(n_tracks: int) -> dict[str, AnyArray]:
    """No direction, and the same for every song."""
    belief = Belief.standard(0)
    lines = {"table": np.zeros((1, 1), np.float32), "place": np.zeros(n_tracks, np.int32), "heard": as_int32([0])}
    return lines | {"pull": belief.pull, "precision": belief.precision}
