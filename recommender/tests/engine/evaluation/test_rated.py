from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recommender.engine import Catalogue, EngineConfig, FeedbackKind, InvalidDataError
from recommender.engine.evaluation.rated import (
    LIKES_ONLY,
    MODEL,
    MeasuredRatings,
    RatingQuery,
    Ratings,
    RatingTally,
    compare_ratings,
    interactions_of,
    model_scorers,
    peer_scorers,
    people_by_fit,
    rating_queries,
    rating_rows,
)
from recommender.engine.evaluation.split import Reveal
from recommender.engine.fit import fit_model
from recommender.engine.model import Model
from recommender.engine.rank import rank
from recommender.engine.ranking.blend import weights_without
from recommender.engine.score import score_content
from recommender.engine.terms import TERMS
from recommender.tests.engine.build import make_catalogue

ROW_OF_TERM = {name: "popularity (term)" if name == "popularity" else name for name in TERMS}
ROWS = [MODEL, LIKES_ONLY, "content", *ROW_OF_TERM.values(), "share of likes", "popularity", "low-rank gaussian"]


def int32(*values: int) -> Any:
    return np.array(values, dtype=np.int32)


def question(liked: list[bool], revealed: dict[int, float] | None = None) -> RatingQuery:
    """Ranked are the first rows, revealed others by their weights."""
    answers = revealed or {}
    weight = np.array(list(answers.values()), dtype=np.float32)
    return RatingQuery(int32(*answers), weight, None, np.arange(len(liked), dtype=np.int32), np.array(liked))


@pytest.fixture(scope="module")
def answered() -> Ratings:
    """Sixty people, each of whom has answered 20 of 40 songs; they like those of one of two halves."""
    rng = np.random.default_rng(2)
    listener = np.repeat(np.arange(60, dtype=np.int32), 20)
    row = np.concatenate([rng.permutation(40)[:20] for _ in range(60)]).astype(np.int32)
    likes = (row < 20) == (listener % 2 == 0)
    return Ratings(listener, row, np.where(likes, 1.0, -1.0).astype(np.float32))


@pytest.fixture(scope="module")
def songs() -> Catalogue:
    return make_catalogue([[number] for number in range(40)])


# --- figures ---------------------------------------------------------------------------------------------------------
def measured_of(scores: list[float], liked: list[bool]) -> MeasuredRatings:
    tally = RatingTally()
    tally.add({"any": lambda _: np.array(scores, dtype=np.float32)}, "5", [question(liked)])
    (measured,) = tally.measured(["5"])
    return measured


def test_figures_by_hand() -> None:
    measured = measured_of([0.9, 0.8, 0.7, 0.7, 0.1], [False, True, False, True, True])
    # Likes 0.8, 0.7 and 0.1 against 0.9 and 0.7: of six pairs one is won, one even.
    assert measured.auc.tolist() == [pytest.approx(1.5 / 6)]
    # The tie stays in the order it came in: likes at places 2, 4 and 5 of 5.
    gain = 1 / np.log2(3) + 1 / np.log2(5) + 1 / np.log2(6)
    ideal = 1 / np.log2(2) + 1 / np.log2(3) + 1 / np.log2(4)
    assert measured.ndcg_at_5.tolist() == [pytest.approx(gain / ideal)]


def test_the_ideal_has_no_more_than_five_likes() -> None:
    measured = measured_of([7, 6, 5, 4, 3, 2, 1], [True] * 6 + [False])
    assert (measured.auc.tolist(), measured.ndcg_at_5.tolist()) == ([1.0], [1.0])


def test_a_list_shorter_than_five_can_be_perfect() -> None:
    assert measured_of([2, 1], [True, False]).ndcg_at_5.tolist() == [1.0]


def test_the_gain_over_the_likes_alone_is_paired() -> None:
    rng = np.random.default_rng(0)
    base = rng.random(50)
    flat = np.zeros(50)
    both = [MeasuredRatings(MODEL, "5", base + 0.1, flat), MeasuredRatings(LIKES_ONLY, "5", base, flat)]
    model, likes_only = rating_rows(both, seed=0)
    assert model.people == 50
    assert model.auc.high - model.auc.low > 0.1
    gain = model.auc_minus_likes_only
    assert gain is not None
    assert [gain.mean, gain.low, gain.high] == pytest.approx([0.1, 0.1, 0.1])
    assert likes_only.auc_minus_likes_only is None


# --- what is asked ---------------------------------------------------------------------------------------------------
def questions_about(answered: Ratings, reveal: str, people: list[bool] | None = None) -> list[RatingQuery]:
    everybody = np.ones(answered.n_people, dtype=np.bool_) if people is None else np.array(people)
    return list(rating_queries(answered, np.arange(len(answered.row)), everybody, Reveal(reveal)))


