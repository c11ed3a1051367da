"""`services.rate`."""

from datetime import timedelta

import pytest
from django.utils import timezone

from feedback.hidden import HiddenTrackError
from feedback.ratings import services
from feedback.ratings.models import Rating
from feedback.tests.factories import UserFactory, make_track
from jobs.tests.threads import run_together

LIKE, DISLIKE = Rating.Value.LIKE, Rating.Value.DISLIKE


@pytest.mark.django_db
def test_like_then_dislike_then_clear() -> None:
    user, track = UserFactory(), make_track()
    services.rate(user=user, track=track, value=LIKE)
    assert list(Rating.objects.values_list("user", "track", "value")) == [(user.pk, track.pk, 1)]
    services.rate(user=user, track=track, value=DISLIKE)
    assert list(Rating.objects.values_list("user", "track", "value")) == [(user.pk, track.pk, -1)]
    services.rate(user=user, track=track, value=None)
    assert not Rating.objects.exists()


@pytest.mark.django_db
def test_clearing_what_is_not_rated_does_nothing() -> None:
    services.rate(user=UserFactory(), track=make_track(), value=None)
    assert not Rating.objects.exists()


@pytest.mark.django_db
def test_change_keeps_the_first_time_and_moves_the_last() -> None:
    user, track = UserFactory(), make_track()
    earlier = timezone.now().replace(microsecond=0) - timedelta(days=3)
    Rating.objects.create(user=user, track=track, value=LIKE, created_at=earlier, updated_at=earlier)
    services.rate(user=user, track=track, value=DISLIKE)
    rating = Rating.objects.get()
    assert rating.created_at == earlier
    assert timezone.now() - rating.updated_at < timedelta(minutes=1)


@pytest.mark.django_db
def test_other_listeners_and_songs_are_left_alone() -> None:
    first, second, track, other = UserFactory(), UserFactory(), make_track(), make_track("Other")
    services.rate(user=first, track=track, value=LIKE)
    services.rate(user=second, track=track, value=DISLIKE)
    services.rate(user=first, track=other, value=DISLIKE)
    services.rate(user=first, track=track, value=None)
    assert sorted(Rating.objects.values_list("user", "track", "value")) == sorted(
        [(second.pk, track.pk, -1), (first.pk, other.pk, -1)]
    )


@pytest.mark.django_db
def test_hidden_song_and_unknown_value_are_refused() -> None:
    user, hidden = UserFactory(), make_track(is_active=False)
    with pytest.raises(HiddenTrackError):
        services.rate(user=user, track=hidden, value=LIKE)
    with pytest.raises(ValueError, match="2"):
        services.rate(user=user, track=make_track(), value=2)
    assert not Rating.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_row_whatever_the_race() -> None:
    user, track = UserFactory(), make_track()
    run_together(
        *[
            lambda value=value: services.rate(user=user, track=track, value=value)
            for value in (LIKE, DISLIKE, LIKE, DISLIKE, LIKE, DISLIKE)
        ]
    )
    assert Rating.objects.filter(user=user, track=track).count() == 1


@pytest.mark.django_db(transaction=True)
def test_likes_of_several_songs_at_once_are_all_kept() -> None:
    users = [UserFactory() for _ in range(3)]
    tracks = [make_track(f"Song {number}") for number in range(3)]
    run_together(
        *[
            lambda user=user, track=track: services.rate(user=user, track=track, value=LIKE)
            for user in users
            for track in tracks
        ]
    )
    assert Rating.objects.filter(value=1).count() == 9


@pytest.mark.django_db(transaction=True)
def test_like_and_clear_at_once_leave_one_row_or_none() -> None:
    user, track = UserFactory(), make_track()
    run_together(
        *[lambda value=value: services.rate(user=user, track=track, value=value) for value in (LIKE, None) * 3]
    )
    services.rate(user=user, track=track, value=LIKE)
    assert Rating.objects.count() == 1
