"""`play_services.report_play`: one row per play, however often and in whatever order it is reported."""

from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Track
from feedback.hidden import HiddenTrackError
from feedback.plays.models import Play
from feedback.plays.services import OtherSongError, report_play
from feedback.tests.factories import UserFactory, make_track
from jobs.tests.threads import run_together


@pytest.mark.parametrize(
    "reports", list(permutations([(0, "started"), (9000, "started"), (12_000, "skipped"), (11_000, "completed")]))
)
def test_the_longest_time_and_the_final_outcome_stay(
    user: User, track: Track, reports: tuple[tuple[int, str], ...]
) -> None:
    token = uuid4()
    for ms_played, outcome in reports:
        report_play(user=user, track=track, token=token, ms_played=ms_played, outcome=outcome)
    assert list(Play.objects.values_list("user", "track", "ms_played", "outcome", "source")) == [
        (user.pk, track.pk, 12_000, "completed", "site")
    ]


def test_a_first_report_that_comes_late_began_earlier(user: User, track: Track) -> None:
    report_play(user=user, track=track, token=uuid4(), ms_played=60_000, outcome="started")
    ago = timezone.now() - Play.objects.get().played_at
    assert timedelta(seconds=60) <= ago < timedelta(seconds=70)


def test_a_play_removed_from_the_history_stays_removed(user: User, track: Track) -> None:
    token = uuid4()
    report_play(user=user, track=track, token=token, ms_played=0, outcome="started")
    Play.objects.all().delete()
    assert report_play(user=user, track=track, token=token, ms_played=9, outcome="skipped", is_known=True) is None
    assert not Play.objects.exists()


def test_other_listeners_and_other_songs(user: User, track: Track) -> None:
    token, other = uuid4(), UserFactory()
    report_play(user=user, track=track, token=token, ms_played=5, outcome="started")
    assert report_play(user=other, track=track, token=token, ms_played=9, outcome="started", is_known=True) is None
    report_play(user=other, track=track, token=token, ms_played=9, outcome="started")
    assert sorted(Play.objects.values_list("user", "ms_played")) == [(user.pk, 5), (other.pk, 9)]
    with pytest.raises(OtherSongError):
        report_play(user=user, track=make_track("Other"), token=token, ms_played=9, outcome="started")
    hidden = make_track(is_active=False)
    with pytest.raises(HiddenTrackError):
        report_play(user=user, track=hidden, token=uuid4(), ms_played=9, outcome="started")
    with pytest.raises(ValueError, match="hummed"):
        report_play(user=user, track=track, token=token, ms_played=9, outcome="hummed")


@pytest.mark.django_db(transaction=True)
def test_reports_at_once_are_one_play() -> None:
    user, track, token = UserFactory(), make_track(), uuid4()

    def report(number: int) -> Play | None:
        return report_play(user=user, track=track, token=token, ms_played=number * 100, outcome="started")

    run_together(*[lambda number=number: report(number) for number in range(6)])
    assert Play.objects.get().ms_played == 500
