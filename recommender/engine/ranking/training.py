"""Fits the second stage on listeners that its terms were not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.engine.data import Catalogue, Interactions
from recommender.engine.data.arrays import IntArray
from recommender.engine.data.interaction_matrix import STRONG, rows_by_listener
from recommender.engine.ranking.attributes import TrackAttributes
from recommender.engine.ranking.blend import BlendWeights
from recommender.engine.ranking.examples import (
    ListenerLabels,
    TrainingContext,
    TrainingQuery,
    first_stage_examples,
    make_queries,
    ranker_examples,
)
from recommender.engine.ranking.ranker import Ranker
from recommender.engine.ranking.score_statistics import fit_score_statistics
from recommender.engine.ranking.trees import fit_trees
from recommender.engine.ranking.weights import learn_weights
from recommender.engine.terms import Progress, Term
from recommender.engine.terms.base import MIN_LISTENERS
from recommender.engine.terms.preference import PreferenceTerm

if TYPE_CHECKING:
    from recommender.engine.config import EngineConfig


FitTerms = Callable[[Interactions], dict[str, Term]]
FIRST_STAGE_SHARE = 0.25
"""Share of the queries that the blend learns from: it has a few dozen weights, the trees need more."""


@dataclass(frozen=True, eq=False)
class SecondStage:
    """What was learned about weighing the terms. ranker: None where there are too few listeners.

    content: weights of the blend of the terms that need no other listeners; None: those of the configuration.
    """

    weights: BlendWeights
    ranker: Ranker | None
    content: BlendWeights | None = None


def term_trust(interactions: Interactions, needing: list[str], config: EngineConfig) -> dict[str, float]:
    """Return the factor on the prior weights of the terms that need other listeners; 0 while they have no opinion."""
    listeners = len(np.unique(interactions.listener[interactions.weight > 0]))
    weight = listeners / (listeners + config.blend.shrinkage_listeners) if listeners >= MIN_LISTENERS else 0.0
    return dict.fromkeys(needing, weight)


def implicit_negative_weight(terms: Mapping[str, Term]) -> float:
    """Return the weight of a track without feedback as a negative, as the preference term learned it: 0..1."""
    preference = terms.get(PreferenceTerm.name)
    return preference.implicit_negative_weight if isinstance(preference, PreferenceTerm) else 1.0


def fit_second_stage(
    catalogue: Catalogue,
    interactions: Interactions,
    prior: BlendWeights,
    fit_terms: FitTerms,
    config: EngineConfig,
    rng: np.random.Generator,
    progress: Progress,
) -> SecondStage:
    """Fit on a share of the listeners, with terms fitted on the others; return `prior` while there are too few."""
    listeners = labels_by_listener(interactions)
    long_enough = np.array([len(labels.liked) > 1 for labels in listeners], dtype=np.bool_)
    if int(long_enough.sum()) < config.ranking.min_listeners:
        return SecondStage(prior, None)
    is_held_out = np.zeros(len(listeners), dtype=np.bool_)
    eligible = rng.permutation(np.flatnonzero(long_enough))
    is_held_out[eligible[: round(len(eligible) * config.ranking.held_out)]] = True
    progress("terms to learn the ranking with", 0.0)
    training = interactions.of_listeners(~is_held_out)
    terms = fit_terms(training)
    attributes, statistics = TrackAttributes.of(catalogue, training), fit_score_statistics(terms, catalogue.n_tracks)
    context = TrainingContext(catalogue, terms, attributes, config, implicit_negative_weight(terms), statistics)
    queries = make_queries((listeners[number] for number in np.flatnonzero(is_held_out)), config.ranking, rng)
    return _learn(context, queries, prior, int(long_enough.sum()), rng, progress)


def _learn(
    context: TrainingContext,
    queries: list[TrainingQuery],
    prior: BlendWeights,
    listeners: int,
    rng: np.random.Generator,
    progress: Progress,
) -> SecondStage:
    settings = context.config.ranking
    first = round(len(queries) * FIRST_STAGE_SHARE)
    progress("weights of the blend", 0.4)
    examples = first_stage_examples(context, queries[:first], prior, rng)
    weights = learn_weights(examples, prior, settings.prior_strength)
    needing = [name for name, term in context.terms.items() if term.is_collaborative]
    content = learn_weights(examples, prior.without(needing), settings.prior_strength)
    progress("candidates to learn the ranking from", 0.5)
    features, labels, importance = ranker_examples(context, queries, weights, rng)
    if not labels.any():
        return SecondStage(weights, None, content)
    progress("ranking", 0.7)
    trees = fit_trees(features, labels, importance, settings, rng)
    # The trees learn which songs have feedback, which predicts likes only as far as no feedback is a negative.
    weight = context.implicit_negative_weight * listeners / (listeners + settings.shrinkage_listeners)
    return SecondStage(weights, Ranker(trees, weight), content)


def labels_by_listener(interactions: Interactions) -> list[ListenerLabels]:
    """Return each listener's distinct rows by the kind of feedback."""
    weight = interactions.weight
    kinds = (weight > 0, weight <= -STRONG, (weight < 0) & (weight > -STRONG))
    return [
        ListenerLabels(*rows) for rows in zip(*(rows_by_listener(interactions, kind) for kind in kinds), strict=True)
    ]


def liked_lists(interactions: Interactions) -> list[IntArray]:
    """Return each listener's distinct rows of positive weight."""
    return rows_by_listener(interactions, interactions.weight > 0)
