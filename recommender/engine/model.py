"""A fitted model: the catalogue it knows, the fitted terms, and how they are weighed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, cast

import numpy as np

from recommender.engine.answers import Answers
from recommender.engine.arrays import BoolArray, FloatArray, IntArray
from recommender.engine.blend import BlendWeights, Scores, blend, weights_without
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Feedback, Interactions
from recommender.engine.diversity import unit_vectors
from recommender.engine.estimates import with_estimates
from recommender.engine.explore import pool_size, spread
from recommender.engine.lately import Lately, listeners_kept
from recommender.engine.listener import Listener
from recommender.engine.moments import Moments, moments_of
from recommender.engine.page import Allowed, mask_of
from recommender.engine.ranking import Ranker, TrackAttributes, candidate_features, candidate_rows
from recommender.engine.ranking.fit import SecondStage, fit_second_stage, term_trust
from recommender.engine.ranking.ranked import Ranked, Second
from recommender.engine.ranking.ranker import taken_off
from recommender.engine.shortlist import BuildIndex, Outlook, Shortlist
from recommender.engine.terms import TERMS, Progress, Term, no_progress
from recommender.engine.terms.audio import AudioTerm
from recommender.engine.terms.collaborative import CollaborativeTerm

Fit: TypeAlias = Callable[[Catalogue, Interactions, EngineConfig, np.random.Generator, Progress], Term]
"""What `Term.fit` is."""


@dataclass(frozen=True, eq=False)
class Model:
    """Immutable; safe to share between threads. `metadata` is the caller's, plain values (stored as JSON).

    ranker: orders the candidates of the blend; None while there are too few listeners to learn one. content_weights: of
    the blend of the terms that need no other listeners. shortlist: finds the tracks worth scoring; None: all are.
    moments: of the linear terms; one that has none is asked about all tracks where a few would do.
    answers: what likes and skips together say; None while there are too few listeners.
    """

    catalogue: Catalogue
    terms: Mapping[str, Term]
    weights: BlendWeights
    config: EngineConfig
    attributes: TrackAttributes
    content_weights: BlendWeights
    ranker: Ranker | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    shortlist: Shortlist | None = None
    moments: Mapping[str, Moments] = field(default_factory=dict)
    answers: Answers | None = None
    _lately: Lately = field(default_factory=Lately, init=False, repr=False)

    def listener(self, feedback: Feedback) -> Listener:
        """Fold one listener's feedback in. Raises InvalidDataError if it points outside the catalogue.

        Asked again with the same feedback, it may be the same object, with all that was worked out from it.
        """
        limit = listeners_kept(self.catalogue.n_tracks, len(self.terms))
        return self._lately.listener(feedback, limit, self._listener)

    def _listener(self, feedback: Feedback) -> Listener:
        feedback.check_against(self.catalogue)
        return Listener.from_feedback(feedback, self.config)

    def score(self, listener: Listener, left_out: Collection[str] = ()) -> Scores:
        """First-stage scores of all tracks by the blend, less the terms named in `left_out`. Not to be written to."""
        if not left_out:
            return listener.once(self._score)
        return blend(self.terms, weights_without(self.weights.at(listener.amount), left_out), listener)

    def _score(self, listener: Listener) -> Scores:
        scores = blend(self.terms, self.weights.at(listener.amount), listener)
        for array in (scores.total, *scores.plain.values()):
            array.flags.writeable = False
        return scores

    def score_content(self, listener: Listener) -> Scores:
        """Scores of all tracks by the blend of the terms that need no other listeners."""
        return blend(self.terms, self.content_weights.at(listener.amount), listener)

    def rank(self, listener: Listener, allowed: BoolArray | Allowed, adventure: float = 0.0) -> Ranked:
        """Candidates among the `allowed` tracks (a mask is bool[n]) in their final order, and the first stage behind.

        The more adventure, 0..1, the more candidates.
        """
        settings = self.config.ranking
        widened = replace(settings, candidates=pool_size(settings.candidates, adventure))
        base = self._short(listener, allowed, widened.candidates)
        if base is None:
            base = self.score(listener)
            rows = candidate_rows(base, mask_of(allowed), widened)
            return self._ranked(listener, base, rows, allowed)
        # All that is on the shortlist is allowed.
        rows = candidate_rows(base, np.ones(len(base.total), dtype=np.bool_), widened)
        ranked = self._ranked(listener, base, rows, allowed)
        return replace(ranked, score_all=lambda: self.score(listener))

    def _short(self, listener: Listener, allowed: BoolArray | Allowed, candidates: int) -> Scores | None:
        """First-stage scores of a shortlist of allowed tracks; None where all tracks have to be scored."""
        if self.shortlist is None:
            return None
        outlook = Outlook.of(self.terms, self.weights.at(listener.amount), listener, self.shortlist.moments)
        widening = candidates / self.config.ranking.candidates
        rows = self.shortlist.rows(outlook, len(listener.rows), widening)
        rows = rows[allowed.at(rows) if isinstance(allowed, Allowed) else allowed[rows]]
        # Of somebody who has barred that much, the index knows too little.
        return outlook.at(rows) if len(rows) >= candidates else None

    def _outlook(self, listener: Listener) -> Outlook:
        return Outlook.of(self.terms, self.weights.at(listener.amount), listener, self.moments)

    def _ranked(self, listener: Listener, base: Scores, rows: IntArray, allowed: BoolArray | Allowed) -> Ranked:
        ranker = self.ranker and self.ranker.after(listener.amount)
        says_nothing = ranker is None or (ranker.share == 0.0 and (self.answers is None or not listener.refusals))
        if ranker is None or says_nothing or not len(rows):
            return Ranked(
                rows, base.total[base.places(rows)], base, allowed, None, np.arange(len(rows), dtype=np.int32)
            )
        liking = listener.liking()
        positive = base
        if liking is not listener:
            positive = liking.once(self._outlook).at(np.sort(rows))
        features = candidate_features(positive, rows, self.terms, self.attributes, liking)
        opinion, parts = ranker.trees.predict(features.values), base.parts_at(rows)
        taken = taken_off(base, positive, rows)
        answers = self._answered(listener, rows, ranker.scores(opinion, features.parts, {}))
        scores = ranker.scores(opinion, parts, taken) + answers
        order = _best_first(rows, scores)
        second = Second(ranker, features, parts, taken, answers)
        return Ranked(rows[order], scores[order], base, allowed, second, order)

    def _answered(self, listener: Listener, rows: IntArray, liked: FloatArray) -> FloatArray:
        """What the listener's likes and skips together add to the scores of candidates, float32[c].

        liked: their scores by the likes alone, so that turning an artist down changes nothing here.
        """
        added = np.zeros_like(liked)
        if self.answers is not None:
            order = _best_first(rows, liked)
            # Widening the candidates must not change how much is added.
            unit = spread(liked[order[: self.config.ranking.candidates]])
            added[order] = self.answers.part(rows[order], unit, listener.as_learned(), self.config.answers)
        return added

    def embedding(self, rows: IntArray) -> FloatArray:
        """Vectors of some tracks whose products say how alike they are, float32[len(rows), d].

        The collaborative factors where they are fitted, else the vectors of the audio term.
        """
        collaborative = cast(CollaborativeTerm, self.terms[CollaborativeTerm.name])
        vectors = collaborative.vectors(rows)
        return vectors if vectors.shape[1] else cast(AudioTerm, self.terms[AudioTerm.name]).vectors(rows)

    def embedding_of(self, listener: Listener) -> FloatArray:
        """The same of the listener's tracks, float32[m, d]."""
        collaborative = cast(CollaborativeTerm, self.terms[CollaborativeTerm.name])
        vectors = collaborative.vectors_of(listener)
        return vectors if vectors.shape[1] else self.embedding(listener.rows)

    def heard(self, listener: Listener) -> FloatArray:
        """The same of length 1, or zero where nothing is known of a track."""
        return unit_vectors(self.embedding_of(listener))

    @property
    def second_stage(self) -> SecondStage:
        """What was learned about weighing the terms."""
        return SecondStage(self.weights, self.ranker, self.content_weights)

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
    second_stage: SecondStage | None = None,
    elsewhere: Mapping[str, Fit] | None = None,
) -> Model:
    """Fit every registered term, and learn how to weigh them. Raises InvalidDataError if the inputs do not match.

    Songs without features get estimated ones, flagged as such in the model's catalogue.

    `second_stage`: what was learned before about weighing the terms, instead of learning it anew. `elsewhere`: what
    fits a term in place of its own `fit`, by name: on other machines, from the same random numbers.
    `progress(step, share)` is called with the term's name and the share 0..1 that is done.
    """
    interactions.check_against(catalogue)
    catalogue = with_estimates(catalogue)
    term_rng, stage_rng = rng.spawn(2)
    seed = int(term_rng.integers(2**63))
    prior = _prior(interactions, config)

    def terms_of(seen: Interactions) -> dict[str, Term]:
        return _fit_terms(catalogue, seen, config, np.random.default_rng(seed), no_progress, {})

    fit_rng = np.random.default_rng(seed)
    terms = _fit_terms(catalogue, interactions, config, fit_rng, _scaled(progress, 0.0, 0.4), elsewhere or {})
    stage = second_stage or fit_second_stage(
        catalogue, interactions, prior, terms_of, config, stage_rng, _scaled(progress, 0.4, 1.0)
    )
    answers = Answers.fit(catalogue, interactions, config)
    progress("done", 1.0)
    needing = [name for name, term in terms.items() if term.needs_listeners]
    return Model(
        catalogue=catalogue,
        terms=terms,
        weights=stage.weights,
        config=config,
        attributes=TrackAttributes.of(catalogue, interactions),
        content_weights=stage.content or BlendWeights.prior(config).without(needing),
        ranker=stage.ranker,
        metadata=dict(metadata or {}),
        moments=moments_of(terms, catalogue.n_tracks),
        answers=answers,
    )


