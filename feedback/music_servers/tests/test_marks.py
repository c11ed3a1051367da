"""Stars and ratings that listeners give on their music server, as likes and dislikes here."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalog.models import MusicServer, ServerSong, Track
from catalog.sources.servers.services import read_server
from catalog.sources.subsonic.client import SubsonicError
from catalog.sources.subsonic.marks import marks_of
from catalog.sources.subsonic.tests.stand_in import StandIn
from feedback.music_servers.marks import MarksReport, read_marks
from feedback.music_servers.models import ServerAccount, ServerMark
from feedback.music_servers.services import client_of, link_account
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from feedback.scrobbling.receiving import Reporter, take_listens
from feedback.scrobbling.reported import listen_of
from feedback.source import Source
from feedback.tests.factories import UserFactory
from jobs.services import enqueue
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db
AT = "2026-11-01T12:00:00Z"


@pytest.fixture
def account(user: User, server: MusicServer, stand_in: StandIn) -> ServerAccount:
    """Bob's account, with two stars, a rating of each kind, and a star that one point outweighs."""
    read_server(server=server)
    stand_in.accounts.stars["bob"] = {"so-1": AT, "so-2": AT, "so-7": AT}
    stand_in.accounts.ratings["bob"] = {"so-3": 5, "so-4": 1, "so-5": 3, "so-7": 2}
    stand_in.accounts.stars["ada"] = {"so-9": AT}
    return link_account(
        user=user, server=server, username="bob", secret="bob's own", is_secret_kept=True, are_marks_read=True
    )


def song(number: int) -> Track:
    return ServerSong.objects.get(remote_id=f"so-{number}").track


def opinions(user: User) -> dict[str, int]:
    return dict(Rating.objects.filter(user=user).values_list("track__title", "value"))


def later(account: ServerAccount) -> ServerAccount:
    """Let a minute pass since the last reading and all ratings."""
    ServerAccount.objects.update(marks_read_at=timezone.now() - timedelta(seconds=30))
    Rating.objects.update(updated_at=timezone.now() - timedelta(seconds=60))
    return ServerAccount.objects.get(pk=account.pk)


@pytest.mark.parametrize("has_search", [True, False])
def test_what_the_account_likes_and_dislikes(account: ServerAccount, stand_in: StandIn, has_search: bool) -> None:
    stand_in.has_search = has_search
    expected = {"so-1": 1, "so-2": 1, "so-3": 1, "so-4": -1, "so-7": -1}
    assert marks_of(client_of(account)).opinions == expected


def test_old_servers_say_in_the_songs_what_is_starred(account: ServerAccount, stand_in: StandIn) -> None:
    stand_in.faults["getStarred2"] = (
        200, {"Content-Type": "application/json"},
        b'{"subsonic-response": {"status": "failed", "version": "1.8.0", "error": {"code": 0, "message": "unknown"}}}',
    )  # fmt: skip
    assert marks_of(client_of(account)).opinions["so-2"] == 1
    stand_in.faults["getStarred2"] = (500, {}, b"")
    with pytest.raises(SubsonicError):
        marks_of(client_of(account))


def test_stars_and_points_become_likes_and_dislikes(account: ServerAccount, user: User) -> None:
    assert read_marks(account) == MarksReport(5, 5, 0)
    assert opinions(user) == {"Song 1": 1, "Song 2": 1, "Song 3": 1, "Song 4": -1, "Song 7": -1}
    assert set(Rating.objects.values_list("source", flat=True)) == {Source.SCROBBLE}
    account.refresh_from_db()
    assert account.marks_read_at is not None
    assert read_marks(account) == MarksReport(5, 0, 0)


def plays(user: User) -> list[tuple[str, str, str]]:
    rows = Play.objects.filter(user=user).order_by("played_at", "pk").select_related("track")
    return [(play.track.title, f"{play.played_at:%Y-%m-%d %H:%M}", play.source) for play in rows]


def test_last_plays_are_plays_once(account: ServerAccount, user: User, stand_in: StandIn) -> None:
    stand_in.accounts.plays["bob"] = {
        "so-1": (40, "2026-11-02T10:00:00Z"), "so-2": (1, "2026-11-03T10:00:00.123+01:00"),
        "so-3": (7, ""), "so-4": (2, "yesterday"), "so-5": (1, "2026-11-04T10:00:00Z"),
    }  # fmt: skip
    # Told by a player already, at its start: the server wrote the end down.
    at = datetime(2026, 11, 4, 9, 57, 30, tzinfo=UTC)
    take_listens(
        teller=Reporter(user, None, "phone"),
        heard=[listen_of(song(5), int(at.timestamp()))],
        received=int(at.timestamp()) + 200,
    )
    expected = [
        ("Song 1", "2026-11-02 10:00", "scrobble"),
        ("Song 2", "2026-11-03 09:00", "scrobble"),
        ("Song 5", "2026-11-04 09:57", "scrobble"),
    ]
    assert read_marks(account).played == 2
    assert plays(user) == expected
    stand_in.accounts.plays["bob"]["so-1"] = (41, "2026-11-05T10:00:00Z")
    ServerAccount.objects.update(marks_read_at=datetime(2026, 11, 4, 12, tzinfo=UTC))
    account.refresh_from_db()
    assert read_marks(account).played == 1
    assert read_marks(account).played == 0
    assert plays(user) == [*expected, ("Song 1", "2026-11-05 10:00", "scrobble")]


