"""Linking an account by a code that the listener enters in the player, as the name of a playlist."""

import json
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from catalog.models import MusicServer
from catalog.sources.servers.services import set_proxied
from feedback.music_servers.codes import create_code
from feedback.music_servers.models import ServerAccount
from feedback.music_servers.services import link_account
from recommender.tests.builders import make_user
from recommender.tests.proxy.server import Server, check, login
from recommender.tests.proxy.test_answers import body

pytestmark = pytest.mark.django_db


def links() -> list[tuple[str, str | None]]:
    return list(ServerAccount.objects.values_list("user__username", "confirmed_user"))


def create(client: Client, name: str, password: str | None = None) -> dict[str, Any]:
    """Return the answer to a playlist of that name that ada's player creates."""
    response: Any = client.get("/rest/createPlaylist", {**login(password=password), "name": name})
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return dict(json.loads(content)["subsonic-response"])


@pytest.fixture
def user(db: None) -> User:
    return make_user("listener")


def code_of_page(user: User, server: MusicServer) -> str:
    client = Client()
    client.force_login(user)
    assert "Show code" in client.get(f"/players/servers/{server.pk}/").content.decode()
    page = client.post(f"/players/servers/{server.pk}/code/").content.decode()
    # Another language is chosen from there, which leads back by a GET.
    assert f'name="next" value="/players/servers/{server.pk}/"' in page
    match = re.search(r'value="(link-\w{4}-\w{4})"', page)
    assert match is not None
    return match[1]


def test_a_code_from_the_page_links_the_account(
    client: Client, server: Server, proxied: MusicServer, user: User
) -> None:
    code = code_of_page(user, proxied)
    answer = create(client, code.upper().replace("-", " "))
    check("createPlaylist", {"subsonic-response": answer})
    assert answer["playlist"]["songCount"] == 0
    assert links() == [("listener", "ada")]
    assert "createPlaylist" not in [call[1] for call in server.calls]
    # It works once, and from now on the site answers.
    assert create(client, code)["error"]["code"] == 50
    assert [row["name"] for row in body(client, "getPlaylists")["playlists"]["playlist"]] == ["Mine there", "For you"]


def test_only_the_last_code_counts_and_for_a_while(
    client: Client, server: Server, proxied: MusicServer, user: User
) -> None:
    first, second = code_of_page(user, proxied), create_code(user=user, server=proxied)
    assert "error" in create(client, first)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert "error" in create(client, second)
    User.objects.filter(pk=user.pk).update(is_active=True)
    cache.clear()
    assert "error" in create(client, second)
    assert links() == []


def test_the_server_judges_first(client: Client, server: Server, proxied: MusicServer, user: User) -> None:
    code = create_code(user=user, server=proxied)
    assert create(client, code, password="wrong")["error"]["code"] == 40
    assert links() == []
    assert create(client, code)["status"] == "ok"


def test_other_names_are_playlists_of_the_server(client: Client, server: Server, proxied: MusicServer) -> None:
    for name in ("link-", "Links 2345 6789", "link-0000-llll"):
        assert create(client, name)["playlist"]["name"] == name
    assert len(server.accounts.lists) == 3


def test_guessing_codes_ends(client: Client, server: Server, proxied: MusicServer, user: User) -> None:
    for number in range(2, 7):
        assert "error" in create(client, f"link-aaaa-aaa{number}")
    assert "error" in create(client, create_code(user=user, server=proxied))
    assert links() == []


def test_an_account_of_another_listener_stays_theirs(
    client: Client, server: Server, proxied: MusicServer, user: User
) -> None:
    other: Any = make_user("other")
    link_account(user=other, server=proxied, username="ada", secret=server.password, is_secret_kept=True)
    answer = create(client, create_code(user=user, server=proxied))
    assert "Another listener" in answer["error"]["message"]
    assert links() == [("other", "ada")]
    # One's own account keeps its stored log-in.
    assert create(client, create_code(user=other, server=proxied))["status"] == "ok"
    assert ServerAccount.objects.get().secret == server.password


def test_without_the_proxy_there_is_no_code(proxied: MusicServer, user: User) -> None:
    set_proxied(server=proxied, is_proxied=False)
    client = Client()
    client.force_login(user)
    assert "Show code" not in client.get(f"/players/servers/{proxied.pk}/").content.decode()
    assert client.post(f"/players/servers/{proxied.pk}/code/").status_code == 404
    assert Client().post(f"/players/servers/{proxied.pk}/code/").status_code == 302
