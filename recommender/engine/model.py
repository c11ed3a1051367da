"""A fitted model: the catalogue it knows, the fitted terms, and how they are weighed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recommender.engine.blend import BlendWeights, Scores, blend, weights_without
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Feedback, Interactions
from recommender.engine.listener import Listener
from recommender.engine.terms import TERMS, Progress, Term, no_progress


@dataclass(frozen=True, eq=False)
class Model:
    """Immutable; safe to share between threads. `metadata` is the caller's, plain values (stored as JSON)."""

    catalogue: Catalogue
    terms: Mapping[str, Term]
    weights: BlendWeights
    config: EngineConfig
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def listener(self, feedback: Feedback) -> Listener:
        """Fold one listener's feedback in. Raises InvalidDataError if it points outside the catalogue."""
        feedback.check_against(self.catalogue)
        return Listener.from_feedback(feedback, self.config)

    def score(self, listener: Listener, left_out: Collection[str] = ()) -> Scores:
        """Score all tracks with the blend, without the terms named in `left_out`."""
        weights = weights_without(self.weights.at(listener.amount), left_out)
        return blend(self.terms, weights, listener)

    def terms_needing_listeners(self) -> list[str]:
        """Names of the terms that the `content` blend leaves out."""
        return [name for name, term in self.terms.items() if term.needs_listeners]


def fit_model(
    catalogue: Catalogue,
    interactions: Interactions,
    config: EngineConfig,
    rng: np.random.Generator,
    progress: Progress = no_progress,
    metadata: Mapping[str, Any] | None = None,
) -> Model:
    """Fit every registered term and weigh them as configured. Raises InvalidDataError if the inputs do not match.

    `progress(step, share)` is called with the term's name and the share 0..1 of the terms that are done.
    """
    interactions.check_against(catalogue)
    terms: dict[str, Term] = {}
    for done, (name, term) in enumerate(TERMS.items()):
        progress(name, done / len(TERMS))
        # Every term draws from its own stream: adding one does not change what the others learn.
        terms[name] = term.fit(catalogue, interactions, config, rng.spawn(1)[0], no_progress)
    progress("done", 1.0)
    return Model(catalogue, terms, BlendWeights.prior(config), config, dict(metadata or {}))
