"""Fits a model: every term, their weights, and the index of a very large catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.fitting.imputation import with_estimates
from recommender.engine.model import Model
from recommender.engine.ranking import TrackAttributes
from recommender.engine.ranking.blend import BlendWeights
from recommender.engine.ranking.score_statistics import fit_score_statistics
from recommender.engine.ranking.training import SecondStage, fit_second_stage, implicit_negative_weight, term_trust
from recommender.engine.retrieval import BuildIndex, CandidateRetriever
from recommender.engine.terms import TERMS, Progress, Term, TermsConfig, no_progress

Fit: TypeAlias = Callable[[Catalogue, Interactions, TermsConfig, np.random.Generator, Progress], Term]
"""The signature of `Term.fit`."""


def fit_model(
    catalogue: Catalogue,
    interactions: Interactions,
    config: EngineConfig,
    rng: np.random.Generator,
    progress: Progress = no_progress,
    metadata: Mapping[str, Any] | None = None,
    second_stage: SecondStage | None = None,
    term_fitters: Mapping[str, Fit] | None = None,
) -> Model:
    """Fit every registered term, and learn how to weigh them. Raise InvalidDataError if the inputs do not match.

    Songs without features get estimated ones, flagged as such in the model's catalogue.

    second_stage: learned before, to be used instead of learning it anew. term_fitters: replacements of the terms' own
    `fit`, by name, such as one that works on other machines from the same random numbers.
    `progress(step, share)` is called with the term's name and the share 0..1 that is done.
    """
    interactions.check_against(catalogue)
    catalogue = with_estimates(catalogue)
    term_rng, stage_rng = rng.spawn(2)
    seed = int(term_rng.integers(2**63))

    def terms_of(seen: Interactions) -> dict[str, Term]:
        return _fit_terms(catalogue, seen, config, np.random.default_rng(seed), no_progress, {})

    fit_rng = np.random.default_rng(seed)
    terms = _fit_terms(catalogue, interactions, config, fit_rng, _scaled(progress, 0.0, 0.4), term_fitters or {})
    prior = prior_weights(interactions, terms, config)
    stage = second_stage or fit_second_stage(
        catalogue, interactions, prior, terms_of, config, stage_rng, _scaled(progress, 0.4, 1.0)
    )
    progress("done", 1.0)
    needing = [name for name, term in terms.items() if term.is_collaborative]
    return Model(
        catalogue=catalogue,
        terms=terms,
        weights=stage.weights,
        config=config,
        attributes=TrackAttributes.of(catalogue, interactions),
        content_weights=stage.content or BlendWeights.prior(config.blend).without(needing),
        ranker=stage.ranker,
        metadata=dict(metadata or {}),
        score_statistics=fit_score_statistics(terms, catalogue.n_tracks),
    )


def with_retriever(model: Model, build_index: BuildIndex, seed: int = 0) -> Model:
    """Return the model with a retriever, so that only the tracks worth scoring are scored.

    The model itself if it has no more tracks than `RetrievalConfig.above`. `save_model` stores the index as well.
    """
    settings = model.config.retrieval
    if model.catalogue.n_tracks <= settings.above:
        return model
    listeners = model.attributes.listeners
    arguments = model.terms, model.weights, model.score_statistics, listeners, model.config, build_index, seed
    retriever = CandidateRetriever.build(*arguments)
    return replace(model, retriever=retriever)


def prior_weights(interactions: Interactions, terms: Mapping[str, Term], config: EngineConfig) -> BlendWeights:
    """Return the configured weights of fitted terms, reduced while there is too little feedback to trust a term."""
    needing = [name for name, term in terms.items() if term.is_collaborative]
    trust = term_trust(interactions, needing, config)
    negative_weight = implicit_negative_weight(terms)
    # Terms that read no feedback as a negative are worth as much as that negative.
    return BlendWeights.prior(
        config.blend,
        {
            name: share * negative_weight if terms[name].uses_implicit_negatives else share
            for name, share in trust.items()
        },
    )


def _fit_terms(
    catalogue: Catalogue,
    interactions: Interactions,
    config: EngineConfig,
    rng: np.random.Generator,
    progress: Progress,
    term_fitters: Mapping[str, Fit],
) -> dict[str, Term]:
    terms: dict[str, Term] = {}
    for done, (name, term) in enumerate(TERMS.items()):
        progress(name, done / len(TERMS))
        # Every term draws from its own stream, so that adding one does not change the others.
        term_rng = rng.spawn(1)[0]
        fit = term_fitters.get(name, term.fit)
        terms[name] = fit(catalogue, interactions, config.terms, term_rng, no_progress)
    return terms


def _scaled(progress: Progress, low: float, high: float) -> Progress:
    return lambda step, share: progress(step, low + share * (high - low))
