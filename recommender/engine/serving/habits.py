"""Songs that the listener knows and may want again: what they keep playing, and what they loved and let go of.

Nothing of the model is asked. What somebody keeps playing is ordered by how likely it is to be played again: by the
base-level equation of memory, ln(n) - ln(t) / 2 after n plays of which the last was t days ago (Anderson & Schooler,
"Reflections of the Environment in Memory", 1991; for songs in Kowald, Lex & Schedl, "Utilizing Human Memory Processes
to Model Genre Preferences for Personalized Music Recommendations", 2020). What they let go of goes by plays alone: how
long ago it was is the same good reason for all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data import Catalogue, Feedback, FeedbackKind
from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, as_float32, as_int32
from recommender.engine.serving.mmr import PageConstraints, pick_pages

HabitName: TypeAlias = Literal["again", "forgotten"]
HABITS: tuple[HabitName, ...] = ("again", "forgotten")
AGAIN_DAYS = (1.0, 90.0)
"""A song is one to play again so many days after it was last played: not at once, and not when it is a memory."""
AGAIN_PLAYS, FORGOTTEN_PLAYS = 2, 3
"""So many plays say what a like says: that it was no accident."""
FORGOTTEN_DAYS = 180.0
"""A favourite neither played nor liked for so long is forgotten."""
LIKE_PLAYS = 3.0
"""What a like counts beside plays."""
_NEVER = np.float32(np.inf)


@dataclass(frozen=True, eq=False)
class Habits:
    """What the listener did with each song they know: rows int32[s], distinct; all else is over all its versions.

    plays, skips: float32[s]; played_days, liked_days: float32[s] since the last play and the like, inf without one;
    is_liked, is_disliked: bool[s].
    """

    catalogue: Catalogue
    rows: IntArray
    plays: FloatArray
    skips: FloatArray
    played_days: FloatArray
    liked_days: FloatArray
    is_disliked: BoolArray

    @classmethod
    def of(cls, catalogue: Catalogue, feedback: Feedback) -> Habits:
        """Return the habits of a listener with this feedback."""
        rows = np.unique(feedback.rows)
        recordings, song = np.unique(catalogue.recording[rows], return_inverse=True)
        at = np.searchsorted(recordings, catalogue.recording[feedback.rows])
        is_play = np.isin(feedback.kind, (FeedbackKind.COMPLETED, FeedbackKind.PLAY))
        is_like, is_skip = feedback.kind == FeedbackKind.LIKE, feedback.kind == FeedbackKind.SKIP
        size = len(recordings)
        disliked = np.bincount(at[feedback.kind == FeedbackKind.DISLIKE], minlength=size) > 0
        return cls(
            catalogue,
            as_int32(rows),
            _sum(at, feedback.count, is_play, size)[song],
            _sum(at, feedback.count, is_skip, size)[song],
            _least(at, feedback.age_days, is_play, size)[song],
            _least(at, feedback.age_days, is_like, size)[song],
            disliked[song],
        )

    @property
    def is_liked(self) -> BoolArray:
        """Return which songs the listener likes."""
        return np.asarray(self.liked_days < _NEVER)

    def pick(self, name: HabitName, k: int, allowed: BoolArray, max_per_artist: int) -> IntArray:
        """Return the numbers of up to k songs, best first; allowed: bool[s]."""
        belongs = allowed & ~self.is_disliked & self._belongs(name)
        scores = np.where(belongs, sum(self.parts(name).values()), -_NEVER).astype(np.float32)
        constraints = PageConstraints.of(self.catalogue, self.rows, max_per_artist, has_versions=True)
        page = pick_pages(scores[None, :], k, constraints)[0]
        return as_int32(page[page >= 0])

    def parts(self, name: HabitName) -> dict[str, FloatArray]:
        """Return what the order of a shelf is made of: its parts add up to the score, float32[s] each."""
        plays = np.log1p(self.plays + LIKE_PLAYS * self.is_liked).astype(np.float32)
        if name == "forgotten":
            return {"plays": plays}
        days = np.clip(self.played_days, *AGAIN_DAYS)
        return {"plays": plays, "since": as_float32(-0.5 * np.log(days))}

    def _belongs(self, name: HabitName) -> BoolArray:
        enjoyed = self.is_liked | (self.plays > self.skips)
        if name == "again":
            is_lately = (self.played_days >= AGAIN_DAYS[0]) & (self.played_days <= AGAIN_DAYS[1])
            return is_lately & enjoyed & (self.is_liked | (self.plays >= AGAIN_PLAYS))
        last = np.minimum(self.played_days, self.liked_days)
        return (last > FORGOTTEN_DAYS) & enjoyed & (self.is_liked | (self.plays >= FORGOTTEN_PLAYS))


def _sum(at: NDArray[np.intp], values: FloatArray, which: BoolArray, size: int) -> FloatArray:
    return as_float32(np.bincount(at[which], weights=values[which], minlength=size))


def _least(at: NDArray[np.intp], values: FloatArray, which: BoolArray, size: int) -> FloatArray:
    least = np.full(size, _NEVER)
    np.minimum.at(least, at[which], values[which])
    return least
