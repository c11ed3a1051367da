"""Policies compared in the simulation: the model with and without learning and exploring, and popular songs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.engine.data import Catalogue, Feedback
from recommender.engine.data.arrays import FloatArray, IntArray, top_rows
from recommender.engine.evaluation.scorers import Scorer
from recommender.engine.evaluation.simulation import Policy, Session, SimulatedPage
from recommender.engine.model import Model
from recommender.engine.rank import rank
from recommender.engine.ranking.exclusions import allowed_rows
from recommender.engine.serving.constraints import pick_page
from recommender.engine.serving.recommend import Request, select_songs

NO_RULE = 1_000_000
"""Songs of an artist on one page where the page rules are off."""


@dataclass(frozen=True, eq=False)
class FixedOrder:
    """The same scores for every listener (float32[n], -inf = never shown), whatever their reactions."""

    scores: FloatArray
    catalogue: Catalogue
    max_per_artist: int

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> SimulatedPage:
        return SimulatedPage.plain(best_unseen(self.scores, session, k, self.catalogue, self.max_per_artist))


@dataclass(frozen=True, eq=False)
class FromModel:
    """The model's own pages, learned from every click."""

    model: Model
    adventure: float = 0.0

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> SimulatedPage:
        feedback = session.feedback
        request = Request(k=k, excluded=session.seen, adventure=self.adventure)
        selection = select_songs(self.model, feedback, request, rng).selection
        return SimulatedPage(selection.rows, selection.explored)


@dataclass(eq=False)
class Static:
    """The model without learning: the scores of the first page are kept for the whole session."""

    model: Model
    _session: Session | None = None
    _scores: FloatArray | None = None

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> SimulatedPage:
        if self._scores is None or self._session is None or session.start is not self._session.start:
            self._session, self._scores = session, self._first_scores(session)
        return SimulatedPage.plain(
            best_unseen(self._scores, session, k, self.model.catalogue, self.model.config.page.max_per_artist)
        )

    def _first_scores(self, session: Session) -> FloatArray:
        listener = self.model.listener(Feedback.likes(session.start))
        ranked = rank(self.model, listener, allowed_rows(self.model.catalogue, excluded=session.start))
        return np.where(ranked.allowed, ranked.total, -np.inf).astype(np.float32)


@dataclass(frozen=True, eq=False)
class FromScorer:
    """Another recommender, which scores all songs before every page from all likes so far.

    beginning: shown before there is a like, without which such a recommender cannot score.
    """

    scorer: Scorer
    beginning: FixedOrder

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> SimulatedPage:
        if not len(session.liked):
            return self.beginning(session, k, rng)
        scores = self.scorer(Feedback.likes(session.liked))
        offered = np.where(np.isfinite(self.beginning.scores), scores, -np.inf).astype(np.float32)
        return replace(self.beginning, scores=offered)(session, k, rng)


def best_unseen(scores: FloatArray, session: Session, k: int, catalogue: Catalogue, max_per_artist: int) -> IntArray:
    """Return the k best songs that were not shown yet, by the page rules unless they are off (`NO_RULE`)."""
    left = scores.copy()
    left[session.seen] = -np.inf
    if max_per_artist == NO_RULE:
        return top_rows(left, k)
    return pick_page(left, np.isfinite(left), catalogue, k, max_per_artist)


def popularity(model: Model) -> FixedOrder:
    """Return the policy that shows popular songs to everybody."""
    anonymous = model.listener(Feedback())
    allowed = allowed_rows(model.catalogue, excluded=np.empty(0, dtype=np.int32))
    scores = np.where(allowed, model.terms["popularity"].score(anonymous), -np.inf).astype(np.float32)
    return FixedOrder(scores, model.catalogue, model.config.page.max_per_artist)


def model_policies(model: Model, dials: Sequence[float], default_dial: float) -> Mapping[str, Policy]:
    """Return the policies by the names of their rows: `explore` at the default dial, `explore@d` at the others."""
    model = without_propensities(model)
    policies: dict[str, Policy] = {
        "popularity": popularity(model),
        "static": Static(model),
        "greedy": FromModel(model),
        "explore": FromModel(model, adventure=default_dial),
    }
    # Equal policies are the same object, so that they play once.
    known = {0.0: policies["greedy"], default_dial: policies["explore"]}
    return policies | {f"explore@{dial:g}": known.get(dial, FromModel(model, adventure=dial)) for dial in dials}


def without_page_rules(model: Model) -> Model:
    """Return the model without a limit of songs per artist on a page."""
    return replace(model, config=replace(model.config, page=replace(model.config.page, max_per_artist=NO_RULE)))


def without_propensities(model: Model) -> Model:
    """Return the model that draws each page once: pages are distributed alike, and propensities are not needed."""
    exploring = replace(model.config.exploring, n_samples=1)
    return replace(model, config=replace(model.config, exploring=exploring))
