"""Whose log-in it is, as the server says."""

import unicodedata

from catalog.sources.subsonic.client import SubsonicClient, SubsonicError


def username_key(username: str) -> str:
    """Return what usernames have in common that differ in letter case alone: many servers take them for one account."""
    return unicodedata.normalize("NFC", username).casefold()


def username_of(client: SubsonicClient, sent: str) -> str:
    """Return the username of the client's account as the server spells it, "" where it doesn't say whose key it is.

    ``sent``: the username that was sent and accepted, "" with an API key. It stays as it is where the server doesn't
    tell its spelling. Raise ``SubsonicError``.
    """
    if not sent:
        # A key alone does not say whose it is (extension "apiKeyAuthentication").
        return _text(client.call("tokenInfo").get("tokenInfo"))
    try:
        name = _text(client.call("getUser", {"username": sent}).get("user"))
    except SubsonicError:
        return sent
    return name if username_key(name) == username_key(sent) else sent


def _text(row: object) -> str:
    name = row.get("username") if isinstance(row, dict) else None
    return name if isinstance(name, str) and "\x00" not in name else ""
