"""Codes that link an account without its password: whoever enters the code in a player has shown whose account it is.

The listener makes a playlist there with the code as its name; the proxy sees it, once the server accepted the log-in.
"""

import re
import secrets

from django.core.cache import cache

from accounts.digests import keyed_digest
from accounts.limits.limiter import limit_of, wait_seconds
from accounts.models import User
from catalog.models import MusicServer
from catalog.sources.subsonic.accounts import username_key
from feedback.music_servers.models import ServerAccount
from feedback.music_servers.services import LinkError, link_confirmed

SECONDS = 900
# Without letters and digits that look alike. 40 bits last for a quarter of an hour.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUP = f"([{_ALPHABET}]{{4}})"
_CODE = re.compile(rf"\s*link[ -]?{_GROUP}[ -]?{_GROUP}\s*", re.IGNORECASE | re.ASCII)


class CodeError(LinkError):
    """The code is none, has expired, or was used; or too many were tried."""


def create_code(*, user: User, server: MusicServer) -> str:
    """Return a new code for the listener, which ends the one before."""
    groups = ["".join(secrets.choice(_ALPHABET) for _number in range(4)) for _group in range(2)]
    code = "-".join(("link", *groups))
    cache.set(_key(server, code), user.pk, SECONDS)
    cache.set(_key(server, f"user {user.pk}"), _key(server, code), SECONDS)
    return code


def code_in(name: str) -> str:
    """Return the code that the name of a playlist is, "" where it is another name."""
    match = _CODE.fullmatch(name)
    return f"link-{match[1]}-{match[2]}".lower() if match else ""


def link_by_code(*, server: MusicServer, remote_user: str, code: str) -> ServerAccount:
    """Link an account that the server accepted with the listener whose code it is. It works once.

    Raise ``LinkError``.
    """
    if wait_seconds(limit_of("server_login"), f"code {server.pk} {username_key(remote_user)}"):
        raise CodeError
    key = _key(server, code)
    user = User.objects.filter(pk=cache.get(key, 0), is_active=True).first()
    if user is None or cache.get(_key(server, f"user {user.pk}")) != key or not cache.delete(key):
        raise CodeError
    return link_confirmed(user=user, server=server, remote_user=remote_user)


def _key(server: MusicServer, text: str) -> str:
    """Return a key of the cache that tells nobody the code."""
    return f"feedback:link-code:{keyed_digest(f'{server.pk} {text}')}"
