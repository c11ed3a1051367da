"""Listeners who answer by a model fitted on answers to songs that were shown at random.

A listener knows a song or not, likes it or not, and dislikes it or passes over it: three models (`logistic_tastes`),
each given the answer before it. They are fitted on some people; the listeners are other people, whose tastes are drawn
from what the fitted models make of their answers. All answers to the songs of the catalogue are drawn at once, so that
every policy meets the same people, and what could be earned from them at best is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, as_float32
from recommender.engine.evaluation.learning_loop.logistic_tastes import (
    Answers,
    Doubles,
    LogisticTastes,
    Taste,
    TasteConfig,
)
from recommender.engine.evaluation.rated import Ratings

LIKING = TasteConfig()
KNOWING = TasteConfig(dimensions=0)
DISLIKING = TasteConfig(dimensions=0)
"""Of what is known and disliked only the song and the person matter."""


@dataclass(frozen=True, eq=False)
class Person:
    """What a person answered: rows int32[m], distinct; known, liked, disliked: bool[m]."""

    rows: IntArray
    known: BoolArray
    liked: BoolArray
    disliked: BoolArray

    @classmethod
    def of(cls, ratings: Ratings, person: int) -> Person:
        """Return the answers of one person."""
        own = np.flatnonzero(ratings.listener == person)
        return cls(ratings.row[own], known_of(ratings)[own], ratings.weight[own] > 0, disliked_of(ratings)[own])

    def at(self, positions: BoolArray) -> Person:
        """Return the answers at some positions, bool[m]."""
        return Person(self.rows[positions], self.known[positions], self.liked[positions], self.disliked[positions])


class Tastes(NamedTuple):
    """What the three models make of a person's answers."""

    liking: Taste
    knowing: Taste
    disliking: Taste


@dataclass(frozen=True, eq=False)
class AnsweringListener:
    """All answers of one listener, drawn: known, liked, disliked bool[n]; chance: float32[n] of liking each song.

    A listener never both likes and dislikes a song. `chance` is that of the model with the drawn taste, and knows which
    songs are known.
    """

    known: BoolArray
    liked: BoolArray
    disliked: BoolArray
    chance: FloatArray


@dataclass(frozen=True, eq=False)
class AnswerModel:
    """The three models, and the number of songs n."""

    liking: LogisticTastes
    knowing: LogisticTastes
    disliking: LogisticTastes
    n_tracks: int

    @classmethod
    def fit(cls, ratings: Ratings, people: BoolArray, n_tracks: int, rng: np.random.Generator) -> AnswerModel:
        """Fit the answers of some `people`, bool[n_people]."""
        seen = ratings.fitted_on(people)
        known, liked, disliked = known_of(ratings), ratings.weight > 0, disliked_of(ratings)

        def fitted(yes: BoolArray, design: Doubles, which: BoolArray, config: TasteConfig) -> LogisticTastes:
            answers = Answers(ratings.listener[which], ratings.row[which], yes[which].astype(np.float64), design[which])
            return LogisticTastes.fit(answers, ratings.n_people, n_tracks, config, rng)

        return cls(
            liking=fitted(liked, _with_known(known), seen, LIKING),
            knowing=fitted(known, _constant(len(known)), seen, KNOWING),
            disliking=fitted(disliked, _with_known(known), seen & ~liked, DISLIKING),
            n_tracks=n_tracks,
        )

    def tastes(self, person: Person) -> Tastes:
        """Return what the models make of a person who was not fitted on."""
        refused = person.at(~person.liked)
        return Tastes(
            self.liking.taste(person.rows, person.liked.astype(np.float64), _with_known(person.known)),
            self.knowing.taste(person.rows, person.known.astype(np.float64), _constant(len(person.rows))),
            self.disliking.taste(refused.rows, refused.disliked.astype(np.float64), _with_known(refused.known)),
        )

    def chances(
        self, tastes: Tastes, rows: IntArray, known: BoolArray, rng: np.random.Generator, draws: int
    ) -> Doubles:
        """Return the chance of liking `rows` that are known or not (bool[r]): the mean over draws, float64[r]."""
        drawn = tastes.liking.draw(rng, draws)
        return np.asarray(self.liking.chances(rows, drawn, _with_known(known)).mean(axis=0))

    def known_chances(self, tastes: Tastes, rows: IntArray, rng: np.random.Generator, draws: int) -> Doubles:
        """Return the chance of knowing `rows`: the mean over draws, float64[r]."""
        drawn = tastes.knowing.draw(rng, draws)
        return np.asarray(self.knowing.chances(rows, drawn, _constant(len(rows))).mean(axis=0))

    def listener(self, person: Person, rng: np.random.Generator) -> AnsweringListener:
        """Draw a listener from what the models make of a person."""
        tastes, rows = self.tastes(person), np.arange(self.n_tracks, dtype=np.int32)
        uniform = rng.random((3, self.n_tracks))
        known = uniform[0] < self.knowing.chances(rows, tastes.knowing.draw(rng, 1), _constant(len(rows)))[0]
        design = _with_known(known)
        chance = self.liking.chances(rows, tastes.liking.draw(rng, 1), design)[0]
        liked = uniform[1] < chance
        disliked = ~liked & (uniform[2] < self.disliking.chances(rows, tastes.disliking.draw(rng, 1), design)[0])
        return AnsweringListener(known, liked, disliked, as_float32(chance))


def known_of(ratings: Ratings) -> BoolArray:
    """Return which of the m songs were known, bool[m]; none where nobody said."""
    return np.zeros(len(ratings.row), dtype=np.bool_) if ratings.known is None else ratings.known


def disliked_of(ratings: Ratings) -> BoolArray:
    """Return which answers are dislikes, bool[m]: those of the lowest grade, or all that are not likes."""
    no_like = ratings.weight <= 0
    return no_like if ratings.grade is None else no_like & (ratings.grade == 0.0)


def _constant(number: int) -> Doubles:
    return np.ones((number, 1))


def _with_known(known: BoolArray) -> Doubles:
    """Return the design of answers that differ by what is known, float64[m, 2]."""
    return np.column_stack([np.ones(len(known)), known.astype(np.float64)])
