"""What was removed as a double follows its song when the operator merges songs."""

import pytest
from django.utils import timezone

from accounts.models import User
from feedback.merging import move_feedback
from feedback.plays.doubles import put_doubles_back
from feedback.plays.models import Play, RemovedDouble
from feedback.tests.factories import make_track

pytestmark = pytest.mark.django_db


def test_a_removed_double_comes_back_as_a_play_of_the_song_that_was_kept(user: User) -> None:
    keep, duplicate = make_track("Keep"), make_track("Duplicate")
    RemovedDouble.objects.create(
        user=user, track=duplicate, played_at=timezone.now(), outcome="started", source="history"
    )
    move_feedback(duplicate, keep)
    duplicate.delete()
    assert put_doubles_back(user=user) == 1
    assert Play.objects.get().track == keep
