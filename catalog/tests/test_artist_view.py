"""The page of one artist."""

from typing import Any

import pytest
from django.test import Client

from catalog.models import Artist
from catalog.tests.factories import make_track
from catalog.tests.test_browse_view import titles

pytestmark = pytest.mark.django_db


def test_songs_by_popularity_with_versions_folded(client: Client) -> None:
    make_track("Minor", "One", popularity=5, genres=["rock"])
    make_track("Hit", "One", popularity=80, genres=["pop", "rock"])
    make_track("Hit - Live", "One", popularity=10)
    make_track("Hit (Remix)", "One", popularity=90)
    make_track("Duet", "Two", "One", popularity=None)
    make_track("Hidden", "One", popularity=99, genres=["ghost"], is_active=False)
    make_track("Other", "Two")
    artist = Artist.objects.get(name="One")
    response = client.get(artist.get_absolute_url())
    page = response.content.decode()
    assert titles(response) == ["Hit (Remix)", "Minor", "Duet"]
    assert page.count("other version") == 1
    assert "and 2 other versions" in page
    assert page.index(">rock</a>") < page.index(">pop</a>")
    assert "ghost" not in page


def test_artist_without_shown_songs_is_not_found(client: Client) -> None:
    make_track("Hidden", "One", is_active=False)
    assert client.get(Artist.objects.get(name="One").get_absolute_url()).status_code == 404


def test_further_pages(client: Client) -> None:
    for number in range(31):
        make_track(f"Song no {number}", "One", popularity=number)
    url = Artist.objects.get().get_absolute_url()
    assert titles(client.get(url, {"page": "2"})) == ["Song no 0"]
    assert len(titles(client.get(url, {"page": "x"}))) == 30


@pytest.mark.parametrize("count", [1, 3])
def test_constant_number_of_queries(client: Client, count: int, django_assert_num_queries: Any) -> None:
    for number in range(count):
        make_track(f"Song no {number}", "One", f"Guest {number}", genres=[f"genre {number}"])
    item = Artist.objects.get(name="One")
    # artist, keys, songs, credits with artists, genres, albums
    with django_assert_num_queries(6):
        assert len(titles(client.get(item.get_absolute_url()))) == count
