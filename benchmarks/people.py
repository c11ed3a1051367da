"""Invented listeners for measuring. Imported only after ``django.setup()``."""

from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone

from accounts.models import User
from catalog.models import Track
from feedback.playlists.services import create_playlist
from feedback.plays.models import Play
from feedback.ratings.models import Rating


def make_listener(name: str, likes: list[int]) -> str:
    """Create a listener who likes the tracks of these ids; return the key of a logged-in session."""
    user = User.objects.create_user(name, f"{name}@example.org")
    Rating.objects.bulk_create(Rating(user=user, track_id=pk, value=Rating.Value.LIKE) for pk in likes)
    return _session_of(user)


def make_busy_listener(name: str, likes: list[int], plays: list[int]) -> tuple[str, int]:
    """Create an operator who likes and played (over three years) these tracks, with 40 playlists.

    Returns the key of a logged-in session and the id of a playlist of 200 songs.
    """
    user = User.objects.create_user(name, f"{name}@example.org", is_staff=True, is_superuser=True)
    now, step = timezone.now(), timedelta(days=1095) / max(len(plays), 1)
    Rating.objects.bulk_create(
        Rating(user=user, track_id=pk, value=Rating.Value.LIKE, updated_at=now - position * step)
        for position, pk in enumerate(likes)
    )
    outcomes = (Play.Outcome.COMPLETED, Play.Outcome.COMPLETED, Play.Outcome.SKIPPED)
    Play.objects.bulk_create(
        Play(user=user, track_id=pk, played_at=now - position * step, outcome=outcomes[position % 3], ms_played=180_000)
        for position, pk in enumerate(plays)
    )
    songs = list(Track.objects.in_bulk(likes[:200]).values())
    lists = [
        create_playlist(owner=user, name=f"List {number}", tracks=songs[: 200 - 5 * number]) for number in range(40)
    ]
    return _session_of(user), lists[0].pk


def _session_of(user: User) -> str:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)
