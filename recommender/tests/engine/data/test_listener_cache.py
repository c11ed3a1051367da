"""Who comes back with the same feedback is the same listener; everybody else is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.engine import Feedback, FeedbackKind, InvalidDataError, Model, Request, recommend
from recommender.engine.data import Adjustments
from recommender.engine.data.listener_cache import CACHE_BYTES, MOST_PROFILES, ListenerCache, cache_capacity, digest
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.score import score
from recommender.tests.engine.build import feedback_of

LIKE = FeedbackKind.LIKE


def copied(feedback: Feedback) -> Feedback:
    return replace(feedback, rows=feedback.rows.copy(), age_days=feedback.age_days.copy())


def test_the_same_feedback_is_the_same_listener(model: Model, feedback: Feedback) -> None:
    profile = model.listener(feedback)
    assert model.listener(copied(feedback)) is profile
    assert score(model, profile) is score(model, profile)


CHANGES = {
    "another song": {"rows": np.array([5], dtype=np.int32)},
    "a dislike": {"kind": np.array([FeedbackKind.DISLIKE], dtype=np.int32)},
    "heard again": {"count": np.array([2.0], dtype=np.float32)},
    "longer ago": {"age_days": np.array([3.5], dtype=np.float32)},
    "a genre": {"genres": np.array([1], dtype=np.int32)},
    "an artist": {"artists": np.array([1], dtype=np.int32)},
    "a region": {"region": 1},
    "turned up": {"adjustments": Adjustments(features={"energy": 2.0})},
    "an artist turned down": {
        "adjustments": Adjustments(artists=np.array([1], np.int32), artist_factors=np.array([0.5], np.float32))
    },
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_whatever_changes_makes_another_listener(model: Model, change: dict[str, object]) -> None:
    before = feedback_of((4, LIKE, 1, 3))
    after = replace(before, **change)  # type: ignore[arg-type]
    assert model.listener(after) is not model.listener(before)
    assert digest(after) != digest(before)


def test_what_stands_in_one_array_does_not_count_for_the_next() -> None:
    first, other = feedback_of(genres=[1, 2], artists=[3]), feedback_of(genres=[1], artists=[2, 3])
    assert digest(first) != digest(other)


def test_pages_do_not_depend_on_who_was_there_before(model: Model, feedback: Feedback) -> None:
    request = Request(adventure=0.5)
    first = recommend(model, feedback, request, np.random.default_rng(3))
    recommend(model, feedback_of((4, LIKE, 1, 3)), request, np.random.default_rng(4))
    again = recommend(model, copied(feedback), request, np.random.default_rng(3))
    fresh = recommend(replace(model), feedback, request, np.random.default_rng(3))
    assert first == again == fresh


def test_scores_that_are_kept_cannot_be_written_to(model: Model, feedback: Feedback) -> None:
    scores = score(model, model.listener(feedback))
    for array in (scores.total, *scores.raw.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_only_the_last_are_kept(model: Model) -> None:
    made: list[Feedback] = []

    def work_out(feedback: Feedback) -> ListenerProfile:
        made.append(feedback)
        return ListenerProfile.from_feedback(feedback, model.config.feedback)

    lately, (first, two, three) = ListenerCache(), [Feedback.likes([row]) for row in range(3)]
    for requested in (first, two, first, three, first, two):
        lately.listener(requested, 2, work_out)
    assert made == [first, two, three, two]
    assert len(lately) == 2


def test_how_many_are_kept_follows_from_the_catalogue() -> None:
    assert cache_capacity(0, 10) == MOST_PROFILES
    assert cache_capacity(40_000, 10) == MOST_PROFILES
    assert cache_capacity(60_000, 10) == CACHE_BYTES // (44 * 60_000) == 12
    assert cache_capacity(82_690, 10) == 9
    assert cache_capacity(5_000_000, 10) == 1


def test_feedback_from_outside_the_catalogue_is_refused_each_time(model: Model) -> None:
    outside = Feedback.likes([model.catalogue.n_tracks])
    for _time in range(2):
        with pytest.raises(InvalidDataError, match="rows"):
            model.listener(outside)
