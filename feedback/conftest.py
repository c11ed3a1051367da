"""What the tests of feedback share."""

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import Track
from feedback.tests.factories import UserFactory, make_track


@pytest.fixture
def user(db: None) -> User:
    return UserFactory()


@pytest.fixture
def listener(client: Client, user: User) -> Client:
    """Return a browser in which `user` is logged in."""
    client.force_login(user)
    return client


@pytest.fixture
def track(db: None) -> Track:
    return make_track("Étude <in> E", artist="Chopin", spotify_id="0" * 22)
