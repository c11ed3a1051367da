"""Pages of songs for a listener, and songs similar to a song."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from recommender.engine.arrays import FloatArray, IntArray
from recommender.engine.blend import Scores, blend
from recommender.engine.data import Feedback, check_range
from recommender.engine.errors import InvalidDataError
from recommender.engine.explain import Reason, explain
from recommender.engine.listener import Listener
from recommender.engine.model import Model
from recommender.engine.page import allowed_rows, known_rows, pick_page


def _no_rows() -> IntArray:
    return np.empty(0, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked for. Raises InvalidDataError.

    k: songs on the page. excluded: rows left out besides what the feedback itself rules out, with all their versions;
    excluded_artists, excluded_genres: blocked ones. adventure: 0..1, how much exploring is welcome.
    """

    k: int = 20
    excluded: IntArray = field(default_factory=_no_rows)
    excluded_artists: IntArray = field(default_factory=_no_rows)
    excluded_genres: IntArray = field(default_factory=_no_rows)
    explicit_allowed: bool = True
    adventure: float = 0.0

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InvalidDataError(f"k: must be at least 1, is {self.k}")
        if not 0.0 <= self.adventure <= 1.0:
            raise InvalidDataError(f"adventure: must lie in 0..1, is {self.adventure}")


@dataclass(frozen=True)
class Recommendation:
    """One song on a page. `score` is the sum of `contributions`, which name every term that was weighed.

    propensity: probability with which the policy puts this song on this page.
    """

    row: int
    track_id: int
    position: int
    score: float
    contributions: dict[str, float]
    reasons: tuple[Reason, ...]
    propensity: float


@dataclass(frozen=True)
class Page:
    """Songs, best first; `policy` names how they were chosen, `amount` how much was known of the listener, in likes."""

    items: tuple[Recommendation, ...]
    policy: Literal["greedy"]
    amount: float


def recommend(model: Model, feedback: Feedback, request: Request, rng: np.random.Generator) -> Page:  # noqa: ARG001
    """The page of `request.k` songs for one listener, learned from `feedback` as it is now.

    Raises InvalidDataError if feedback or request point outside the model's catalogue. The greedy policy draws nothing
    from `rng` and is certain of its choice (propensity 1), whatever the adventure dial says.
    """
    listener = model.listener(feedback)
    scores = model.score(listener)
    excluded = np.concatenate([known_rows(feedback, model.config), request.excluded]).astype(np.int32)
    rows = _page_rows(model, scores.total, excluded, request)
    return Page(items=_items(model, scores, listener, rows), policy="greedy", amount=listener.amount)


def similar(model: Model, row: int, k: int, explicit_allowed: bool = True, excluded: IntArray | None = None) -> Page:
    """The k songs most like one song, by what is known of the songs themselves; never a version of it, nor `excluded`.

    Raises InvalidDataError if the row lies outside the catalogue.
    """
    listener = Listener.of_one_track(row)
    check_range("row", listener.rows, 0, model.catalogue.n_tracks)
    scores = blend(model.terms, model.config.similar_weights, listener)
    request = Request(k=k, explicit_allowed=explicit_allowed)
    left_out = listener.rows if excluded is None else np.concatenate([listener.rows, excluded]).astype(np.int32)
    rows = _page_rows(model, scores.total, left_out, request)
    return Page(items=_items(model, scores, listener, rows), policy="greedy", amount=listener.amount)


def _page_rows(model: Model, total: FloatArray, excluded: IntArray, request: Request) -> IntArray:
    check_range("excluded", excluded, 0, model.catalogue.n_tracks)
    check_range("excluded_artists", request.excluded_artists, 0, model.catalogue.n_artists)
    check_range("excluded_genres", request.excluded_genres, 0, model.catalogue.n_genres)
    allowed = allowed_rows(
        model.catalogue,
        excluded=excluded,
        explicit_allowed=request.explicit_allowed,
        excluded_artists=request.excluded_artists,
        excluded_genres=request.excluded_genres,
    )
    return pick_page(total, allowed, model.catalogue, request.k, model.config.max_per_artist)


def _items(model: Model, scores: Scores, listener: Listener, rows: IntArray) -> tuple[Recommendation, ...]:
    reasons = explain(model.terms, scores, listener, rows, model.config)
    items = []
    for position, row in enumerate(rows):
        contributions = scores.contributions(int(row))
        items.append(
            Recommendation(
                row=int(row),
                track_id=int(model.catalogue.track_ids[row]),
                position=position,
                score=sum(contributions.values()),
                contributions=contributions,
                reasons=reasons[position],
                propensity=1.0,
            )
        )
    return tuple(items)
