"""A database of release 0.1.0, with rows in every table, comes over to today's tables with every value it had."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import ApiToken, User
from accounts.spotify.models import SpotifyAccount
from accounts.tokens.services import digest_of
from catalog.identity.text import artist_key, recording_key
from feedback.playlists.models import PlaylistItem
from tests.test_upgrade import contents, migrated, tables

pytestmark = pytest.mark.django_db(transaction=True)

RELEASE: list[tuple[str, str | None]] = [
    ("accounts_spotify", "0001_spotify_account"),
    ("jobs", "0001_initial"),
    ("recommender", "0004_names"),
    ("feedback", "0008_names"),
    ("catalog", "0005_covers"),
    ("accounts", "0005_names"),
]
ROWS = 3
AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
KEYS = [f"earworm_key-of-release-{number}" for number in range(ROWS)]
TITLE, ARTIST = "Rain {n} 🌧", "Ännie {n}"


@pytest.fixture
def release() -> Iterator[Any]:
    """Take the tables back to that release; give the models as they were then."""
    try:
        yield migrated(RELEASE)
    finally:
        call_command("migrate", verbosity=0)


def own_values(model: str, n: int) -> dict[str, Any]:
    """Return what row ``n`` of a table cannot have by the type of the column alone."""
    title, artist = TITLE.format(n=n), ARTIST.format(n=n)
    values: dict[str, Any] = {
        "User": {"username": f"reader{n}", "email": f"reader{n}@example.org", "adventure": 0.7, "is_active": n != 0,
                 "time_zone": "Asia/Tokyo"},
        "ApiToken": {"digest": digest_of(KEYS[n])},
        "SpotifyAccount": {"access_token": f"access-{n}", "refresh_token": f"refresh-{n}"},
        "Artist": {"name": artist, "key": artist_key(artist), "search_name": f"annie {n}"},
        "Track": {
            "spotify_id": f"{n:022d}", "title": title, "isrc": f"QZABC000000{n}", "popularity": 60 + n,
            "cover_url": f"https://i.scdn.co/image/{n}", "features": {"tempo": 120.5, "energy": 0.5},
            "tempo": 120.5, "energy": 0.5, "artist_names": artist, "recording_key": recording_key(title, artist),
            "search_key": f"rain {n}", "search_text": f"rain {n} annie {n}", "origin": "csv", "explicit": n == 0,
            "is_active": n != 0,
            "preview_url": "https://example.org/p.mp3", "release_year": 1999,
        },
        # Of three things that are possible each row is another one.
        "Block": dict.fromkeys([name for at, name in enumerate(("track", "artist", "genre")) if at != n]),
        "TasteAdjustment": dict.fromkeys([name for at, name in enumerate(("feature", "artist", "genre")) if at != n])
        | {"factor": 2.5},
        "TasteExclusion": [
            {"since": None, "until": None, "artist": None},
            {"since": None, "until": None, "track": None},
            {"artist": None, "track": None, "until": AT + timedelta(days=1)},
        ][n],
        "ModelVersion": {"state": "active" if n == 1 else "retired", "active_slot": True if n == 1 else None},
        "Recommendation": {"propensity": 0.5, "section": "top"},
        "Job": {"subject": f"subject:{n}", "active_subject": f"subject:{n}" if n == 1 else None,
                "state": "running" if n == 1 else "done", "share": 0.5},
        "Rating": {"value": 1 if n else -1},
        "RateCount": {"key": f"{n:064x}"},
    }  # fmt: skip
    return dict(values.get(model, {}))


def value_of(field: Any, n: int) -> Any:
    """Return a value of the column's type that is not its default."""
    kind = field.get_internal_type()
    if field.choices:
        return [choice for choice, _name in field.choices][-1 - n % 2]
    if kind in ("CharField", "TextField", "FileField"):
        return f"{field.name} {n} ü"[-(field.max_length or 100) :]
    values = {
        "JSONField": {"of row": n, "list": [1.5, "ü"]},
        "BooleanField": field.default is not True,
        "DateTimeField": AT + timedelta(hours=n),
        "UUIDField": UUID(int=n + 1),
    }
    return values.get(kind, n + 1)


class Filler:
    """Writes ``ROWS`` rows into every table of the release."""

    def __init__(self, old: Any) -> None:
        self._old = old
        self._made: dict[str, list[Any]] = {
            "Permission": list(old.get_model("auth", "Permission").objects.order_by("pk")[:ROWS]),
            "Group": [old.get_model("auth", "Group").objects.create(name=f"curators {n}") for n in range(ROWS)],
        }

    def rows(self, model: Any) -> list[Any]:
        """Return the rows of a table, which are written where they are not there yet."""
        name = model.__name__
        if name not in self._made:
            self._made[name] = [model.objects.create(**self._values(model, n)) for n in range(ROWS)]
        return self._made[name]

    def _values(self, model: Any, n: int) -> dict[str, Any]:
        own = own_values(model.__name__, n)
        values = {}
        for field in model._meta.local_concrete_fields:
            if field.name == "id":
                continue
            if field.name in own:
                values[field.name] = own[field.name]
            elif field.is_relation:
                values[field.name] = self.rows(field.related_model)[n]
            else:
                values[field.name] = value_of(field, n)
        return values


def test_every_row_of_the_release_is_there_with_every_value(release: Any) -> None:
    filler = Filler(release)
    labels = [label for label, _name in RELEASE]
    for label in labels:
        for model in release.get_app_config(label).get_models(include_auto_created=True):
            filler.rows(model)
    columns = tables(release, labels)
    before = contents(columns)
    assert {table: len(rows) for table, rows in before.items()} == dict.fromkeys(columns, ROWS)
    assert len(before) > 25

    call_command("migrate", verbosity=0)

    after = contents(columns)
    for table, rows in before.items():
        assert after[table] == rows, table
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
    what_listeners_see()


def what_listeners_see() -> None:
    """Look at the rows through today's pages, calls and services."""
    user = User.objects.get(username="reader1")
    client = Client()
    client.force_login(user)
    title = TITLE.format(n=1)
    assert title in client.get("/search/", {"q": "rain"}).content.decode()
    assert title in client.get("/history/").content.decode()
    assert title in client.get("/ratings/").content.decode()
    item = PlaylistItem.objects.get(playlist__owner=user)
    assert title in client.get(f"/playlists/{item.playlist_id}/").content.decode()
    # What a program was given then opens the site now, and Spotify's tokens can still be read.
    call = Client().get("/api/user/ratings", headers={"Authorization": f"Bearer {KEYS[1]}"})
    assert call.status_code == 200
    assert [row["song"]["title"] for row in json.loads(call.content)["items"]] == [title]
    assert ApiToken.objects.get(user=user).last_used_at is not None
    account = SpotifyAccount.objects.get(user=user)
    assert (account.access_token, account.refresh_token) == ("access-1", "refresh-1")
