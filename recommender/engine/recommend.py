"""Pages of songs for a listener, and songs similar to a song."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recommender.engine.arrays import BoolArray, IntArray
from recommender.engine.blend import blend
from recommender.engine.data import Feedback, check_range
from recommender.engine.errors import InvalidDataError
from recommender.engine.explain import Reason, explain
from recommender.engine.listener import Listener
from recommender.engine.model import Model
from recommender.engine.page import allowed_rows, known_rows, pick_page
from recommender.engine.ranking.ranked import Ranked


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
    excluded = np.concatenate([known_rows(feedback, model.config), request.excluded]).astype(np.int32)
    ranked = model.rank(listener, _allowed(model, excluded, request))
    rows, propensity = _greedy(model, ranked, request)
    items = _items(model, listener, rows, ranked.contributions(rows), propensity)
    return Page(items=items, policy="greedy", amount=listener.amount)


def similar(model: Model, row: int, k: int, explicit_allowed: bool = True, excluded: IntArray | None = None) -> Page:
    """The k songs most like one song, by what is known of the songs themselves; never a version of it, nor `excluded`.

    Raises InvalidDataError if the row lies outside the catalogue.
    """
    listener = Listener.of_one_track(row)
    check_range("row", listener.rows, 0, model.catalogue.n_tracks)
    scores = blend(model.terms, model.config.similar_weights, listener)
    request = Request(k=k, explicit_allowed=explicit_allowed)
    left_out = listener.rows if excluded is None else np.concatenate([listener.rows, excluded]).astype(np.int32)
    allowed = _allowed(model, left_out, request)
    rows = pick_page(scores.total, allowed, model.catalogue, k, model.config.max_per_artist)
    contributions = [scores.contributions(int(row)) for row in rows]
    items = _items(model, listener, rows, contributions, np.ones(len(rows)))
    return Page(items=items, policy="greedy", amount=listener.amount)


def _greedy(model: Model, ranked: Ranked, request: Request) -> tuple[IntArray, NDArray[np.float64]]:
    """The best rows that the page rules let through, and the probability of showing each: 1."""
    rows = pick_page(ranked.total, ranked.allowed, model.catalogue, request.k, model.config.max_per_artist)
    return rows, np.ones(len(rows))


def _allowed(model: Model, excluded: IntArray, request: Request) -> BoolArray:
    check_range("excluded", excluded, 0, model.catalogue.n_tracks)
    check_range("excluded_artists", request.excluded_artists, 0, model.catalogue.n_artists)
    check_range("excluded_genres", request.excluded_genres, 0, model.catalogue.n_genres)
    return allowed_rows(
        model.catalogue,
        excluded=excluded,
        explicit_allowed=request.explicit_allowed,
        excluded_artists=request.excluded_artists,
        excluded_genres=request.excluded_genres,
    )


def _items(
    model: Model,
    listener: Listener,
    rows: IntArray,
    contributions: Sequence[dict[str, float]],
    propensity: NDArray[np.float64],
) -> tuple[Recommendation, ...]:
    reasons = explain(model.terms, contributions, listener, rows, model.config)
    return tuple(
        Recommendation(
            row=int(row),
            track_id=int(model.catalogue.track_ids[row]),
            position=position,
            score=sum(contributions[position].values()),
            contributions=contributions[position],
            reasons=reasons[position],
            propensity=float(propensity[position]),
        )
        for position, row in enumerate(rows)
    )
