"""Template tags of song lists."""

from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Track
from feedback.tests.factories import RatingFactory, UserFactory, make_track

TEMPLATE = Template(
    "{% load feedback_tags %}{% listener_marks tracks as marks %}"
    "{% for track in tracks %}{{ track.title }}={{ marks|rating_of:track }} {% endfor %}"
)


def render(user: User | AnonymousUser, tracks: list[Track]) -> str:
    request = RequestFactory().get("/")
    request.user = user
    return TEMPLATE.render(Context({"request": request, "tracks": tracks}))


def test_marks_take_one_query(user: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    tracks = [make_track(title) for title in ("A", "B", "C")]
    RatingFactory(user=user, track=tracks[0], value=1)
    RatingFactory(user=user, track=tracks[2], value=-1)
    RatingFactory(user=UserFactory(), track=tracks[1], value=1)
    with django_assert_num_queries(1):
        assert render(user, tracks) == "A=1 B=0 C=-1 "


def test_no_query_for_anonymous_visitors_and_empty_lists(
    user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    tracks = [make_track("A")]
    with django_assert_num_queries(0):
        assert render(AnonymousUser(), tracks) == "A=0 "
        assert render(user, []) == ""
