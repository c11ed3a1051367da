"""A page of shelves, each with its own question, all selected from one pool of candidates by one policy.

The shelves come in this order, and no song is on two of them: songs for the listener; songs like one song they like;
songs by artists they have not heard; more songs of artists they like; popular songs.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from recommender.engine.data import Feedback
from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, csr_slice, flags_of, unit_vectors
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.model import Model
from recommender.engine.ranking.ranked import RankedCandidates
from recommender.engine.serving.mmr import similarities
from recommender.engine.serving.policy import (
    CandidatePool,
    PageSelection,
    PolicyName,
    build_pool,
    exploring_draws,
    filled_up,
    select_from_pool,
)
from recommender.engine.serving.recommend import PageItem, Request, explained, rank_request
from recommender.engine.terms import Stance
from recommender.engine.terms.causes import FOR, Naming
from recommender.engine.terms.popularity import PopularityTerm

ShelfName: TypeAlias = Literal["made", "because", "new", "artists", "popular"]
SHELVES: tuple[ShelfName, ...] = ("made", "because", "new", "artists", "popular")
EXPLORING: tuple[ShelfName, ...] = ("made", "new")
MAX_SEEDS = 30
"""So many of the most liked songs may be the seed of "because you liked"."""
MIN_SIMILARITY = 0.2
"""Cosine to the seed that a song of "because you liked" needs at least."""
_NO_SEED = -1


@dataclass(frozen=True)
class Shelf:
    """Songs of one shelf, best first; `policy` names how they were selected.

    seed_track: the row of the song they are like, -1 on all shelves but "because". stance: what the listener did with
    that song.
    """

    name: ShelfName
    items: tuple[PageItem, ...]
    policy: PolicyName
    seed_track: int = _NO_SEED
    stance: Stance = "none"


@dataclass(frozen=True)
class ShelvedPage:
    """Shelves that have songs, in the order of SHELVES; `amount`: how much was known of the listener, in likes."""

    shelves: tuple[Shelf, ...]
    amount: float

    @property
    def items(self) -> tuple[PageItem, ...]:
        """Return the songs of all shelves."""
        return tuple(item for shelf in self.shelves for item in shelf.items)

    def of_tracks(self, track_ids: Container[int]) -> ShelvedPage:
        """Return the page with these songs alone, and only shelves that have one of them."""
        shelves = (
            replace(shelf, items=tuple(item for item in shelf.items if item.track_id in track_ids))
            for shelf in self.shelves
        )
        return replace(self, shelves=tuple(shelf for shelf in shelves if shelf.items))


def recommend_shelves(
    model: Model,
    feedback: Feedback,
    request: Request,
    sizes: Mapping[ShelfName, int],
    rng: np.random.Generator,
) -> ShelvedPage:
    """Return the shelves named in `sizes` with so many songs each, fewer where the candidates are exhausted.

    `request.k` is ignored. Raise InvalidDataError as `recommend`. At adventure 0 nothing is drawn from `rng`.
    """
    listener, ranked = rank_request(model, feedback, request)
    pool = build_pool(model, ranked, feedback, listener, request.adventure)
    offers = _Offers(model, feedback, listener, ranked, pool)
    selections: list[tuple[ShelfName, PageSelection, int]] = []
    for name in (name for name in SHELVES if sizes.get(name, 0) > 0):
        scores, seed_track = offers.of(name, sizes[name])
        explores = name in EXPLORING and (name == "made" or bool(np.isfinite(scores).any()))
        draws = exploring_draws(pool, model.config.exploring, request.adventure, rng) if explores else None
        selection = select_from_pool(pool, sizes[name], scores, draws, pool.mmr if name == "made" else None)
        if name == "made":
            selection = filled_up(selection, model, ranked, sizes[name])
        offers.remove(selection.rows)
        if len(selection.rows):
            selections.append((name, selection, seed_track))
    return ShelvedPage(_explained(model, listener, ranked, selections, offers), listener.evidence)


class _Offers:
    """The candidates' scores for each shelf, -inf where a candidate does not belong there or is on another shelf."""

    def __init__(
        self,
        model: Model,
        feedback: Feedback,
        listener: ListenerProfile,
        ranked: RankedCandidates,
        pool: CandidatePool,
    ) -> None:
        self._model, self._feedback, self._listener = model, feedback, listener
        self._ranked, self._pool = ranked, pool
        self._recording = model.catalogue.recording
        self._left = np.ones(len(pool.rows), dtype=np.bool_)
        self._songs = Naming(model.catalogue).songs(listener)

    def of(self, name: ShelfName, size: int) -> tuple[FloatArray, int]:
        """Return the scores for one shelf, float32[c], and the row of its seed, if it has one."""
        seed_track = _NO_SEED
        scores, eligible = self._pool.scores, np.ones_like(self._left)
        if name == "because":
            scores, eligible, seed_track = self._like_a_seed(size)
        elif name == "new":
            eligible = self._unheard()
        elif name == "artists":
            eligible = self._by_liked_artists()
        elif name == "popular":
            scores = self._popularity()
        return np.where(self._left & eligible, scores, np.float32(-np.inf)).astype(np.float32), seed_track

    def remove(self, rows: IntArray) -> None:
        """Leave selected songs out of the shelves to come."""
        # By recording: a tiny catalogue fills the page from beyond the candidates, with whichever version.
        self._left &= ~np.isin(self._recording[self._pool.rows], self._recording[rows])

    def stance(self, seed_track: int) -> Stance:
        """Return what the listener did with the seed of a shelf."""
        if seed_track == _NO_SEED:
            return "none"
        return self._songs.stance_of(int(self._listener.rows.searchsorted(seed_track)))

    def _like_a_seed(self, size: int) -> tuple[FloatArray, BoolArray, int]:
        """Return the similarity to the liked song that is most similar to what is left, and where it suffices."""
        seeds = self._seeds()
        if not len(seeds) or not self._left.any():
            return self._pool.scores, np.zeros_like(self._left), _NO_SEED
        similarity = similarities(unit_vectors(self._model.embedding(seeds)), self._pool.unit)
        similarity[:, ~self._left] = 0.0
        # A song heard long ago may come again, but not for being similar to itself.
        similarity[self._recording[seeds][:, None] == self._recording[self._pool.rows]] = 0.0
        best = -np.sort(-similarity, axis=1)[:, :size]
        # A shelf needs similar songs for at least half of its places.
        suffices = (best > MIN_SIMILARITY).sum(axis=1) >= (size + 1) // 2
        if not suffices.any():
            return self._pool.scores, np.zeros_like(self._left), _NO_SEED
        number = int(np.where(suffices, best.sum(axis=1), -1.0).argmax())
        return similarity[number], similarity[number] > MIN_SIMILARITY, int(seeds[number])

    def _seeds(self) -> IntArray:
        """Return the listener's most liked songs, at least as good as liked, over all their versions."""
        listener = self._listener
        is_for = np.isin(self._songs.stance[self._songs.group], FOR)
        liked = np.flatnonzero((listener.weights >= 0.5) & is_for)
        order = np.lexsort((listener.rows[liked], -listener.weights[liked]))[:MAX_SEEDS]
        return listener.rows[liked[order]]

    def _unheard(self) -> BoolArray:
        """Return which candidates are unknown songs by artists the listener has not heard: bool[c]."""
        known = np.isin(self._recording[self._pool.rows], self._recording[self._feedback.rows])
        return ~self._credits(self._model.artist_affinity(self._listener)[0]) & ~known

    def _by_liked_artists(self) -> BoolArray:
        artists, affinity = self._model.artist_affinity(self._listener)
        return self._credits(artists[affinity > 0])

    def _popularity(self) -> FloatArray:
        first_stage = self._ranked.first_stage
        values = first_stage.raw.get(PopularityTerm.name, first_stage.total)
        return values[first_stage.positions_of(self._pool.rows)]

    def _credits(self, artists: IntArray) -> BoolArray:
        """Return which candidates credit one of `artists`: bool[c]."""
        catalogue = self._model.catalogue
        is_wanted = flags_of(artists, catalogue.n_artists)
        owner, position = csr_slice(catalogue.artist_indptr, self._pool.rows)
        return flags_of(owner[is_wanted[catalogue.artist_indices[position]]], len(self._left))


