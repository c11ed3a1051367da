"""Songs similar to a song."""

from __future__ import annotations

import numpy as np

from accounts.models import User
from catalog.models import Track
from recommender.adapters.feedback import allowed_rows, unwanted_rows
from recommender.engine import IntArray, RecommendedPage, similar
from recommender.lifecycle.versions import active_model
from recommender.pages.shown import shown_page

SIMILAR_SIZE = 10


def similar_tracks(*, track: Track, user: User | None, k: int = SIMILAR_SIZE) -> list[Track] | None:
    """Return the ``k`` songs most like ``track``, none that ``user`` blocked; ``None`` where no model knows it yet."""
    loaded = active_model()
    if loaded is None:
        return None
    row = int(loaded.model.catalogue.rows_of([track.pk])[0])
    if row < 0:
        return None
    unwanted = unwanted_rows(user, loaded)
    only = allowed_rows(user, loaded.model.catalogue)

    def ask(excluded: IntArray) -> RecommendedPage:
        return similar(loaded.model, row, k, excluded=np.concatenate([unwanted, excluded]), only=only)

    page, tracks = shown_page(loaded.model, ask)
    return [tracks[item.track_id] for item in page.items]
