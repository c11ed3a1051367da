from __future__ import annotations

import numpy as np

from recommender.engine import Interactions
from recommender.engine.evaluation.cold_start import cold_queries, cold_tracks, without_tracks
from recommender.engine.evaluation.split import Reveal, Split
from recommender.tests.engine.build import make_catalogue


def test_a_fifth_of_the_active_tracks_is_cold() -> None:
    active = np.arange(50) < 40
    cold = cold_tracks(make_catalogue([[0]] * 50, active=active), np.random.default_rng(0))
    assert cold.sum() == 8
    assert not cold[~active].any()


def test_nothing_is_trained_on_a_cold_track() -> None:
    rows = np.array([0, 1, 2], np.int32)
    played = Interactions(np.array([0, 0, 1], np.int32), rows, np.ones(3, np.float32), np.full(2, -1, np.int32))
    left = without_tracks(played, np.array([True, False, True]))
    assert (left.listener.tolist(), left.row.tolist(), left.n_listeners) == ([0], [1], 2)


def test_warm_tracks_are_revealed_and_all_cold_ones_wanted() -> None:
    lists = ([4, 0, 1, 5, 2], [0, 1, 2], [4, 0])
    split = Split(Interactions.empty(), tuple(np.array(rows, np.int32) for rows in lists))
    cold = np.array([False, False, False, False, True, True])
    queries = cold_queries(split, cold, Reveal("2"))
    assert [(query.observed.tolist(), query.held_out.tolist()) for query in queries] == [([0, 1], [4, 5])]
