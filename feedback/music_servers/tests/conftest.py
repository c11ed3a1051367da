"""A music server that answers as Navidrome does, and a listener who has an account there."""

from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import MusicServer
from catalog.sources.servers.services import connect_server
from catalog.sources.subsonic.tests.stand_in import StandIn, running
from feedback.tests.factories import UserFactory


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with running(StandIn(30)) as server:
        server.passwords["bob"] = "bob's own"
        yield server


@pytest.fixture
def server(db: None, stand_in: StandIn) -> MusicServer:
    made = connect_server(address=stand_in.address, username=StandIn.user, secret=StandIn.password, name="Attic")
    stand_in.calls.clear()
    return made


@pytest.fixture
def user(db: None) -> User:
    return UserFactory(username="bobby")


@pytest.fixture
def listener(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
