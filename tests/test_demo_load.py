"""``manage.py load_demo``, and the fixture by itself."""

import re
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from catalog.models import Track
from feedback.plays.models import Play
from feedback.preferences.models import GenrePreference
from feedback.ratings.models import Rating
from recommender.models import ModelVersion
from spotify_rec.demo import load_catalogue, load_listeners, make_log_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def _demo_site(settings: Settings, tmp_path: Path) -> None:
    # pytest-django runs tests with DEBUG off.
    settings.DEBUG = True
    settings.MODEL_DIR = tmp_path / "models"


def _counts() -> tuple[int, ...]:
    return tuple(model._default_manager.count() for model in (User, Track, Rating, Play, GenrePreference))


def _load_demo() -> str:
    out = StringIO()
    call_command("load_demo", stdout=out, stderr=out)
    return out.getvalue()


def _password(output: str, username: str) -> str:
    match = re.search(rf"{username}  password  (\S+)", output)
    assert match
    return match[1]


@pytest.mark.usefixtures("_demo_site")
def test_loads_songs_listeners_a_model_and_two_log_ins(client: Client) -> None:
    output = _load_demo()

    assert set(Track.objects.values_list("origin", "features_origin")) == {("demo", "demo")}
    assert Track.objects.count() == 3000
    assert User.objects.count() == 13
    assert ModelVersion.objects.get().state == ModelVersion.State.ACTIVE
    assert "http://127.0.0.1:" in output
    assert "demo listeners: 12 created" in output
    assert client.login(username="listener", password=_password(output, "listener"))
    assert client.login(username="operator", password=_password(output, "operator"))
    assert list(User.objects.filter(is_superuser=True).values_list("username", flat=True)) == ["operator"]
    assert not User.objects.get(username="demo_liv").has_usable_password()


@pytest.mark.usefixtures("_demo_site")
def test_a_second_run_changes_only_the_passwords() -> None:
    first = _load_demo()
    before = _counts()
    changed = Rating.objects.filter(user__username="listener", value=1)[0]
    Rating.objects.filter(pk=changed.pk).update(value=-1)
    undone = Rating.objects.filter(user__username="demo_liv")[0]
    undone.delete()
    User.objects.filter(username="listener").update(adventure=0.9)

    second = _load_demo()

    users, tracks, ratings, *others = before
    assert _counts() == (users, tracks, ratings - 1, *others)
    changed.refresh_from_db()
    assert changed.value == -1
    assert User.objects.get(username="listener").adventure == 0.9
    assert "demo songs: 0 created, 0 updated, 3,000 unchanged" in second
    assert "demo listeners: 0 created" in second
    assert _password(first, "listener") != _password(second, "listener")


def test_refuses_outside_debug(settings: Settings) -> None:
    settings.DEBUG = False

    with pytest.raises(CommandError, match="it only runs when DEBUG is true"):
        _load_demo()
    assert _counts() == (0, 0, 0, 0, 0)


def test_the_fixture_loads_by_name_after_the_import() -> None:
    load_catalogue()

    call_command("loaddata", "demo_listeners", verbosity=0)

    assert User.objects.count() == 12
    assert set(GenrePreference.objects.filter(user__username="listener").values_list("genre__name", flat=True)) == {
        *("folk", "indie-pop", "singer-songwriter", "jazz"),
    }
    assert not Rating.objects.exclude(track__origin=Track.Origin.DEMO).exists()


def test_feedback_ends_now_and_keeps_its_spacing() -> None:
    load_catalogue()
    load_listeners()

    times = [moment for model, field in ((Rating, "updated_at"), (Play, "played_at"))
             for moment in model._default_manager.values_list(field, flat=True)]  # fmt: skip
    assert timedelta(0) <= timezone.now() - max(times) < timedelta(minutes=5)
    assert timedelta(days=115) < max(times) - min(times) <= timedelta(days=121)
    assert User.objects.order_by("created_at")[0].created_at < min(times)


def test_somebody_elses_account_of_that_name_is_left_alone() -> None:
    theirs = User.objects.create_user("operator", "boss@radio.example", "their own password")

    assert make_log_in(username="operator", is_operator=True).password is None
    theirs.refresh_from_db()
    assert theirs.check_password("their own password")
    assert not theirs.is_superuser


def test_a_listener_whose_name_or_address_is_taken_is_not_loaded() -> None:
    load_catalogue()
    User.objects.create_user("Demo_Liv", "liv@radio.example", "x")
    User.objects.create_user("somebody", "demo.kazi@example.org", "x")

    assert load_listeners() == 10
    assert not Rating.objects.filter(user__username__in=["Demo_Liv", "somebody"]).exists()
