"""The page of search results; what is found is tested in test_search.py."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from catalog.models import Artist, Genre
from catalog.tests.factories import make_track
from catalog.tests.test_browse_view import titles

# MariaDB's full-text index shows only what was committed.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "mysql")
URL = "/search/"


def test_address() -> None:
    assert reverse("catalog:search") == URL


def test_shows_songs_artists_and_genres(client: Client) -> None:
    make_track("Blue Train", "Blue Note", genres=["blues"])
    page = client.get(URL, {"q": "BLÜE"})
    text = page.content.decode()
    assert titles(page) == ["Blue Train"]
    assert f'href="/artists/{Artist.objects.get().pk}/"' in text
    assert f'href="/genres/{Genre.objects.get().pk}/"' in text
    assert 'value="BLÜE"' in text


def test_nothing_found_is_said(client: Client) -> None:
    make_track("Song")
    assert "No results for “&lt;b&gt;”" in client.get(URL, {"q": "<b>"}).content.decode()


def test_nothing_typed_asks(client: Client) -> None:
    make_track("Song")
    assert "What are you looking for?" in client.get(URL).content.decode()


@pytest.mark.parametrize("query", ["\x00", "a\x00b", "x" * 10_000, "a " * 5_000, '"' * 300, "\ud800", "%", "💿"])
def test_odd_queries_are_answered(client: Client, query: str) -> None:
    make_track("Song")
    response = client.get(URL, {"q": query.encode("utf-8", "surrogatepass")})
    assert (response.status_code, titles(response)) == (200, [])


@pytest.mark.parametrize("page", ["abc", "0", "99999999999999999999", "\x00"])
def test_bad_pages_fall_back(client: Client, page: str) -> None:
    make_track("Song")
    assert titles(client.get(URL, {"q": "song", "page": page})) == ["Song"]


def test_further_pages(client: Client) -> None:
    for number in range(21):
        make_track(f"Song {number:02}", popularity=50 - number)
    assert len(titles(client.get(URL, {"q": "song"}))) == 20
    assert titles(client.get(URL, {"q": "song", "page": "2"})) == ["Song 20"]


def test_htmx_gets_the_results_alone(client: Client) -> None:
    make_track("Song")
    fragment = client.get(URL, {"q": "song"}, headers={"HX-Request": "true"})
    assert titles(fragment) == ["Song"]
    assert "<html" not in fragment.content.decode()
    assert "HX-Request" in fragment["Vary"]


@pytest.mark.parametrize("count", [1, 3])
def test_constant_number_of_queries(client: Client, count: int, django_assert_num_queries: Any) -> None:
    for number in range(count):
        make_track(f"Song {number}", f"Song Writer {number}", genres=[f"song {number}"])
    client.get(URL)
    # the rate limit, six of search() (five on MariaDB), songs, credits with artists
    with django_assert_num_queries(8 if connection.vendor == "mysql" else 9):
        response = client.get(URL, {"q": "song"})
    assert len(titles(response)) == count
