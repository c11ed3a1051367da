"""The probability of a like or a play to the end: learned, calibrated, and a stated prior where little is known."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from recommender.engine.serving.expectation import AnswerModel, fit_answers


def answers(
    rng: np.random.Generator, listeners: int, each: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Return answers of a world whose probabilities are known: listeners, scores, answers, probabilities."""
    offset = rng.normal(0.0, 1.0, listeners)
    listener = np.repeat(np.arange(listeners) * 7, each)
    scores = rng.normal(3.0, 2.0, listeners * each)
    chance = expit(-0.4 + 0.8 * (scores - 3.0) / 2.0 + np.repeat(offset, each))
    return listener, scores, rng.random(len(scores)) < chance, chance


def test_it_finds_the_parameters_of_a_world_it_fits() -> None:
    listener, scores, is_yes, chance = answers(np.random.default_rng(1), 300, 60)
    model = fit_answers(listener, scores, is_yes)
    assert model.answers == 18_000
    assert abs(model.slope - 0.8) < 0.06
    assert abs(model.intercept + 0.4) < 0.15
    predicted = np.concatenate([model.probability(int(pk), scores[listener == pk]) for pk in np.unique(listener)])
    assert np.abs(predicted - chance).mean() < 0.06


def test_what_it_expects_of_new_songs_is_what_happens() -> None:
    """Of each tenth of the predictions, as many come true as were expected, within four standard errors."""
    rng = np.random.default_rng(2)
    listener, scores, is_yes, chance = answers(rng, 300, 60)
    seen = np.tile(np.arange(60) < 30, 300)
    model = fit_answers(listener[seen], scores[seen], is_yes[seen])
    predicted = np.concatenate(
        [model.probability(int(pk), scores[~seen & (listener == pk)]) for pk in np.unique(listener)]
    )
    order = np.argsort(predicted)
    for part in np.array_split(order, 10):
        expected, variance = predicted[part].sum(), (predicted[part] * (1.0 - predicted[part])).sum()
        assert abs(is_yes[~seen][part].sum() - expected) < 4.0 * np.sqrt(variance)
    # A listener who has not answered yet has the average of all.
    assert 0.3 < float(model.probability(5, np.array([3.0]))[0]) < 0.5
    assert chance.shape == is_yes.shape


def test_its_mode_has_no_gradient() -> None:
    listener, scores, is_yes, _chance = answers(np.random.default_rng(3), 20, 30)
    model = fit_answers(listener, scores, is_yes)
    predicted = np.concatenate([model.probability(int(pk), scores[listener == pk]) for pk in np.unique(listener)])
    error = is_yes - predicted
    z = (scores - model.mean) / model.deviation
    assert abs(error.sum() - model.intercept / 4.0) < 1e-5
    assert abs(error @ z - model.slope / 4.0) < 1e-5
    assert np.abs(np.bincount(listener // 7, error) - model.offsets).max() < 1e-5


def test_too_few_answers_have_the_stated_prior() -> None:
    listener, scores, is_yes, _chance = answers(np.random.default_rng(4), 19, 10)
    model = fit_answers(listener, scores, is_yes)
    assert not model.is_fitted
    assert model.probability(7, scores[:3]).tolist() == [0.5, 0.5, 0.5]
    assert not fit_answers(np.zeros(500, dtype=np.int64), np.arange(500.0), np.ones(500, dtype=np.bool_)).is_fitted
    assert AnswerModel().probability(1, np.empty(0)).tolist() == []


def test_equal_scores_and_parted_answers_stay_finite() -> None:
    listener = np.arange(400, dtype=np.int64)
    same = fit_answers(listener, np.ones(400), listener % 4 == 0)
    assert abs(float(same.probability(9999, np.ones(1))[0]) - 0.27) < 0.03
    parted = fit_answers(np.zeros(400, dtype=np.int64), np.arange(400.0), listener > 200)
    assert np.isfinite([parted.slope, parted.intercept]).all()
    assert float(parted.probability(0, np.array([399.0]))[0]) > 0.95
