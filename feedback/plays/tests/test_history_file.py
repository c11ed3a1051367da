"""The history narrowed, and as a file."""

import csv
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Track
from feedback.plays.models import Play
from feedback.tests.factories import PlayFactory, UserFactory, make_track


def _at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def play(user: User, title: str, *moment: int, artist: str = "Someone", **columns: Any) -> Play:
    genres = columns.pop("genres", ())
    track = make_track(title, artist=artist, genres=genres)
    return PlayFactory(user=user, track=track, played_at=_at(*moment), **columns)


def test_the_history_is_narrowed_by_outcome(listener: Client, user: User) -> None:
    for outcome in Play.Outcome.values:
        PlayFactory(user=user, track=make_track(outcome), outcome=outcome)
    assert [track.title for track in listener.get("/history/", {"outcome": "skipped"}).context["tracks"]] == ["skipped"]
    assert len(listener.get("/history/", {"outcome": "x"}).context["tracks"]) == 3
    assert "No matching plays" in listener.get("/history/", {"outcome": "skipped", "q": "started"}).content.decode()


def test_the_history_as_a_file(listener: Client, user: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    song = play(user, "=SUM(A1)", 2026, 3, 1, 10, ms_played=1000, outcome="skipped").track
    play(user, "Later", 2026, 3, 2, 10)
    play(UserFactory(), "Theirs", 2026, 3, 2, 10)
    with django_assert_num_queries(6):
        answer = listener.get("/history.csv", {"q": "sum"})
        rows = list(csv.DictReader(StringIO(b"".join(answer).decode(), newline="")))
    assert answer["Content-Disposition"] == 'attachment; filename="history.csv"'
    assert rows == [
        {
            "played_at": "2026-03-01T10:00:00+00:00",
            "outcome": "skipped",
            "ms_played": "1000",
            "source": "site",
            "title": "'=SUM(A1)",
            "artists": "Someone",
            "album": "",
            "duration_ms": "",
            "spotify_id": "",
            "url": f"http://testserver/songs/{song.pk}/",
            "own_song": "",
        }
    ]
    Track.objects.filter(title="Later").update(spotify_id="demo" + "1" * 18)
    answer = listener.get("/history.csv")
    lines = b"".join(answer).decode().splitlines()
    assert len(lines) == 3
    assert "demo" not in lines[1]
