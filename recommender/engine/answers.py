"""What a listener's likes, dislikes and skips together say of other songs: the broad lines of a taste, by log-odds.

The terms take a song that was never shown for a faint no, and a skip for a little more than that. Here a skip counts as
much as a like. Whether a listener likes song t is taken for

    y_t ~ Bernoulli(sigmoid(a_t + w_t . x)),    x ~ N(0, I),

x being where the listener's taste departs from everybody's; a and w are learned from the listeners
(`factors.logistic`), and x is the most probable one after the answers given. So a skip says the more, the less it was
to be expected: one of a popular song, or of one the likes spoke for. While little was refused, it also says something
that nothing else was liked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import expit

from recommender.engine.arrays import (
    AnyArray,
    BoolArray,
    FloatArray,
    IntArray,
    Sparse,
    as_float32,
    as_int32,
    top_rows,
)
from recommender.engine.config import AnswersConfig, EngineConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.factors import lines_of_songs, songs_of_artists
from recommender.engine.factors.logistic import Belief, fit_log_odds, most_probable, rare_songs
from recommender.engine.listener import Listener
from recommender.engine.observations import column_counts, liked_matrix
from recommender.engine.terms.collaborative import first_artists


@dataclass(frozen=True, eq=False)
class Answers:
    """table: float32[k, d + 1], w and a of the heard songs, then of artists; place: int32[n], each song's line there,
    its first artist's if nobody has heard it; heard: how many songs are. silence: belief about x when nothing was
    refused.

    Of the most liked songs a and w are learned by Newton's method, of the others from the tastes of those who like them
    and of those who like the artist. Nothing of a listener is kept but what they add to these sums.
    """

    table: FloatArray
    place: IntArray
    heard: int
    silence: Belief

    @classmethod
    def fit(cls, catalogue: Catalogue, interactions: Interactions, config: EngineConfig) -> Self | None:
        """Learn from the listeners; None while there are too few to learn a ranking from."""
        likes = liked_matrix(interactions, catalogue.n_tracks)
        likes = likes[np.diff(likes.indptr) > 0]
        too_few = likes.shape[0] < max(config.ranking.min_listeners, config.term_min_listeners)
        if too_few or not config.answers.weight:
            return None
        likes.data[:] = 1.0
        artist, heard = first_artists(catalogue), column_counts(likes) > 0
        songs, artists = _songs_and_artists(likes[:, heard], artist[heard], catalogue.n_artists, config.answers)
        silence = Belief.after_silence(songs[:, -1], songs[:, :-1], config.answers.silence)
        table, place = lines_of_songs(as_float32(songs), heard, as_float32(artists), artist)
        return cls(table, place, len(songs), silence)

    def knows(self, rows: IntArray) -> BoolArray:
        """Which of `rows` somebody has liked: bool[len(rows)]."""
        return np.asarray(self.place[rows] < self.heard)

    def chances(self, rows: IntArray, listener: Listener, silence: float) -> FloatArray:
        """How likely the listener is to like each of `rows`, float32[len(rows)]; O(m d^2 + d^3) for m answers.

        silence: 0..1, how much of a no it is that nothing else was liked.
        """
        told, asked = self.table[self.place[listener.rows]], self.table[self.place[rows]]
        belief, sureness = self.silence.scaled(silence), listener.sureness.astype(np.float64)
        taste = most_probable(belief, told[:, -1], told[:, :-1], listener.weights > 0, sureness)
        return as_float32(expit(asked[:, -1] + asked[:, :-1] @ taste))

    def part(self, rows: IntArray, unit: float, listener: Listener, config: AnswersConfig) -> FloatArray:
        """What is added to the scores of candidates `rows`, float32[c], best first: the chances, standardised.

        In `unit`s, spreads of the scores, and the more, the more refusals there are. Of songs nobody likes nothing is
        said, little of the others where the best candidates are such.
        """
        added = np.zeros(len(rows), dtype=np.float32)
        heard = self.knows(rows)
        if not heard.any() or not len(listener.rows):
            return added
        share = listener.refusals / (listener.refusals + config.half_refusals)
        chance = self.chances(rows[heard], listener, 1.0 - share)
        deviation = float(chance.std(dtype=np.float64))
        if deviation < 1e-9:
            return added
        weight = config.unrefused + (config.weight - config.unrefused) * share
        weight *= unit * float(heard[: config.best].mean()) ** 2
        added[heard] = (chance - chance.mean()) * np.float32(weight / deviation)
        return added

    def arrays(self) -> Mapping[str, AnyArray]:
        """What has to be stored."""
        belief = {"pull": self.silence.pull, "precision": self.silence.precision}
        return belief | {"table": self.table, "place": self.place, "heard": np.array([self.heard], dtype=np.int32)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """The inverse of `arrays`, without copying. Raises KeyError if one is missing."""
        pull, precision = (np.asarray(arrays[name], dtype=np.float64) for name in ("pull", "precision"))
        table, place = as_float32(arrays["table"]), as_int32(arrays["place"])
        return cls(table, place, int(arrays["heard"][0]), Belief(pull, precision))


def _songs_and_artists(
    likes: Sparse, artist: IntArray, n_artists: int, settings: AnswersConfig
) -> tuple[FloatArray, FloatArray]:
    """(w, a) of every song, float32[n, d + 1], and what is expected of one by each artist, float32[n_artists + 1, d +
    1], last of one by nobody. likes: listeners x n, ones; artist: int32[n], -1 = none.
    """
    listeners, counts = likes.shape[0], column_counts(likes)
    best = np.sort(top_rows(counts, settings.songs))
    learned = fit_log_odds(likes[:, best], settings.directions, settings.deviation, settings.rounds)
    sums = as_float32(likes.T @ learned.tastes)
    credited = songs_of_artists(artist, n_artists)
    nothing = np.zeros((n_artists + 1, sums.shape[1]), dtype=np.float32)
    _, expected = rare_songs(credited @ counts, credited @ sums, listeners, settings.deviation, nothing)
    expected[-1] = 0.0
    by_artist = rare_songs(np.zeros(n_artists + 1, np.float32), nothing, listeners, settings.deviation, expected)
    offset, loadings = rare_songs(counts, sums, listeners, settings.deviation, expected[artist])
    offset[best], loadings[best] = learned.offset, learned.loadings
    return np.column_stack([loadings, offset]), np.column_stack([by_artist[1], by_artist[0]])
