"""Reads of the Spotify connection. None of them calls Spotify."""

from typing import Any

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.web_api.client import is_configured


def connection_of(user: User | AnonymousUser) -> SpotifyAccount | None:
    """Return the listener's connection, also one that has ended; None where there is none or no app."""
    if not is_configured() or not isinstance(user, User):
        return None
    return SpotifyAccount.objects.filter(user=user).defer("access_token", "refresh_token").first()


def is_connected(user: User | AnonymousUser) -> bool:
    """Whether Spotify may be asked in the listener's name."""
    account = connection_of(user)
    return account is not None and not account.needs_reconnect


def panel(user: User) -> dict[str, Any]:
    """Return what the profile says of Spotify."""
    return {"spotify_offered": is_configured(), "spotify": connection_of(user)}
