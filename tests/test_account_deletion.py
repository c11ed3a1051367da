"""A deleted account leaves no row in any table that knows listeners."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client

from accounts.models import User
from catalog.models import Artist, Genre, Track
from feedback.models import ArtistPreference, GenrePreference, Play, Rating
from feedback.tests.factories import PASSWORD, UserFactory, make_track
from recommender.models import ModelVersion, Recommendation

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


def _group(user: User, _track: Track) -> Model:
    user.groups.add(Group.objects.get_or_create(name="curators")[0])
    return User.groups.through.objects.get(user=user)


def _permission(user: User, _track: Track) -> Model:
    user.user_permissions.add(Permission.objects.order_by("pk")[0])
    return User.user_permissions.through.objects.get(user=user)


MAKERS: dict[str, Callable[[User, Track], Any]] = {
    "feedback.Rating": lambda user, track: Rating.objects.create(user=user, track=track, value=1),
    "feedback.Play": lambda user, track: Play.objects.create(user=user, track=track, token=uuid4()),
    "feedback.GenrePreference": lambda user, _track: GenrePreference.objects.create(
        user=user, genre=Genre.objects.get_or_create(name="pop")[0]
    ),
    "feedback.ArtistPreference": lambda user, _track: ArtistPreference.objects.create(
        user=user, artist=Artist.objects.order_by("pk")[0]
    ),
    "recommender.Recommendation": _recommendation,
    "account.EmailAddress": lambda user, _track: EmailAddress.objects.create(user=user, email=user.email, primary=True),
    "admin.LogEntry": _log_entry,
    "accounts.User_groups": _group,
    "accounts.User_user_permissions": _permission,
}


def models_of_listeners() -> dict[str, type[Model]]:
    """Return every table with a column that names a listener, by label."""
    return {
        model._meta.label: model
        for model in apps.get_models(include_auto_created=True)
        if any(field.is_relation and field.many_to_one and field.related_model is User for field in model._meta.fields)
    }


def user_column(model: type[Model]) -> str:
    return next(field.name for field in model._meta.fields if field.related_model is User)


def test_every_such_table_is_known_here() -> None:
    assert set(models_of_listeners()) == set(MAKERS)


def test_rows_of_the_listener_go_and_rows_of_others_stay(client: Client) -> None:
    leaving, staying = UserFactory(), UserFactory()
    for user in (leaving, staying):
        for number, make in enumerate(MAKERS.values()):
            make(user, make_track(f"Song {number} of {user}"))
    client.force_login(leaving)
    assert client.post("/profile/delete/", {"password": PASSWORD}).status_code == 302
    for label, model in models_of_listeners().items():
        owners = set(model._default_manager.values_list(user_column(model), flat=True))
        assert owners == {staying.pk}, label
    assert list(User.objects.all()) == [staying]
