"""The first stage: scores of tracks by the blend of a model's terms. What was scored once for a listener is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from recommender.engine.data.profile import ListenerProfile
from recommender.engine.model import Model
from recommender.engine.ranking.blend import (
    Scores,
    TermScores,
    score_term,
    score_term_for_many,
    weighted_sum,
    weights_without,
)
from recommender.engine.retrieval import QueryVectors
from recommender.engine.terms import LinearTerm


def score(model: Model, listener: ListenerProfile, left_out: Collection[str] = ()) -> Scores:
    """Return scores of all tracks by the blend, less the terms named in `left_out`. They must not be written to."""
    weights = model.weights.at(listener.evidence)
    if left_out:
        return _blend(model, listener, weights_without(weights, left_out))
    cache = model.score_cache(listener)
    if cache.blend is None:
        cache.blend = _blend(model, listener, weights)
        cache.blend.total.flags.writeable = False
    return cache.blend


def score_content(model: Model, listener: ListenerProfile) -> Scores:
    """Return scores of all tracks by the blend of the terms that need no other listeners."""
    return _blend(model, listener, model.content_weights.at(listener.evidence))


def term_scores(model: Model, name: str, listener: ListenerProfile) -> TermScores:
    """Return one term's scores of all tracks. They must not be written to."""
    by_name = model.score_cache(listener).terms
    if name not in by_name:
        by_name[name] = score_term(model.terms[name], listener, model.score_statistics.get(name))
        by_name[name].raw.flags.writeable = False
    return by_name[name]


def score_ahead(model: Model, listeners: Sequence[ListenerProfile]) -> None:
    """Score the linear terms for several listeners at once, which is quicker than one by one."""
    caches = [model.score_cache(listener).terms for listener in listeners]
    for name, term in model.terms.items():
        if name not in model.weights.weights or not isinstance(term, LinearTerm):
            continue
        scored = score_term_for_many(term, listeners, model.score_statistics.get(name))
        for by_name, scores in zip(caches, scored, strict=True):
            scores.raw.flags.writeable = False
            by_name[name] = scores


def query_vectors(model: Model, listener: ListenerProfile) -> QueryVectors:
    """Return what scores a few tracks of the catalogue without the others."""
    cache = model.score_cache(listener)
    if cache.query_vectors is None:
        weights = model.weights.at(listener.evidence)
        cache.query_vectors = QueryVectors.of(model.terms, weights, listener, model.score_statistics)
    return cache.query_vectors


def _blend(model: Model, listener: ListenerProfile, weights: Mapping[str, float]) -> Scores:
    return weighted_sum({name: term_scores(model, name, listener) for name in model.terms if name in weights}, weights)
