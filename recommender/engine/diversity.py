"""From scored candidates to pages: variety and page rules in one greedy pass, for one order or for many at once.

Variety is maximal marginal relevance (Carbonell & Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering
Documents and Producing Summaries", SIGIR 1998): each place goes to the candidate with the largest

    score - strength * spread * (largest similarity to a song that already stands on the page).

The pass costs O(pages * k * candidates), linear in each, and is vectorised over the pages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine.arrays import FloatArray, IntArray, as_int32, csr_slice, members
from recommender.engine.data import Catalogue

NOTHING = -1
"""Stands in a page where no candidate is left."""


@dataclass(frozen=True, eq=False)
class Rules:
    """What the page rules need to know of c candidates, which are songs of different recordings.

    artists: int32[c, a], credited artists numbered from 0 within the candidates, padded with the number `n_artists`.
    credited: int32[n_artists, b], the candidates that credit each, padded with the first of them.
    """

    artists: IntArray
    credited: IntArray
    max_per_artist: int

    @classmethod
    def of(cls, catalogue: Catalogue, rows: IntArray, max_per_artist: int) -> Rules:
        """The rules among `rows` (int32[c])."""
        owner, position = csr_slice(catalogue.artist_indptr, rows)
        known, local = np.unique(catalogue.artist_indices[position], return_inverse=True)
        place = np.arange(len(owner)) - np.searchsorted(owner, owner)
        artists = np.full((len(rows), int(place.max(initial=-1)) + 1), len(known), dtype=np.int32)
        artists[owner, place] = local
        indptr, entries = members(as_int32(local), len(known))
        many = np.diff(indptr)
        place = np.minimum(np.arange(many.max(initial=0)), many[:, None] - 1)
        return cls(artists, owner[entries[indptr[:-1, None] + place]], max_per_artist)


@dataclass(frozen=True, eq=False)
class Variety:
    """How much a song that resembles one on the page is held back.

    unit: float32[c, d], vectors of length 1 or zero; weight: points of score that a cosine of 1 costs.
    """

    unit: FloatArray
    weight: float


def first_versions(recording: IntArray, rows: IntArray) -> IntArray:
    """Places in `rows`, best first, of those whose recording does not stand further up: one version of a song."""
    return as_int32(np.sort(np.unique(recording[rows], return_index=True)[1]))


def unit_vectors(vectors: FloatArray) -> FloatArray:
    """`vectors` (float32[c, d]) with length 1; zero vectors, of which nothing is known, stay zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros(vectors.shape, dtype=np.float32), where=length > 0)
    return np.asarray(unit, dtype=np.float32)


def similarities(some: FloatArray, others: FloatArray) -> FloatArray:
    """Cosines between unit vectors float32[a, d] and float32[b, d]: float32[a, b], negative ones as 0."""
    return np.asarray(np.maximum(some @ others.T, np.float32(0.0)), dtype=np.float32)


def pick_pages(scores: FloatArray, k: int, rules: Rules, variety: Variety | None = None) -> IntArray:
    """Pages of k candidates, best first, one for each line of `scores` (float32[pages, c]).

    Returns the candidates' numbers, int32[pages, k], NOTHING where the rules leave none. Without variety the order is
    that of the scores, ties by number.
    """
    left = np.array(scores, dtype=np.float32, copy=True)
    n_pages, n_candidates = left.shape
    lines = np.arange(n_pages)
    counts = np.zeros((n_pages, len(rules.credited) + 1), dtype=np.int32)
    nearest = np.zeros_like(left) if variety is not None and variety.weight > 0 else None
    # One page needs a few lines of the table, many pages need most of it.
    table = similarities(variety.unit, variety.unit) if variety is not None and n_pages > k else None
    pages = np.full((n_pages, k), NOTHING, dtype=np.int32)
    for place in range(min(k, n_candidates)):
        if variety is not None and nearest is not None and place:
            best = (left - np.float32(variety.weight) * nearest).argmax(axis=1)
        else:
            best = left.argmax(axis=1)
        found = left[lines, best] > -np.inf
        if not found.any():
            break
        pages[found, place] = best[found]
        left[lines, best] = -np.inf
        _bar_full_artists(left, counts, best, lines, rules)
        if variety is not None and nearest is not None:
            alike = similarities(variety.unit[best], variety.unit) if table is None else table[best]
            np.maximum(nearest, alike, out=nearest)
    return pages


def _bar_full_artists(
    left: FloatArray, counts: IntArray, best: NDArray[np.intp], lines: NDArray[np.intp], rules: Rules
) -> None:
    n_artists = len(rules.credited)
    for column in rules.artists[best].T:
        if column.min() == n_artists:
            break  # nobody credits so many
        so_far = counts[lines, column] + 1
        counts[lines, column] = so_far
        full = np.flatnonzero((so_far == rules.max_per_artist) & (column < n_artists))
        if len(full):
            left[full[:, None], rules.credited[column[full]]] = -np.inf