def test_what_was_rated_here_before_the_first_reading_stays(account: ServerAccount, user: User) -> None:
    rate(user=user, track=song(1), value=Rating.Value.DISLIKE)
    Rating.objects.update(updated_at=timezone.now() - timedelta(days=900))
    assert read_marks(account) == MarksReport(5, 4, 0)
    assert opinions(user)["Song 1"] == -1


def test_a_like_taken_back_here_does_not_come_again(account: ServerAccount, user: User) -> None:
    read_marks(account)
    rate(user=user, track=song(1), value=None)
    assert read_marks(later(account)) == MarksReport(5, 0, 0)
    assert "Song 1" not in opinions(user)


def test_only_changes_there_teach_and_not_over_a_newer_word_here(
    account: ServerAccount, user: User, stand_in: StandIn
) -> None:
    read_marks(account)
    account = later(account)
    del stand_in.accounts.stars["bob"]["so-1"], stand_in.accounts.stars["bob"]["so-2"]
    stand_in.accounts.ratings["bob"] |= {"so-3": 1, "so-4": 5, "so-6": 4}
    # Newer than the reading: the second star was taken back there, and liked anew here.
    rate(user=user, track=song(2), value=Rating.Value.LIKE)
    rate(user=user, track=song(4), value=Rating.Value.DISLIKE)
    assert read_marks(account) == MarksReport(4, 2, 1)
    assert opinions(user) == {"Song 2": 1, "Song 3": -1, "Song 4": -1, "Song 6": 1, "Song 7": -1}
    assert read_marks(later(account)) == MarksReport(4, 0, 0)


def test_songs_that_were_not_read_yet_are_liked_once_they_are(
    account: ServerAccount, user: User, server: MusicServer, stand_in: StandIn
) -> None:
    ServerSong.objects.filter(remote_id="so-1").delete()
    assert read_marks(account) == MarksReport(5, 4, 0)
    read_server(server=server)
    assert read_marks(later(account)) == MarksReport(5, 1, 0)
    assert opinions(user)["Song 1"] == 1


def test_hidden_songs_are_passed_over(account: ServerAccount, user: User) -> None:
    Track.objects.filter(title="Song 1").update(is_active=False)
    assert read_marks(account) == MarksReport(5, 4, 0)
    assert "Song 1" not in opinions(user)


def test_a_server_that_is_away_changes_nothing(account: ServerAccount, user: User, stand_in: StandIn) -> None:
    read_marks(account)
    stand_in.faults["search3"] = (500, {}, b"")
    with pytest.raises(SubsonicError):
        read_marks(later(account))
    assert len(opinions(user)) == 5
    account.refresh_from_db()
    assert account.error


def test_the_listener_has_them_read(listener: Client, user: User, server: MusicServer, stand_in: StandIn) -> None:
    read_server(server=server)
    stand_in.accounts.stars["bob"] = {"so-1": AT}
    address, form = f"/players/servers/{server.pk}/", {"username": "bob", "secret": "bob's own", "are_marks_read": "on"}
    refused = listener.post(address, form)
    assert refused.status_code == 422
    assert "For this the log-in has to be stored." in refused.content.decode()
    assert listener.post(address, {**form, "is_secret_kept": "on"}).status_code == 302
    run_waiting()
    assert opinions(user) == {"Song 1": 1}
    account = ServerAccount.objects.get()
    assert "stars read" in listener.get("/players/servers/").content.decode()
    stand_in.accounts.stars["bob"]["so-2"] = AT
    assert listener.post(f"/players/servers/{account.pk}/stars/").status_code == 302
    run_waiting()
    assert set(opinions(user)) == {"Song 1", "Song 2"}
    stand_in.accounts.stars["bob"]["so-3"] = AT
    enqueue(kind="read-all-server-marks")
    run_waiting()
    assert set(opinions(user)) == {"Song 1", "Song 2", "Song 3"}
    other = Client()
    other.force_login(UserFactory())
    assert other.post(f"/players/servers/{account.pk}/stars/").status_code == 404
    assert listener.get(f"/players/servers/{account.pk}/stars/").status_code == 405


def test_without_being_asked_nothing_is_read(listener: Client, server: MusicServer, stand_in: StandIn) -> None:
    form: dict[str, Any] = {"username": "bob", "secret": "bob's own", "is_secret_kept": "on"}
    listener.post(f"/players/servers/{server.pk}/", form)
    account = ServerAccount.objects.get()
    assert listener.post(f"/players/servers/{account.pk}/stars/").status_code == 404
    stand_in.calls.clear()
    enqueue(kind="read-all-server-marks")
    run_waiting()
    assert stand_in.calls == []


def test_a_mark_is_one_of_two_and_stands_once(account: ServerAccount) -> None:
    ServerMark.objects.create(account=account, remote_id="a", value=1)
    for key, value in (("a", -1), ("b", 0), ("c", 2)):
        with pytest.raises(IntegrityError), transaction.atomic():
            ServerMark.objects.create(account=account, remote_id=key, value=value)
