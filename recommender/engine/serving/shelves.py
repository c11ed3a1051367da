"""A page of shelves, each with its own question, all selected from one pool of candidates by one policy.

The shelves come in this order, and no song is on two of them: songs for the listener; songs they keep playing; songs
like one song they like; songs by artists they have not heard; new releases of artists they like; favourites they have
not played for long; more songs of artists they like; popular songs. The songs they know are picked by `habits` rather
than from the pool, which leaves them out.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from recommender.engine.data import Feedback
from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, csr_slice, flags_of, unit_vectors
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.model import Model
from recommender.engine.ranking.ranked import RankedCandidates
from recommender.engine.serving.habits import HABITS, HabitName, Habits
from recommender.engine.serving.mmr import similarities
from recommender.engine.serving.policy import (
    CandidatePool,
    PageSelection,
    PolicyName,
    build_pool,
    certain,
    exploring_draws,
    filled_up,
    select_from_pool,
)
from recommender.engine.serving.recommend import (
    PageItem,
    Request,
    allowed_tracks,
    explained,
    page_items,
    rank_request,
)
from recommender.engine.terms import Stance
from recommender.engine.terms.causes import FOR, Naming
from recommender.engine.terms.popularity import PopularityTerm

ShelfName: TypeAlias = Literal["made", "again", "because", "new", "fresh", "forgotten", "artists", "popular"]
SHELVES: tuple[ShelfName, ...] = ("made", "again", "because", "new", "fresh", "forgotten", "artists", "popular")
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
    """Shelves that have songs, in the order that was asked for; `amount`: what is known, in likes."""

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
    at_most: int | None = None,
    order: Sequence[ShelfName] = SHELVES,
) -> ShelvedPage:
    """Return the shelves named in `sizes` with so many songs each, fewer where the candidates are exhausted.

    at_most: the number of shelves, of which the last ones are left out. `request.k` is ignored. Raise InvalidDataError
    as `recommend`. At adventure 0 nothing is drawn from `rng`. order: of the shelves that are returned. They pick their
    songs, and the last ones are left out, in the order of SHELVES, so that another order shows the same songs.
    """
    listener, ranked = rank_request(model, feedback, request)
    pool = build_pool(model, ranked, feedback, listener, request.adventure)
    offers = _Offers(model, feedback, request, listener, ranked, pool)
    selections: list[_Selected] = []
    for name in (name for name in SHELVES if sizes.get(name, 0) > 0):
        if len(selections) == at_most:
            break
        selected = offers.known(name, sizes[name]) if name in HABITS else offers.pick(name, sizes[name], rng)
        offers.remove(selected.selection.rows)
        if len(selected.selection.rows):
            selections.append(selected)
    shelves = _explained(model, listener, ranked, selections, offers)
    return ShelvedPage(tuple(sorted(shelves, key=lambda shelf: order.index(shelf.name))), listener.evidence)


@dataclass(frozen=True, eq=False)
class _Selected:
    """The songs of a shelf; parts: of their scores, where not the model gave them."""

    name: ShelfName
    selection: PageSelection
    seed_track: int = _NO_SEED
    parts: Sequence[dict[str, float]] | None = None


class _Offers:
    """The candidates' scores for each shelf, -inf where a candidate does not belong there or is on another shelf."""

    def __init__(
        self,
        model: Model,
        feedback: Feedback,
        request: Request,
        listener: ListenerProfile,
        ranked: RankedCandidates,
        pool: CandidatePool,
    ) -> None:
        self._model, self._feedback, self._request, self._listener = model, feedback, request, listener
        self._ranked, self._pool = ranked, pool
        self._recording = model.catalogue.recording
        self._left = np.ones(len(pool.rows), dtype=np.bool_)
        self._gone = request.excluded
        self._songs = Naming(model.catalogue).songs(listener)

    def pick(self, name: ShelfName, size: int, rng: np.random.Generator) -> _Selected:
        """Return the songs of a shelf from the pool."""
        pool, model, adventure = self._pool, self._model, self._request.adventure
        scores, seed_track = self.of(name, size)
        explores = name in EXPLORING and (name == "made" or bool(np.isfinite(scores).any()))
        draws = exploring_draws(pool, model.config.exploring, adventure, rng) if explores else None
        selection = select_from_pool(pool, size, scores, draws, pool.mmr if name == "made" else None)
        if name == "made":
            selection = filled_up(selection, model, self._ranked, size)
        return _Selected(name, selection, seed_track)

    def known(self, name: HabitName, size: int) -> _Selected:
        """Return the songs of a shelf from those that the listener knows, under the same rules."""
        habits = self._habits
        allowed = allowed_tracks(self._model.catalogue, self._gone, self._request).mask(habits.rows)
        numbers = habits.pick(name, size, allowed, self._model.config.page.max_per_artist)
        parts = habits.parts(name)
        by_row = [{part: float(values[number]) for part, values in parts.items()} for number in numbers]
        return _Selected(name, certain(habits.rows[numbers]), parts=by_row)

    @cached_property
    def _habits(self) -> Habits:
        return Habits.of(self._model.catalogue, self._feedback)

    def of(self, name: ShelfName, size: int) -> tuple[FloatArray, int]:
        """Return the scores for one shelf, float32[c], and the row of its seed, if it has one."""
        seed_track = _NO_SEED
        scores, eligible = self._pool.scores, np.ones_like(self._left)
        if name == "because":
            scores, eligible, seed_track = self._like_a_seed(size)
        elif name == "new":
            eligible = self._unheard()
        elif name == "fresh":
            eligible = self._is_released_lately() & self._by_liked_artists() & ~self._is_known()
        elif name == "artists":
            eligible = self._by_liked_artists()
        elif name == "popular":
            scores = self._popularity()
        return np.where(self._left & eligible, scores, np.float32(-np.inf)).astype(np.float32), seed_track

    def remove(self, rows: IntArray) -> None:
        """Leave selected songs out of the shelves to come."""
        # By recording: a tiny catalogue fills the page from beyond the candidates, with whichever version.
        self._left &= ~np.isin(self._recording[self._pool.rows], self._recording[rows])
        self._gone = np.concatenate([self._gone, rows])

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
        return ~self._credits(self._model.artist_affinity(self._listener)[0]) & ~self._is_known()

    def _is_known(self) -> BoolArray:
        return np.isin(self._recording[self._pool.rows], self._recording[self._feedback.rows])

    def _is_released_lately(self) -> BoolArray:
        """Return which candidates are of the years that the request calls new: bool[c]."""
        since = self._request.new_since
        return np.asarray(self._model.catalogue.year[self._pool.rows] >= since) if since else np.zeros_like(self._left)

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
    selections: list[_Selected],
    offers: _Offers,
) -> tuple[Shelf, ...]:
    """Return the shelves with all songs of the pool explained at once, which is quicker than shelf by shelf."""
    pooled = [selected.selection for selected in selections if selected.parts is None]
    items = iter(explained(model, listener, ranked, _joined(pooled)))
    shelves = []
    for selected in selections:
        shown = selected.selection
        known = None if selected.parts is None else iter(_known_items(model, listener, selected))
        of_shelf = tuple(next(known or items) for _row in shown.rows)
        shelves.append(
            Shelf(selected.name, of_shelf, shown.policy, selected.seed_track, offers.stance(selected.seed_track))
        )
    return tuple(shelves)


def _known_items(model: Model, listener: ListenerProfile, selected: _Selected) -> tuple[PageItem, ...]:
    """Return songs whose scores have no term of the model, and so none of its reasons."""
    shown = selected.selection
    return page_items(model, listener, shown.rows, selected.parts or [], shown.propensity, shown.explored)


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
