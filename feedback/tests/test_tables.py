"""Rows as arrays: the same numbers whichever way the database gives them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fast.int_tables import read_int_table
from accounts.fast.unix_seconds import UnixSeconds
from feedback.ratings.models import Rating
from feedback.tests.factories import RatingFactory, UserFactory, make_track

NOON = datetime(2026, 11, 26, 12, 0, 0, 999_999, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def test_columns_of_all_rows_in_one_query() -> None:
    user = UserFactory()
    tracks = [make_track(f"Song {number}") for number in range(3)]
    for number, track in enumerate(tracks):
        rating = RatingFactory(user=user, track=track, value=-1 if number == 1 else 1)
        Rating.objects.filter(pk=rating.pk).update(updated_at=NOON + timedelta(days=number))
    RatingFactory(user=UserFactory(), track=tracks[0])

    mine = Rating.objects.filter(user=user).order_by("-updated_at")
    with CaptureQueriesContext(connection) as queries:
        table = read_int_table(mine, "track_id", "value", UnixSeconds("updated_at"))
    noon = int(NOON.timestamp())
    assert table.tolist() == [
        [tracks[2].pk, 1, noon + 2 * 86_400],
        [tracks[1].pk, -1, noon + 86_400],
        [tracks[0].pk, 1, noon],
    ]
    assert len(queries) == 1
    assert read_int_table(mine[:2], "track_id").tolist() == [[tracks[2].pk], [tracks[1].pk]]


def test_times_with_and_without_parts_of_a_second_and_before_1970() -> None:
    user = UserFactory()
    leap_day = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
    long_ago = datetime(1969, 12, 31, 23, 59, 58, tzinfo=UTC)
    for number, at in enumerate([NOON, leap_day, long_ago]):
        rating = RatingFactory(user=user, track=make_track(f"Song {number}"))
        Rating.objects.filter(pk=rating.pk).update(updated_at=at)

    table = read_int_table(Rating.objects.order_by("-updated_at"), UnixSeconds("updated_at"))
    assert table.tolist() == [[int(NOON.timestamp())], [1_709_251_199], [-2]]


def test_no_rows_are_an_empty_table() -> None:
    assert read_int_table(Rating.objects.all(), "track_id", "value", UnixSeconds("updated_at")).shape == (0, 3)
