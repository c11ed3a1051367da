"""The rule for naming causes, the same for every term.

A cause is named by what the listener did. Songs that are liked or played on balance support "you like" and "you listen
to"; a dislike or skip that raised a song is named as such. Versions of one recording are one song: their values are
added up, and no song is explained by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data import Catalogue
from recommender.engine.data.arrays import FloatArray, IntArray, as_int32
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.terms.base import Cause, Stance

FOR: tuple[Stance, Stance] = ("liked", "played")
AGAINST: tuple[Stance, Stance] = ("disliked", "skipped")
"""Stances for and against an artist or genre; the explicit one comes first."""
BACKING = 3
"""Number of songs named in support of an artist or genre."""


@dataclass(frozen=True, eq=False)
class Songs:
    """A listener's m rows as G songs: versions of one recording with the same answer are one.

    group: int32[m], the song of each row. first: int32[G], the row that names it. recording: int32[G]. stance: str[G].
    """

    group: IntArray
    first: IntArray
    recording: IntArray
    stance: NDArray[np.str_]

    def stance_of(self, position: int) -> Stance:
        """Return what the listener did with the song of the row at `position`."""
        return _stance(self, int(self.group[position]))


class Naming:
    """Names causes over one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._recording = catalogue.recording
        self._grouped = _Grouped(id(catalogue.recording), catalogue.recording)

    def songs(self, listener: ListenerProfile) -> Songs:
        """Return the listener's rows as songs."""
        return listener.cached(self._grouped)

    def tracks(
        self, listener: ListenerProfile, tracks: IntArray, rows: IntArray, values: FloatArray, limit: int | None
    ) -> list[list[Cause]]:
        """Return the causes of a term that sums over the listener's tracks, one list for each of `rows`.

        values[i, j] is the contribution of tracks[j], increasing rows of the listener, to rows[i]. All causes if there
        is no limit, else the `limit` that raised the row most and may be named, strongest first.
        """
        songs = self.songs(listener)
        numbers, summed = _by_song(songs.group[np.searchsorted(listener.rows, tracks)], values)
        if limit is not None:
            itself = self._recording[rows][:, None] == songs.recording[numbers]
            summed = np.where(itself | (songs.stance[numbers] == "none"), np.float32(0.0), summed)
        return [
            [_track(songs, int(numbers[column]), float(line[column])) for column in columns]
            for line, columns in zip(summed, _leading(summed, limit), strict=True)
        ]

    def behind(self, listener: ListenerProfile, places: IntArray, weights: FloatArray, is_for: bool) -> list[int]:
        """Return the numbers of the songs that support an artist or genre, strongest first, liked before played.

        places: those of its tracks in the listener's rows; weights: float32[len(places)], what each of them added.
        is_for: whether to name songs for or against it.
        """
        songs = self.songs(listener)
        numbers, inverse = np.unique(songs.group[places], return_inverse=True)
        strength = np.abs(np.bincount(inverse, weights=weights, minlength=len(numbers)))
        outright, heard = FOR if is_for else AGAINST
        stance = songs.stance[numbers]
        order = np.lexsort((songs.first[numbers], -strength, stance != outright))
        order = order[np.isin(stance[order], (outright, heard))]
        # One more than are named, because one of them may be the explained song itself.
        return [int(number) for number in numbers[order[: BACKING + 1]]]

    def backed(
        self, cause: Cause, listener: ListenerProfile, behind: Sequence[int], row: int, is_chosen: bool
    ) -> Cause:
        """Return an artist or genre as a cause of `row`, with the songs `behind` it and the stance they give it."""
        songs = self.songs(listener)
        others = [number for number in behind if songs.recording[number] != self._recording[row]][:BACKING]
        stance: Stance = _stance(songs, others[0]) if others else "none"
        if is_chosen and cause.value > 0 and stance != "liked":
            return replace(cause, stance="chosen")
        return replace(cause, tracks=tuple(int(songs.first[number]) for number in others), stance=stance)


