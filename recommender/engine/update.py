"""Updates a model without a new fit: new songs, new listeners, new feedback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from recommender.engine.data import Catalogue, Interactions
from recommender.engine.data.arrays import as_int32
from recommender.engine.fitting.imputation import with_estimates
from recommender.engine.model import Model
from recommender.engine.ranking import TrackAttributes
from recommender.engine.ranking.score_statistics import fit_score_statistics
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
    """Return the model with `catalogue` and all `interactions` (old and new) in it; for `retrain --incremental`.

    Terms that only read the catalogue are fitted anew, which is quick. Collaborative terms are updated for the songs
    whose listeners have changed. Weights and ranker stay as they are. This is cheaper than a fit, and a little worse,
    so fit again now and then. Raise InvalidDataError if the inputs do not match, and KeyError if a term of the model is
    unknown.
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
            terms[name] = cast(Term, term.updated(change, estimated, interactions, model.config.terms, own))
        else:
            terms[name] = TERMS[name].fit(estimated, interactions, model.config.terms, own, no_progress)
    progress("done", 1.0)
    new_metadata = model.metadata if metadata is None else dict(metadata)
    statistics = fit_score_statistics(terms, estimated.n_tracks)
    fresh = replace(
        model,
        catalogue=estimated,
        terms=terms,
        attributes=attributes,
        metadata=new_metadata,
        score_statistics=statistics,
    )
    # A retriever knows only the songs it was built for.
    return replace(fresh, retriever=None)
