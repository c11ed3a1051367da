"""The most popular songs, for visitors and until there is a model."""

import numpy as np

from accounts.models import User
from catalog.models import Track
from catalog.selectors import tracks_in_order
from recommender.adapters.catalogue import load_part
from recommender.adapters.requests import request_about_songs
from recommender.engine import most_popular

# The page's rules leave out some of the best; of so many candidates per song on the page enough remain.
CANDIDATES_PER_SONG = 20


def popular_tracks(*, limit: int, user: User | None = None) -> list[Track]:
    """Return the songs with the highest popularity, chosen by the rules of any page: none that ``user`` blocked.

    The newest songs where none has a popularity.
    """
    active = Track.objects.active()
    ranked = active.filter(popularity__isnull=False).order_by("-popularity", "id")
    if not ranked.exists():
        ranked = active.order_by("-id")
    ids = np.array(ranked.values_list("pk", flat=True)[: limit * CANDIDATES_PER_SONG], dtype=np.int64)
    if not len(ids):
        return []
    catalogue = load_part(Track.objects.filter(pk__in=ids.tolist()))
    places_from_last = np.zeros(catalogue.n_tracks, dtype=np.float32)
    rows = catalogue.rows_of(ids)
    places_from_last[rows[rows >= 0]] = np.arange(len(ids), 0, -1, dtype=np.float32)[rows >= 0]
    page = most_popular(catalogue, places_from_last, request_about_songs(user, catalogue, k=limit))
    return tracks_in_order(catalogue.track_ids[page].tolist())
