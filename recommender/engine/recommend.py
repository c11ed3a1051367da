"""Pages of songs for a listener, and songs similar to a song."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommender.engine.arrays import BoolArray, IntArray
from recommender.engine.blend import blend
from recommender.engine.choose import Choice, PolicyName, choose
from recommender.engine.data import Feedback, check_range
from recommender.engine.errors import InvalidDataError
from recommender.engine.explain import Reason, explain
from recommender.engine.freshness import Shown, resting
from recommender.engine.listener import Listener
from recommender.engine.model import Model
from recommender.engine.page import Allowed, known_rows, pick_page
from recommender.engine.ranking.ranked import Ranked


def _no_rows() -> IntArray:
    return np.empty(0, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked for. Raises InvalidDataError.

    k: songs on the page. excluded: rows left out besides what the feedback itself rules out, with all their versions;
    excluded_artists, excluded_genres: blocked ones. shown: songs shown before without a reaction, some of which rest.
    adventure: 0..1, how much exploring is welcome.
    """

    k: int = 20
    excluded: IntArray = field(default_factory=_no_rows)
    excluded_artists: IntArray = field(default_factory=_no_rows)
    excluded_genres: IntArray = field(default_factory=_no_rows)
    explicit_allowed: bool = True
    adventure: float = 0.0
    shown: Shown = field(default_factory=Shown)

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InvalidDataError(f"k: must be at least 1, is {self.k}")
        if not 0.0 <= self.adventure <= 1.0:
            raise InvalidDataError(f"adventure: must lie in 0..1, is {self.adventure}")


@dataclass(frozen=True)
class Recommendation:
    """One song on a page. `score` is the sum of `contributions`, which name every term that was weighed and, where they
    moved it, ANSWERS and the ADJUSTMENTS.

    propensity: probability with which the policy puts this song on this page. explored: whether only exploring put it
    there.
    """

    row: int
    track_id: int
    position: int
    score: float
    contributions: dict[str, float]
    reasons: tuple[Reason, ...]
    propensity: float
    explored: bool = False


@dataclass(frozen=True)
class Page:
    """Songs, best first; `policy` names how they were chosen, `amount` how much was known of the listener, in likes."""

    items: tuple[Recommendation, ...]
    policy: PolicyName
    amount: float


def recommend(model: Model, feedback: Feedback, request: Request, rng: np.random.Generator) -> Page:
    """The page of `request.k` songs for one listener, learned from `feedback` as it is now.

    Raises InvalidDataError if feedback or request point outside the model's catalogue. At adventure 0 nothing is drawn
    from `rng`, the policy is "greedy" and certain of its choice (propensity 1); otherwise it is "thompson".
    """
    chosen = choose_page(model, feedback, request, rng)
    items = explained(model, chosen.listener, chosen.ranked, chosen.choice)
    return Page(items=items, policy=chosen.choice.policy, amount=chosen.listener.amount)


def explained(model: Model, listener: Listener, ranked: Ranked, choice: Choice) -> tuple[Recommendation, ...]:
    """The chosen songs with what each term and adjustment contributes, and why they are there."""
    contributions = ranked.contributions(choice.rows)
    for name, values in choice.adjustments.items():
        for found, value in zip(contributions, values, strict=True):
            found[name] = float(value)
    return _items(model, listener, choice.rows, contributions, choice.propensity, choice.explored)


@dataclass(frozen=True, eq=False)
class ChosenPage:
    """A page before it is explained."""

    listener: Listener
    ranked: Ranked
    choice: Choice


def choose_page(model: Model, feedback: Feedback, request: Request, rng: np.random.Generator) -> ChosenPage:
    """What `recommend` shows, without contributions and reasons. Raises as `recommend`."""
    listener, ranked = rank_for(model, feedback, request)
    choice = choose(model, ranked, feedback, listener, request.k, request.adventure, rng)
    return ChosenPage(listener, ranked, choice)


def rank_for(model: Model, feedback: Feedback, request: Request) -> tuple[Listener, Ranked]:
    """The listener with what was learned now, and all that may be shown in order. Raises as `recommend`."""
    listener = model.listener(feedback)
    check_range("shown", request.shown.rows, 0, model.catalogue.n_tracks)
    resting_rows = request.shown.rows[resting(request.shown, model.config)]
    known = known_rows(feedback, model.config)
    excluded = np.concatenate([known, resting_rows, request.excluded]).astype(np.int32)
    return listener, model.rank(listener, _allowed(model, excluded, request), request.adventure)


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
    rows = pick_page(scores.total, allowed.mask, model.catalogue, k, model.config.max_per_artist)
    contributions = [scores.contributions(int(row)) for row in rows]
    items = _items(model, listener, rows, contributions, np.ones(len(rows)), np.zeros(len(rows), dtype=np.bool_))
    return Page(items=items, policy="greedy", amount=listener.amount)


def _allowed(model: Model, excluded: IntArray, request: Request) -> Allowed:
    check_range("excluded", excluded, 0, model.catalogue.n_tracks)
    check_range("excluded_artists", request.excluded_artists, 0, model.catalogue.n_artists)
    check_range("excluded_genres", request.excluded_genres, 0, model.catalogue.n_genres)
    return Allowed(
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
    explored: BoolArray,
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
            explored=bool(explored[position]),
        )
        for position, row in enumerate(rows)
    )
