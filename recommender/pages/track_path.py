"""A list of songs that leads from one song to another."""

from __future__ import annotations

import numpy as np

from accounts.models import User
from catalog.models import Track
from catalog.selectors import tracks_in_order
from recommender.adapters.feedback import unwanted_rows
from recommender.engine import track_path
from recommender.lifecycle.versions import active_model
from recommender.pages.shown import hidden_rows


def songs_between(*, start: Track, goal: Track, between: int, user: User | None) -> list[Track] | None:
    """Return ``start``, at most ``between`` songs that lead on from it, none that ``user`` blocked, and ``goal``.

    ``None`` where there is no model, or where it does not know one of the two yet. At most six queries.
    """
    loaded = active_model()
    if loaded is None:
        return None
    catalogue = loaded.model.catalogue
    ends = catalogue.rows_of(np.array([start.pk, goal.pk]))
    if ends.min() < 0:
        return None
    hidden = np.array(hidden_rows(loaded.model), dtype=np.int32)
    left_out = np.concatenate([hidden, unwanted_rows(user, loaded)])
    path = track_path(loaded.model, int(ends[0]), int(ends[1]), between, excluded=left_out)
    return tracks_in_order([start.pk, *(int(pk) for pk in catalogue.track_ids[path]), goal.pk])
