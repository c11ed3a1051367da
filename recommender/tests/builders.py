"""Songs and listeners for the recommender's tests."""

from collections.abc import Sequence

from accounts.models import User
from catalog.features import check_features
from catalog.models import Artist, Genre, Track, TrackArtist

QUIET = {"energy": 0.1, "acousticness": 0.9, "tempo": 70.0, "valence": 0.2, "danceability": 0.2, "loudness": -20.0}
LOUD = {"energy": 0.9, "acousticness": 0.1, "tempo": 140.0, "valence": 0.8, "danceability": 0.8, "loudness": -4.0}


def make_track(
    title: str,
    artists: Sequence[str] = ("Someone",),
    genres: Sequence[str] = (),
    *,
    popularity: int | None = 50,
    features: dict[str, float] | None = None,
    **columns: object,
) -> Track:
    """Create a song with its artists and genres, the derived columns set as an import sets them."""
    track = Track(title=title, popularity=popularity, features=check_features(features or {}), **columns)
    track.refresh_derived(list(artists))
    track.save()
    for position, name in enumerate(artists):
        artist = Artist(name=name)
        artist.refresh_derived()
        results, _created = Artist.objects.get_or_create(
            key=artist.key, defaults={"name": name, "search_name": artist.search_name}
        )
        TrackArtist.objects.create(track=track, artist=results, position=position)
    track.genres.set([Genre.objects.get_or_create(name=name)[0] for name in genres])
    return track


def make_catalogue() -> list[Track]:
    """Create 40 songs: 10 artists with 4 each, five quiet folk artists and five loud techno ones."""
    tracks = []
    for artist in range(10):
        genre, features = ("folk", QUIET) if artist < 5 else ("techno", LOUD)
        for song in range(4):
            title, popularity = f"Song {artist}.{song}", 30 + artist + 10 * song
            tracks.append(make_track(title, [f"Artist {artist}"], [genre], popularity=popularity, features=features))
    return tracks


def make_user(name: str = "listener", **columns: object) -> User:
    """Create a listener with the password "secret-word"."""
    return User.objects.create_user(name, f"{name}@example.org", "secret-word", **columns)
