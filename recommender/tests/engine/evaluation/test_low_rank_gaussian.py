from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recommender.engine.evaluation.low_rank_gaussian import GaussianConfig, LowRankGaussian, shrunk_means


def test_shrunk_means_lie_between_the_songs_own_and_the_overall_one() -> None:
    rows, values = np.array([0, 0, 1], dtype=np.int32), np.array([1.0, 1.0, 0.0])
    # Overall 2 / 3; the last song has no answer.
    expected = [(2 + 10 * 2 / 3) / 12, (0 + 10 * 2 / 3) / 11, 2 / 3]
    np.testing.assert_allclose(shrunk_means(rows, values, 3), expected)


def test_without_any_answer_every_mean_is_even() -> None:
    assert shrunk_means(np.empty(0, np.int32), np.empty(0), 2).tolist() == [0.5, 0.5]


def test_one_dimension_is_folded_in_by_the_posterior_mean() -> None:
    model = LowRankGaussian(np.array([0.2, 0.5]), np.array([[0.5], [0.3]]), GaussianConfig(dimensions=1, noise=0.1))
    # Precision 1 + 0.25 / 0.1 = 3.5; pull 0.5 * 0.8 / 0.1 = 4.
    taste = 4.0 / 3.5
    scores = model.score(np.array([0], dtype=np.int32), np.array([1.0], dtype=np.float32))
    np.testing.assert_allclose(scores, [0.2 + 0.5 * taste, 0.5 + 0.3 * taste], rtol=1e-6)


def test_nothing_revealed_leaves_the_means() -> None:
    model = LowRankGaussian(np.array([0.2, 0.5]), np.array([[0.5], [0.3]]), GaussianConfig(dimensions=1))
    none = model.score(np.empty(0, np.int32), np.empty(0, np.float32))
    np.testing.assert_allclose(none, [0.2, 0.5], rtol=1e-6)


def test_a_planted_structure_is_recovered_from_a_third_of_the_answers() -> None:
    rng = np.random.default_rng(3)
    tastes, loadings = rng.normal(size=(400, 2)), rng.normal(0.0, 0.3, size=(60, 2))
    mean = rng.uniform(0.3, 0.7, size=60)
    whole = mean + tastes @ loadings.T
    seen = rng.random(whole.shape) < 1 / 3
    person, song = np.nonzero(seen[:300])
    noisy = whole[person, song] + rng.normal(0.0, 0.05, len(person))
    answers = sp.coo_array((noisy, (person, song)), shape=(300, 60)).tocsr()
    model = LowRankGaussian.fit(answers, GaussianConfig(dimensions=2, noise=0.01, deviation=0.3, rounds=30), rng)
    for unseen in range(300, 400):
        rows = np.flatnonzero(seen[unseen]).astype(np.int32)
        expected = model.score(rows, whole[unseen, rows].astype(np.float32))
        hidden = ~seen[unseen]
        error = np.sqrt(np.mean((expected - whole[unseen])[hidden] ** 2))
        # Knowing the songs alone is off by the deviation of the tastes: about 0.4.
        assert error < 0.1


def test_a_stored_zero_is_an_answer() -> None:
    answers = sp.csr_array((np.array([0.0, 1.0]), np.array([0, 1]), np.array([0, 2])), shape=(1, 2))
    model = LowRankGaussian.fit(answers, GaussianConfig(dimensions=1, rounds=1), np.random.default_rng(0))
    assert model.mean.tolist() == pytest.approx([5 / 11, 6 / 11])


def test_people_without_answers_do_not_disturb_the_fit() -> None:
    rng = np.random.default_rng(0)
    answers = sp.csr_array(rng.random((20, 8)))
    more = sp.csr_array(sp.vstack([answers, sp.csr_array((5, 8))]))
    config = GaussianConfig(dimensions=2, rounds=5)
    first, second = (LowRankGaussian.fit(data, config, np.random.default_rng(1)) for data in (answers, more))
    np.testing.assert_allclose(first.loadings, second.loadings)
