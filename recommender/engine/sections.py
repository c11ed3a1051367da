"""A page in sections, each with a question of its own, all picked from one evaluation of the model.

Every section picks among the same candidates, in this order, and no song stands in two of them: what is made for the
listener; what is like one song they like; what is by nobody they know; more of the artists they like; what is popular.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

import numpy as np

from recommender.engine.arrays import BoolArray, FloatArray, IntArray, csr_slice
from recommender.engine.choose import Choice, PolicyName, Pool, choose, exploring_draws, pool_of
from recommender.engine.data import Feedback
from recommender.engine.diversity import pick_pages, similarities, unit_vectors
from recommender.engine.explore import newly_found, propensities
from recommender.engine.listener import Listener
from recommender.engine.model import Model
from recommender.engine.ranking.ranked import Ranked
from recommender.engine.recommend import Recommendation, Request, explained, rank_for
from recommender.engine.terms.artist import ArtistTerm
from recommender.engine.terms.popularity import PopularityTerm

SectionName: TypeAlias = Literal["made", "because", "new", "artists", "popular"]
SECTIONS: tuple[SectionName, ...] = ("made", "because", "new", "artists", "popular")
MAX_ANCHORS = 30
"""So many of the most liked songs may lead "because you liked"."""
LEAST_ALIKE = 0.2
"""Cosine that a song of "because you liked" needs at least."""
_NOTHING = -1


@dataclass(frozen=True)
class Section:
    """Songs of one section, best first; `policy` names how they were chosen. anchor: the row of the song they are like,
    -1 in all sections but "because".
    """

    name: SectionName
    items: tuple[Recommendation, ...]
    policy: PolicyName
    anchor: int = _NOTHING


@dataclass(frozen=True)
class SectionedPage:
    """Sections that have songs, in the order of SECTIONS; `amount`: how much was known of the listener, in likes."""

    sections: tuple[Section, ...]
    amount: float


def recommend_sections(
    model: Model,
    feedback: Feedback,
    request: Request,
    sizes: Mapping[SectionName, int],
    rng: np.random.Generator,
) -> SectionedPage:
    """The sections named in `sizes` with so many songs each, fewer where the candidates hold no more.

    `request.k` is not looked at. Raises InvalidDataError as `recommend`. At adventure 0 nothing is drawn from `rng`.
    """
    listener, ranked = rank_for(model, feedback, request)
    picker = _Picker(model, feedback, listener, ranked, request.adventure, rng)
    chosen: list[tuple[SectionName, Choice, int]] = []
    for name in SECTIONS:
        if sizes.get(name, 0) > 0:
            choice, anchor = picker.pick(name, sizes[name])
            if len(choice.rows):
                chosen.append((name, choice, anchor))
    items = iter(explained(model, listener, ranked, _joined([choice for _name, choice, _anchor in chosen])))
    sections = tuple(
        Section(name, tuple(next(items) for _row in choice.rows), choice.policy, anchor)
        for name, choice, anchor in chosen
    )
    return SectionedPage(sections, listener.amount)


class _Picker:
    """Picks section after section from one pool of candidates."""

    def __init__(
        self,
        model: Model,
        feedback: Feedback,
        listener: Listener,
        ranked: Ranked,
        adventure: float,
        rng: np.random.Generator,
    ) -> None:
        self._model, self._feedback, self._listener, self._ranked = model, feedback, listener, ranked
        self._adventure, self._rng = adventure, rng
        self._pool: Pool = pool_of(model, ranked, feedback, listener)
        self._left = np.ones(len(self._pool.rows), dtype=np.bool_)

    def pick(self, name: SectionName, size: int) -> tuple[Choice, int]:
        """The songs of one section, and the row it hangs on, if any."""
        if name == "made":
            return self._made(size), _NOTHING
        if name == "because":
            return self._because(size)
        if name == "new":
            return self._new(size), _NOTHING
        if name == "artists":
            return self._best(self._pool.scores, self._by_liked_artists(), size), _NOTHING
        base = self._ranked.base
        popular = base.plain.get(PopularityTerm.name, base.total)[base.places(self._pool.rows)]
        return self._best(popular, np.ones_like(self._left), size), _NOTHING

    def _made(self, size: int) -> Choice:
        arguments = self._model, self._ranked, self._feedback, self._listener
        choice = choose(*arguments, size, self._adventure, self._rng, self._pool)
        # By recording: a tiny catalogue fills the page from beyond the candidates, with whichever version.
        recording = self._model.catalogue.recording
        self._left &= ~np.isin(recording[self._pool.rows], recording[choice.rows])
        return choice

    def _because(self, size: int) -> tuple[Choice, int]:
        """Songs like the one liked song that most is like of what is left."""
        anchors = self._anchors()
        if not len(anchors) or not self._left.any():
            return self._nothing(), _NOTHING
        alike = similarities(unit_vectors(self._model.embedding(anchors)), self._pool.unit)
        alike[:, ~self._left] = 0.0
        best = -np.sort(-alike, axis=1)[:, :size]
        # Fewer than half a section of songs that are like it is no section.
        good = (best > LEAST_ALIKE).sum(axis=1) >= (size + 1) // 2
        if not good.any():
            return self._nothing(), _NOTHING
        strength = np.where(good, best.sum(axis=1), -1.0)
        place = int(strength.argmax())
        return self._best(alike[place], alike[place] > LEAST_ALIKE, size), int(anchors[place])

    def _anchors(self) -> IntArray:
        """The listener's most liked songs, at least as good as liked."""
        listener = self._listener
        liked = np.flatnonzero(listener.weights >= 0.5)
        order = np.lexsort((listener.rows[liked], -listener.weights[liked]))[:MAX_ANCHORS]
        return listener.rows[liked[order]]

    def _new(self, size: int) -> Choice:
        """Songs of artists of whom the listener has heard nothing, explored as far as the dial says."""
        wanted = self._left & ~self._of_artists(self._heard_artists())
        if self._adventure == 0.0 or not wanted.any():
            return self._best(self._pool.scores, wanted, size)
        draws = exploring_draws(self._pool, self._model.config.exploring, self._adventure, self._rng)
        barred = np.where(wanted, np.float32(0.0), np.float32(-np.inf))
        pages = pick_pages(self._pool.scores + draws + barred, size, self._pool.rules)
        greedy = pick_pages((self._pool.scores + barred)[None, :], size, self._pool.rules)[0]
        page = pages[0][pages[0] >= 0]
        self._left[page] = False
        return Choice(
            rows=self._pool.rows[page],
            explored=newly_found(page, greedy),
            propensity=propensities(pages, len(self._left))[page],
            adjustments=self._adjustments(page) | {"exploration": draws[0][page]},
            policy="thompson",
        )

    def _best(self, scores: FloatArray, wanted: BoolArray, size: int) -> Choice:
        """The best of what is left and `wanted`, without a draw."""
        allowed = np.where(self._left & wanted, scores, np.float32(-np.inf)).astype(np.float32)
        page = pick_pages(allowed[None, :], size, self._pool.rules)[0] if len(allowed) else np.empty(0, np.int32)
        page = page[page >= 0]
        self._left[page] = False
        return Choice(
            rows=self._pool.rows[page],
            explored=np.zeros(len(page), dtype=np.bool_),
            propensity=np.ones(len(page)),
            adjustments=self._adjustments(page),
            policy="greedy",
        )

    def _nothing(self) -> Choice:
        return self._best(self._pool.scores, np.zeros_like(self._left), 1)

    def _adjustments(self, page: IntArray) -> dict[str, FloatArray]:
        fatigue = self._pool.fatigue[page]
        return {"fatigue": fatigue} if fatigue.any() else {}

    def _by_liked_artists(self) -> BoolArray:
        artists, affinity = cast(ArtistTerm, self._model.terms[ArtistTerm.name]).affinity(self._listener)
        return self._of_artists(artists[affinity > 0])

    def _heard_artists(self) -> IntArray:
        return cast(ArtistTerm, self._model.terms[ArtistTerm.name]).affinity(self._listener)[0]

    def _of_artists(self, artists: IntArray) -> BoolArray:
        """Which candidates credit one of `artists`: bool[c]."""
        catalogue = self._model.catalogue
        flags = np.zeros(catalogue.n_artists, dtype=np.bool_)
        flags[artists] = True
        owner, position = csr_slice(catalogue.artist_indptr, self._pool.rows)
        found = np.zeros_like(self._left)
        found[owner[flags[catalogue.artist_indices[position]]]] = True
        return found


def _joined(choices: list[Choice]) -> Choice:
    """All sections in one choice, so that they are explained at once."""
    names = {name for choice in choices for name in choice.adjustments}
    rows = [choice.rows for choice in choices] or [np.empty(0, dtype=np.int32)]
    return Choice(
        rows=np.concatenate(rows),
        explored=np.concatenate([choice.explored for choice in choices] or [np.empty(0, dtype=np.bool_)]),
        propensity=np.concatenate([choice.propensity for choice in choices] or [np.empty(0)]),
        adjustments={name: np.concatenate([_of(choice, name) for choice in choices]) for name in sorted(names)},
        policy=choices[0].policy if choices else "greedy",
    )


def _of(choice: Choice, name: str) -> FloatArray:
    return choice.adjustments.get(name, np.zeros(len(choice.rows), dtype=np.float32))
