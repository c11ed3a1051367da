"""What the tests of accounts share."""

import pytest
from django.test import Client

from accounts.models import User

PASSWORD = "correct horse battery staple"


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("anna", "anna@example.org", PASSWORD)


@pytest.fixture
def other(db: None) -> User:
    return User.objects.create_user("berta", "berta@example.org", PASSWORD)


@pytest.fixture
def listener(client: Client, user: User) -> Client:
    """Return a browser in which `user` is logged in."""
    client.force_login(user)
    return client
