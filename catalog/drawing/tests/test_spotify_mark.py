"""Spotify's mark stands where its covers do, and nowhere else."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.utils import translation

from catalog.drawing.spotify_mark import spotify_link
from catalog.models import Track
from catalog.tests.factories import make_track

# MariaDB finds words of committed rows alone.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "mysql")
COVER, ID = "https://i.scdn.co/image/ab67616d", "4uLU6hMCjMI75M1A2tKUQC"


@pytest.fixture
def song() -> Track:
    return make_track("Creep <3", cover_url=COVER, spotify_id=ID)


def test_the_mark_leads_to_the_song_and_names_it(song: Track) -> None:
    link = spotify_link(song)
    assert f'href="https://open.spotify.com/track/{ID}"' in link
    assert 'aria-label="Open Creep &lt;3 on Spotify"' in link
    assert "#spotify" in link
    with translation.override("de"):
        assert 'aria-label="Creep &lt;3 auf Spotify öffnen"' in spotify_link(song)


@pytest.mark.parametrize("columns", [{"cover_url": ""}, {"spotify_id": None}])
def test_a_song_that_shows_nothing_of_spotifys_has_none(song: Track, columns: dict[str, str | None]) -> None:
    for name, value in columns.items():
        setattr(song, name, value)
    assert spotify_link(song) == ""


@pytest.mark.parametrize("address", ["/songs/", "/search/suggest/?q=creep"])
def test_lists_and_suggestions_show_it(song: Track, client: Client, address: str) -> None:
    page = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert len(re.findall(rf'class="spotify-link" href="https://open.spotify.com/track/{ID}"', page)) == 1
