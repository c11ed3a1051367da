from __future__ import annotations

import numpy as np
import pytest

from recommender.engine import Catalogue, EngineConfig, Interactions, estimate_features, fit_model
from recommender.engine.fitting.imputation import with_estimates
from recommender.tests.engine.build import COLUMNS, make_catalogue

ENERGY, KEY = COLUMNS.index("energy"), COLUMNS.index("key")


def catalogue(energy: list[float], artists: list[list[int]], genres: list[list[int]], **fields: object) -> Catalogue:
    features = np.full((len(energy), len(COLUMNS)), np.nan, dtype=np.float32)
    features[:, ENERGY] = energy
    features[~np.isnan(energy), KEY] = 5
    return make_catalogue(artists, genres, features=features, **fields)


def test_the_artists_songs_count_and_the_genres_pull() -> None:
    known = [0.2, 0.4, 0.9]
    features, estimated = estimate_features(catalogue([*known, np.nan], [[0], [0], [1], [0]], [[], [], [0], [0]]))
    # Two songs of the artist (mean .3) against the genre's .9 with the weight of two songs.
    assert features[3, ENERGY] == pytest.approx(0.6)
    assert estimated.tolist() == [False, False, False, True]
    np.testing.assert_array_equal(features[:3, ENERGY], np.array(known, dtype=np.float32))


def test_an_unknown_artist_has_the_genres_mean() -> None:
    features, estimated = estimate_features(catalogue([0.2, 0.8, np.nan], [[0], [1], [2]], [[0], [0], [0]]))
    assert features[2, ENERGY] == np.float32(0.5)
    assert estimated[2]


def test_what_nothing_is_known_of_stays_unknown() -> None:
    features, estimated = estimate_features(catalogue([0.2, np.nan], [[0], [1]], [[0], []]))
    assert np.isnan(features[1]).all()
    assert not estimated.any()


def test_a_key_is_never_estimated() -> None:
    features, _ = estimate_features(catalogue([0.2, np.nan], [[0], [0]], [[], []]))
    assert np.isnan(features[1, KEY])
    assert features[0, KEY] == 5


def test_a_single_missing_value_of_a_measured_song_stays_unknown() -> None:
    songs = catalogue([0.2, 0.4], [[0], [0]], [[], []])
    songs.features[1, KEY] = np.nan
    features, estimated = estimate_features(songs)
    assert np.isnan(features[1, KEY])
    assert not estimated.any()


def test_what_a_measured_song_lacks_is_estimated_and_what_it_has_stays() -> None:
    tempo = COLUMNS.index("tempo")
    songs = catalogue([0.2, 0.4, np.nan, np.nan], [[0], [0], [0], [0]], [[], [], [], []])
    songs.features[:, tempo] = [100.0, 140.0, 90.0, np.nan]
    features, estimated = estimate_features(songs)
    np.testing.assert_allclose(features[2:, ENERGY], [0.3, 0.3], rtol=1e-6)
    assert features[:, tempo].tolist() == [100.0, 140.0, 90.0, 110.0]
    assert np.isnan(features[2:, KEY]).all()
    # Something was measured of the third, nothing of the fourth.
    assert estimated.tolist() == [False, False, False, True]


def test_estimates_are_made_anew_and_never_from_each_other() -> None:
    stale = np.array([False, True])
    songs = catalogue([0.2, 0.9], [[0], [0]], [[], []], features_estimated=stale)
    assert estimate_features(songs)[0][1, ENERGY] == np.float32(0.2)
    once = with_estimates(songs)
    np.testing.assert_array_equal(with_estimates(once).features, once.features)


def test_a_fit_fills_them_in_and_marks_them() -> None:
    songs = catalogue([0.1, 0.9, 0.5, np.nan], [[0], [1], [2], [0]], [[], [], [], []])
    model = fit_model(songs, Interactions.empty(), EngineConfig(), np.random.default_rng(0))
    assert model.catalogue.features_estimated.tolist() == [False, False, False, True]
    assert np.isnan(songs.features[3]).all()
