"""Rows for tests, each call one more."""

from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import User
from catalog.models import Artist, Genre, Track, TrackArtist
from feedback.plays.models import Play
from feedback.ratings.models import Rating

PASSWORD = "correct horse battery staple"


class UserFactory(DjangoModelFactory[User]):  # type: ignore[misc]
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"listener{n}")
    email = factory.Sequence(lambda n: f"listener{n}@example.org")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(*args, **{"password": PASSWORD, **kwargs})


class GenreFactory(DjangoModelFactory[Genre]):  # type: ignore[misc]
    class Meta:
        model = Genre

    name = factory.Sequence(lambda n: f"genre {n}")


class ArtistFactory(DjangoModelFactory[Artist]):  # type: ignore[misc]
    class Meta:
        model = Artist

    name = factory.Sequence(lambda n: f"Artist {n}")


class RatingFactory(DjangoModelFactory[Rating]):  # type: ignore[misc]
    class Meta:
        model = Rating

    value = Rating.Value.LIKE


class PlayFactory(DjangoModelFactory[Play]):  # type: ignore[misc]
    class Meta:
        model = Play


def make_track(title: str = "Song", artist: str | Artist = "Someone", **columns: Any) -> Track:
    """Return a saved song with one artist, found or made by name; ``genres`` are names."""
    genres = columns.pop("genres", ())
    name = artist if isinstance(artist, str) else artist.name
    track = Track(title=title, **columns)
    track.refresh_derived([name])
    track.save()
    if isinstance(artist, str):
        known = Artist(name=name)
        known.refresh_derived()
        artist = Artist.objects.filter(key=known.key).first() or Artist.objects.create(name=name)
    TrackArtist.objects.create(track=track, artist=artist, position=0)
    track.genres.set([Genre.objects.get_or_create(name=genre)[0] for genre in genres])
    return track
