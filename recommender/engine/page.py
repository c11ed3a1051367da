"""Which of the scored tracks make a page: exclusions, versions of one song, songs per artist."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.engine.arrays import BoolArray, FloatArray, IntArray, csr_any, csr_slice, top_rows
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Feedback, FeedbackKind

RATINGS = (FeedbackKind.LIKE, FeedbackKind.DISLIKE)


def known_rows(feedback: Feedback, config: EngineConfig) -> IntArray:
    """Rows that the listener has rated, or heard within `rest_days_heard`: int32, not distinct."""
    rated = np.isin(feedback.kind, RATINGS)
    return feedback.rows[rated | (feedback.age_days < config.rest_days_heard)]


def allowed_rows(
    catalogue: Catalogue,
    *,
    excluded: IntArray,
    explicit_allowed: bool = True,
    excluded_artists: IntArray | None = None,
    excluded_genres: IntArray | None = None,
) -> BoolArray:
    """Which tracks may be shown, bool[n]: active ones, except `excluded` with all their versions, and blocked ones."""
    known_recordings = np.zeros(catalogue.n_tracks, dtype=np.bool_)
    known_recordings[catalogue.recording[excluded]] = True
    allowed = catalogue.active & ~known_recordings[catalogue.recording]
    if not explicit_allowed:
        allowed &= ~catalogue.explicit
    if excluded_artists is not None and len(excluded_artists):
        flags = _flags(excluded_artists, catalogue.n_artists)
        allowed &= ~csr_any(catalogue.artist_indptr, catalogue.artist_indices, flags)
    if excluded_genres is not None and len(excluded_genres):
        flags = _flags(excluded_genres, catalogue.n_genres)
        allowed &= ~csr_any(catalogue.genre_indptr, catalogue.genre_indices, flags)
    return allowed


@dataclass(frozen=True, eq=False)
class Allowed:
    """Which tracks may be shown, asked for a few of them or for all; the fields are those of `allowed_rows`."""

    catalogue: Catalogue
    excluded: IntArray
    explicit_allowed: bool
    excluded_artists: IntArray
    excluded_genres: IntArray

    @cached_property
    def mask(self) -> BoolArray:
        """Of all tracks, bool[n]."""
        return allowed_rows(
            self.catalogue,
            excluded=self.excluded,
            explicit_allowed=self.explicit_allowed,
            excluded_artists=self.excluded_artists,
            excluded_genres=self.excluded_genres,
        )

    def at(self, rows: IntArray) -> BoolArray:
        """Of `rows`, without going through all."""
        catalogue = self.catalogue
        known = np.isin(catalogue.recording[rows], catalogue.recording[self.excluded])
        allowed = catalogue.active[rows] & ~known
        if not self.explicit_allowed:
            allowed &= ~catalogue.explicit[rows]
        for indptr, indices, excluded in (
            (catalogue.artist_indptr, catalogue.artist_indices, self.excluded_artists),
            (catalogue.genre_indptr, catalogue.genre_indices, self.excluded_genres),
        ):
            owner, position = csr_slice(indptr, rows)
            allowed[owner[np.isin(indices[position], excluded)]] = False
        return allowed


def mask_of(allowed: BoolArray | Allowed) -> BoolArray:
    """The mask bool[n], which either is already."""
    return allowed.mask if isinstance(allowed, Allowed) else allowed


def pick_page(scores: FloatArray, allowed: BoolArray, catalogue: Catalogue, k: int, max_per_artist: int) -> IntArray:
    """The k best allowed rows, best first, with one version of a song and at most `max_per_artist` songs of an artist.

    Every credited artist counts. Fewer than k rows if the catalogue does not hold more. Each round looks at a few
    hundred candidates found by partition; a round that ends short takes out what it used up, so it picks at least one
    more the next time.
    """
    left = np.where(allowed, scores, -np.inf).astype(np.float32, copy=False)
    page = _Page(catalogue, max_per_artist)
    while len(page.rows) < k:
        candidates = top_rows(left, 4 * k + 100)
        page.add(candidates, k)
        if len(page.rows) >= k or not len(candidates) or np.isneginf(left).all():
            break
        left[candidates] = -np.inf
        left[page.used_up()] = -np.inf
    return np.array(page.rows, dtype=np.int32)


class _Page:
    """The rows picked so far, with the counts that the rules need."""

    def __init__(self, catalogue: Catalogue, max_per_artist: int) -> None:
        self.rows: list[int] = []
        self._catalogue = catalogue
        self._max_per_artist = max_per_artist
        self._recordings: set[int] = set()
        self._by_artist: dict[int, int] = {}

    def add(self, candidates: Iterable[np.int32], k: int) -> None:
        for candidate in candidates:
            if len(self.rows) == k:
                return
            row = int(candidate)
            recording = int(self._catalogue.recording[row])
            artists = {int(artist) for artist in self._catalogue.artists_at(row)}
            if recording in self._recordings or any(self._is_full(artist) for artist in artists):
                continue
            self.rows.append(row)
            self._recordings.add(recording)
            for artist in artists:
                self._by_artist[artist] = self._by_artist.get(artist, 0) + 1

    def used_up(self) -> BoolArray:
        """Tracks that no longer fit on this page, bool[n]."""
        full = _flags([artist for artist in self._by_artist if self._is_full(artist)], self._catalogue.n_artists)
        shown = _flags(list(self._recordings), self._catalogue.n_tracks)
        by_artist = csr_any(self._catalogue.artist_indptr, self._catalogue.artist_indices, full)
        return by_artist | shown[self._catalogue.recording]

    def _is_full(self, artist: int) -> bool:
        return self._by_artist.get(artist, 0) >= self._max_per_artist


def _flags(members: IntArray | list[int], size: int) -> BoolArray:
    flags = np.zeros(size, dtype=np.bool_)
    flags[members if len(members) else np.empty(0, dtype=np.int32)] = True
    return flags
