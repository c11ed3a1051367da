"""A page from scored tracks: one version of a song, a limited number of songs per artist."""

from __future__ import annotations

import numpy as np

from recommender.engine.data import Catalogue
from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, csr_any, flags_of, top_rows
from recommender.engine.serving.mmr import PageConstraints, pick_pages

NO_ROWS = np.empty(0, dtype=np.int32)


def pick_page(
    scores: FloatArray,
    allowed: BoolArray,
    catalogue: Catalogue,
    k: int,
    max_per_artist: int,
    first: IntArray = NO_ROWS,
) -> IntArray:
    """Return the k best allowed rows, best first, with one version of a song and `max_per_artist` songs of an artist.

    Every credited artist counts. The page begins with `first`, which must keep the rules. It has fewer than k rows if
    the catalogue has no more. Each round looks at a few hundred candidates; a round that ends short removes the tracks
    of exhausted artists and songs, so it makes progress.
    """
    left = np.where(allowed, scores, -np.inf).astype(np.float32, copy=False)
    left[first] = -np.inf
    page = first
    while len(page) < k:
        best = top_rows(left, 4 * k + 100)
        if not len(best):
            break
        candidates = np.concatenate([page, best])
        constraints = PageConstraints.of(catalogue, candidates, max_per_artist, has_versions=True)
        in_order = np.arange(len(candidates), 0, -1, dtype=np.float32)
        picked = pick_pages(in_order[None, :], k, constraints)[0]
        page = candidates[picked[picked >= 0]]
        left[best] = -np.inf
        left[_exhausted(catalogue, page, max_per_artist)] = -np.inf
    return page


def _exhausted(catalogue: Catalogue, page: IntArray, max_per_artist: int) -> BoolArray:
    """Return which tracks can no longer be added to a page, bool[n]."""
    credited = [np.unique(catalogue.artists_at(int(row))) for row in page]
    counts = np.bincount(np.concatenate([NO_ROWS, *credited]), minlength=catalogue.n_artists)
    by_artist = csr_any(catalogue.artist_indptr, catalogue.artist_indices, counts >= max_per_artist)
    recordings = flags_of(catalogue.recording[page], catalogue.n_tracks)
    return np.asarray(by_artist | recordings[catalogue.recording])
