"""A deleted account leaves no row in any table that knows listeners."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, StoredResponse, User
from accounts.personal_data.export import personal_tables
from accounts.spotify.models import SpotifyAccount
from catalog.models import AddedSong, Artist, Genre, MusicServer, Track
from feedback.history_import.models import HistoryImport, UnmatchedSong
from feedback.music_servers.models import PushedPlaylist, ServerAccount, ServerMark
from feedback.playlists.models import Playlist, PlaylistItem
from feedback.plays.models import Play, RemovedDouble
from feedback.preferences.models import ArtistPreference, Block, GenrePreference, TasteAdjustment, TasteExclusion
from feedback.queue.models import PlayQueue, QueueItem
from feedback.ratings.models import Rating
from feedback.scrobbling.models import OldProtocols, Scrobble, ScrobbledSong, ScrobbleKey
from feedback.spotify_import.models import SpotifyImport, SpotifyPlaylist, SpotifyPlaylistImport
from feedback.tests.factories import PASSWORD, UserFactory, make_track
from feedback.year_review.models import YearShare
from jobs.models import Job
from recommender.models import (
    Blend,
    BlendFit,
    BlendInvitation,
    BlendMember,
    BlendRefusal,
    BlendSong,
    Experiment,
    ExperimentEvent,
    ModelVersion,
    Recommendation,
    WeeklyEmail,
    WeeklyFeed,
    WeeklyList,
    WeeklySong,
)

pytestmark = pytest.mark.django_db


def _recommendation(user: User, track: Track) -> Model:
    number = ModelVersion.objects.count()
    version = ModelVersion.objects.create(directory=f"model-{number}", fingerprint="0")
    return Recommendation.objects.create(
        user=user, track=track, model_version=version, page=uuid4(), position=0, score=1.0, policy="p", propensity=1.0
    )


def _log_entry(user: User, track: Track) -> Model:
    content_type = ContentType.objects.get_for_model(Track)
    return LogEntry.objects.create(user=user, content_type=content_type, object_id=str(track.pk), action_flag=CHANGE)


def _blend_member(user: User, _track: Track) -> Model:
    return BlendMember.objects.create(user=user, blend=Blend.objects.create(name="Kitchen"), seat=0)


def _blend_fit(user: User, track: Track) -> Model:
    member = BlendMember.objects.get(user=user)
    song = BlendSong.objects.create(blend=member.blend, track=track, position=0)
    return BlendFit.objects.create(song=song, member=member, score=1.0, reason={"terms": {}, "causes": []})


def _group(user: User, _track: Track) -> Model:
    user.groups.add(Group.objects.get_or_create(name="curators")[0])
    return User.groups.through.objects.get(user=user)


def _permission(user: User, _track: Track) -> Model:
    user.user_permissions.add(Permission.objects.order_by("pk")[0])
    return User.user_permissions.through.objects.get(user=user)


MAKERS: dict[str, Callable[[User, Track], Any]] = {
    "feedback.Rating": lambda user, track: Rating.objects.create(user=user, track=track, value=1),
    "feedback.Play": lambda user, track: Play.objects.create(user=user, track=track, token=uuid4()),
    "feedback.RemovedDouble": lambda user, track: RemovedDouble.objects.create(
        user=user, track=track, played_at=timezone.now(), outcome="started", source="history", token=uuid4(), digest=1
    ),
    "catalog.AddedSong": lambda user, track: AddedSong.objects.create(user=user, track=track),
    "feedback.GenrePreference": lambda user, _track: GenrePreference.objects.create(
        user=user, genre=Genre.objects.get_or_create(name="pop")[0]
    ),
    "feedback.ArtistPreference": lambda user, _track: ArtistPreference.objects.create(
        user=user, artist=Artist.objects.order_by("pk")[0]
    ),
    "feedback.Playlist": lambda user, _track: Playlist.objects.create(owner=user, name="Mine"),
    "feedback.Block": lambda user, track: Block.objects.create(user=user, track=track),
    "feedback.TasteAdjustment": lambda user, _track: TasteAdjustment.objects.create(
        user=user, feature="tempo", factor=2
    ),
    "feedback.TasteExclusion": lambda user, track: TasteExclusion.objects.create(user=user, track=track),
    "accounts.ApiToken": lambda user, _track: ApiToken.objects.create(user=user, name="Mine", digest=str(user.pk)),
    "accounts.StoredResponse": lambda user, _track: StoredResponse.objects.create(user=user, key_digest="1"),
    "feedback.HistoryImport": lambda user, _track: HistoryImport.objects.create(user=user, name="history.zip"),
    "jobs.Job": lambda user, _track: Job.objects.create(user=user, kind="retrain"),
    "recommender.Recommendation": _recommendation,
    "recommender.ExperimentEvent": lambda user, _track: ExperimentEvent.objects.create(
        user=user, action="created", experiment=Experiment.objects.create(name=f"Of {user}", salt="")
    ),
    "account.EmailAddress": lambda user, _track: EmailAddress.objects.create(user=user, email=user.email, primary=True),
    "admin.LogEntry": _log_entry,
    "accounts.User_groups": _group,
    "accounts.User_user_permissions": _permission,
    "feedback.PlayQueue": lambda user, _track: PlayQueue.objects.create(user=user),
    "feedback.QueueItem": lambda user, track: QueueItem.objects.create(
        queue=PlayQueue.objects.get(user=user), track=track, position=0, original_position=0
    ),
    "feedback.PlaylistItem": lambda user, track: PlaylistItem.objects.create(
        playlist=Playlist.objects.get(owner=user), track=track, position=0
    ),
    "feedback.UnmatchedSong": lambda user, _track: UnmatchedSong.objects.create(
        history_import=HistoryImport.objects.get(user=user), digest=1, title="Lost", artist="Nobody"
    ),
    "feedback.SpotifyImport": lambda user, _track: SpotifyImport.objects.create(user=user),
    "feedback.SpotifyPlaylistImport": lambda user, _track: SpotifyPlaylistImport.objects.create(
        user=user, spotify_id="p" * 22, into="likes"
    ),
    "feedback.SpotifyPlaylist": lambda user, _track: SpotifyPlaylist.objects.create(
        user=user, kind="likes", spotify_id="1"
    ),
    "accounts_spotify.SpotifyAccount": lambda user, _track: SpotifyAccount.objects.create(
        user=user, account_id=str(user.pk), access_token="a", refresh_token="r", expires_at=timezone.now()
    ),
    "mfa.Authenticator": lambda user, _track: Authenticator.objects.create(
        user=user, type="totp", data={"secret": "sealed"}
    ),
    "socialaccount.SocialAccount": lambda user, _track: SocialAccount.objects.create(
        user=user, provider="spotify", uid=str(user.pk)
    ),
    "socialaccount.SocialToken": lambda user, _track: SocialToken.objects.create(
        account=SocialAccount.objects.get(user=user), token="t", token_secret="s"
    ),
    "feedback.ScrobbleKey": lambda user, _track: ScrobbleKey.objects.create(
        user=user, name="Phone", digest=str(user.pk)
    ),
    "recommender.WeeklyList": lambda user, _track: WeeklyList.objects.create(
        user=user, week=date(2026, 11, 30), day=date(2026, 11, 30), expected=3.0, basis="prior"
    ),
    "recommender.WeeklySong": lambda user, track: WeeklySong.objects.create(
        weekly_list=WeeklyList.objects.get(user=user), position=0, track=track, name="Song", probability=0.5
    ),
    "recommender.WeeklyFeed": lambda user, _track: WeeklyFeed.objects.create(user=user, digest=str(user.pk)),
    "recommender.WeeklyEmail": lambda user, _track: WeeklyEmail.objects.create(
        user=user, origin="https://songs.example.org"
    ),
    "recommender.BlendMember": _blend_member,
    "recommender.BlendFit": _blend_fit,
    "recommender.BlendInvitation": lambda user, _track: BlendInvitation.objects.create(
        blend=Blend.objects.get(members__user=user), invited_by=BlendMember.objects.get(user=user), username="nobody"
    ),
    "recommender.BlendRefusal": lambda user, _track: BlendRefusal.objects.create(
        user=user, blend=Blend.objects.get(members__user=user)
    ),
    "feedback.YearShare": lambda user, _track: YearShare.objects.create(
        user=user, year=2026, ends_at=timezone.now() + timedelta(days=7)
    ),
    "feedback.OldProtocols": lambda user, _track: OldProtocols.objects.create(user=user),
    "feedback.ServerAccount": lambda user, _track: ServerAccount.objects.create(
        user=user, server=MusicServer.objects.get_or_create(address="http://music.test")[0], remote_user="ada"
    ),
    "feedback.ServerMark": lambda user, _track: ServerMark.objects.create(
        account=ServerAccount.objects.get(user=user), remote_id="so-1", value=1
    ),
    "feedback.PushedPlaylist": lambda user, _track: PushedPlaylist.objects.create(
        account=ServerAccount.objects.get(user=user), kind="for_you"
    ),
    "feedback.ScrobbledSong": lambda user, track: ScrobbledSong.objects.create(
        user=user, digest=1, name_digest=1, title="Lost", artist="Nobody", track=track
    ),
    "feedback.Scrobble": lambda user, _track: Scrobble.objects.create(
        user=user,
        key=ScrobbleKey.objects.get(user=user),
        song=ScrobbledSong.objects.get(user=user),
        play=Play.objects.get(user=user),
        digest=1,
        listened_at=timezone.now(),
        started_at=timezone.now(),
    ),
    "account.EmailConfirmation": lambda user, _track: EmailConfirmation.objects.create(
        email_address=EmailAddress.objects.get(user=user), key=str(user.pk)
    ),
}


# The site's log of experiments stays, without the operator's name.
NAMELESS = {"recommender.ExperimentEvent"}


def test_every_table_that_knows_listeners_is_known_here() -> None:
    assert {table.label for table in personal_tables()} == {"accounts.User", *MAKERS}


def test_rows_of_the_listener_go_and_rows_of_others_stay(client: Client) -> None:
    leaving, staying = UserFactory(), UserFactory()
    for user in (leaving, staying):
        for number, make in enumerate(MAKERS.values()):
            make(user, make_track(f"Song {number} of {user}"))
    gone = {table: list(table.rows_of(leaving).values_list("pk", flat=True)) for table in personal_tables()}
    assert all(gone.values())
    client.force_login(leaving)
    assert client.post("/profile/delete/", {"password": PASSWORD}).status_code == 302
    for table, rows in gone.items():
        left = table.model._default_manager.filter(pk__in=rows)
        assert left.count() == (len(rows) if table.label in NAMELESS else 0), table.label
        assert not table.rows_of(leaving).exists(), table.label
        assert table.rows_of(staying).exists(), table.label
    assert list(User.objects.all()) == [staying]
