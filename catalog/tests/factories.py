"""Rows for the tests of the catalogue."""

from collections.abc import Iterable
from typing import Any

from catalog.identity.text import artist_key
from catalog.models import Artist, Genre, Track
from catalog.services import set_credits

FEATURES = {
    "danceability": 0.5,
    "energy": 0.8,
    "key": 9,
    "loudness": -7.25,
    "mode": 0,
    "speechiness": 0.04,
    "acousticness": 0.0,
    "instrumentalness": 0.01,
    "liveness": 0.12,
    "valence": 1.0,
    "tempo": 120.4,
    "time_signature": 4,
}


def make_artist(name: str) -> Artist:
    """Return the artist of that name."""
    return Artist.objects.filter(key=artist_key(name)).first() or Artist.objects.create(name=name)


def make_track(title: str = "Song", *artists: str, genres: Iterable[str] = (), **columns: Any) -> Track:
    """Return a saved song; without ``artists`` it is by "Someone"."""
    track = Track(title=title, **columns)
    track.refresh_derived([])
    track.save()
    set_credits(track=track, artists=[make_artist(name) for name in artists or ["Someone"]])
    track.genres.set([Genre.objects.get_or_create(name=name)[0] for name in genres])
    track.refresh_from_db()
    return track
