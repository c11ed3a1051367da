"""Duplicates removed and restored in the background, by the page and by the API."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from feedback.plays.double_jobs import RESTORE, request_change
from feedback.plays.models import Play, RemovedDouble
from feedback.source import Source
from feedback.tests.factories import PlayFactory, make_track
from jobs.models import Job
from jobs.services import JobError, request_stop
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db
PAGE, API = "/history/doubles/", "/api/user/history/duplicates"


def make_doubles(user: User, number: int) -> None:
    """Make so many plays that Spotify and Last.fm told."""
    at = timezone.now().replace(microsecond=0) - timedelta(days=9)
    for index in range(number):
        track = make_track(f"Song {index}")
        for listing, moment in (("spotify", 200), ("lastfm", 2)):
            PlayFactory(
                user=user, track=track, played_at=at + timedelta(seconds=1000 * index + moment),
                ms_played=200_000 if listing == "spotify" else None, source=Source.HISTORY, listing=listing,
                digest=2 * index + (listing == "lastfm"),
            )  # fmt: skip


def test_the_api_finds_removes_and_restores_duplicates(listener: Client, user: User) -> None:
    make_doubles(user, 2)
    body = listener.get(API).json()
    assert (body["duplicates"], body["removed"], body["job"]) == (2, 0, None)
    (first, second) = body["items"]
    assert first["song"]["title"] == "Song 0"
    assert (first["told_by"], first["kept_told_by"]) == ("the listener's own history", "the listener's own history")
    assert second["song"]["title"] == "Song 1"

    answer = listener.post(f"{API}/remove")
    assert (answer.status_code, answer.json()["job"]) == (202, {"status": "waiting", "action": "remove", "percent": 0})
    assert Play.objects.count() == 4
    run_waiting()
    after = listener.get(API).json()
    assert (after["duplicates"], after["removed"], after["items"]) == (0, 2, [])
    assert after["job"] == {"status": "done", "action": "remove", "percent": 100}
    assert set(Play.objects.values_list("listing", flat=True)) == {"spotify"}

    assert listener.post(f"{API}/restore").status_code == 202
    run_waiting()
    assert listener.get(API).json()["duplicates"] == 2
    assert not RemovedDouble.objects.exists()


def test_one_thing_at_a_time(listener: Client, user: User) -> None:
    make_doubles(user, 1)
    assert listener.post(f"{API}/remove").status_code == 202
    assert listener.post(f"{API}/remove").status_code == 202
    assert Job.objects.count() == 1
    assert listener.post(f"{API}/restore").status_code == 409
    assert listener.post(f"{API}/burn").status_code == 422
    with pytest.raises(JobError):
        request_change(user=user, action="restore")


def test_the_page_asks_for_the_job_and_shows_it(listener: Client, user: User) -> None:
    make_doubles(user, 2)
    answer = listener.post(f"{PAGE}remove/", follow=True)
    html = answer.content.decode()
    assert "Duplicates are being removed" in html
    assert 'hx-trigger="every 2s"' in html
    assert "Remove duplicates</button>" not in html
    run_waiting()
    html = listener.get(PAGE).content.decode()
    assert "2 duplicates were removed." in html
    assert "every 2s" not in html
    listener.post(f"{PAGE}put-back/")
    assert Job.objects.filter(kind=RESTORE).count() == 1
    run_waiting()
    assert "2 plays are in your history twice." in listener.get(PAGE).content.decode()


def test_a_stopped_removal_keeps_what_is_done_and_goes_on_later(user: User) -> None:
    make_doubles(user, 3)
    request_stop(job=request_change(user=user, action="remove"))
    run_waiting()
    assert RemovedDouble.objects.count() == 0
    request_change(user=user, action="remove")
    run_waiting()
    assert RemovedDouble.objects.count() == 3


def test_others_see_and_change_nothing_of_it(listener: Client, user: User, django_user_model: type[User]) -> None:
    other = django_user_model.objects.create_user("other", "other@example.org", "a long password 1")
    make_doubles(other, 1)
    assert listener.get(API).json()["duplicates"] == 0
    listener.post(f"{API}/remove")
    run_waiting()
    assert Play.objects.count() == 2
    assert Client().get(API).status_code == 401
    assert Client().post(f"{API}/remove").status_code in (401, 403)


@pytest.mark.parametrize("number", [1, 30])
def test_the_list_has_a_constant_number_of_queries(
    listener: Client, user: User, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_doubles(user, number)
    listener.get(API)
    with django_assert_num_queries(9):
        assert len(listener.get(API).json()["items"]) == number