def _explained(
    model: Model,
    listener: ListenerProfile,
    ranked: RankedCandidates,
    selections: list[tuple[ShelfName, PageSelection, int]],
    offers: _Offers,
) -> tuple[Shelf, ...]:
    """Return the shelves with all songs explained at once, which is quicker than shelf by shelf."""
    items = iter(explained(model, listener, ranked, _joined([selection for _name, selection, _seed in selections])))
    return tuple(
        Shelf(name, tuple(next(items) for _row in selection.rows), selection.policy, seed, offers.stance(seed))
        for name, selection, seed in selections
    )


def _joined(selections: list[PageSelection]) -> PageSelection:
    """Return all shelves as one selection."""
    names = {name for selection in selections for name in selection.adjustments}
    rows = [selection.rows for selection in selections] or [np.empty(0, dtype=np.int32)]
    return PageSelection(
        rows=np.concatenate(rows),
        explored=np.concatenate([selection.explored for selection in selections] or [np.empty(0, dtype=np.bool_)]),
        propensity=np.concatenate([selection.propensity for selection in selections] or [np.empty(0)]),
        adjustments={
            name: np.concatenate([_adjustment(selection, name) for selection in selections]) for name in sorted(names)
        },
        policy=selections[0].policy if selections else "greedy",
    )


def _adjustment(selection: PageSelection, name: str) -> FloatArray:
    return selection.adjustments.get(name, np.zeros(len(selection.rows), dtype=np.float32))
