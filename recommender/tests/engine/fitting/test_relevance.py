"""A taste learned from likes and dislikes, with how much each group of columns counts."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.engine.data.arrays import BoolArray, FloatArray, as_float32
from recommender.engine.fitting.relevance import AudioConfig, Prior, fit_sound_taste

SIZE = 6
PRIOR = Prior(np.ones(SIZE), np.arange(SIZE, dtype=np.int32), np.eye(SIZE))


def answers(number: int, seed: int = 0) -> tuple[FloatArray, BoolArray]:
    """Songs of six columns, of which the first alone decides."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(number, SIZE)).astype(np.float32)
    return columns, np.asarray(columns[:, 0] + 0.3 * rng.normal(size=number) > 0, dtype=np.bool_)


def taste_of(columns: FloatArray, liked: BoolArray, config: AudioConfig) -> FloatArray:
    confidence = np.ones(len(liked))
    return as_float32(fit_sound_taste(columns, liked, confidence, PRIOR, config).coefficients())


def test_what_decides_is_told_from_what_does_not() -> None:
    columns, liked = answers(60)
    direction = taste_of(columns, liked, AudioConfig())
    assert direction[0] > 10 * np.abs(direction[1:]).max()
    unlearned = taste_of(columns, liked, AudioConfig(n_iterations=0))
    assert unlearned[0] < 10 * np.abs(unlearned[1:]).max()


def test_the_sum_over_the_answers_is_the_most_probable_taste() -> None:
    columns, liked = answers(40)
    config = AudioConfig(n_iterations=0, background=0.0, offset_variance=1e-9)
    direction = taste_of(columns, liked, config).astype(np.float64)
    # Where it is most probable, the slope of the likelihood is the pull of the prior N(0, I).
    slope = columns.T @ (liked - 1.0 / (1.0 + np.exp(-columns @ direction)))
    np.testing.assert_allclose(slope, direction, atol=1e-3)


def test_what_each_answer_adds_sums_up_to_the_score() -> None:
    columns, liked = answers(40)
    taste = fit_sound_taste(columns, liked, np.ones(40), PRIOR, AudioConfig())
    songs, _ = answers(10, seed=1)
    np.testing.assert_allclose(taste.contributions(songs).sum(axis=1), songs @ taste.coefficients(), atol=1e-4)


def test_likes_alone_are_told_from_the_catalogue() -> None:
    columns = np.zeros((5, SIZE), dtype=np.float32)
    columns[:, 0] = 2.0
    direction = taste_of(columns, np.ones(5, dtype=np.bool_), AudioConfig())
    assert direction[0] > 0
    assert not direction[1:].any()


def test_dislikes_alone_are_likes_turned_round() -> None:
    columns, _ = answers(5)
    all_liked = np.ones(5, dtype=np.bool_)
    liked, disliked = (taste_of(columns, answer, AudioConfig()) for answer in (all_liked, ~all_liked))
    np.testing.assert_allclose(disliked, -liked, atol=1e-6)


def test_no_answer_is_no_taste() -> None:
    columns, liked = answers(0)
    assert taste_of(columns, liked, AudioConfig()).tolist() == [0.0] * SIZE


def test_of_very_many_answers_a_part_tells_what_counts_and_all_of_them_how() -> None:
    columns, liked = answers(3000)
    part, every = (taste_of(columns, liked, AudioConfig(max_answers=limit)) for limit in (300, 3000))
    assert float(part @ every / np.linalg.norm(part) / np.linalg.norm(every)) == pytest.approx(1.0, abs=1e-3)
    assert len(fit_sound_taste(columns, liked, np.ones(3000), PRIOR, AudioConfig()).residual) == 3000
