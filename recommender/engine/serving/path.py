"""Songs that lead from one song to another, each a little less like the first and more like the last."""

from __future__ import annotations

import numpy as np

from recommender.engine.data import check_range
from recommender.engine.data.arrays import FloatArray, IntArray, as_float32
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.model import Model
from recommender.engine.ranking.blend import blend, standardise
from recommender.engine.ranking.exclusions import allowed_rows
from recommender.engine.serving.constraints import pick_page
from recommender.engine.terms.audio import AudioTerm

MAX_SIMILARITY = 3.0
"""Standard deviations at which similarity is clipped; without it the few nearest songs would win at every step."""


def track_path(
    model: Model,
    start: int,
    goal: int,
    between: int,
    explicit_allowed: bool = True,
    excluded: IntArray | None = None,
    only: IntArray | None = None,
) -> IntArray:
    """Return rows of `between` songs that lead from `start` to `goal`, in order; fewer if the catalogue has no more.

    Let a and b be the similarity of a song to `start` and `goal` (as in `similar`, standardised and clipped); its
    position on the path is (b - a) / 2. The song at the share t of the path maximises

        (a + b) / 2  -  |(b - a) / 2  -  (2 t - 1) CUT / 2|  +  c

    where c is the similarity of its sound to the point t of the straight line between the two audio vectors. No song
    comes in two versions, no artist more than `max_per_artist` times. only: rows besides which no song may be on the
    path; None: all may. Raise InvalidDataError if a row lies outside the catalogue.
    """
    ends = np.array([start, goal], dtype=np.int32)
    check_range("start and goal", ends, 0, model.catalogue.n_tracks)
    left_out = ends if excluded is None else np.concatenate([ends, excluded]).astype(np.int32)
    allowed = allowed_rows(model.catalogue, excluded=left_out, explicit_allowed=explicit_allowed, only=only)
    near_start, near_goal = (_similarity(model, row) for row in (start, goal))
    closeness, position = (near_start + near_goal) / 2, (near_goal - near_start) / 2
    audio = model.term(AudioTerm)
    every = np.arange(model.catalogue.n_tracks, dtype=np.int32)
    # Products with both ends once; a point between them is a mixture of the two.
    sound = audio.vectors(every) @ audio.vectors(ends).T
    path = np.empty(0, dtype=np.int32)
    for step in range(1, between + 1):
        share = np.float32(step / (between + 1))
        mixed = (1 - share) * sound[:, 0] + share * sound[:, 1]
        off = np.abs(position - (2 * share - 1) * np.float32(MAX_SIMILARITY / 2))
        wanted = as_float32(closeness - off + _clipped(standardise(mixed, sqrt_transform=False)))
        size, limit = len(path) + 1, model.config.page.max_per_artist
        path = pick_page(wanted, allowed, model.catalogue, size, limit, first=path)
        if len(path) < size:
            break
    return path[np.argsort(position[path], kind="stable")]


def _similarity(model: Model, row: int) -> FloatArray:
    total = blend(model.terms, model.config.blend.similar_weights, ListenerProfile.of_one_track(row)).total
    return _clipped(standardise(total.copy(), sqrt_transform=False))


def _clipped(scores: FloatArray) -> FloatArray:
    return np.clip(scores, -MAX_SIMILARITY, MAX_SIMILARITY)
