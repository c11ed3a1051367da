"""Songs similar to a song."""

from __future__ import annotations

import numpy as np

from recommender.engine.data import check_range
from recommender.engine.data.arrays import IntArray
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.model import Model
from recommender.engine.ranking.blend import blend
from recommender.engine.serving.constraints import pick_page
from recommender.engine.serving.recommend import RecommendedPage, Request, allowed_tracks, page_items


def similar(
    model: Model,
    row: int,
    k: int,
    explicit_allowed: bool = True,
    excluded: IntArray | None = None,
    only: IntArray | None = None,
) -> RecommendedPage:
    """Return the k songs most similar to a song by their content, without its versions and `excluded`.

    only: rows besides which none may be returned; None: all may. Raise InvalidDataError if the row lies outside the
    catalogue.
    """
    listener = ListenerProfile.of_one_track(row)
    check_range("row", listener.rows, 0, model.catalogue.n_tracks)
    scores = blend(model.terms, model.config.blend.similar_weights, listener)
    request = Request(k=k, explicit_allowed=explicit_allowed, only=only)
    left_out = listener.rows if excluded is None else np.concatenate([listener.rows, excluded]).astype(np.int32)
    allowed = allowed_tracks(model.catalogue, left_out, request)
    rows = pick_page(scores.total, allowed.mask(), model.catalogue, k, model.config.page.max_per_artist)
    contributions = [scores.contributions(int(row)) for row in rows]
    items = page_items(model, listener, rows, contributions, np.ones(len(rows)), np.zeros(len(rows), dtype=np.bool_))
    return RecommendedPage(items=items, policy="greedy", amount=listener.evidence)
