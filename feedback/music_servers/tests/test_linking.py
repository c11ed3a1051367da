"""Linking accounts at music servers: the server judges, and nobody sees its address."""

import json
import re
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.personal_data.export import json_export
from catalog.models import MusicServer
from catalog.sources.servers.services import set_proxied
from catalog.sources.subsonic.tests.stand_in import StandIn
from feedback.music_servers.models import ServerAccount
from feedback.music_servers.selectors import accounts_of, listener_of
from feedback.music_servers.services import (
    AwayError,
    TakenError,
    UnsafeError,
    WrongLoginError,
    link_account,
    unlink_account,
)
from feedback.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def link(user: User, server: MusicServer, **more: Any) -> ServerAccount:
    return link_account(user=user, server=server, **{"username": "bob", "secret": "bob's own", **more})


def stored_secret(account: ServerAccount) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM feedback_serveraccount WHERE id = %s", [account.pk])
        return str(cursor.fetchone()[0])


def test_the_server_judges_the_log_in_and_the_password_is_not_stored(
    user: User, server: MusicServer, stand_in: StandIn
) -> None:
    account = link(user, server)
    assert [(call[1], call[2].get("u")) for call in stand_in.calls] == [("ping", "bob"), ("getUser", "bob")]
    assert (account.remote_user, account.secret, stored_secret(account)) == ("bob", "", "")
    assert account.confirmed_at is not None
    assert listener_of(server=server, remote_user="bob") == user
    assert list(accounts_of(user)) == [account]


@pytest.mark.parametrize(("username", "secret"), [("bob", "wrong"), ("ada", "bob's own"), ("nobody", "x")])
def test_a_wrong_log_in_links_nothing(user: User, server: MusicServer, username: str, secret: str) -> None:
    with pytest.raises(WrongLoginError):
        link(user, server, username=username, secret=secret)
    assert not ServerAccount.objects.exists()


def test_a_password_is_stored_sealed_where_the_listener_wants_it(user: User, server: MusicServer) -> None:
    account = link(user, server, is_secret_kept=True)
    assert ServerAccount.objects.get().secret == "bob's own"
    assert "bob" not in stored_secret(account)
    link(user, server)
    assert stored_secret(account) == ""


def test_a_key_belongs_to_whom_the_server_names(user: User, server: MusicServer, stand_in: StandIn) -> None:
    account = link(user, server, username="bob", secret=StandIn.api_key, is_api_key=True)
    assert account.remote_user == "ada"
    assert all("u" not in call[2] for call in stand_in.calls)
    stand_in.faults["tokenInfo"] = (404, {}, b"")
    with pytest.raises(AwayError):
        link(user, server, secret=StandIn.api_key, is_api_key=True)
    with pytest.raises(WrongLoginError):
        link(user, server, secret="key-7", is_api_key=True)


def test_no_key_travels_in_the_clear(user: User) -> None:
    server = MusicServer.objects.create(kind="subsonic", address="http://192.0.2.1.nip.invalid")
    with pytest.raises(UnsafeError):
        link(user, server, is_api_key=True)


def test_an_account_there_belongs_to_one_listener(user: User, server: MusicServer) -> None:
    link(user, server)
    other = UserFactory()
    with pytest.raises(TakenError):
        link(other, server)
    assert listener_of(server=server, remote_user="bob") == user
    unlink_account(account=ServerAccount.objects.get())
    link(other, server)
    assert listener_of(server=server, remote_user="bob") == other


def test_an_account_in_other_letter_case_is_the_same(user: User, server: MusicServer, stand_in: StandIn) -> None:
    stand_in.ignores_case = True
    account = link(user, server, username="BOB")
    # As the server spells it.
    assert (account.remote_user, account.confirmed_key) == ("bob", "bob")
    assert link(user, server, username="Bob").pk == account.pk
    with pytest.raises(TakenError):
        link(UserFactory(), server, username="bOb")
    assert ServerAccount.objects.count() == 1


def test_a_server_that_does_not_tell_its_spelling_doubles_nothing(
    user: User, server: MusicServer, stand_in: StandIn
) -> None:
    stand_in.ignores_case = True
    stand_in.faults["getUser"] = (404, {}, b"")
    account = link(user, server, username="BOB")
    again = link(user, server, username="Bob")
    assert (account.pk, account.remote_user) == (again.pk, "BOB")
    assert (again.remote_user, again.confirmed_user, again.confirmed_key) == ("Bob", "Bob", "bob")
    with pytest.raises(TakenError):
        link(UserFactory(), server)
    stand_in.faults["getUser"] = (200, {}, b'{"subsonic-response": {"status": "ok", "user": {"username": "eve"}}}')
    assert link(user, server).remote_user == "bob"


def test_the_database_takes_an_account_once(user: User, server: MusicServer) -> None:
    link(user, server)
    values = {"remote_user": "BOB", "confirmed_user": "BOB", "confirmed_key": "bob", "confirmed_at": timezone.now()}
    with pytest.raises(IntegrityError), transaction.atomic():
        ServerAccount.objects.create(user=UserFactory(), server=server, **values)


def test_linking_another_account_there_forgets_the_first(user: User, server: MusicServer) -> None:
    first = link(user, server)
    again = link(user, server)
    other = link(user, server, username="ada", secret=StandIn.password)
    assert first.pk == again.pk != other.pk
    assert list(ServerAccount.objects.values_list("remote_user", flat=True)) == ["ada"]


