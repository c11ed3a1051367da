"""Pages of songs for a listener."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data import Catalogue, Feedback, check_range
from recommender.engine.data.arrays import BoolArray, IntArray
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.errors import InvalidDataError
from recommender.engine.model import Model
from recommender.engine.rank import rank
from recommender.engine.ranking.exclusions import AllowedTracks, known_rows
from recommender.engine.ranking.ranked import RankedCandidates
from recommender.engine.serving.explain import Reason, explain
from recommender.engine.serving.impressions import Impressions, in_cooldown
from recommender.engine.serving.policy import PageSelection, PolicyName, select_page


def _no_rows() -> IntArray:
    return np.empty(0, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Request:
    """A request for a page. Raise InvalidDataError.

    k: songs on the page. excluded: rows left out besides those that the feedback excludes, with all their versions.
    excluded_artists, excluded_genres: blocked ones. only: rows besides which none may be on it; None: all may. shown:
    songs shown before without a reaction, some of which are in cooldown. adventure: 0..1, how much to explore.
    new_since: the year from which a release counts as new; None: none.
    """

    k: int = 20
    excluded: IntArray = field(default_factory=_no_rows)
    excluded_artists: IntArray = field(default_factory=_no_rows)
    excluded_genres: IntArray = field(default_factory=_no_rows)
    explicit_allowed: bool = True
    only: IntArray | None = None
    adventure: float = 0.0
    shown: Impressions = field(default_factory=Impressions)
    new_since: int | None = None

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InvalidDataError(f"k: must be at least 1, is {self.k}")
        if not 0.0 <= self.adventure <= 1.0:
            raise InvalidDataError(f"adventure: must lie in 0..1, is {self.adventure}")

    def without(self, rows: IntArray) -> Request:
        """Return the request with more rows left out."""
        return replace(self, excluded=np.concatenate([self.excluded, rows])) if len(rows) else self


@dataclass(frozen=True)
class PageItem:
    """One song on a page. `score` is the sum of `contributions`: of every term with a weight, and of the
    ADJUSTMENTS that are not 0.

    propensity: probability with which the policy puts this song on this page. explored: whether it is on the page only
    because of exploration.
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
class RecommendedPage:
    """Songs, best first; `policy` names how they were selected, `amount` the listener's evidence, in likes."""

    items: tuple[PageItem, ...]
    policy: PolicyName
    amount: float

    def of_tracks(self, track_ids: Container[int]) -> RecommendedPage:
        """Return the page with these songs alone."""
        return replace(self, items=tuple(item for item in self.items if item.track_id in track_ids))


def recommend(model: Model, feedback: Feedback, request: Request, rng: np.random.Generator) -> RecommendedPage:
    """Recommend a page of `request.k` songs to a listener with this feedback.

    Raise InvalidDataError if feedback or request point outside the model's catalogue. At adventure 0 nothing is drawn
    from `rng`, the policy is "greedy" and every propensity is 1; otherwise it is "thompson".
    """
    selected = select_songs(model, feedback, request, rng)
    items = explained(model, selected.listener, selected.ranked, selected.selection)
    return RecommendedPage(items=items, policy=selected.selection.policy, amount=selected.listener.evidence)


def explained(
    model: Model, listener: ListenerProfile, ranked: RankedCandidates, selection: PageSelection
) -> tuple[PageItem, ...]:
    """Return the selected songs with the contribution of each term and adjustment, and the reasons."""
    contributions = ranked.contributions(selection.rows)
    for name, values in selection.adjustments.items():
        for by_name, value in zip(contributions, values, strict=True):
            by_name[name] = float(value)
    return page_items(model, listener, selection.rows, contributions, selection.propensity, selection.explored)


@dataclass(frozen=True, eq=False)
class SelectedSongs:
    """A page without contributions and reasons."""

    listener: ListenerProfile
    ranked: RankedCandidates
    selection: PageSelection


def select_songs(model: Model, feedback: Feedback, request: Request, rng: np.random.Generator) -> SelectedSongs:
    """Return the songs that `recommend` shows, without explaining them. Raise as `recommend`."""
    listener, ranked = rank_request(model, feedback, request)
    selection = select_page(model, ranked, feedback, listener, request.k, request.adventure, rng)
    return SelectedSongs(listener, ranked, selection)


def rank_request(model: Model, feedback: Feedback, request: Request) -> tuple[ListenerProfile, RankedCandidates]:
    """Return the listener's profile, and the candidates for a request in order. Raise as `recommend`."""
    listener = model.listener(feedback)
    check_range("shown", request.shown.rows, 0, model.catalogue.n_tracks)
    shown_rows = request.shown.rows[in_cooldown(request.shown, model.config)]
    known = known_rows(feedback, model.config)
    excluded = np.concatenate([known, shown_rows, request.excluded]).astype(np.int32)
    return listener, rank(model, listener, allowed_tracks(model.catalogue, excluded, request), request.adventure)


def allowed_tracks(catalogue: Catalogue, excluded: IntArray, request: Request) -> AllowedTracks:
    """Return the tracks that `request` allows, without the `excluded` rows. Raise InvalidDataError."""
    check_range("excluded", excluded, 0, catalogue.n_tracks)
    check_range("excluded_artists", request.excluded_artists, 0, catalogue.n_artists)
    check_range("excluded_genres", request.excluded_genres, 0, catalogue.n_genres)
    if request.only is not None:
        check_range("only", request.only, 0, catalogue.n_tracks)
    return AllowedTracks(
        catalogue,
        excluded=excluded,
        explicit_allowed=request.explicit_allowed,
        excluded_artists=request.excluded_artists,
        excluded_genres=request.excluded_genres,
        only=request.only,
    )


def page_items(
    model: Model,
    listener: ListenerProfile,
    rows: IntArray,
    contributions: Sequence[dict[str, float]],
    propensity: NDArray[np.float64],
    explored: BoolArray,
) -> tuple[PageItem, ...]:
    """Return songs with their reasons; `contributions`, `propensity` and `explored` have one entry for each row."""
    reasons = explain(model.terms, contributions, listener, rows, model.config)
    return tuple(
        PageItem(
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
