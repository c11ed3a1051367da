"""Bringing a model up to date without fitting it anew: new songs, new listeners, new feedback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from recommender.engine.answers import Answers
from recommender.engine.arrays import as_int32
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.estimates import with_estimates
from recommender.engine.model import Model
from recommender.engine.moments import moments_of
from recommender.engine.ranking import TrackAttributes
from recommender.engine.terms import TERMS, Progress, Term, no_progress
from recommender.engine.terms.base import Change, Updatable


def update_model(
    model: Model,
    catalogue: Catalogue,
    interactions: Interactions,
    rng: np.random.Generator,
    progress: Progress = no_progress,
    metadata: Mapping[str, Any] | None = None,
) -> Model:
    """The model with `catalogue` and all `interactions` (old and new) in it; for `retrain --incremental`.

    Terms that only read the catalogue are fitted anew, which is quick. Those that learn from listeners are brought up
    to date for the songs whose listeners have changed, and keep what they had for the others. Weights and ranker are
    kept; what answers say is learned anew, which is quick. Cheaper than a fit, and a little behind it: fit again now
    and then. Raises InvalidDataError if the inputs do not match, and KeyError if a term of the model is unknown.
    """
    interactions.check_against(catalogue)
    estimated = with_estimates(catalogue)
    attributes = TrackAttributes.of(estimated, interactions)
    old_rows = model.catalogue.rows_of(estimated.track_ids)
    before = np.append(model.attributes.listeners, np.float32(-1.0))[old_rows]
    change = Change(as_int32(old_rows), attributes.listeners != before)
    terms: dict[str, Term] = {}
    for done, (name, term) in enumerate(model.terms.items()):
        progress(name, done / len(model.terms))
        own = rng.spawn(1)[0]
        if isinstance(term, Updatable):
            terms[name] = cast(Term, term.updated(change, estimated, interactions, model.config, own))
        else:
            terms[name] = TERMS[name].fit(estimated, interactions, model.config, own, no_progress)
    progress("done", 1.0)
    kept = model.metadata if metadata is None else dict(metadata)
    moments = moments_of(terms, estimated.n_tracks)
    fresh = replace(model, catalogue=estimated, terms=terms, attributes=attributes, metadata=kept, moments=moments)
    answers = model.answers and Answers.fit(estimated, interactions, model.config)
    # A shortlist is of the songs it was built for.
    return replace(fresh, answers=answers, shortlist=None)
