"""Scorers to be measured: each term, the blend and the page of a model, and other recommenders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Feedback, Interactions
from recommender.engine.data.arrays import BoolArray, FloatArray
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.fit import fit_model
from recommender.engine.model import Model
from recommender.engine.rank import rank
from recommender.engine.ranking.exclusions import allowed_rows
from recommender.engine.score import score_ahead, score_content, term_scores
from recommender.engine.serving.constraints import pick_page
from recommender.engine.terms import Progress, no_progress

DEPTH = 100


Scorer = Callable[[Feedback], FloatArray]
"""Scores every track from the observed feedback of a listener, float32[n]."""


ScorerFactory = Callable[[Catalogue, Interactions, np.random.Generator], Scorer]
"""Fits a scorer on the training listeners, so that other recommenders are measured in the same run."""


def model_scorers(model: Model, candidates: BoolArray | None = None) -> dict[str, Scorer]:
    """Return one scorer per term that is not off, `content` (without the collaborative terms), `blend` and `page`.

    `blend` orders all tracks: its candidates by the ranker, the others behind them by the first stage. In `blend` and
    `content` other versions of revealed songs come last, because the listener has them. The scorers share work: each
    term is scored once if they score the same feedback object one after the other. `page` is a page of DEPTH songs from
    `candidates` (bool[n], by default all) by the page rules; any shorter page is its beginning.
    """
    shared = _Shared(model)

    def term_scorer(name: str) -> Scorer:
        return lambda feedback: shared.score(name, feedback)

    def rankable(feedback: Feedback) -> BoolArray:
        allowed = allowed_rows(model.catalogue, excluded=feedback.rows)
        return allowed if candidates is None else allowed & candidates

    def content(feedback: Feedback) -> FloatArray:
        return _others_last(score_content(shared.model, shared.listener(feedback)).total, rankable(feedback))

    def whole(feedback: Feedback) -> FloatArray:
        allowed = rankable(feedback)
        return _others_last(shared.rank(feedback, allowed), allowed)

    def page(feedback: Feedback) -> FloatArray:
        allowed = rankable(feedback)
        total = shared.rank(feedback, allowed)
        rows = pick_page(total, allowed, model.catalogue, DEPTH, model.config.page.max_per_artist)
        scores = np.full(model.catalogue.n_tracks, -np.inf, dtype=np.float32)
        scores[rows] = np.arange(len(rows), 0, -1)
        return scores

    scorers = {name: term_scorer(name) for name in model.terms if name in model.config.blend.term_weights}
    scorers |= {"content": content, "blend": whole, "page": page}
    return {name: ModelScorer(shared, scorer) for name, scorer in scorers.items()}


def _others_last(scores: FloatArray, allowed: BoolArray) -> FloatArray:
    """Return the scores, with those of tracks that are not allowed below all others."""
    step = float(scores.max(initial=0.0) - scores.min(initial=0.0)) + 1.0
    return np.where(allowed, scores, scores - np.float32(step)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class ModelScorer:
    """One way to score by a model that other scorers share."""

    shared: _Shared
    score: Scorer

    def __call__(self, feedback: Feedback) -> FloatArray:
        return self.score(feedback)


class _Shared:
    """A model that several scorers use for one listener after the other."""

    def __init__(self, model: Model) -> None:
        # The terms have scored all tracks anyway.
        self.model = replace(model, retriever=None)
        self._last: tuple[Feedback, ListenerProfile] | None = None
        self._expected: Sequence[Feedback] = ()
        self._folded: dict[int, ListenerProfile] = {}
        self._ranked: tuple[Feedback, FloatArray] | None = None

    def expect(self, feedbacks: Sequence[Feedback]) -> None:
        """Fold the next listeners in together."""
        if self._expected is not feedbacks:
            self._expected = feedbacks
            listeners = [self.model.listener(feedback) for feedback in feedbacks]
            score_ahead(self.model, listeners)
            self._folded = {id(feedback): listener for feedback, listener in zip(feedbacks, listeners, strict=True)}

    def listener(self, feedback: Feedback) -> ListenerProfile:
        if self._last is None or self._last[0] is not feedback:
            expected = self._folded.get(id(feedback))
            self._last = feedback, expected or self.model.listener(feedback)
        return self._last[1]

    def score(self, name: str, feedback: Feedback) -> FloatArray:
        """Return one term's scores."""
        listener, term = self.listener(feedback), self.model.terms[name]
        return term.score(listener) if term.sqrt_transform else term_scores(self.model, name, listener).raw

    def rank(self, feedback: Feedback, allowed: BoolArray) -> FloatArray:
        """Return final scores; the same `allowed` is assumed for the same feedback object."""
        if self._ranked is None or self._ranked[0] is not feedback:
            self._ranked = feedback, rank(self.model, self.listener(feedback), allowed).total
        return self._ranked[1]


def fit_scorers(
    catalogue: Catalogue,
    training: Interactions,
    config: EngineConfig,
    fit_rng: np.random.Generator,
    other_rng: np.random.Generator,
    others: Mapping[str, ScorerFactory],
    progress: Progress = no_progress,
    candidates: BoolArray | None = None,
) -> dict[str, Scorer]:
    """Fit the model and the others on the training listeners; `candidates` as in `model_scorers`."""
    model = fit_model(catalogue, training, config, fit_rng, lambda step, share: progress(f"fit {step}", share))
    scorers = model_scorers(model, candidates)
    for done, (name, factory) in enumerate(others.items()):
        progress(f"fit {name}", done / len(others))
        # Each has its own stream: leaving one out does not change the rest.
        scorers[name] = factory(catalogue, training, other_rng.spawn(1)[0])
    return scorers
