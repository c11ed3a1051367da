"""Administration of feedback."""

import pytest
from django.test import Client

from accounts.models import User
from feedback.plays.models import Play
from feedback.tests.factories import PlayFactory, RatingFactory, make_track


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", "x"))
    return client


@pytest.mark.parametrize("name", ["rating", "play"])
def test_lists_can_be_searched_but_not_added_to(operator: Client, user: User, name: str) -> None:
    track = make_track("Needle", artist="Hay")
    RatingFactory(user=user, track=track)
    PlayFactory(user=user, track=track)
    url = f"/admin/feedback/{name}/"
    for query, count in ((user.username, 1), ("needle", 1), ("HAY", 1), ("other", 0)):
        assert operator.get(url, {"q": query}).context["cl"].result_count == count, query
    assert operator.get(f"{url}add/").status_code == 403


def test_only_whether_a_play_counts_can_change(operator: Client, user: User) -> None:
    play, other = PlayFactory(user=user, track=make_track()), make_track("Other")
    operator.post(f"/admin/feedback/play/{play.pk}/change/", {"track": other.pk, "outcome": "skipped"})
    changed = Play.objects.get()
    assert (changed.track_id, changed.outcome, changed.is_counted) == (play.track_id, "started", False)
