"""Invented listeners for measuring. Imported only after ``django.setup()``."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from accounts.models import User
from feedback.models import Rating


def make_listener(name: str, likes: list[int]) -> str:
    """Create a listener who likes the tracks of these ids; return the key of a logged-in session."""
    user = User.objects.create_user(name, f"{name}@example.org")
    Rating.objects.bulk_create(Rating(user=user, track_id=pk, value=Rating.Value.LIKE) for pk in likes)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)
