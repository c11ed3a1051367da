"""From a page of the engine to songs that are still visible on the site."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Protocol, Self, TypeVar

import numpy as np

from catalog.models import Track
from catalog.selectors import tracks_in_order
from recommender.engine import IntArray, Model, PageItem

# How often a page is asked for again when songs on it have been hidden or deleted since the fit.
MAX_ATTEMPTS = 3


class SongPage(Protocol):
    """A page of the engine, whatever its layout."""

    @property
    def items(self) -> tuple[PageItem, ...]:
        """Return all songs of the page."""
        ...

    def of_tracks(self, track_ids: Container[int]) -> Self:
        """Return the page with these songs alone."""
        ...


AnyPage = TypeVar("AnyPage", bound=SongPage)


def shown_page(model: Model, ask: Callable[[IntArray], AnyPage]) -> tuple[AnyPage, dict[int, Track]]:
    """Return a page whose songs are all still visible on the site, with the songs (and their artists) by id.

    The model's catalogue is as old as its fit. Songs hidden or deleted since are rare, so the page is simply asked for
    again without them; the last attempt leaves out what is still missing.
    """
    excluded = np.empty(0, dtype=np.int32)
    for attempt in range(MAX_ATTEMPTS):
        page = ask(excluded)
        tracks = {track.pk: track for track in tracks_in_order([item.track_id for item in page.items])}
        gone = [item.row for item in page.items if item.track_id not in tracks]
        if not gone:
            break
        if attempt == 0:
            gone += hidden_rows(model)
        excluded = np.concatenate([excluded, np.array(gone, dtype=np.int32)])
    return page.of_tracks(tracks), tracks


def hidden_rows(model: Model) -> list[int]:
    """Return the rows of songs that are hidden, though the model knows them; one query."""
    hidden = Track.objects.filter(is_active=False).values_list("pk", flat=True)
    rows = model.catalogue.rows_of(np.fromiter(hidden, dtype=np.int64))
    return [int(row) for row in rows[rows >= 0]]
