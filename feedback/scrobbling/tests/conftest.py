"""A listener with a player token, and a player that speaks ListenBrainz."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import Track
from feedback.scrobbling.keys import create_key
from feedback.tests.factories import UserFactory, make_track

Call = Callable[..., Any]
# Long ago enough for every song to be over.
START = int(time.time()) // 60 * 60 - 86_400


@pytest.fixture
def user(db: None) -> User:
    return UserFactory(username="ada", pk=900_001)


@pytest.fixture
def token(user: User) -> str:
    return create_key(user=user, name="Navidrome")[1]


@pytest.fixture
def song(db: None) -> Track:
    return make_track("Song 01", artist="Ada Lane", duration_ms=180_000)


@pytest.fixture
def other_song(db: None) -> Track:
    return make_track("Song 02", artist="Ada Lane", duration_ms=200_000)


def listen(title: str = "Song 01", at: float | None = None, **more: Any) -> dict[str, Any]:
    """Return one entry of a payload; ``more`` goes into its additional information."""
    meta: dict[str, Any] = {"track_name": title, "artist_name": more.pop("artist", "Ada Lane")}
    if more:
        meta["additional_info"] = more
    return {"track_metadata": meta} | ({} if at is None else {"listened_at": at})


@pytest.fixture
def submit(token: str) -> Call:
    """Return what submits listens as a player does."""

    def call(*listens: Any, kind: str = "single", key: str = token, agent: str = "player/1.0") -> Any:
        body = json.dumps({"listen_type": kind, "payload": listens})
        headers = {"Authorization": f"Token {key}", "User-Agent": agent}
        return Client().post("/1/submit-listens", body, content_type="application/json", headers=headers)

    return call
