"""What the simulation lets play: the model learning or not, exploring or not, and what is popular."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.engine.arrays import FloatArray, IntArray, top_rows
from recommender.engine.data import Catalogue, Feedback
from recommender.engine.evaluation import Scorer
from recommender.engine.model import Model
from recommender.engine.page import allowed_rows, pick_page
from recommender.engine.recommend import Request, choose_page
from recommender.engine.simulation import Policy, Session, Shown

NO_RULE = 1_000_000
"""Songs of an artist on one page where the page rules are off."""


@dataclass(frozen=True, eq=False)
class FixedOrder:
    """The same scores for everybody (float32[n], -inf = never shown), whatever they do."""

    scores: FloatArray
    catalogue: Catalogue
    max_per_artist: int

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> Shown:
        return Shown.plain(best_unseen(self.scores, session, k, self.catalogue, self.max_per_artist))


@dataclass(frozen=True, eq=False)
class FromModel:
    """The model's own pages, learned from every click."""

    model: Model
    adventure: float = 0.0

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> Shown:
        feedback = session.feedback
        request = Request(k=k, excluded=session.seen, adventure=self.adventure)
        choice = choose_page(self.model, feedback, request, rng).choice
        return Shown(choice.rows, choice.explored)


@dataclass(eq=False)
class Static:
    """The model without learning: the scores of the first page are kept for the whole session."""

    model: Model
    _known: Session | None = None
    _scores: FloatArray | None = None

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> Shown:
        if self._scores is None or self._known is None or session.start is not self._known.start:
            self._known, self._scores = session, self._first_scores(session)
        return Shown.plain(
            best_unseen(self._scores, session, k, self.model.catalogue, self.model.config.max_per_artist)
        )

    def _first_scores(self, session: Session) -> FloatArray:
        listener = self.model.listener(Feedback.likes(session.start))
        ranked = self.model.rank(listener, allowed_rows(self.model.catalogue, excluded=session.start))
        return np.where(ranked.allowed, ranked.total, -np.inf).astype(np.float32)


@dataclass(frozen=True, eq=False)
class FromScorer:
    """Another recommender, asked anew before every page with all likes so far.

    beginning: what is shown before there is a like, of which such a recommender makes nothing.
    """

    scorer: Scorer
    beginning: FixedOrder

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> Shown:
        if not len(session.liked):
            return self.beginning(session, k, rng)
        scores = self.scorer(Feedback.likes(session.liked))
        offered = np.where(np.isfinite(self.beginning.scores), scores, -np.inf).astype(np.float32)
        return replace(self.beginning, scores=offered)(session, k, rng)


def best_unseen(scores: FloatArray, session: Session, k: int, catalogue: Catalogue, max_per_artist: int) -> IntArray:
    """The k best songs not shown yet, under the page rules unless they are off (`NO_RULE`)."""
    left = scores.copy()
    left[session.seen] = -np.inf
    if max_per_artist == NO_RULE:
        return top_rows(left, k)
    return pick_page(left, np.isfinite(left), catalogue, k, max_per_artist)


def popularity(model: Model) -> FixedOrder:
    """What is popular, to everybody."""
    nobody = model.listener(Feedback())
    allowed = allowed_rows(model.catalogue, excluded=np.empty(0, dtype=np.int32))
    scores = np.where(allowed, model.terms["popularity"].score(nobody), -np.inf).astype(np.float32)
    return FixedOrder(scores, model.catalogue, model.config.max_per_artist)


def model_policies(model: Model, dials: Sequence[float], default_dial: float) -> Mapping[str, Policy]:
    """Policies by the names of their rows: `explore` at the default dial, `explore@d` at the others."""
    model = _without_propensities(model)
    policies: dict[str, Policy] = {
        "popularity": popularity(model),
        "static": Static(model),
        "greedy": FromModel(model),
        "explore": FromModel(model, adventure=default_dial),
    }
    # What plays alike is the same object, so that it need not play twice.
    known = {0.0: policies["greedy"], default_dial: policies["explore"]}
    return policies | {f"explore@{dial:g}": known.get(dial, FromModel(model, adventure=dial)) for dial in dials}


def without_page_rules(model: Model) -> Model:
    """The model with as many songs of an artist on a page as their scores bring there."""
    return replace(model, config=replace(model.config, max_per_artist=NO_RULE))


def _without_propensities(model: Model) -> Model:
    """The model drawing each page once: the pages are distributed alike, and their probability is not asked for."""
    exploring = replace(model.config.exploring, draws=1)
    return replace(model, config=replace(model.config, exploring=exploring))
