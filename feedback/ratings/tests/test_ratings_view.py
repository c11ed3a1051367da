"""The list of likes and dislikes."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from feedback.tests.factories import RatingFactory, UserFactory, make_track
from feedback.web.http import PAGE_SIZE

URL = "/ratings/"


def titles(client: Client, **query: str) -> list[str]:
    return [track.title for track in client.get(URL, query).context["tracks"]]


def test_anonymous_visitors_log_in_and_come_back(client: Client) -> None:
    assert client.get(f"{URL}?value=dislikes")["Location"] == "/accounts/login/?next=/ratings/%3Fvalue%3Ddislikes"


def test_own_likes_and_dislikes_latest_first(listener: Client, user: User) -> None:
    now = timezone.now()
    for days, title, value in ((3, "Old", 1), (1, "New", 1), (2, "Bad", -1)):
        RatingFactory(user=user, track=make_track(title), value=value, updated_at=now - timedelta(days=days))
    RatingFactory(user=UserFactory(), track=make_track("Not mine"))
    RatingFactory(user=user, track=make_track("Hidden", is_active=False))
    assert titles(listener) == ["New", "Old"]
    assert titles(listener, value="dislikes") == ["Bad"]


def test_each_row_shows_its_state_and_can_change(listener: Client, user: User) -> None:
    track = make_track("Loved")
    RatingFactory(user=user, track=track)
    html = listener.get(URL).content.decode()
    assert f'action="/songs/{track.pk}/rate/"' in html
    assert html.count('aria-pressed="true"') == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [("BEYONCE", ["Déjà Vu"]), ("deja", ["Déjà Vu"]), ("vu beyonce", ["Déjà Vu"]), ("halo", []), ("%", []), ("   ", 2)],
)
def test_search_over_title_and_artists(listener: Client, user: User, query: str, expected: list[str] | int) -> None:
    RatingFactory(user=user, track=make_track("Déjà Vu", artist="Beyoncé"))
    RatingFactory(user=user, track=make_track("Other", artist="Someone"))
    shown = titles(listener, q=query)
    assert len(shown) == expected if isinstance(expected, int) else shown == expected


def test_pages_keep_tab_and_search(listener: Client, user: User) -> None:
    for number in range(PAGE_SIZE + 1):
        RatingFactory(user=user, track=make_track(f"Song {number}"), value=-1)
    html = listener.get(URL, {"value": "dislikes", "q": "song"}).content.decode()
    assert 'href="?value=dislikes&amp;q=song&amp;page=2"' in html
    assert len(titles(listener, value="dislikes", q="song", page="2")) == 1
    assert len(titles(listener, value="dislikes", page="banana")) == PAGE_SIZE


def test_empty_lists_say_what_to_do(listener: Client) -> None:
    assert "No likes yet" in listener.get(URL).content.decode()
    assert "No dislikes" in listener.get(URL, {"value": "dislikes"}).content.decode()
    assert "No results" in listener.get(URL, {"q": "x"}).content.decode()


def test_query_count_does_not_grow(
    listener: Client, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for rows in (1, 3):
        while user.ratings.count() < rows:
            RatingFactory(user=user, track=make_track(f"Song {user.ratings.count()}", genres=["pop", "rock"]))
        with django_assert_num_queries(8):
            listener.get(URL)


def test_post_is_refused(listener: Client) -> None:
    assert listener.post(URL).status_code == 405
