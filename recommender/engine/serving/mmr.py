"""From scored candidates to pages: diversity and page rules in one greedy pass, for one page or many at once.

Diversity is maximal marginal relevance (Carbonell & Goldstein, "The Use of MMR, Diversity-Based Reranking for
Reordering Documents and Producing Summaries", SIGIR 1998): each place goes to the candidate with the largest

    score - weight * (largest similarity to a song that is already on the page).

The pass costs O(pages * k * candidates), linear in each, and is vectorised over the pages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data import Catalogue
from recommender.engine.data.arrays import FloatArray, IntArray, as_int32, csr_slice, members

EMPTY = -1
"""Number in a page where no candidate is left."""


@dataclass(frozen=True, eq=False)
class PageConstraints:
    """The page rules for c candidates: one version of a song, at most `max_per_artist` songs of any credited artist.

    artists: int32[c, a], credited artists numbered from 0 within the candidates, padded with the number `n_artists`.
    credited: int32[n_artists, b], the candidates that credit each, padded with the first of them.
    recording: int32[c], that of each; None where all are different.
    """

    artists: IntArray
    credited: IntArray
    max_per_artist: int
    recording: IntArray | None = None

    @classmethod
    def of(
        cls, catalogue: Catalogue, rows: IntArray, max_per_artist: int, has_versions: bool = False
    ) -> PageConstraints:
        """Return the rules for `rows` (int32[c]); has_versions: whether several may be of the same recording."""
        owner, position = csr_slice(catalogue.artist_indptr, rows)
        known, local = np.unique(catalogue.artist_indices[position], return_inverse=True)
        nth = np.arange(len(owner)) - np.searchsorted(owner, owner)
        artists = np.full((len(rows), int(nth.max(initial=-1)) + 1), len(known), dtype=np.int32)
        artists[owner, nth] = local
        # An artist credited twice on one song counts once.
        for column in range(1, artists.shape[1]):
            is_repeated = (artists[:, :column] == artists[:, column, None]).any(axis=1)
            artists[is_repeated, column] = len(known)
        indptr, entries = members(as_int32(local), len(known))
        many = np.diff(indptr)
        nth = np.minimum(np.arange(many.max(initial=0)), many[:, None] - 1)
        recording = catalogue.recording[rows] if has_versions else None
        return cls(artists, owner[entries[indptr[:-1, None] + nth]], max_per_artist, recording)


@dataclass(frozen=True, eq=False)
class Mmr:
    """Maximal marginal relevance. unit: float32[c, d], of length 1 or zero; weight: score that a cosine of 1 costs."""

    unit: FloatArray
    weight: float


def first_versions(recording: IntArray, rows: IntArray) -> IntArray:
    """Return the positions of the first version of each song in `rows`, best first."""
    return as_int32(np.sort(np.unique(recording[rows], return_index=True)[1]))


def similarities(some: FloatArray, others: FloatArray) -> FloatArray:
    """Return the cosines of unit vectors float32[a, d] and float32[b, d]: float32[a, b], negative ones as 0."""
    return np.asarray(np.maximum(some @ others.T, np.float32(0.0)), dtype=np.float32)


def pick_pages(scores: FloatArray, k: int, constraints: PageConstraints, mmr: Mmr | None = None) -> IntArray:
    """Pick pages of k candidates, best first, one for each row of `scores` (float32[pages, c]; -inf: never picked).

    Return the candidates' numbers, int32[pages, k], EMPTY where the rules leave none. Without MMR the order is that of
    the scores, ties by number.
    """
    left = np.array(scores, dtype=np.float32, copy=True)
    n_pages, n_candidates = left.shape
    lines = np.arange(n_pages)
    counts = np.zeros((n_pages, len(constraints.credited) + 1), dtype=np.int32)
    nearest = np.zeros_like(left) if mmr is not None and mmr.weight > 0 else None
    # One page needs a few lines of the table, many pages need most of it.
    table = similarities(mmr.unit, mmr.unit) if mmr is not None and n_pages > k else None
    pages = np.full((n_pages, k), EMPTY, dtype=np.int32)
    for position in range(min(k, n_candidates)):
        if mmr is not None and nearest is not None and position:
            best = (left - np.float32(mmr.weight) * nearest).argmax(axis=1)
        else:
            best = left.argmax(axis=1)
        is_picked = left[lines, best] > -np.inf
        if not is_picked.any():
            break
        pages[is_picked, position] = best[is_picked]
        left[lines, best] = -np.inf
        _bar_full_artists(left, counts, best, lines, constraints)
        if constraints.recording is not None:
            left[constraints.recording[best][:, None] == constraints.recording] = -np.inf
        if mmr is not None and nearest is not None:
            similarity = similarities(mmr.unit[best], mmr.unit) if table is None else table[best]
            np.maximum(nearest, similarity, out=nearest)
    return pages


def _bar_full_artists(
    left: FloatArray, counts: IntArray, best: NDArray[np.intp], lines: NDArray[np.intp], constraints: PageConstraints
) -> None:
    n_artists = len(constraints.credited)
    for column in constraints.artists[best].T:
        if column.min() == n_artists:
            continue  # none of the picked songs credits so many artists
        so_far = counts[lines, column] + 1
        counts[lines, column] = so_far
        full = np.flatnonzero((so_far == constraints.max_per_artist) & (column < n_artists))
        if len(full):
            left[full[:, None], constraints.credited[column[full]]] = -np.inf
