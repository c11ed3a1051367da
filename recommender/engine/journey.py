"""A way from one song to another, in steps that each sound a little less like the first and more like the last."""

from __future__ import annotations

import numpy as np

from recommender.engine.arrays import BoolArray, FloatArray, IntArray, as_float32
from recommender.engine.blend import blend, standardise
from recommender.engine.data import check_range
from recommender.engine.listener import Listener
from recommender.engine.model import Model
from recommender.engine.page import allowed_rows, pick_page
from recommender.engine.terms.audio import AudioTerm

CUT = 3.0
"""Standard deviations beyond which being alike counts no more: else the few nearest songs came at every step."""


def journey(
    model: Model, start: int, goal: int, between: int, explicit_allowed: bool = True, excluded: IntArray | None = None
) -> IntArray:
    """Rows of `between` songs that lead from `start` to `goal`, in order; fewer if the catalogue does not hold more.

    With a and b saying how like `start` and `goal` a song is (as "similar songs" has it, standardised and cut), a song
    stands at the place (b - a) / 2. The song at the share t of the way maximises

        (a + b) / 2  -  |(b - a) / 2  -  (2 t - 1) CUT / 2|  +  c

    where c says how near its sound lies to the point t of the straight line between the audio vectors of the two. Never
    a version of a song twice, an artist at most `max_per_artist` times. Raises InvalidDataError if a row lies outside
    the catalogue.
    """
    ends = np.array([start, goal], dtype=np.int32)
    check_range("start and goal", ends, 0, model.catalogue.n_tracks)
    left_out = ends if excluded is None else np.concatenate([ends, excluded]).astype(np.int32)
    allowed = allowed_rows(model.catalogue, excluded=left_out, explicit_allowed=explicit_allowed)
    near_start, near_goal = (_alike(model, row) for row in (start, goal))
    liked, place = (near_start + near_goal) / 2, (near_goal - near_start) / 2
    audio = model.terms[AudioTerm.name]
    assert isinstance(audio, AudioTerm)
    every = np.arange(model.catalogue.n_tracks, dtype=np.int32)
    # Products with both ends once; a point between them is a mixture of the two.
    sound = audio.vectors(every) @ audio.vectors(ends).T
    found: list[int] = []
    for step in range(1, between + 1):
        share = np.float32(step / (between + 1))
        mixed = (1 - share) * sound[:, 0] + share * sound[:, 1]
        off = np.abs(place - (2 * share - 1) * np.float32(CUT / 2))
        wanted = as_float32(liked - off + _cut(standardise(mixed, heavy_tailed=False)))
        row = _next(model, wanted, allowed, found)
        if row is None:
            break
        found.append(row)
    rows = np.array(found, dtype=np.int32)
    return rows[np.argsort(place[rows], kind="stable")]


def _alike(model: Model, row: int) -> FloatArray:
    total = blend(model.terms, model.config.similar_weights, Listener.of_one_track(row)).total
    return _cut(standardise(total.copy(), heavy_tailed=False))


def _cut(scores: FloatArray) -> FloatArray:
    return np.clip(scores, -CUT, CUT)


def _next(model: Model, wanted: FloatArray, allowed: BoolArray, found: list[int]) -> int | None:
    """The best song that keeps the page rules with those found so far."""
    fixed = wanted.copy()
    # The rules are those of a page that begins with what was found.
    top = float(fixed.max(initial=0.0))
    for place, row in enumerate(found):
        fixed[row] = top + 1 + len(found) - place
    page = pick_page(fixed, allowed, model.catalogue, len(found) + 1, model.config.max_per_artist)
    return int(page[-1]) if len(page) > len(found) else None
