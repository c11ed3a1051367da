"""The pages of all genres and of one."""

import re
from typing import Any

import pytest
from django.test import Client

from catalog.models import Genre, Track
from catalog.services import set_shown
from catalog.tests.factories import make_track
from catalog.tests.test_browse_view import titles

pytestmark = pytest.mark.django_db


def tiles(client: Client) -> list[tuple[str, str, str]]:
    page = client.get("/genres/").content.decode()
    name, count, artists = (rf"{mark}[^>]*>(.*?)</span>.*?" for mark in ("fw-bold", "track-meta", "mt-2"))
    parts = f'class="tile".*?<svg class="track-cover".*?{name}{count}{artists}'
    sections = re.findall(parts, page, re.DOTALL)
    return [(name, count, artists) for name, count, artists in sections]


def test_tiles_with_counts_and_best_known_artists(client: Client) -> None:
    make_track("A", "Low", genres=["rock"], popularity=1)
    make_track("B", "High", genres=["rock", "pop"], popularity=90)
    make_track("C", "Middle", "Guest", genres=["rock"], popularity=50)
    make_track("D", "Unknown", genres=["rock"], popularity=None)
    make_track("E", "High", genres=["rock"], popularity=80)
    make_track("F", "Ghost", genres=["rock", "ghost"], popularity=100, is_active=False)
    Genre.objects.create(name="empty")
    assert tiles(client) == [("pop", "1 song", "High"), ("rock", "5 songs", "High, Middle, Low")]


def test_counts_follow_at_once(client: Client) -> None:
    make_track("A", "One", genres=["rock"])
    make_track("B", "Two", genres=["rock"])
    assert tiles(client) == [("rock", "2 songs", "One, Two")]
    set_shown(tracks=Track.objects.filter(title="A"), is_active=False)
    assert tiles(client) == [("rock", "1 song", "Two")]


@pytest.mark.parametrize("count", [1, 3])
def test_constant_number_of_queries_of_the_tiles(client: Client, count: int, django_assert_num_queries: Any) -> None:
    for number in range(count):
        make_track(f"Song {number}", f"Artist {number}", genres=[f"genre {number}"])
    # counts of all and of hidden songs, newest id, best songs, their artists, songs for the pictures, genres
    with django_assert_num_queries(7):
        assert len(tiles(client)) == count
    with django_assert_num_queries(5):
        assert len(tiles(client)) == count


def test_genre_page_shows_best_songs_and_artists(client: Client) -> None:
    for number in range(11):
        make_track(f"Song {number}", f"Artist {number % 3}", genres=["rock"], popularity=number)
    make_track("Hidden", "Ghost", genres=["rock"], popularity=99, is_active=False)
    rock = Genre.objects.get()
    response = client.get(rock.get_absolute_url())
    page = response.content.decode()
    assert titles(response) == [f"Song {number}" for number in range(10, 0, -1)]
    assert re.findall(r'class="chip" href="/artists/\d+/">([^<]*)<', page) == ["Artist 1", "Artist 0", "Artist 2"]
    assert "11 songs" in page
    assert f'href="/songs/?genre={rock.pk}"' in page


def test_genre_without_shown_songs_says_so(client: Client) -> None:
    genre = Genre.objects.create(name="empty")
    assert "All songs of this genre are hidden." in client.get(genre.get_absolute_url()).content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_constant_number_of_queries_of_one(client: Client, count: int, django_assert_num_queries: Any) -> None:
    for number in range(count):
        make_track(f"Song {number}", f"Artist {number}", genres=["rock"])
    url = Genre.objects.get().get_absolute_url()
    # genre, ids, count, songs, credits with artists, artists by id, their rows
    with django_assert_num_queries(7):
        assert len(titles(client.get(url))) == count