@dataclass(frozen=True)
class _Grouped:
    """Groups a listener's rows into songs; equal for all terms of one catalogue, so that the result is cached once."""

    number: int
    recording: IntArray = field(compare=False, repr=False)

    def __call__(self, listener: ListenerProfile) -> Songs:
        recording, weights = self.recording[listener.rows], listener.weights
        stance = _on_balance(_stances(listener), recording, weights)
        answer = np.sign(weights).astype(np.int64)
        _keys, group = np.unique(recording.astype(np.int64) * 3 + answer, return_inverse=True)
        outright = np.isin(stance, ("liked", "disliked"))
        order = np.lexsort((listener.rows, -np.abs(weights), ~outright, group))
        leading = order[np.flatnonzero(np.diff(group[order], prepend=-1))]
        return Songs(as_int32(group), listener.rows[leading], recording[leading], stance[leading])


def strongest(causes: Sequence[Cause], limit: int | None, named: Callable[[Cause], Cause]) -> list[Cause]:
    """Return all `named` causes if there is no limit, else the `limit` largest positive ones with a stance."""
    if limit is None:
        return [named(cause) for cause in causes]
    ordered = sorted((cause for cause in causes if cause.value > 0), key=lambda cause: (-cause.value, cause.index))
    return list(islice((cause for cause in map(named, ordered) if cause.stance != "none"), limit))


def _stances(listener: ListenerProfile) -> NDArray[np.str_]:
    """Return what the listener did with each row, str[m]; "none" if it is unknown or contradictory."""
    weights, none = listener.weights, np.zeros(len(listener.rows), dtype=np.bool_)
    if listener.liked is None:
        return np.full(len(weights), "none", dtype="<U8")
    liked = listener.liked
    disliked = none if listener.disliked is None else listener.disliked
    cases: dict[Stance, Any] = {
        "liked": (weights > 0) & liked,
        "played": weights > 0,
        "disliked": (weights < 0) & disliked,
        # A song that was liked and then mostly skipped is named as neither.
        "skipped": (weights < 0) & ~liked,
    }
    return np.select(list(cases.values()), [np.str_(name) for name in cases], default=np.str_("none"))


def _on_balance(stance: NDArray[np.str_], recording: IntArray, weights: FloatArray) -> NDArray[np.str_]:
    """Return the stances, without those that other versions of the same recording outweigh."""
    _recordings, inverse = np.unique(recording, return_inverse=True)
    balance = np.bincount(inverse, weights=weights)[inverse] if len(recording) else np.empty(0)
    return np.where(np.sign(balance) == np.sign(weights), stance, np.str_("none"))


def _by_song(groups: IntArray, values: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the numbers of the songs among the columns of `values`, and the sum of each one's columns."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    if len(starts) == len(groups):
        return groups, values
    return groups[order[starts]], np.add.reduceat(values[:, order], starts, axis=1)


def _track(songs: Songs, number: int, value: float) -> Cause:
    return Cause("track", int(songs.first[number]), value, stance=_stance(songs, number))


def _stance(songs: Songs, number: int) -> Stance:
    stance: Any = str(songs.stance[number])
    return stance  # type: ignore[no-any-return]


def _leading(values: FloatArray, limit: int | None) -> list[NDArray[np.intp]]:
    """Return per line the columns of all values that are not 0 if there is no limit, else of the `limit` largest
    positive ones, largest first, ties by column.
    """
    if limit is None or not values.size:
        return [np.flatnonzero(line) for line in values]
    left, lines = np.array(values), np.arange(len(values))
    places = np.empty((len(values), min(limit, values.shape[1])), dtype=np.intp)
    # A few passes over thousands of songs take less time than sorting them.
    for column in range(places.shape[1]):
        places[:, column] = left.argmax(axis=1)
        left[lines, places[:, column]] = -np.inf
    positive = values[lines[:, None], places] > 0
    return [line[:many] for line, many in zip(places, positive.sum(axis=1), strict=True)]