def small(**more: Any) -> Ratings:
    """Three people: the first likes some, the second all, the third has two answers."""
    listener, row = int32(0, 1, 0, 1, 0, 1, 0, 2, 2), int32(5, 0, 6, 1, 7, 2, 8, 0, 1)
    weight = np.array([1, 1, -1, 1, -1, 1, 1, 1, -1], dtype=np.float32)
    return Ratings(listener, row, weight, **more)


def test_what_is_not_revealed_is_ranked() -> None:
    (first,) = questions_about(small(), "2")
    assert first.revealed.tolist() == [5, 6]
    assert first.weight.tolist() == [1.0, -1.0]
    assert first.ranked.tolist() == [7, 8]
    assert first.liked.tolist() == [False, True]
    assert first.grade is None


def test_who_has_too_few_answers_or_nothing_to_be_told_apart_is_left_out() -> None:
    # Two of the second person's three are left with one reveal, but both are likes; of the third one is.
    assert [each.ranked.tolist() for each in questions_about(small(), "1")] == [[6, 7, 8]]
    assert questions_about(small(), "3") == []
    assert questions_about(small(), "1", [False, True, True]) == []


def test_judged_answers_are_ranked_and_never_revealed() -> None:
    judged = np.array([0, 0, 0, 0, 1, 0, 1, 1, 1], dtype=np.bool_)
    (first,) = questions_about(small(judged=judged), "2")
    assert (first.revealed.tolist(), first.ranked.tolist()) == ([5, 6], [7, 8])
    # The third person has nothing that may be revealed, the first two answers.
    (first,) = questions_about(small(judged=judged), "1")
    assert (first.revealed.tolist(), first.ranked.tolist()) == ([5], [7, 8])
    assert questions_about(small(judged=judged), "3") == []


def test_no_judged_answer_is_fitted_on() -> None:
    judged = np.array([1, 0, 0, 0, 0, 1, 0, 0, 0], dtype=np.bool_)
    training = interactions_of(small(judged=judged), np.array([True, False, True]))
    assert training.n_listeners == 2
    assert training.listener.tolist() == [0, 0, 0, 1, 1]
    assert training.row.tolist() == [6, 7, 8, 0, 1]
    assert training.weight.tolist() == [-1.0, -1.0, 1.0, 1.0, -1.0]


def test_grades_are_revealed_with_the_answers() -> None:
    grade = np.linspace(0, 1, 9, dtype=np.float32)
    (first,) = questions_about(small(grade=grade), "2")
    assert first.grade is not None
    assert first.grade.tolist() == [0.0, 0.25]


def test_feedback_holds_likes_and_dislikes() -> None:
    revealed = question([True, False], {5: 1.0, 6: -1.0, 7: 0.5})
    feedback = revealed.feedback
    assert feedback.rows.tolist() == [5, 6, 7]
    assert feedback.kind.tolist() == [FeedbackKind.LIKE, FeedbackKind.DISLIKE, FeedbackKind.LIKE]
    assert revealed.likes.rows.tolist() == [5, 7]


# --- who is tested ---------------------------------------------------------------------------------------------------
def test_a_fifth_of_the_people_is_tested(answered: Ratings) -> None:
    (part,) = people_by_fit(answered, np.random.default_rng(0), None)
    assert int(part.sum()) == 12


def test_in_folds_everybody_is_tested_once(answered: Ratings) -> None:
    parts = people_by_fit(answered, np.random.default_rng(0), 7)
    assert len(parts) == 7
    assert np.sum(parts, axis=0).tolist() == [1] * 60


def test_who_is_told_to_be_a_test_person_is(answered: Ratings) -> None:
    is_test = np.arange(60) < 3
    own = replace(answered, is_test=is_test)
    assert [part.tolist() for part in people_by_fit(own, np.random.default_rng(0), None)] == [is_test.tolist()]
    with pytest.raises(InvalidDataError, match="told already"):
        people_by_fit(own, np.random.default_rng(0), 5)


@pytest.mark.parametrize("folds", [0, 1, 61])
def test_folds_that_do_not_fit_are_refused(answered: Ratings, folds: int) -> None:
    with pytest.raises(InvalidDataError, match="of 60 people cannot be made"):
        people_by_fit(answered, np.random.default_rng(0), folds)


def test_arrays_that_do_not_fit_are_refused(answered: Ratings) -> None:
    with pytest.raises(InvalidDataError, match="judged: expected 1200 values, got 1"):
        replace(answered, judged=np.zeros(1, dtype=np.bool_))
    with pytest.raises(InvalidDataError, match="does not have all people"):
        replace(answered, is_test=np.zeros(59, dtype=np.bool_))


