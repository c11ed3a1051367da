"""`services.record_play`, `remove_play` and `restore_play`."""

from uuid import uuid4

import pytest
from django.core import signing
from django.db import IntegrityError
from django.utils import timezone

from feedback.hidden import HiddenTrackError
from feedback.plays import services
from feedback.plays.models import Play
from feedback.tests.factories import UserFactory, make_track
from jobs.tests.threads import run_together


@pytest.mark.django_db
def test_play_without_token_is_recorded_each_time() -> None:
    user, track = UserFactory(), make_track()
    first, is_new = services.record_play(user=user, track=track)
    second, is_new_too = services.record_play(user=user, track=track)
    assert (is_new, is_new_too) == (True, True)
    assert first.pk != second.pk
    assert (first.outcome, first.source, first.is_counted) == ("started", "site", True)


@pytest.mark.django_db
def test_one_token_is_one_play_per_listener() -> None:
    user, other, track, token = UserFactory(), UserFactory(), make_track(), uuid4()
    first, is_new = services.record_play(user=user, track=track, token=token)
    again, is_new_again = services.record_play(user=user, track=track, token=token)
    assert (first.pk, is_new, is_new_again) == (again.pk, True, False)
    _play, is_new_for_other = services.record_play(user=other, track=track, token=token)
    assert is_new_for_other
    assert Play.objects.count() == 2


@pytest.mark.django_db
def test_columns_are_kept_as_given() -> None:
    at = timezone.now().replace(microsecond=0)
    play, _ = services.record_play(
        user=UserFactory(), track=make_track(), played_at=at, ms_played=1000, outcome=Play.Outcome.SKIPPED
    )
    play.refresh_from_db()
    assert (play.played_at, play.ms_played, play.outcome) == (at, 1000, "skipped")


@pytest.mark.django_db
def test_hidden_song_and_unknown_outcome_are_refused() -> None:
    user = UserFactory()
    with pytest.raises(HiddenTrackError):
        services.record_play(user=user, track=make_track(is_active=False))
    with pytest.raises(ValueError, match="hummed"):
        services.record_play(user=user, track=make_track(), outcome="hummed")
    assert not Play.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_token_is_one_play_whatever_the_race() -> None:
    user, track, token = UserFactory(), make_track(), uuid4()
    results = run_together(*[lambda: services.record_play(user=user, track=track, token=token)] * 6)
    assert Play.objects.count() == 1
    assert sorted(is_new for _play, is_new in results) == [False] * 5 + [True]


@pytest.mark.django_db
def test_removed_play_comes_back_as_it_was_and_only_once() -> None:
    user = UserFactory()
    play, _ = services.record_play(user=user, track=make_track(), ms_played=5, outcome=Play.Outcome.COMPLETED)
    Play.objects.update(is_counted=False)
    play.refresh_from_db()
    removed = services.remove_play(play=play)
    assert not Play.objects.exists()
    services.restore_play(user=user, removed=removed)
    services.restore_play(user=user, removed=removed)
    restored = Play.objects.get()
    for name in ("track_id", "played_at", "ms_played", "outcome", "source", "is_counted"):
        assert getattr(restored, name) == getattr(play, name), name


@pytest.mark.django_db
def test_undo_is_refused_to_others_and_for_forgeries() -> None:
    user, other = UserFactory(), UserFactory()
    play, _ = services.record_play(user=user, track=make_track())
    removed = services.remove_play(play=play)
    for listener, text in ((other, removed), (user, removed + "x"), (user, ""), (user, signing.dumps({"user": 1}))):
        with pytest.raises(services.UndoError):
            services.restore_play(user=listener, removed=text)
    assert not Play.objects.exists()


@pytest.mark.django_db
def test_undo_of_a_song_that_went_is_refused() -> None:
    user, track = UserFactory(), make_track()
    play, _ = services.record_play(user=user, track=track)
    removed = services.remove_play(play=play)
    track.delete()
    with pytest.raises(services.UndoError):
        services.restore_play(user=user, removed=removed)


@pytest.mark.django_db(transaction=True)
def test_play_of_a_listener_who_went_is_an_error() -> None:
    user, track = UserFactory(), make_track()
    type(user).objects.all().delete()
    with pytest.raises(IntegrityError):
        services.record_play(user=user, track=track, token=uuid4())
