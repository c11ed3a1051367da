"""The most popular songs, which stand in for recommendations until there is a model."""

import pytest
from pytest_django import DjangoAssertNumQueries

from catalog.models import Artist, Genre
from feedback.preferences.services import block
from recommender.pages.popular import popular_tracks
from recommender.tests.builders import make_track, make_user

pytestmark = pytest.mark.django_db


def titles(**options: object) -> list[str]:
    return [track.title for track in popular_tracks(limit=10, **options)]  # type: ignore[arg-type]


def test_the_most_popular_come_first_and_hidden_ones_not_at_all() -> None:
    for title, popularity in (("B", 80), ("A", 90), ("C", 70)):
        make_track(title, artists=[title], popularity=popularity)
    make_track("Hidden", artists=["Nobody"], popularity=99, is_active=False)
    make_track("Unknown", artists=["New"], popularity=None)
    assert titles() == ["A", "B", "C"]


def test_without_any_popularity_the_newest_come_first() -> None:
    for title in ("first", "second"):
        make_track(title, artists=[title], popularity=None)
    assert titles() == ["second", "first"]


def test_an_empty_catalogue_has_none() -> None:
    assert titles() == []


def test_every_credited_artist_counts_as_on_any_page() -> None:
    make_track("One", artists=["Star"], popularity=90)
    make_track("Two", artists=["Other", "Star"], popularity=80)
    make_track("Three", artists=["Third", "Star"], popularity=70)
    make_track("Four", artists=["Third"], popularity=60)
    assert titles() == ["One", "Two", "Four"]


def test_a_song_is_shown_in_one_version() -> None:
    make_track("Song", artists=["Star"], popularity=90)
    make_track("Song - Radio Edit", artists=["Star"], popularity=80)
    assert titles() == ["Song"]


def test_what_a_listener_blocked_is_left_out() -> None:
    user = make_user()
    make_track("Blocked artist", artists=["Star"], popularity=90)
    make_track("Blocked genre", artists=["Else"], genres=["noise"], popularity=85)
    blocked = make_track("Blocked song", artists=["Third"], popularity=80)
    make_track("Fine", artists=["Fourth"], popularity=10)
    for target in (blocked, Artist.objects.get(name="Star"), Genre.objects.get(name="noise")):
        block(user=user, target=target)
    assert titles(user=user) == ["Fine"]
    assert len(titles()) == 4


def test_explicit_songs_are_for_those_who_allow_them() -> None:
    make_track("Explicit", artists=["Star"], popularity=90, explicit=True)
    make_track("Clean", artists=["Else"], popularity=10)
    assert titles(user=make_user(explicit_allowed=False)) == ["Clean"]
    assert titles() == ["Explicit", "Clean"]


@pytest.mark.parametrize("count", [1, 30])
def test_constant_number_of_queries(count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user = make_user()
    for number in range(count):
        make_track(f"Song {number}", artists=[f"Artist {number}"], genres=[f"Genre {number}"])
    with django_assert_num_queries(10):
        assert len(popular_tracks(limit=30, user=user)) == count