# --- scorers ---------------------------------------------------------------------------------------------------------
def test_the_model_is_asked_with_the_dislikes_and_without(model: Model, catalogue: Catalogue) -> None:
    scorers = model_scorers(model)
    wanted = question([True, False, True], {30: 1.0, 31: 1.0, 40: -1.0})
    # As it serves: among all songs but those that were answered.
    allowed = np.ones(catalogue.n_tracks, dtype=np.bool_)
    allowed[[30, 31, 40]] = False
    for name, feedback in ((MODEL, wanted.feedback), (LIKES_ONLY, wanted.likes)):
        ranked = rank(model, model.listener(feedback), allowed)
        assert scorers[name](wanted).tolist() == ranked.total[:3].tolist()
    listener = model.listener(wanted.feedback)
    for name in TERMS:
        assert scorers[ROW_OF_TERM[name]](wanted).tolist() == model.terms[name].score(listener)[:3].tolist()
    assert scorers["content"](wanted).tolist() == score_content(model, listener).total[:3].tolist()


def test_baselines_count_the_training_answers_alone() -> None:
    listener, row = int32(0, 0, 1, 1, 2, 2), int32(0, 1, 0, 2, 1, 2)
    weight = np.array([1, -1, 1, -1, 1, 1], dtype=np.float32)
    scorers = peer_scorers(4, Ratings(listener, row, weight), np.array([True, True, False]), np.random.default_rng(0))
    wanted = question([True, False, True, False])
    # Song 0 was liked by both, 1 and 2 disliked by one each, 3 is unknown; half of all answers are likes.
    assert scorers["popularity"](wanted).tolist() == [2.0, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(scorers["share of likes"](wanted), [7 / 12, 5 / 11, 5 / 11, 0.5], rtol=1e-6)
    assert list(scorers) == ["share of likes", "popularity", "low-rank gaussian"]


# --- the whole -------------------------------------------------------------------------------------------------------
def test_one_row_per_scorer_and_amount_and_the_planted_taste_is_found(
    songs: Catalogue, answered: Ratings, config: EngineConfig
) -> None:
    measured = compare_ratings(songs, answered, config, ("1", "5", "20"), folds=2)
    names = ["popularity (term)" if name == "popularity" else name for name in ROWS[:-2]]
    names = [*[name for name in names if name != "share of likes"], *ROWS[-3:]]
    assert [(line.reveal, line.scorer) for line in measured] == [
        (reveal, name) for reveal in ("1", "5") for name in names
    ]
    by_name = {line.scorer: line for line in measured if line.reveal == "5"}
    assert len(by_name[MODEL].auc) == 60
    # Everybody likes one half; neither half is liked by more people.
    assert by_name["low-rank gaussian"].auc.mean() > 0.95
    assert by_name["collaborative"].auc.mean() > 0.7
    assert by_name["share of likes"].auc.mean() < 0.6


def test_grades_have_a_row(songs: Catalogue, answered: Ratings, config: EngineConfig) -> None:
    graded = replace(answered, grade=(answered.weight > 0).astype(np.float32))
    measured = {line.scorer: line for line in compare_ratings(songs, graded, config, ("5",))}
    assert list(measured)[-1] == "low-rank gaussian, graded"
    assert measured["low-rank gaussian, graded"].auc.mean() > 0.95


def test_the_same_seed_gives_the_same_figures(songs: Catalogue, answered: Ratings, config: EngineConfig) -> None:
    first, again, other = (
        rating_rows(compare_ratings(songs, answered, config, ("5",), seed=seed), seed) for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other


def test_a_test_person_changes_no_fit(songs: Catalogue, answered: Ratings, config: EngineConfig) -> None:
    is_test = np.arange(60) >= 50
    turned = np.where(is_test[answered.listener], -answered.weight, answered.weight).astype(np.float32)
    own, other = replace(answered, is_test=is_test), replace(answered, is_test=is_test, weight=turned)
    first, second = (compare_ratings(songs, answers, config, ("5",)) for answers in (own, other))
    by_name = [{line.scorer: line.auc for line in lines} for lines in (first, second)]
    # What does not look at the revealed answers ranks alike, so that its likes turned round turn its figure round.
    np.testing.assert_allclose(by_name[0]["share of likes"], 1.0 - by_name[1]["share of likes"])
    assert len(by_name[0][MODEL]) == 10


def test_a_term_that_is_off_has_no_row(songs: Catalogue, answered: Ratings, config: EngineConfig) -> None:
    weights = weights_without(config.blend.term_weights, ("genre", "popularity"))
    off = replace(config, blend=replace(config.blend, term_weights=weights))
    interactions = interactions_of(answered, np.ones(60, dtype=np.bool_))
    fitted = fit_model(songs, interactions, off, np.random.default_rng(0))
    assert not {"genre", "popularity (term)"} & set(model_scorers(fitted))
    assert "audio" in model_scorers(fitted)
