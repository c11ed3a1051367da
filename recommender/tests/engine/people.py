"""Invented people whose tastes are known, and who answer what they chose or what they were shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from recommender.engine import Catalogue, Interactions
from recommender.engine.evaluation.rated import Ratings, interactions_of
from recommender.tests.engine.build import make_catalogue


@dataclass(frozen=True)
class World:
    """How many people and songs there are, and how many songs each answers of their own accord and when asked.

    appeal: by how much the log-odds of choosing a song rise with those of liking it; fame: deviation of what makes some
    songs be chosen more often, whoever chooses.
    """

    people: int = 500
    songs: int = 150
    directions: int = 3
    answers: int = 30
    judged: int = 30
    appeal: float = 0.5
    fame: float = 0.5

    def chosen(self, seed: int) -> Ratings:
        """People who choose what they answer, songs that are well known and to their taste before others."""
        return self._answered(self.appeal, self.fame, seed)

    def shown(self, seed: int) -> Ratings:
        """People who answer songs that were drawn for them at random."""
        return self._answered(0.0, 0.0, seed)

    def catalogue(self) -> Catalogue:
        """Songs that nothing but people's answers links: each has an artist of its own."""
        return make_catalogue([[number] for number in range(self.songs)])

    def _answered(self, appeal: float, fame: float, seed: int) -> Ratings:
        """Last in each person's answers are the judged ones, to songs drawn at random; the last third is tested."""
        rng = np.random.default_rng(seed)
        taste = rng.standard_normal((self.people, self.directions)) @ rng.standard_normal((self.directions, self.songs))
        known = fame * rng.standard_normal(self.songs)
        likes = rng.random(taste.shape) < expit(taste + rng.normal(-0.5, 0.5, self.songs))
        wish = known + appeal * taste + rng.gumbel(size=taste.shape)
        own = np.argsort(-wish, axis=1)[:, : self.answers]
        left = rng.random(taste.shape)
        np.put_along_axis(left, own, np.inf, axis=1)
        rows = np.concatenate([own, np.argsort(left, axis=1)[:, : self.judged]], axis=1)
        weight = np.where(np.take_along_axis(likes, rows, axis=1), 1.0, -1.0)
        person = np.repeat(np.arange(self.people), rows.shape[1])
        judged = np.tile(np.arange(rows.shape[1]) >= self.answers, self.people)
        return Ratings(
            person.astype(np.int32),
            rows.ravel().astype(np.int32),
            weight.ravel().astype(np.float32),
            judged=judged,
            is_test=np.arange(self.people) >= self.people * 2 // 3,
        )


def learned_from(answered: Ratings) -> Interactions:
    """What all that are not tested answered of their own accord."""
    assert answered.is_test is not None
    return interactions_of(answered, ~answered.is_test)
