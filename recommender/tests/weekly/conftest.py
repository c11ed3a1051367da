"""A site with enough songs for some weeks, and a job that runs at a time of the test's own."""

from collections.abc import Iterator

import pytest
import time_machine
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import User
from catalog.models import Track
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.lifecycle.versions import forget_loaded
from recommender.tests.builders import LOUD, QUIET, make_track, make_user

MONDAY = "2026-11-30 03:00:00+00:00"


@pytest.fixture
def clock(settings: Settings) -> Iterator[time_machine.Traveller]:
    """Let it be Monday night, and time stand still until it is moved."""
    settings.TIME_ZONE = "UTC"
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def tracks(db: None, clock: time_machine.Traveller) -> list[Track]:
    """Return 160 songs of 20 artists, half of them quiet folk, and the model that knows them."""
    made = []
    for artist in range(20):
        genre, features = ("folk", QUIET) if artist < 10 else ("techno", LOUD)
        made += [
            make_track(f"Song {artist}.{song}", [f"Artist {artist}"], [genre], popularity=40 + song, features=features)
            for song in range(8)
        ]
    call_command("retrain", verbosity=0)
    forget_loaded()
    return made


@pytest.fixture
def user(tracks: list[Track]) -> User:
    """Return a listener who likes two folk songs."""
    made = make_user()
    for track in tracks[:2]:
        rate(user=made, track=track, value=Rating.Value.LIKE)
    return made