def with_shortlist(model: Model, build_index: BuildIndex, seed: int = 0) -> Model:
    """The same model that scores only what an index finds worth it; `save_model` stores the index as well.

    The model as it is where it has no more tracks than `ShortlistConfig.above`.
    """
    settings = model.config.shortlist
    if model.catalogue.n_tracks <= settings.above:
        return model
    listeners = model.attributes.listeners
    arguments = model.terms, model.weights, model.moments, listeners, model.config, build_index, seed
    shortlist = Shortlist.build(*arguments)
    return replace(model, shortlist=shortlist)


def _best_first(rows: IntArray, scores: FloatArray) -> IntArray:
    """Places of scores, largest first, ties by row."""
    return np.lexsort((rows, -scores)).astype(np.int32)


def _prior(interactions: Interactions, config: EngineConfig) -> BlendWeights:
    needing = [name for name, term in TERMS.items() if term.needs_listeners]
    return BlendWeights.prior(config, term_trust(interactions, needing, config))


def _fit_terms(
    catalogue: Catalogue,
    interactions: Interactions,
    config: EngineConfig,
    rng: np.random.Generator,
    progress: Progress,
    elsewhere: Mapping[str, Fit],
) -> dict[str, Term]:
    terms: dict[str, Term] = {}
    for done, (name, term) in enumerate(TERMS.items()):
        progress(name, done / len(TERMS))
        # Every term draws from its own stream: adding one does not change what the others learn.
        term_rng = rng.spawn(1)[0]
        fit = elsewhere.get(name, term.fit)
        terms[name] = fit(catalogue, interactions, config, term_rng, no_progress)
    return terms


def _scaled(progress: Progress, low: float, high: float) -> Progress:
    return lambda step, share: progress(step, low + share * (high - low))
