"""Invented people, whose true chances are known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from scipy.special import expit

from recommender.engine.evaluation.learning_loop.answer_check import MODEL, MODEL_OF_KNOWN, check_answers
from recommender.engine.evaluation.learning_loop.answer_model import AnswerModel, Person, disliked_of, known_of
from recommender.engine.evaluation.learning_loop.logistic_tastes import Answers, LogisticTastes, TasteConfig
from recommender.engine.evaluation.rated import Ratings

N_PEOPLE, N_TRACKS, N_ANSWERED = 200, 60, 40
FITTED = np.arange(N_PEOPLE) < 150


class Invented(NamedTuple):
    """ratings: grades 0, 1/3, 2/3 and 1; logit: float64[people, tracks] of liking what is not known."""

    ratings: Ratings
    logit: np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@pytest.fixture(scope="module")
def invented() -> Invented:
    """People with an offset and one direction of taste; the known fifth of the songs is liked more."""
    rng = np.random.default_rng(1)
    tastes, loadings = rng.normal(size=N_PEOPLE), rng.normal(size=N_TRACKS)
    logit = 2.0 * np.outer(tastes, loadings) + rng.normal(0.0, 1.0, (N_PEOPLE, 1)) + rng.normal(-1.0, 0.7, N_TRACKS)
    row = np.concatenate([rng.permutation(N_TRACKS)[:N_ANSWERED] for _person in range(N_PEOPLE)]).astype(np.int32)
    person = np.repeat(np.arange(N_PEOPLE, dtype=np.int32), N_ANSWERED)
    known = rng.random(len(row)) < 0.2
    liked = rng.random(len(row)) < expit(logit[person, row] + 1.5 * known)
    grade = np.where(liked, 1.0, np.where(rng.random(len(row)) < 0.5, 0.0, 1 / 3)).astype(np.float32)
    weight = np.where(liked, 1.0, -1.0).astype(np.float32)
    return Invented(Ratings(person, row, weight, grade=grade, known=known), logit)


@pytest.fixture(scope="module")
def model(invented: Invented) -> AnswerModel:
    return AnswerModel.fit(invented.ratings, FITTED, N_TRACKS, np.random.default_rng(2))


def test_chances_are_near_the_true_ones_of_other_people(invented: Invented, model: AnswerModel) -> None:
    rng = np.random.default_rng(3)
    rows, unknown = np.arange(N_TRACKS, dtype=np.int32), np.zeros(N_TRACKS, dtype=np.bool_)
    errors, guesses = [], []
    for number in range(150, N_PEOPLE):
        tastes = model.tastes(Person.of(invented.ratings, number))
        truth = expit(invented.logit[number])
        errors.append(np.abs(model.chances(tastes, rows, unknown, rng, 64) - truth))
        guesses.append(np.abs(truth - truth.mean()))
    assert np.mean(errors) < 0.13 < np.mean(guesses) - 0.05


def test_what_is_known_is_liked_more_and_told_apart(model: AnswerModel) -> None:
    assert model.liking.coefficients[1] == pytest.approx(1.5, abs=0.3)
    # Without answers the taste is the prior: nothing is known of it, and a fifth of the songs is known.
    no_flags = np.empty(0, dtype=np.bool_)
    nobody = Person(np.empty(0, dtype=np.int32), no_flags, no_flags, no_flags)
    tastes = model.tastes(nobody)
    assert tastes.liking.mean.tolist() == [0.0] * 5
    assert tastes.liking.covariance.tolist() == np.diag([1.0] * 4 + [model.liking.offset_variance]).tolist()
    rows = np.arange(N_TRACKS, dtype=np.int32)
    assert model.known_chances(tastes, rows, np.random.default_rng(0), 64).mean() == pytest.approx(0.2, abs=0.03)


def test_a_drawn_listener_answers_every_song_once_and_for_all(invented: Invented, model: AnswerModel) -> None:
    person = Person.of(invented.ratings, 170)
    first, again, other = (model.listener(person, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert not (first.liked & first.disliked).any()
    assert first.liked.tolist() == again.liked.tolist() != other.liked.tolist()
    assert first.disliked.tolist() == again.disliked.tolist()
    everyone = [
        model.listener(Person.of(invented.ratings, who), np.random.default_rng(who)) for who in range(150, N_PEOPLE)
    ]
    liked, disliked = (np.mean([getattr(each, name) for each in everyone]) for name in ("liked", "disliked"))
    assert liked == pytest.approx(np.mean([each.chance for each in everyone]), abs=0.03)
    # Half of what is not liked is disliked.
    assert disliked == pytest.approx((1.0 - liked) / 2.0, abs=0.04)


def test_the_check_finds_the_model_calibrated_and_ahead_of_popularity(invented: Invented, model: AnswerModel) -> None:
    check = check_answers(model, invented.ratings, FITTED, ~FITTED, np.random.default_rng(4))
    assert check.people == 50
    assert sum(each.answers for each in check.bins) == 50 * N_ANSWERED // 2
    assert [each.chance for each in check.bins] == sorted(each.chance for each in check.bins)
    assert check.expected_error < 0.06
    for name in (MODEL, MODEL_OF_KNOWN):
        assert check.quality[name].auc_gain.low > 0.0
        assert check.quality[name].log_loss_gain.high < 0.0


def test_the_check_finds_out_a_model_of_other_songs(invented: Invented, model: AnswerModel) -> None:
    ratings = invented.ratings
    swapped = Ratings(ratings.listener, N_TRACKS - 1 - ratings.row, ratings.weight, ratings.grade, known=ratings.known)
    check = check_answers(model, swapped, FITTED, ~FITTED, np.random.default_rng(4))
    assert check.quality[MODEL].auc_gain.high < 0.0 < check.quality[MODEL].log_loss_gain.low
    assert check.expected_error > 0.06


def test_offsets_of_people_are_learned_without_dimensions() -> None:
    # Half of the people say yes to nine songs of ten, the others to one.
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(40, dtype=np.int32), 50)
    row = np.tile(np.arange(50, dtype=np.int32), 40)
    yes = (rng.random(len(row)) < np.where(person % 2 == 0, 0.9, 0.1)).astype(np.float64)
    design = np.ones((len(row), 1))
    model = LogisticTastes.fit(Answers(person, row, yes, design), 40, 50, TasteConfig(dimensions=0), rng)
    own = person == 0
    taste = model.taste(row[own], yes[own], design[own])
    chances = model.chances(row[own], taste.mean[None], design[own])[0]
    assert chances.mean() == pytest.approx(yes[own].mean(), abs=0.05)
    assert model.offset_variance == pytest.approx(np.log(9.0) ** 2, rel=0.25)


def test_without_grades_and_familiarity_all_noes_are_dislikes_of_unknown_songs() -> None:
    two = np.zeros(2, dtype=np.int32)
    ratings = Ratings(two, np.arange(2, dtype=np.int32), np.array([1.0, -1.0], dtype=np.float32))
    assert known_of(ratings).tolist() == [False, False]
    assert disliked_of(ratings).tolist() == [False, True]
