"""Songs that lead from one song to another (a path through the space of tracks)."""

from __future__ import annotations

import numpy as np

from accounts.models import User
from catalog.models import Track
from catalog.selectors import tracks_in_order
from recommender import engine
from recommender.adapters.feedback import allowed_rows, unwanted_rows
from recommender.lifecycle.versions import active_model
from recommender.pages.shown import hidden_rows


def track_path(*, start: Track, goal: Track, between: int, user: User | None) -> list[Track] | None:
    """Return ``start``, up to ``between`` songs that lead on from it, and ``goal``, without what ``user`` blocked.

    Return ``None`` if there is no model or it does not contain both ends yet. At most six queries.
    """
    loaded = active_model()
    if loaded is None:
        return None
    catalogue = loaded.model.catalogue
    ends = catalogue.rows_of(np.array([start.pk, goal.pk]))
    if ends.min() < 0:
        return None
    hidden = np.array(hidden_rows(loaded.model), dtype=np.int32)
    only = allowed_rows(user, catalogue)
    left_out = np.concatenate([hidden, unwanted_rows(user, loaded)])
    path = engine.track_path(loaded.model, int(ends[0]), int(ends[1]), between, excluded=left_out, only=only)
    return tracks_in_order([start.pk, *(int(pk) for pk in catalogue.track_ids[path]), goal.pk])
