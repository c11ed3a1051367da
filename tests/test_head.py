"""HEAD changes nothing, on any page and for any call: no row is written, and For you stays as it was left."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from catalog.models import Track
from feedback.ratings.models import Rating
from feedback.web.feed_cache import read_cached_feed
from recommender.lifecycle.versions import forget_loaded
from recommender.tests.builders import LOUD, make_catalogue, make_track, make_user
from spotify_rec.api import api
from tests.test_query_counts import add_rows, pages_of

pytestmark = pytest.mark.django_db
WRITES = re.compile(r"^(INSERT|UPDATE|DELETE|REPLACE)\b")
# How many requests were sent is counted for every method.
COUNTS = "accounts_ratecount"


@pytest.fixture
def user(settings: Any, tmp_path: Path) -> Iterator[User]:
    """A listener and operator with a row in every list."""
    settings.MODEL_DIR = tmp_path / "models"
    make_catalogue()
    make_track("Version", ["Twin"], features=LOUD, album="First")
    made = make_user(is_staff=True, is_superuser=True, adventure=0.0)
    EmailAddress.objects.create(user=made, email=made.email, verified=True, primary=True)
    add_rows(made, range(1))
    yield made
    forget_loaded()


def calls_of(user: User) -> list[str]:
    """Return the addresses of all calls that read, with the listener's own IDs."""
    song = Track.objects.get(title="Row 0")
    mine = {
        "song_id": song.pk,
        "user_id": user.pk,
        "artist_id": song.credits.get().artist_id,
        "genre_id": song.genres.first().pk,  # type: ignore[union-attr]
        "playlist_id": user.playlists.get(name="List 0").pk,
        "import_id": user.history_imports.get().pk,
        "page": "7b0b1f40-5b5e-4c55-9b5f-3f2c4f2b2a10",
    }
    questions = {"/api/songs/search": "?q=row", "/api/journey": f"?start={song.pk}&goal={song.pk}"}
    paths = [path for path, calls in api.get_openapi_schema()["paths"].items() if "get" in calls]
    filled = [re.sub(r"{(\w+)}", lambda name: str(mine.get(name[1], 1)), path) for path in paths]
    return [path + questions.get(path, "") for path in filled]


def written(client: Client, address: str) -> list[str]:
    """Return the statements that a HEAD of the address writes with."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.head(address)
    assert answer.status_code < 500, address
    return [query["sql"] for query in queries if WRITES.match(query["sql"]) and COUNTS not in query["sql"]]


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """Return the addresses of all patterns."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern)


def test_head_writes_nothing(client: Client, user: User) -> None:
    client.force_login(user)
    plain = [f"/{path}" for path in patterns(get_resolver()) if not re.search(r"[<(^\\]", path)]
    addresses = sorted({*pages_of(user), *calls_of(user), *plain})
    changed = {address: rows for address in addresses if (rows := written(client, address))}
    assert changed == {}


def test_head_of_for_you_leaves_the_page(client: Client, user: User) -> None:
    client.force_login(user)
    assert client.head("/").status_code == 200
    assert read_cached_feed(user.pk)[0] is None
    client.get("/")
    shown = read_cached_feed(user.pk)
    assert shown[0] is not None

    client.head("/")

    assert read_cached_feed(user.pk) == shown


def test_head_does_not_do_what_a_visitor_pressed(client: Client, user: User) -> None:
    """The like waits for the first request that somebody sees."""
    track = Track.objects.get(title="Song 0.1")
    client.post(reverse("feedback:rate", args=[track.pk]), {"value": 1})
    client.force_login(user)
    client.head("/songs/")
    before = Rating.objects.filter(user=user, track=track).exists()
    client.get("/songs/")
    assert (before, Rating.objects.filter(user=user, track=track).exists()) == (False, True)
