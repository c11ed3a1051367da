"""Music servers in the administration."""

from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import MusicServer, Track
from catalog.sources.subsonic.tests.stand_in import StandIn, running
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db
LIST = "/admin/catalog/musicserver/"


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with running(StandIn(3)) as server:
        yield server


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss", "boss@example.org"))
    return client


def add(client: Client, address: str, password: str = StandIn.password) -> str:
    form = {"address": address, "username": StandIn.user, "password": password}
    return client.post(f"{LIST}add/", form, follow=True).content.decode()


def test_a_server_is_connected_read_switched_off_and_removed(stand_in: StandIn, operator: Client) -> None:
    page = add(operator, stand_in.address + "/")
    assert "was added successfully" in page
    assert StandIn.password not in page
    run_waiting()
    server = MusicServer.objects.get()
    assert (server.address, Track.objects.filter(has_file=True).count()) == (stand_in.address, 3)
    shown = operator.get(f"{LIST}{server.pk}/change/").content.decode()
    assert "Username:" in shown
    assert "Password:" not in shown
    operator.post(LIST, {"action": "switch_off", "_selected_action": [server.pk]})
    assert Track.objects.filter(has_file=True).count() == 0
    operator.post(LIST, {"action": "switch_on", "_selected_action": [server.pk]})
    assert Track.objects.filter(has_file=True).count() == 3
    stand_in.count = 5
    operator.post(LIST, {"action": "read", "_selected_action": [server.pk]})
    run_waiting()
    assert Track.objects.count() == 5
    operator.post(f"{LIST}{server.pk}/delete/", {"post": "yes"})
    assert not MusicServer.objects.exists()
    assert (Track.objects.count(), Track.objects.filter(has_file=True).count()) == (5, 0)


def test_what_cannot_be_connected_is_said(stand_in: StandIn, operator: Client) -> None:
    assert "ping: Wrong username or pass (code 40)" in add(operator, stand_in.address, "wrong")
    assert "address: must look like" in add(operator, "file:///etc/passwd")
    assert "can&#x27;t be reached" in add(operator, "http://127.0.0.1:9")
    assert not MusicServer.objects.exists()


def test_a_username_or_a_key_is_needed(stand_in: StandIn, operator: Client) -> None:
    empty = operator.post(f"{LIST}add/", {"address": stand_in.address})
    assert set(empty.context["adminform"].errors) == {"username", "password"}
    assert not stand_in.calls
    operator.post(f"{LIST}add/", {"address": stand_in.address, "password": StandIn.api_key, "is_api_key": "on"})
    assert (MusicServer.objects.get().username, MusicServer.objects.get().is_api_key) == ("", True)


def test_listeners_set_no_address(stand_in: StandIn, client: Client) -> None:
    client.force_login(User.objects.create_user("ada"))
    add(client, stand_in.address)
    assert not MusicServer.objects.exists()
    assert not stand_in.calls
