"""What the tests of the connection share."""

from collections.abc import Iterator

import pytest

from accounts.models import User
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.tests.worlds import running_sandbox


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        yield server


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", "ada@example.org", "long-and-odd-7")
