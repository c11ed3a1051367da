"""Policies of the learning loop: the model at settings of the dial, popular songs, and songs at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from recommender.engine.data import Catalogue, Interactions
from recommender.engine.evaluation.learning_loop.playing import LearningPolicy
from recommender.engine.evaluation.policies import (
    NO_RULE,
    FixedOrder,
    FromModel,
    without_page_rules,
    without_propensities,
)
from recommender.engine.evaluation.simulation import Policy, Session, SimulatedPage
from recommender.engine.model import Model

FitModel = Callable[[Interactions, np.random.Generator], Model]
GREEDY, POPULARITY, RANDOM = "greedy", "popularity", "random"


@dataclass(frozen=True, eq=False)
class AtRandom:
    """Songs at random, each with the same probability. n_tracks: songs of the catalogue."""

    n_tracks: int

    def retrained(self, log: Interactions, rng: np.random.Generator) -> Policy:
        """Return itself: nothing is learned."""
        return self

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> SimulatedPage:
        left = np.setdiff1d(np.arange(self.n_tracks, dtype=np.int32), session.seen)
        return SimulatedPage.plain(rng.permutation(left)[:k].astype(np.int32))


@dataclass(frozen=True, eq=False)
class MostLiked:
    """The songs with the most likes so far, the same for everybody; ties fall at random."""

    catalogue: Catalogue

    def retrained(self, log: Interactions, rng: np.random.Generator) -> Policy:
        """Return the order by likes of all listeners."""
        liked = log.row[log.weight > 0]
        likes = np.bincount(liked, minlength=self.catalogue.n_tracks) + rng.random(self.catalogue.n_tracks)
        return FixedOrder(likes.astype(np.float32), self.catalogue, NO_RULE)


@dataclass(eq=False)
class SharedFit:
    """Fits a model, and keeps the latest: where the dials begin with one log, they begin with one model."""

    fit: FitModel
    _latest: tuple[Interactions, Model] | None = field(default=None, init=False, repr=False)

    def __call__(self, log: Interactions, rng: np.random.Generator) -> Model:
        """Return the model of this log, without page rules."""
        if self._latest is None or self._latest[0] is not log:
            self._latest = log, without_propensities(without_page_rules(self.fit(log, rng)))
        return self._latest[1]


@dataclass(frozen=True, eq=False)
class ModelAtDial:
    """The model, fitted anew, at a setting of the dial; 0 never explores."""

    fit: SharedFit
    dial: float

    def retrained(self, log: Interactions, rng: np.random.Generator) -> Policy:
        """Return the pages of a model of this log."""
        return FromModel(self.fit(log, rng), self.dial)


def learning_policies(catalogue: Catalogue, fit: FitModel, dials: Sequence[float]) -> dict[str, LearningPolicy]:
    """Return the policies by the names of their rows; dials: settings besides 0, which is `greedy`."""
    shared = SharedFit(fit)
    explore: dict[str, LearningPolicy] = {explore_name(dial): ModelAtDial(shared, dial) for dial in dials if dial}
    simple: dict[str, LearningPolicy] = {POPULARITY: MostLiked(catalogue), RANDOM: AtRandom(catalogue.n_tracks)}
    return {GREEDY: ModelAtDial(shared, 0.0), **explore, **simple}


def explore_name(dial: float) -> str:
    """Return the name of the row of a setting of the dial."""
    return f"explore@{dial:g}"
