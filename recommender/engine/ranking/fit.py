"""Fitting the second stage on listeners that the terms it learns with have not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from recommender.engine.arrays import IntArray
from recommender.engine.blend import BlendWeights
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.observations import liked_pairs
from recommender.engine.ranking.attributes import TrackAttributes
from recommender.engine.ranking.examples import Bench, Query, first_stage_examples, make_queries, ranker_examples
from recommender.engine.ranking.ranker import Ranker
from recommender.engine.ranking.trees import fit_trees
from recommender.engine.ranking.weights import learn_weights
from recommender.engine.terms import Progress, Term

FitTerms = Callable[[Interactions], dict[str, Term]]
FIRST_STAGE_SHARE = 0.25
"""Of the queries; the weights of the blend are a few dozen numbers, the trees need more."""


@dataclass(frozen=True, eq=False)
class SecondStage:
    """What is learned about weighing the terms: for the blend, and for ordering its candidates (None: too thin).

    content: weights of the blend of the terms that need no other listeners; None: those of the configuration.
    """

    weights: BlendWeights
    ranker: Ranker | None
    content: BlendWeights | None = None


def term_trust(interactions: Interactions, needing: list[str], config: EngineConfig) -> dict[str, float]:
    """Factor on the prior weights of the terms that need other listeners; 0 while they are silent."""
    listeners = len(np.unique(interactions.listener[interactions.weight > 0]))
    share = listeners / (listeners + config.half_trust) if listeners >= config.term_min_listeners else 0.0
    return dict.fromkeys(needing, share)


def fit_second_stage(
    catalogue: Catalogue,
    interactions: Interactions,
    prior: BlendWeights,
    fit_terms: FitTerms,
    config: EngineConfig,
    rng: np.random.Generator,
    progress: Progress,
) -> SecondStage:
    """Learn on a share of the listeners with terms fitted on the others; `prior` alone while there are too few."""
    lists = liked_lists(interactions)
    long_enough = np.array([len(rows) > 1 for rows in lists], dtype=np.bool_)
    if int(long_enough.sum()) < config.ranking.min_listeners:
        return SecondStage(prior, None)
    held = np.zeros(len(lists), dtype=np.bool_)
    able = rng.permutation(np.flatnonzero(long_enough))
    held[able[: round(len(able) * config.ranking.held_out)]] = True
    progress("terms to learn the ranking with", 0.0)
    seen = interactions.of_listeners(~held)
    bench = Bench(catalogue, fit_terms(seen), TrackAttributes.of(catalogue, seen), config)
    queries = make_queries((lists[place] for place in np.flatnonzero(held)), config.ranking, rng)
    return _learn(bench, queries, prior, int(long_enough.sum()), rng, progress)


def _learn(
    bench: Bench,
    queries: list[Query],
    prior: BlendWeights,
    listeners: int,
    rng: np.random.Generator,
    progress: Progress,
) -> SecondStage:
    settings = bench.config.ranking
    first = round(len(queries) * FIRST_STAGE_SHARE)
    progress("weights of the blend", 0.4)
    examples = first_stage_examples(bench, queries[:first], prior, rng)
    weights = learn_weights(examples, prior, settings.prior_strength)
    needing = [name for name, term in bench.terms.items() if term.needs_listeners]
    content = learn_weights(examples, prior.without(needing), settings.prior_strength)
    progress("candidates to learn the ranking from", 0.5)
    features, labels, importance = ranker_examples(bench, queries, weights, rng)
    if not labels.any():
        return SecondStage(weights, None, content)
    progress("ranking", 0.7)
    trees = fit_trees(features, labels, importance, settings, rng)
    return SecondStage(weights, Ranker(trees, listeners / (listeners + settings.half_listeners)), content)


def liked_lists(interactions: Interactions) -> list[IntArray]:
    """Each listener's distinct rows of positive weight."""
    listener, row = liked_pairs(interactions)
    bounds = np.searchsorted(listener, np.arange(interactions.n_listeners + 1))
    return [row[low:high] for low, high in pairwise(bounds)]
