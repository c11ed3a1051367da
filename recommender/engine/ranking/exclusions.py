"""Which tracks may be recommended at all: active ones that are neither excluded, blocked, explicit nor known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from recommender.engine.data import Catalogue, Feedback, FeedbackKind
from recommender.engine.data.arrays import BoolArray, IntArray, csr_any, csr_slice, flags_of

if TYPE_CHECKING:
    from recommender.engine.config import EngineConfig


RATINGS = (FeedbackKind.LIKE, FeedbackKind.DISLIKE)


def known_rows(feedback: Feedback, config: EngineConfig) -> IntArray:
    """Return the rows that the listener rated, or heard within `rest_days_heard`: int32, not distinct."""
    rated = np.isin(feedback.kind, RATINGS)
    return feedback.rows[rated | (feedback.age_days < config.page.rest_days_heard)]


def _no_rows() -> IntArray:
    return np.empty(0, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class AllowedTracks:
    """The rules that say which tracks may be recommended.

    excluded: rows left out with all their versions. excluded_artists, excluded_genres: blocked ones. only: rows besides
    which none may be recommended; None: all may.
    """

    catalogue: Catalogue
    excluded: IntArray = field(default_factory=_no_rows)
    explicit_allowed: bool = True
    excluded_artists: IntArray = field(default_factory=_no_rows)
    excluded_genres: IntArray = field(default_factory=_no_rows)
    only: IntArray | None = None

    def mask(self, rows: IntArray | None = None) -> BoolArray:
        """Return which of `rows` (None: all tracks) are allowed, without going through the others: bool[len(rows)]."""
        catalogue, some = self.catalogue, slice(None) if rows is None else rows
        known = _is_in(catalogue.recording[some], catalogue.recording[self.excluded], catalogue.n_tracks)
        allowed = catalogue.active[some] & ~known
        if not self.explicit_allowed:
            allowed &= ~catalogue.explicit[some]
        if self.only is not None:
            allowed &= flags_of(self.only, catalogue.n_tracks)[some]
        artists, genres = self.excluded_artists, self.excluded_genres
        if len(artists):
            allowed &= ~_has_any(catalogue.artist_indptr, catalogue.artist_indices, artists, catalogue.n_artists, rows)
        if len(genres):
            allowed &= ~_has_any(catalogue.genre_indptr, catalogue.genre_indices, genres, catalogue.n_genres, rows)
        return allowed


def allowed_rows(
    catalogue: Catalogue, excluded: IntArray, explicit_allowed: bool = True, only: IntArray | None = None
) -> BoolArray:
    """Return which tracks may be recommended where nothing is blocked, bool[n]."""
    return AllowedTracks(catalogue, excluded, explicit_allowed, only=only).mask()


def allowed_mask(allowed: BoolArray | AllowedTracks, rows: IntArray | None = None) -> BoolArray:
    """Return which of `rows` (None: all tracks) are allowed by rules, or by a mask of all tracks."""
    if isinstance(allowed, AllowedTracks):
        return allowed.mask(rows)
    return allowed if rows is None else allowed[rows]


def _is_in(numbers: IntArray, members: IntArray, size: int) -> BoolArray:
    """Return which of `numbers` (0..size-1) are members; a table of all `size` pays only where numbers are many."""
    if 4 * len(numbers) < size:
        return np.isin(numbers, members)
    return flags_of(members, size).take(numbers)


def _has_any(indptr: IntArray, indices: IntArray, members: IntArray, size: int, rows: IntArray | None) -> BoolArray:
    """Return which of `rows` of a CSR layout (None: all) hold a member."""
    if rows is None:
        return csr_any(indptr, indices, flags_of(members, size))
    owner, position = csr_slice(indptr, rows)
    return flags_of(owner[np.isin(indices[position], members)], len(rows))
