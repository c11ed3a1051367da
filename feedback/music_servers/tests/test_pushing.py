"""Playlists on a music server: renewed in place by id, and never a second one of a name."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from accounts.spotify.services import rotate_keys
from catalog.models import MusicServer, ServerSong, Track
from catalog.sources.servers.services import read_server
from catalog.sources.subsonic.client import SubsonicError
from catalog.sources.subsonic.tests.stand_in import StandIn
from catalog.sources.subsonic.tests.stand_in_accounts import Playlist as Remote
from feedback.music_servers.jobs import RENEW
from feedback.music_servers.models import PushedPlaylist, ServerAccount
from feedback.music_servers.pushing import PUSH, NothingToPushError, push, request_push
from feedback.music_servers.services import link_account, unlink_account
from feedback.playlists.models import Playlist
from feedback.playlists.services import add_tracks, create_playlist, delete_playlist, rename_playlist
from feedback.tests.factories import UserFactory, make_track
from jobs.models import Job
from jobs.services import enqueue
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(user: User, server: MusicServer) -> ServerAccount:
    read_server(server)
    return link_account(user=user, server=server, username="bob", secret="bob's own", is_secret_kept=True)


def songs(*numbers: int) -> list[Track]:
    return [Track.objects.get(title=f"Song {number}") for number in numbers]


@pytest.fixture
def playlist(user: User, account: ServerAccount) -> Playlist:
    return create_playlist(owner=user, name="Road trip", tracks=[*songs(4, 2), make_track("Elsewhere"), *songs(9)])


def ask(account: ServerAccount, playlist: Playlist, **more: Any) -> PushedPlaylist:
    pushed = request_push(account=account, kind="playlist", playlist=playlist, **more)
    run_waiting()
    pushed.refresh_from_db()
    return pushed


def test_a_playlist_comes_to_the_server_without_what_the_server_lacks(
    account: ServerAccount, playlist: Playlist, stand_in: StandIn
) -> None:
    pushed = ask(account, playlist)
    (remote,) = stand_in.accounts.lists
    assert (remote.name, remote.owner, remote.songs) == ("Road trip", "bob", ["so-4", "so-2", "so-9"])
    assert (pushed.song_count, pushed.wanted_count, pushed.error) == (3, 4, "")
    assert pushed.pushed_at is not None


def test_it_is_renewed_in_place(account: ServerAccount, playlist: Playlist, stand_in: StandIn) -> None:
    first = ask(account, playlist)
    add_tracks(playlist=playlist, tracks=songs(7))
    again = ask(account, playlist)
    assert (again.pk, again.remote_id) == (first.pk, first.remote_id)
    assert [(each.key, each.songs) for each in stand_in.accounts.lists] == [
        (first.remote_id, ["so-4", "so-2", "so-9", "so-7"])
    ]
    rename_playlist(playlist=playlist, name="Way home")
    assert ask(account, playlist).name == "Way home"
    assert stand_in.accounts.names() == [("bob", "Way home")]


def test_a_list_deleted_there_is_made_anew(account: ServerAccount, playlist: Playlist, stand_in: StandIn) -> None:
    first = ask(account, playlist)
    stand_in.accounts.lists.clear()
    again = ask(account, playlist)
    assert again.remote_id != first.remote_id
    assert stand_in.accounts.names() == [("bob", "Road trip")]


def test_a_fault_of_the_server_makes_no_second_list(
    account: ServerAccount, playlist: Playlist, stand_in: StandIn
) -> None:
    ask(account, playlist)
    refusal = b'{"subsonic-response": {"status": "failed", "error": {"code": 0}}}'
    for status, content in ((503, b"away"), (200, refusal)):
        stand_in.faults["createPlaylist"] = (status, {}, content)
        assert "createPlaylist" in ask(account, playlist).error
    stand_in.faults.clear()
    assert ask(account, playlist).error == ""
    assert stand_in.accounts.names() == [("bob", "Road trip")]
    assert [job.state for job in Job.objects.order_by("pk")] == ["done", "failed", "failed", "done"]


def test_a_server_that_only_says_ok_is_asked_what_it_made(
    account: ServerAccount, playlist: Playlist, stand_in: StandIn
) -> None:
    stand_in.accounts.has_answers = False
    stand_in.accounts.lists.append(Remote("pl-ada", "Road trip", "ada"))
    pushed = ask(account, playlist)
    assert stand_in.accounts.names() == [("ada", "Road trip"), ("bob", "Road trip")]
    assert pushed.remote_id == "pl-1"
    assert ask(account, playlist).remote_id == "pl-1"
    assert len(stand_in.accounts.lists) == 2


def test_the_listeners_own_list_of_that_name_is_left_alone(
    account: ServerAccount, playlist: Playlist, stand_in: StandIn
) -> None:
    stand_in.accounts.lists.append(Remote("pl-own", "Road trip", "bob", ["so-20"]))
    ask(account, playlist)
    assert stand_in.accounts.names() == [("bob", "Road trip"), ("bob", "Road trip (Earworm)")]
    assert stand_in.accounts.lists[0].songs == ["so-20"]
    # Linked anew, the site knows its list by the name, and makes no second one.
    user, server = account.user, account.server
    unlink_account(account=account)
    again = link_account(user=user, server=server, username="bob", secret="bob's own", is_secret_kept=True)
    ask(again, playlist)
    assert len(stand_in.accounts.lists) == 2


def test_what_broke_off_while_it_was_made_is_taken_up(
    account: ServerAccount, playlist: Playlist, stand_in: StandIn
) -> None:
    pushed = ask(account, playlist)
    # As after a crash between the call and its note.
    PushedPlaylist.objects.filter(pk=pushed.pk).update(remote_id="")
    assert ask(account, playlist).remote_id == pushed.remote_id
    assert stand_in.accounts.names() == [("bob", "Road trip")]


def test_an_id_of_another_account_is_forgotten(account: ServerAccount, playlist: Playlist, stand_in: StandIn) -> None:
    ask(account, playlist)
    other = link_account(
        user=account.user, server=account.server, username="ada", secret=StandIn.password, is_secret_kept=True
    )
    assert PushedPlaylist.objects.count() == 0
    ask(other, playlist)
    assert stand_in.accounts.names() == [("bob", "Road trip"), ("ada", "Road trip")]


@pytest.mark.parametrize("has_form_post", [True, False])
def test_long_lists_come_whole(user: User, stand_in: StandIn, has_form_post: bool) -> None:
    from catalog.sources.servers.services import connect_server

    stand_in.count, stand_in.has_form_post, stand_in.is_checked = 130, has_form_post, False
    server = connect_server(address=stand_in.address, username=StandIn.user, secret=StandIn.password)
    read_server(server)
    account = link_account(user=user, server=server, username="bob", secret="bob's own", is_secret_kept=True)
    playlist = create_playlist(owner=user, name="Long", tracks=songs(*range(130)))
    ask(account, playlist)
    assert stand_in.accounts.lists[0].songs == [f"so-{number}" for number in range(130)]
    sent = [(call[0], call[1]) for call in stand_in.calls if call[1] in ("createPlaylist", "updatePlaylist")]
    way = "POST" if has_form_post else "GET"
    assert sent == [(way, "createPlaylist")] + ([] if has_form_post else [(way, "updatePlaylist")] * 2)


def test_a_list_without_any_song_of_the_server_is_not_sent(
    user: User, account: ServerAccount, stand_in: StandIn
) -> None:
    playlist = create_playlist(owner=user, name="Other", tracks=[make_track("Elsewhere")])
    pushed = ask(account, playlist)
    assert (pushed.error, pushed.song_count, pushed.wanted_count) == ("nothing", 0, 1)
    job = Job.objects.get(kind=PUSH)
    assert (job.state, job.log.splitlines()[-1].endswith("none of the songs is on the server")) == ("done", True)
    assert stand_in.accounts.lists == []
    with pytest.raises(NothingToPushError):
        push(pushed)


def test_songs_that_the_server_has_lost_are_left_out(
    account: ServerAccount, playlist: Playlist, stand_in: StandIn
) -> None:
    stand_in.removed = {2}
    read_server(account.server)
    assert ServerSong.objects.exclude(gone_at=None).count() == 1
    ask(account, playlist)
    assert stand_in.accounts.lists[0].songs == ["so-4", "so-9"]


def test_only_lists_to_be_kept_up_to_date_are_renewed_by_schedule(
    user: User, account: ServerAccount, playlist: Playlist, stand_in: StandIn
) -> None:
    ask(account, playlist, is_renewed=True)
    other = create_playlist(owner=user, name="Once", tracks=songs(1))
    ask(account, other)
    for shown in (playlist, other):
        add_tracks(playlist=shown, tracks=songs(8))
    enqueue(kind=RENEW)
    run_waiting()
    assert [each.songs for each in stand_in.accounts.lists] == [["so-4", "so-2", "so-9", "so-8"], ["so-1"]]
    # What has not changed is not sent again.
    stand_in.calls.clear()
    enqueue(kind=RENEW)
    run_waiting()
    assert stand_in.calls == []


def test_a_refused_log_in_is_forgotten_and_not_tried_again(
    account: ServerAccount, playlist: Playlist, stand_in: StandIn, listener: Client
) -> None:
    pushed = ask(account, playlist, is_renewed=True)
    stand_in.passwords["bob"] = "changed"
    assert "code 40" in ask(account, playlist, is_renewed=True).error
    account.refresh_from_db()
    assert account.secret == ""
    assert account.error != ""
    stand_in.calls.clear()
    enqueue(kind=RENEW)
    run_waiting()
    assert stand_in.calls == []
    assert "Link the account again" in listener.get("/players/servers/").content.decode()
    link_account(user=account.user, server=account.server, username="bob", secret="changed", is_secret_kept=True)
    assert ask(account, playlist).remote_id == pushed.remote_id


def test_a_server_that_is_away_keeps_the_log_in(account: ServerAccount, playlist: Playlist, stand_in: StandIn) -> None:
    stand_in.faults = {method: (503, {}, b"") for method in ("ping", "getPlaylists", "createPlaylist")}
    pushed = request_push(account=account, kind="playlist", playlist=playlist)
    with pytest.raises(SubsonicError):
        push(pushed)
    account.refresh_from_db()
    assert (account.secret, account.error) == ("bob's own", "")


def test_the_playlists_page_puts_it_there(
    listener: Client, account: ServerAccount, playlist: Playlist, stand_in: StandIn
) -> None:
    page = listener.get(playlist.get_absolute_url()).content.decode()
    assert "Put on Attic" in page
    assert account.server.address not in page
    data = {"account": account.pk, "kind": "playlist", "playlist": playlist.pk, "is_renewed": "on"}
    answer = listener.post("/players/servers/lists/", {**data, "next": playlist.get_absolute_url()})
    assert answer["Location"] == playlist.get_absolute_url()
    run_waiting()
    page = listener.get(playlist.get_absolute_url()).content.decode()
    assert "3 of 4 songs are on the music server." in page
    assert "Update on Attic" in page
    listed = listener.get("/players/servers/").content.decode()
    assert "We keep it up to date." in listed
    pushed = PushedPlaylist.objects.get()
    assert pushed.is_renewed
    PushedPlaylist.objects.update(error="nothing")
    listed = listener.get("/players/servers/").content.decode()
    assert "None of these songs are on the music server." in listed
    assert "We keep it up to date." not in listed
    stranger = Client()
    stranger.force_login(UserFactory())
    assert stranger.post(f"/players/servers/lists/{pushed.pk}/stop/").status_code == 404
    assert stranger.post("/players/servers/lists/", data).status_code == 400
    assert listener.post("/players/servers/lists/", {**data, "kind": "for_you"}).status_code == 400
    assert listener.get("/players/servers/lists/").status_code == 405
    assert listener.post(f"/players/servers/lists/{pushed.pk}/stop/").status_code == 302
    assert not PushedPlaylist.objects.get().is_renewed
    assert len(stand_in.accounts.lists) == 1


def test_a_stopped_list_is_taken_up_again(
    listener: Client, account: ServerAccount, playlist: Playlist, stand_in: StandIn
) -> None:
    pushed = ask(account, playlist, is_renewed=True)
    listener.post(f"/players/servers/lists/{pushed.pk}/stop/")
    page = listener.get("/players/servers/").content.decode()
    assert ("Stop updating" in page, "Keep Road trip up to date" in page) == (False, True)
    add_tracks(playlist=playlist, tracks=songs(7))
    enqueue(kind=RENEW)
    # One that was requested before it was stopped.
    enqueue(kind=PUSH, user_id=account.user_id, arguments={"is_scheduled": True}, subject=pushed.subject)
    run_waiting()
    assert stand_in.accounts.lists[0].songs == ["so-4", "so-2", "so-9"]
    data = {"account": account.pk, "kind": "playlist", "playlist": playlist.pk, "is_renewed": "on"}
    assert listener.post("/players/servers/lists/", data).status_code == 302
    run_waiting()
    assert [(each.key, each.songs) for each in stand_in.accounts.lists] == [
        (pushed.remote_id, ["so-4", "so-2", "so-9", "so-7"])
    ]
    assert PushedPlaylist.objects.get().is_renewed


@pytest.mark.parametrize("has_own", [False, True])
def test_playlists_of_one_name_are_lists_of_their_own(
    user: User, account: ServerAccount, playlist: Playlist, stand_in: StandIn, has_own: bool
) -> None:
    if has_own:
        stand_in.accounts.lists.append(Remote("pl-own", "Road trip", "bob", ["so-20"]))
    same = [create_playlist(owner=user, name="Road trip", tracks=songs(number)) for number in (5, 6)]
    rows = [ask(account, each) for each in (playlist, *same)]
    # Once more, and after a crash between the call and its note.
    PushedPlaylist.objects.filter(pk=rows[1].pk).update(remote_id="")
    rows = [ask(account, each) for each in (playlist, *same)]
    names = ["Road trip", "Road trip (Earworm)", *(f"Road trip (Earworm {number})" for number in (2, 3, 4))]
    lists = stand_in.accounts.lists[has_own:]
    assert [each.name for each in lists] == names[has_own:][:3]
    assert [each.songs for each in lists] == [["so-4", "so-2", "so-9"], ["so-5"], ["so-6"]]
    assert [row.remote_id for row in rows] == [each.key for each in lists]
    # Nor does a new name make two of one name.
    other = create_playlist(owner=user, name="Elsewhere", tracks=songs(8))
    ask(account, other)
    rename_playlist(playlist=other, name="Road trip")
    ask(account, other)
    assert stand_in.accounts.names()[-1] == ("bob", names[3 + has_own])


def test_a_name_that_the_server_refuses_is_tried_again(
    account: ServerAccount, playlist: Playlist, stand_in: StandIn
) -> None:
    ask(account, playlist)
    rename_playlist(playlist=playlist, name="Way home")
    stand_in.faults["updatePlaylist"] = (503, {}, b"")
    assert ask(account, playlist).name == "Road trip"
    stand_in.faults.clear()
    assert ask(account, playlist).name == "Way home"
    assert stand_in.accounts.names() == [("bob", "Way home")]


def test_without_a_stored_log_in_nothing_is_offered(
    listener: Client, account: ServerAccount, playlist: Playlist, server: MusicServer
) -> None:
    link_account(user=account.user, server=server, username="bob", secret="bob's own")
    assert "Put on" not in listener.get(playlist.get_absolute_url()).content.decode()
    data = {"account": account.pk, "kind": "playlist", "playlist": playlist.pk}
    assert listener.post("/players/servers/lists/", data).status_code == 400


def test_a_playlist_deleted_here_is_renewed_no_more(
    account: ServerAccount, playlist: Playlist, stand_in: StandIn
) -> None:
    ask(account, playlist, is_renewed=True)
    delete_playlist(playlist=playlist)
    assert PushedPlaylist.objects.count() == 0
    assert stand_in.accounts.names() == [("bob", "Road trip")]


def test_stored_log_ins_are_sealed_with_new_keys(account: ServerAccount, server: MusicServer) -> None:
    UserFactory()
    ServerAccount.objects.create(user=UserFactory(), server=server, remote_user="eve")

    def sealed() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT secret FROM feedback_serveraccount WHERE id = %s", [account.pk])
            return str(cursor.fetchone()[0])

    before = sealed()
    # The server's own secret, and the account's; the account without one does not count.
    assert rotate_keys() == (2, 0)
    assert sealed() != before
    account.refresh_from_db()
    assert account.secret == "bob's own"
