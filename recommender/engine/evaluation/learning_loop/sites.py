"""Sites for the learning loop: of people who answered songs at random, or of listeners with a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.engine.data import Interactions
from recommender.engine.data.arrays import BoolArray
from recommender.engine.errors import InvalidDataError
from recommender.engine.evaluation.learning_loop.answer_check import AnswerCheck, check_answers
from recommender.engine.evaluation.learning_loop.answer_model import AnsweringListener, AnswerModel, Person
from recommender.engine.evaluation.learning_loop.playing import LoopListener, Site
from recommender.engine.evaluation.rated import Ratings, interactions_of
from recommender.engine.evaluation.split import Split


@dataclass(frozen=True)
class SitePlan:
    """Who is on a site. Raise InvalidDataError.

    start: liked songs of each listener that the site knows at first; sites: among which the listeners are divided, each
    learning by itself; listeners: limit of their number on all sites together; is_established: whether the site has
    what other people answered before.
    """

    start: int = 3
    sites: int = 3
    listeners: int | None = None
    is_established: bool = False

    def __post_init__(self) -> None:
        for name, low in (("start", 0), ("sites", 1), ("listeners", 1)):
            value = getattr(self, name)
            if value is not None and value < low:
                raise InvalidDataError(f"{name}: must be at least {low}, is {value}")


def answering_sites(
    ratings: Ratings, n_tracks: int, plan: SitePlan, rng: np.random.Generator
) -> tuple[list[Site], AnswerCheck]:
    """Return sites of one half of the people, who answer by a model fitted on the other half, and its check.

    The halves are drawn, or told by `Ratings.is_test`. A listener starts from songs that they know and like, as people
    name songs that they know; without known songs, from liked ones. Who has not enough of them is left out.
    """
    half_rng, fit_rng, check_rng, listener_rng, divide_rng = rng.spawn(5)
    is_test = ratings.is_test
    if is_test is None:
        is_test = half_rng.permutation(ratings.n_people) < ratings.n_people // 2
    model = AnswerModel.fit(ratings, ~is_test, n_tracks, fit_rng)
    check = check_answers(model, ratings, ~is_test, is_test, check_rng)
    draw_rngs = listener_rng.spawn(ratings.n_people)
    drawn = (_drawn(model, ratings, int(person), plan, draw_rngs[person]) for person in np.flatnonzero(is_test))
    listeners = [listener for listener in drawn if len(listener.start) == plan.start][: plan.listeners]
    before = interactions_of(ratings, ~is_test) if plan.is_established else Interactions.empty()
    return _divided(listeners, before, n_tracks, plan, divide_rng), check


def listed_sites(split: Split, n_tracks: int, plan: SitePlan, rng: np.random.Generator) -> list[Site]:
    """Return sites of the test listeners, who like the songs of their list, skip the rest and dislike nothing."""
    nothing: BoolArray = np.zeros(n_tracks, dtype=np.bool_)
    listeners = []
    for wanted in [rows for rows in split.test if len(rows) > plan.start][: plan.listeners]:
        liked = nothing.copy()
        liked[wanted] = True
        answers = AnsweringListener(nothing, liked, nothing, liked.astype(np.float32))
        listeners.append(LoopListener(wanted[: plan.start], answers))
    before = split.training if plan.is_established else Interactions.empty()
    return _divided(listeners, before, n_tracks, plan, rng)


def _drawn(model: AnswerModel, ratings: Ratings, person: int, plan: SitePlan, rng: np.random.Generator) -> LoopListener:
    answers = model.listener(Person.of(ratings, person), rng)
    named = answers.liked if ratings.known is None else answers.liked & answers.known
    return LoopListener(rng.permutation(np.flatnonzero(named))[: plan.start].astype(np.int32), answers)


def _divided(
    listeners: Sequence[LoopListener], before: Interactions, n_tracks: int, plan: SitePlan, rng: np.random.Generator
) -> list[Site]:
    """Divide the listeners at random among the sites; sites that nobody is left for are missing."""
    parts = np.array_split(rng.permutation(len(listeners)), plan.sites)
    return [Site([listeners[person] for person in part], before, n_tracks) for part in parts if len(part)]
