"""Shared reads; those of the recommender are in :mod:`feedback.taste`."""

from django.db.models import Prefetch, Q

from catalog.identity.text import fold
from catalog.models import Track


def song_matches(query: str) -> Q:
    """Return the condition that title and artists contain all words of ``query``, ignoring case and accents."""
    condition = Q()
    for word in fold(query).split():
        condition &= Q(track__search_key__contains=word)
    return condition


def tracks_for_list() -> Prefetch:  # type: ignore[type-arg]
    """Return the prefetch of a row's song with all that a list shows of it."""
    return Prefetch("track", Track.objects.for_list())