def test_only_confirmed_accounts_of_active_listeners_are_theirs(user: User, server: MusicServer) -> None:
    account = ServerAccount.objects.create(user=user, server=server, remote_user="bob")
    assert listener_of(server=server, remote_user="bob") is None
    account = link(user, server)
    assert listener_of(server=server, remote_user="Bob") is None
    elsewhere = MusicServer.objects.create(kind="subsonic", address="http://else.test")
    assert listener_of(server=elsewhere, remote_user="bob") is None
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert listener_of(server=server, remote_user="bob") is None
    assert account.pk is not None


def test_the_database_takes_no_half_confirmation(user: User, server: MusicServer) -> None:
    for values in (
        {"confirmed_at": timezone.now()},
        {"confirmed_user": "bob"},
        {"confirmed_user": "ada", "confirmed_at": timezone.now()},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ServerAccount.objects.create(user=user, server=server, remote_user="bob", **values)


def test_the_pages_link_and_unlink(listener: Client, user: User, server: MusicServer) -> None:
    page = listener.get("/players/servers/").content.decode()
    assert "Attic" in page
    assert "not linked" in page
    assert server.address not in page
    address = f"/players/servers/{server.pk}/"
    form = listener.get(address).content.decode()
    assert server.address not in form
    assert ServerAccount.objects.count() == 0
    wrong = listener.post(address, {"username": "bob", "secret": "wrong"})
    assert wrong.status_code == 422
    # Neither what was typed nor where it went.
    assert 'value="wrong"' not in wrong.content.decode()
    assert server.address not in wrong.content.decode()
    assert listener.post(address, {"username": "", "secret": "x"}).status_code == 422
    assert listener.post(address, {"username": "bob", "secret": "bob's own"}).status_code == 302
    assert "linked as bob" in listener.get("/players/servers/").content.decode()
    account = ServerAccount.objects.get()
    stranger = Client()
    stranger.force_login(UserFactory())
    assert stranger.post(f"/players/servers/{account.pk}/unlink/").status_code == 404
    assert listener.get(f"/players/servers/{account.pk}/unlink/").status_code == 405
    assert listener.post(f"/players/servers/{account.pk}/unlink/").status_code == 302
    assert ServerAccount.objects.count() == 0


def test_the_form_marks_what_it_needs(listener: Client, server: MusicServer) -> None:
    address = f"/players/servers/{server.pk}/"
    page = listener.get(address).content.decode()
    assert 'Username there<span class="asteriskField">*</span>' in page
    assert re.search(r"<input[^>]* name=\"username\"[^>]*>", page)[0].count("required") == 0  # type: ignore[index]
    assert re.search(r"<input[^>]* name=\"secret\"[^>]*>", page)[0].count("required") == 1  # type: ignore[index]
    nothing = listener.post(address, {"secret": "x"})
    assert nothing.context["form"].errors == {"username": ["Enter your username on that server."]}
    listener.post(address, {"secret": StandIn.api_key, "is_api_key": "on"})
    assert ServerAccount.objects.get().remote_user == "ada"


def test_what_is_wrong_is_explained(listener: Client, user: User, server: MusicServer, stand_in: StandIn) -> None:
    address = f"/players/servers/{server.pk}/"
    data = {"username": "bob", "secret": "bob's own"}
    stand_in.faults["ping"] = (500, {}, b"broken")
    assert "respond as it should" in listener.post(address, data).content.decode()
    stand_in.faults.clear()
    link(UserFactory(), server)
    assert "Another listener of this site" in listener.post(address, data).content.decode()


def test_guesses_are_limited_by_listener_and_by_account(listener: Client, server: MusicServer) -> None:
    address = f"/players/servers/{server.pk}/"
    answers = [listener.post(address, {"username": f"u{n}", "secret": "x"}).status_code for n in range(6)]
    assert answers == [422] * 5 + [429]
    statuses = []
    for _number in range(6):
        other = Client()
        other.force_login(UserFactory())
        statuses.append(other.post(address, {"username": "BOB", "secret": "x"}).status_code)
    assert statuses == [422] * 5 + [429]


def test_only_connected_servers_can_be_linked(listener: Client, server: MusicServer) -> None:
    folder = MusicServer.objects.create(kind="folder", address="/srv/music")
    assert listener.get(f"/players/servers/{folder.pk}/").status_code == 404
    assert "/srv/music" not in listener.get("/players/servers/").content.decode()
    MusicServer.objects.filter(pk=server.pk).update(is_active=False)
    assert listener.get(f"/players/servers/{server.pk}/").status_code == 404
    assert "hasn't connected" in listener.get("/players/servers/").content.decode().replace("&#x27;", "'")
    assert Client().get("/players/servers/").status_code == 302


def test_the_export_has_the_account_without_secret_and_address(user: User, server: MusicServer) -> None:
    link(user, server, is_secret_kept=True)
    text = "".join(json_export(user))
    (row,) = json.loads(text)["feedback.ServerAccount"]
    assert (row["remote_user"], row["server"], row["secret"]) == ("bob", "Attic", "(kept secret)")
    assert server.address not in text


def test_the_privacy_page_names_the_server_and_what_it_gets(client: Client, server: MusicServer) -> None:
    page = client.get("/privacy/").content.decode()
    assert "<dt>Attic</dt><dd>Your log-in there, when you link your account." in page
    assert "What your player sends" not in page
    assert server.address not in page
    set_proxied(server=server, is_proxied=True)
    assert "What your player sends through this site reaches it, too.</dd>" in client.get("/privacy/").content.decode()
    MusicServer.objects.update(is_active=False)
    assert "Attic" not in client.get("/privacy/").content.decode()


def test_a_server_without_a_name_is_called_by_its_software() -> None:
    server = MusicServer(kind="subsonic", abilities={"software": "navidrome 0.60.0"})
    assert server.shown_name == "Navidrome"
    assert MusicServer(kind="subsonic").shown_name == "Music server"
