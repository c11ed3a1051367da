"""Feedback of songs that the operator merges."""

from datetime import UTC, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from catalog.duplicates.merging import merge_tracks
from feedback.merging import move_feedback
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.tests.factories import PlayFactory, RatingFactory, UserFactory, make_track

pytestmark = pytest.mark.django_db
EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


def test_newest_rating_wins_and_plays_are_moved() -> None:
    keep, duplicate, other = make_track("Keep"), make_track("Duplicate"), make_track("Other")
    old_kept, new_kept, only_moved, only_kept = (UserFactory() for _ in range(4))
    RatingFactory(user=old_kept, track=keep, value=1, updated_at=EARLY)
    RatingFactory(user=old_kept, track=duplicate, value=-1, updated_at=LATE)
    RatingFactory(user=new_kept, track=keep, value=1, updated_at=LATE)
    RatingFactory(user=new_kept, track=duplicate, value=-1, updated_at=EARLY)
    RatingFactory(user=only_moved, track=duplicate, value=-1, updated_at=EARLY)
    RatingFactory(user=only_kept, track=keep, value=1, updated_at=EARLY)
    RatingFactory(user=only_kept, track=other, value=-1, updated_at=EARLY)
    for track in (keep, duplicate, duplicate, other):
        PlayFactory(user=old_kept, track=track)
    merge_tracks(keep=keep, duplicates=[duplicate])
    assert set(Rating.objects.values_list("user", "track", "value", "updated_at")) == {
        (old_kept.pk, keep.pk, -1, LATE),
        (new_kept.pk, keep.pk, 1, LATE),
        (only_moved.pk, keep.pk, -1, EARLY),
        (only_kept.pk, keep.pk, 1, EARLY),
        (only_kept.pk, other.pk, -1, EARLY),
    }
    assert Play.objects.filter(track=keep).count() == 3
    assert Play.objects.filter(track=other).count() == 1


def test_one_listener_may_have_rated_all_of_several() -> None:
    user, keep = UserFactory(), make_track("Keep")
    duplicates = [make_track(f"Duplicate {number}") for number in range(2)]
    for day, track in enumerate([keep, *duplicates], start=1):
        RatingFactory(user=user, track=track, value=1 if day < 3 else -1, updated_at=EARLY.replace(day=day))
    merge_tracks(keep=keep, duplicates=duplicates)
    assert list(Rating.objects.values_list("track", "value")) == [(keep.pk, -1)]


def test_queries_do_not_grow_with_listeners(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for listeners in (1, 3):
        keep, duplicate = make_track(f"Keep {listeners}"), make_track(f"Duplicate {listeners}")
        for _ in range(listeners):
            user = UserFactory()
            RatingFactory(user=user, track=keep, updated_at=EARLY)
            RatingFactory(user=user, track=duplicate, updated_at=LATE)
            PlayFactory(user=user, track=duplicate)
        with django_assert_num_queries(15):
            move_feedback(duplicate, keep)
