"""The page of an album: what the catalogue has of it."""

from typing import Any

import pytest
from django.test import Client

from catalog.models import Artist
from catalog.templatetags.catalog_tags import album_address, album_url
from catalog.tests.factories import make_track

pytestmark = pytest.mark.django_db


def test_the_songs_of_one_album_of_one_artist(client: Client) -> None:
    make_track("Low", "One", album="Tides & Moons", popularity=10, release_year=1999, duration_ms=60_000)
    make_track("High", "One", "Guest", album="Tides & Moons", popularity=90, release_year=1999, duration_ms=125_000)
    make_track("Elsewhere", "One", album="Other")
    make_track("Namesake", "Two", album="Tides & Moons")
    make_track("Hidden", "One", album="Tides & Moons", is_active=False)
    artist = Artist.objects.get(name="One")
    answer = client.get(album_address(artist.pk, "Tides & Moons"))
    html = answer.content.decode()
    assert [track.title for track in answer.context["tracks"]] == ["High", "Low"]
    assert "1999 · 2 songs in the catalogue · 3:05" in html
    assert ">Guest</a>" in html
    assert html.count(f'href="{artist.get_absolute_url()}"') == 1


def test_an_album_nobody_knows_is_not_found(client: Client) -> None:
    song = make_track("A", "One", album="Known")
    artist = song.credits.get().artist
    for address in (album_address(artist.pk, "Unknown"), f"/artists/{artist.pk}/album/", album_address(0, "Known")):
        assert client.get(address).status_code == 404


def test_songs_and_artists_lead_to_albums(client: Client) -> None:
    song = make_track("A", "One", album="Known")
    address = album_url(song)
    assert f'href="{address}"' in client.get(song.get_absolute_url()).content.decode()
    assert f'href="{address}"' in client.get(song.credits.get().artist.get_absolute_url()).content.decode()
    assert album_url(make_track("B", "One", album="")) == ""


@pytest.mark.parametrize("count", [1, 30])
def test_constant_number_of_queries(client: Client, count: int, django_assert_num_queries: Any) -> None:
    for number in range(count):
        make_track(f"Song no {number}", "One", album="Known")
    address = album_address(Artist.objects.get(name="One").pk, "Known")
    # artist, songs, credits with artists, genres
    with django_assert_num_queries(4):
        answer = client.get(address)
    assert len(answer.context["tracks"]) == count
