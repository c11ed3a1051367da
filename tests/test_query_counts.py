"""Every page asks the database as often for thirty rows as for one, in one table over all lists of the site."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from catalog.models import Artist, Genre, MusicServer, Track
from feedback.history_import.models import HistoryImport, UnmatchedSong
from feedback.music_servers.models import PushedPlaylist, ServerAccount
from feedback.playlists import services as playlist_services
from feedback.plays.models import Play
from feedback.preferences import services as preference_services
from feedback.queue import services as queue_services
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from jobs.models import Job
from recommender.lifecycle.training import retrain
from recommender.lifecycle.versions import forget_loaded
from recommender.models import (
    Blend,
    BlendFit,
    BlendInvitation,
    BlendMember,
    BlendSong,
    ModelVersion,
    WeeklyList,
    WeeklySong,
)
from recommender.tests.builders import LOUD, make_catalogue, make_track, make_user

pytestmark = pytest.mark.django_db
MANY = 30
# Genres' names are read for "How it moved", which begins with a week of history.
MAY_ADD = {"/taste/": 1, "/api/user/taste": 1}


@pytest.fixture
def user(settings: Any, tmp_path: Path) -> Iterator[User]:
    """A listener and operator of a site with 40 songs that nobody has touched."""
    settings.MODEL_DIR = tmp_path / "models"
    make_catalogue()
    make_track("Version", ["Twin"], features=LOUD, album="First")
    yield make_user(is_staff=True, is_superuser=True, adventure=0.0)
    forget_loaded()


def add_rows(user: User, numbers: range) -> None:
    """Give every list of the site a row of each of ``numbers``; the model knows them all."""
    for number in numbers:
        track = make_track(f"Row {number}", ["Row artist"], ["row genre", f"genre {number}"], features=LOUD)
        other = make_track(f"Bad {number}", [f"Bad {number}"], [f"bad {number}"], features=LOUD)
        make_track("Version", ["Twin"], features=LOUD, album=f"Album {number}")
        rate(user=user, track=track, value=Rating.Value.LIKE)
        rate(user=user, track=other, value=Rating.Value.DISLIKE)
        Play.objects.create(user=user, track=track, played_at=timezone.now() - timedelta(days=number))
        preference_services.exclude(user=user, target=other)
        preference_services.block(user=user, target=other)
        preference_services.adjust(user=user, target=Genre.objects.get(name=f"genre {number}"), level="up")
        playlist_services.create_playlist(owner=user, name=f"List {number}", tracks=[track, other])
        playlist_services.add_tracks(playlist=user.playlists.get(name="List 0"), tracks=[track])
        queue_services.add(user=user, tracks=[track])
        ApiToken.objects.create(user=user, name=f"Token {number}", scope="read", digest=f"{number:064}")
        server = MusicServer.objects.create(kind="subsonic", address=f"http://music.test/{number}")
        account = ServerAccount.objects.create(
            user=user, server=server, remote_user="ada", confirmed_user="ada", confirmed_at=timezone.now(), secret="s"
        )
        PushedPlaylist.objects.create(account=account, kind="playlist", playlist=user.playlists.latest("pk"))
        history = HistoryImport.objects.create(user=user, name=f"{number}.json")
        first = HistoryImport.objects.filter(user=user).earliest("pk")
        UnmatchedSong.objects.create(history_import=first, digest=number, title=f"{number}", artist="x", plays=1)
        week = WeeklyList.objects.create(
            user=user,
            week=date(2025, 1, 6) + number * timedelta(days=7),
            day=date(2025, 1, 6),
            expected=1,
            basis="prior",
        )
        for weekly_list in {week, WeeklyList.objects.earliest("week")}:
            WeeklySong.objects.create(weekly_list=weekly_list, position=number, track=track, name="x", probability=0.5)
        blend = Blend.objects.create(name=f"Blend {number}", listed_members=2)
        members = [
            BlendMember.objects.create(blend=blend, user=listener, seat=seat)
            for seat, listener in enumerate([user, make_user(f"guest{number}")])
        ]
        oldest = Blend.objects.earliest("pk")
        BlendInvitation.objects.create(blend=oldest, invited_by=members[0], username=f"name{number}")
        for listed in {blend, oldest}:
            song = BlendSong.objects.create(blend=listed, track=track, position=number)
            for member in listed.members.all():
                BlendFit.objects.create(song=song, member=member, score=1.0, reason={"terms": {}, "causes": []})
        theirs = Blend.objects.create(name=f"Other {number}")
        host = BlendMember.objects.create(blend=theirs, user=members[1].user, seat=0)
        BlendInvitation.objects.create(blend=theirs, invited_by=host, username=user.username)
        Job.objects.create(kind="history-import", user=user, subject=f"history-import:{history.pk}", state="done")
    retrain(force=True)
    while ModelVersion.objects.count() < len(numbers):
        ModelVersion.objects.create(state=ModelVersion.State.RETIRED, directory=f"v{ModelVersion.objects.count()}")


def pages_of(user: User) -> list[str]:
    """Return the addresses of all pages with a list."""
    song, twin = Track.objects.get(title="Row 0"), Track.objects.filter(title="Version").earliest("pk")
    playlist = user.playlists.get(name="List 0")
    history = HistoryImport.objects.filter(user=user).earliest("pk")
    genre = Genre.objects.get(name="row genre")
    return [
        "/",
        "/songs/",
        f"/songs/?genre={genre.pk}",
        "/songs/?tempo_min=130",
        "/search/?q=row",
        "/search/suggest/?q=row",
        "/genres/",
        genre.get_absolute_url(),
        Artist.objects.get(name="Row artist").get_absolute_url(),
        song.get_absolute_url(),
        twin.get_absolute_url(),
        reverse("recommender:similar", args=[song.pk]),
        reverse("recommender:journey"),
        f"/journey/?start={song.pk}&q=row",
        f"/journey/?start={song.pk}&goal={Track.objects.get(title='Song 0.0').pk}",
        "/taste/",
        "/ratings/",
        "/ratings/?value=dislikes",
        "/history/",
        "/history/?q=row",
        "/history/import/",
        "/players/",
        "/players/servers/",
        reverse("feedback:history_import", args=[history.pk]),
        "/statistics/",
        "/statistics/?period=all",
        "/playlists/",
        playlist.get_absolute_url(),
        reverse("recommender:playlist_fill", args=[playlist.pk]),
        reverse("feedback:track_playlists", args=[song.pk]),
        reverse("feedback:playlist_export", args=[playlist.pk, "jspf"]),
        "/history.csv",
        WeeklyList.objects.filter(user=user).earliest("week").get_absolute_url(),
        "/week/follow/",
        f"/week/{WeeklyList.objects.filter(user=user).earliest('week').pk}.csv",
        "/api/user/weeks?size=100",
        "/blends/",
        f"/blends/{Blend.objects.earliest('pk').pk}/",
        "/api/blends?size=100",
        f"/api/blends/{Blend.objects.earliest('pk').pk}",
        "/api/user/blend-invitations?size=100",
        f"/api/user/weeks/{WeeklyList.objects.filter(user=user).earliest('week').pk}",
        "/start/",
        "/start/artists/",
        "/start/artists/?q=row",
        "/player/queue/",
        "/profile/",
        "/profile/data/",
        "/api/user/tokens?size=100",
        "/api/user/taste/exclusions?size=100",
        "/api/user/blocks?size=100",
        "/api/user/ratings?size=100",
        "/api/user/history?size=100",
        "/api/user/history/imports?size=100",
        f"/api/user/history/imports/{history.pk}/unmatched?size=100",
        "/api/user/taste",
        "/api/user/preferences",
        "/api/playlists?size=100",
        f"/api/playlists/{playlist.pk}?size=100",
        "/api/playback",
        "/api/playback/queue?size=100",
        "/api/songs?size=100",
        "/api/songs/search?q=row&size=100",
        f"/api/songs/{song.pk}/similar",
        f"/api/songs/{song.pk}/playlists",
        "/api/recommendations",
        "/api/recommendations/sections",
        "/api/operator/models?size=100",
        "/operator/",
        "/operator/quality/",
        "/operator/experiments/",
        "/admin/catalog/track/",
        "/admin/jobs/job/",
    ]


def counted(client: Client, user: User) -> dict[str, int]:
    """Return the number of queries of each page once its caches are filled; a streamed file is read to its end."""
    counts = {}
    for address in pages_of(user):
        answer = client.get(address)
        assert answer.status_code == 200, address
        b"".join(answer)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            b"".join(client.get(address))
        counts[address] = len(queries)
    return counts


def test_thirty_rows_take_as_many_queries_as_one(client: Client, user: User) -> None:
    client.force_login(user)
    add_rows(user, range(1))
    single = counted(client, user)
    add_rows(user, range(1, MANY))
    many = counted(client, user)
    grown = {page: (single[page], many[page]) for page in single if many[page] > single[page] + MAY_ADD.get(page, 0)}
    assert grown == {}
