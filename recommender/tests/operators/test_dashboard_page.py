"""The operators' page of how the site is going."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.source import Source
from jobs.models import Job
from recommender.operators.dashboard import DAYS, counts, likes_per_day, plays_per_day
from recommender.tests.builders import make_catalogue, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> User:
    made = make_user("operator", is_staff=True, is_superuser=True)
    client.force_login(made)
    return made


def test_counts_of_what_there_is() -> None:
    tracks = make_catalogue()
    tracks[0].is_active = False
    tracks[0].save()
    listener, idle = make_user(), make_user("idle")
    User.objects.filter(pk=idle.pk).update(created_at=timezone.now() - timedelta(days=30))
    Play.objects.create(user=listener, track=tracks[1])
    Rating.objects.create(user=idle, track=tracks[1], value=1, updated_at=timezone.now() - timedelta(days=8))
    figures = counts()
    assert (figures.songs, figures.hidden_songs, figures.artists, figures.genres) == (39, 1, 10, 2)
    assert (figures.listeners, figures.new_listeners, figures.active_listeners) == (2, 1, 1)


def test_days_are_those_of_the_readers_time_zone() -> None:
    tracks, user = make_catalogue(), make_user()
    with timezone.override("Asia/Tokyo"):
        today = timezone.localtime().replace(hour=0, minute=30)
        Play.objects.create(user=user, track=tracks[0], played_at=today)
        Play.objects.create(user=user, track=tracks[1], played_at=today - timedelta(hours=1))
        Play.objects.create(user=user, track=tracks[1], played_at=today - timedelta(days=DAYS))
        chart = plays_per_day()
    assert [bar.count for bar in chart.bars[-3:]] == [0, 1, 1]
    assert (chart.total, chart.top, len(chart.bars)) == (2, 1, DAYS)
    assert chart.bars[-1].day == today.date()


def test_only_likes_are_counted_as_likes() -> None:
    tracks, user = make_catalogue(), make_user()
    Rating.objects.create(user=user, track=tracks[0], value=1)
    Rating.objects.create(user=user, track=tracks[1], value=-1)
    Rating.objects.create(user=user, track=tracks[2], value=1, source=Source.SPOTIFY)
    assert likes_per_day().total == 1


def test_a_planned_job_says_when(operator: User, client: Client) -> None:
    Job.objects.create(kind="retrain", run_after=timezone.now() + timedelta(hours=5))
    page = client.get(reverse("recommender:going")).content.decode()
    assert "waiting · scheduled for " in page


def test_the_page_shows_retrains_and_jobs_with_their_logs(operator: User, client: Client) -> None:
    make_catalogue()
    call_command("retrain", verbosity=0)
    Job.objects.create(kind="retrain", log="read\nfitted in 3 s\n", state=Job.State.DONE)
    page = client.get(reverse("recommender:going")).content.decode()
    assert "fitted in 3 s" in page
    assert "read 0." in page
    assert reverse("recommender:quality") in page


def test_the_page_is_for_operators(client: Client) -> None:
    url = reverse("recommender:going")
    assert reverse("account_login") in client.get(url).url  # type: ignore[attr-defined]
    client.force_login(make_user())
    assert client.get(url).status_code == 403


def test_the_administration_begins_with_counts_and_shortcuts(operator: User, client: Client) -> None:
    make_catalogue()
    page = client.get(reverse("admin:index")).content.decode()
    assert "40 songs, 1 listeners (0 active this week)." in page
    assert reverse("recommender:going") in page


def test_the_number_of_queries_does_not_grow(
    operator: User, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    tracks = make_catalogue()
    with django_assert_max_num_queries(16):
        client.get(reverse("recommender:going"))
    for number, track in enumerate(tracks):
        Rating.objects.create(user=operator, track=track, value=1)
        Play.objects.create(user=operator, track=track)
        Job.objects.create(kind="retrain", user=make_user(f"user{number}"))
    with django_assert_max_num_queries(16):
        client.get(reverse("recommender:going"))
