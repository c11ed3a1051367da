"""Where the player says that a recording can be heard."""

from typing import Any

import pytest

from catalog.models import Track
from catalog.sources.recording_links import recording_links
from catalog.tests.factories import make_track

pytestmark = pytest.mark.django_db


def test_spotify_first_then_the_operators_own_searches(settings: Any) -> None:
    settings.SEARCH_LINKS = [("Tube", "https://tube.example/?q={song}&x=1")]
    song = make_track("So & so", "Ärzte", spotify_id="4" * 22)
    assert recording_links(song) == [
        {"name": "Spotify", "url": f"https://open.spotify.com/track/{song.spotify_id}"},
        {"name": "Tube", "url": "https://tube.example/?q=%C3%84rzte+So+%26+so&x=1"},
    ]


def test_a_made_up_song_is_searched_for_nowhere(settings: Any) -> None:
    settings.SEARCH_LINKS = [("Tube", "https://tube.example/{song}")]
    assert recording_links(make_track("A", "B", origin=Track.Origin.DEMO)) == []
