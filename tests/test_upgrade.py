"""The database of the first state that was given away comes over to today's tables with nothing lost."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps as current_apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from accounts.models import User
from catalog.identity.text import artist_key, recording_key
from catalog.models import Track

pytestmark = pytest.mark.django_db(transaction=True)

FIRST: list[tuple[str, str | None]] = [
    ("accounts_spotify", None),
    ("jobs", None),
    ("recommender", "0002_recommendation_is_explored"),
    ("feedback", "0002_feedback_source"),
    ("catalog", "0002_search_index"),
    ("accounts", "0002_site_cache_table"),
]
OURS = ("accounts", "catalog", "feedback", "recommender")
AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
PAGE = uuid.UUID(int=7)
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def old_apps() -> Iterator[Any]:
    """Take the tables back to that state; give the models as they were then."""
    try:
        yield migrated(FIRST)
    finally:
        call_command("migrate", verbosity=0)


def migrated(targets: list[tuple[str, str | None]]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    last_migrations = [(app, name) for app, name in targets if name is not None]
    return MigrationExecutor(connection).loader.project_state(last_migrations).apps


def fill(old: Any) -> None:
    """Write a row or more into every table, each column with a value that is not its default."""
    user = old.get_model("accounts", "User").objects.create(
        username="reader", email="reader@example.org", password="x", region="SE", explicit_allowed=False,
        adventure=0.7, created_at=AT, last_login=AT,
    )  # fmt: skip
    user.groups.add(old.get_model("auth", "Group").objects.create(name="curators"))
    user.user_permissions.add(old.get_model("auth", "Permission").objects.first())
    artist = old.get_model("catalog", "Artist").objects.create(
        name="Ännie", key=artist_key("Ännie"), search_name="annie"
    )
    genre = old.get_model("catalog", "Genre").objects.create(name="polka")
    track_model = old.get_model("catalog", "Track")
    tracks = [
        track_model.objects.create(
            spotify_id=f"{number:022d}", title=f"Rain {number} 🌧", album="Weather", popularity=60 + number,
            duration_ms=200_000, explicit=True, release_year=1999, preview_url="https://example.org/p.mp3",
            isrc="QZABC0000007", features={"tempo": 120.5, "energy": 0.7}, features_origin="csv", origin="csv",
            is_active=number != 2, artist_names="Ännie", recording_key=recording_key(f"Rain {number} 🌧", "Ännie"),
            search_key=f"rain {number}",
            search_text=f"rain {number} annie",
        )
        for number in range(3)
    ]  # fmt: skip
    for track in tracks:
        old.get_model("catalog", "TrackArtist").objects.create(track=track, artist=artist, position=1)
        track.genres.add(genre)
    fill_feedback(old, user, tracks, artist, genre)


def fill_feedback(old: Any, user: Any, tracks: list[Any], artist: Any, genre: Any) -> None:
    def create(app: str, model: str, **values: Any) -> Any:
        return old.get_model(app, model).objects.create(**values)

    create("feedback", "ArtistPreference", user=user, artist=artist, created_at=AT)
    create("feedback", "GenrePreference", user=user, genre=genre, created_at=AT)
    for track, value in zip(tracks, (1, -1, 1), strict=True):
        create(
            "feedback", "Rating", user=user, track=track, value=value, created_at=AT, updated_at=AT, source="spotify"
        )
        create("feedback", "Play", user=user, track=track, played_at=AT, ms_played=5000, outcome="skipped",
               source="spotify", is_counted=False, token=uuid.uuid4())  # fmt: skip
    version = create("recommender", "ModelVersion", activated_at=AT, state="active", active_slot=True, directory="old",
                     fingerprint="f", fitted_on={"songs": 3}, metrics={"rows": []}, timings={"fit": 1.5})  # fmt: skip
    create("recommender", "Recommendation", user=user, track=tracks[0], model_version=version, page=PAGE, position=3,
           score=1.25, policy="thompson", propensity=0.5, reason={"terms": {"genre": 1.0}}, is_shown=False,
           is_explored=True, created_at=AT)  # fmt: skip


def tables(old: Any, labels: Iterable[str] = OURS) -> dict[str, list[str]]:
    """Return the columns of our tables as they were, those between two tables among them."""
    models = [model for label in labels for model in old.get_app_config(label).get_models(include_auto_created=True)]
    return {
        model._meta.db_table: sorted(field.column for field in model._meta.local_concrete_fields) for model in models
    }


def contents(columns: dict[str, list[str]]) -> Rows:
    quote, rows = connection.ops.quote_name, {}
    with connection.cursor() as cursor:
        for table, names in columns.items():
            # One table has no id.
            first = quote("id" if "id" in names else names[0])
            cursor.execute(f"SELECT {', '.join(map(quote, names))} FROM {quote(table)} ORDER BY {first}")
            rows[table] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return rows


def test_nothing_is_lost(old_apps: Any) -> None:
    fill(old_apps)
    columns = tables(old_apps)
    before = contents(columns)
    assert [table for table, rows in before.items() if not rows] == []

    call_command("migrate", verbosity=0)

    assert contents(columns) == before
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
    assert {model._meta.db_table for model in current_apps.get_models() if model._meta.managed} <= there
    # The search index and the new columns go with the old rows, too.
    client = Client()
    client.force_login(User.objects.get(username="reader"))
    assert "Rain 1 🌧" in client.get("/search/", {"q": "rain"}).content.decode()
    assert client.get("/ratings/").status_code == client.get("/history/").status_code == 200
    call_command("retrain", verbosity=0)
    page = client.get("/", follow=True)
    assert page.status_code == 200
    assert Track.objects.get(title="Rain 0 🌧").tempo == 120.5
