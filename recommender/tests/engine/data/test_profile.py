from __future__ import annotations

from dataclasses import replace

import pytest

from recommender.engine import Feedback, FeedbackConfig, FeedbackKind
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.errors import InvalidDataError
from recommender.tests.engine.build import feedback_of

CONFIG = FeedbackConfig()


def weights_of(feedback: Feedback) -> dict[int, float]:
    listener = ListenerProfile.from_feedback(feedback, CONFIG)
    return dict(zip(listener.rows.tolist(), listener.weights.tolist(), strict=True))


def test_a_fresh_like_counts_one() -> None:
    assert weights_of(Feedback.likes([7, 3])) == {3: 1.0, 7: 1.0}


def test_signals_halve_over_their_half_life() -> None:
    age = CONFIG.half_life_days["completed"]
    assert weights_of(feedback_of((2, FeedbackKind.COMPLETED, 1, age))) == {2: pytest.approx(0.25)}


def test_each_doubling_of_the_count_adds_the_same() -> None:
    assert weights_of(feedback_of((2, FeedbackKind.PLAY, 4, 0))) == {2: pytest.approx(0.25 * 1.5)}


def test_signals_of_one_track_add_up_to_a_limit() -> None:
    events = feedback_of((2, FeedbackKind.LIKE, 1, 0), (2, FeedbackKind.COMPLETED, 1, 0))
    assert weights_of(events) == {2: pytest.approx(1.5)}
    many = feedback_of((2, FeedbackKind.LIKE, 1, 0), (2, FeedbackKind.COMPLETED, 4096, 0))
    assert weights_of(many) == {2: CONFIG.max_row_weight}


def test_a_dislike_silences_the_plays_before_it() -> None:
    events = feedback_of((2, FeedbackKind.COMPLETED, 64, 0), (2, FeedbackKind.DISLIKE, 1, 0))
    assert weights_of(events) == {2: -1.0}


def test_amount_counts_likes_and_their_worth() -> None:
    feedback = feedback_of(
        (1, FeedbackKind.LIKE, 1, 0),
        (2, FeedbackKind.COMPLETED, 1, 0),
        (3, FeedbackKind.DISLIKE, 1, 0),
        (4, FeedbackKind.SKIP, 1, 0),
    )
    assert ListenerProfile.from_feedback(feedback, CONFIG).evidence == pytest.approx(1.5)
    assert ListenerProfile.from_feedback(Feedback(), CONFIG).evidence == 0.0


def test_of_too_many_songs_those_count_that_say_most() -> None:
    feedback = feedback_of(
        (1, FeedbackKind.PLAY, 1, 0),
        (2, FeedbackKind.LIKE, 1, 0),
        (3, FeedbackKind.COMPLETED, 1, 0),
        (4, FeedbackKind.DISLIKE, 1, 0),
        (5, FeedbackKind.PLAY, 1, 0),
    )
    listener = ListenerProfile.from_feedback(feedback, replace(CONFIG, max_songs=3))
    assert dict(zip(listener.rows.tolist(), listener.weights.tolist(), strict=True)) == {2: 1.0, 3: 0.5, 4: -1.0}
    assert listener.evidence == ListenerProfile.from_feedback(feedback, CONFIG).evidence == pytest.approx(2.0)


def test_at_least_one_song_counts() -> None:
    with pytest.raises(InvalidDataError, match="max_songs: must be at least 1"):
        replace(CONFIG, max_songs=0)


def test_order_does_not_matter() -> None:
    events = [(5, FeedbackKind.LIKE, 1.0, 3.0), (1, FeedbackKind.SKIP, 2.0, 1.0), (5, FeedbackKind.PLAY, 3.0, 9.0)]
    assert weights_of(feedback_of(*events)) == pytest.approx(weights_of(feedback_of(*reversed(events))))


def test_a_refusal_is_as_sure_as_it_is_fresh() -> None:
    feedback = feedback_of(
        (4, FeedbackKind.SKIP, 1, 30),
        (2, FeedbackKind.LIKE, 1, 0),
        (2, FeedbackKind.SKIP, 1, 0),
        (7, FeedbackKind.DISLIKE, 1, 0),
        (5, FeedbackKind.SKIP, 3, 0),
        (5, FeedbackKind.SKIP, 1, 60),
    )
    listener = ListenerProfile.from_feedback(feedback, CONFIG)
    assert listener.rows.tolist() == [2, 4, 5, 7]
    # A like that was skipped later is a like of less weight.
    assert listener.confidence.tolist() == pytest.approx([listener.weights[0], 0.5, 1.0, 1.0])
    assert listener.n_negatives == pytest.approx(2.5)
    assert listener.positive_only().n_negatives == 0.0
    assert listener.positive_only().confidence.tolist() == pytest.approx([listener.weights[0]])


def test_refusals_are_of_the_songs_the_taste_is_made_of() -> None:
    signals = ((4, "LIKE"), (2, "LIKE"), (9, "SKIP"), (1, "SKIP"), (3, "DISLIKE"))
    feedback = feedback_of(*((row, FeedbackKind[kind], 1, 0) for row, kind in signals))
    listener = ListenerProfile.from_feedback(feedback, FeedbackConfig(max_songs=3))
    assert listener.rows.tolist() == [2, 3, 4]
    assert listener.n_negatives == pytest.approx(1.0)


def test_without_feedback_behind_it_sureness_is_the_weight() -> None:
    assert ListenerProfile.of_one_track(3).confidence.tolist() == [1.0]
    assert ListenerProfile.anonymous().n_negatives == 0.0
