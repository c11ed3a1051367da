"""A proxied music server."""

from collections.abc import Iterator

import pytest

from catalog.models import MusicServer
from catalog.sources.servers.services import connect_server, set_proxied
from catalog.sources.subsonic.tests.stand_in import StandIn, running
from recommender.tests.proxy.server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a server with 60 songs."""
    stand_in = Server(60)
    with running(stand_in):
        yield stand_in


@pytest.fixture
def proxied(server: Server, db: None) -> MusicServer:
    """Connect and proxy the server."""
    connected = connect_server(address=server.address, username=StandIn.user, secret=StandIn.password)
    set_proxied(server=connected, is_proxied=True)
    server.calls.clear()
    return connected
