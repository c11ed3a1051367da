"""Log-ins that the music server accepted: it alone judges them, and we keep a digest for some minutes at most."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.cache import cache

from accounts.models import User
from catalog.models import MusicServer
from catalog.sources.subsonic.accounts import username_of
from catalog.sources.subsonic.client import SubsonicError
from catalog.sources.subsonic.passing import PassedClient
from feedback.music_servers.selectors import listener_of, may_be_linked
from recommender.proxy.calls import Call
from recommender.proxy.guessing import WRONG_LOGIN_CODES, count_refusal
from recommender.proxy.keys import cache_key
from recommender.proxy.selectors import Library

SECONDS = 300
# The server answers these to everybody, so that its answer does not refuse a log-in, which a ping has.
_PUBLIC = frozenset({"getOpenSubsonicExtensions"})


@dataclass(frozen=True)
class Session:
    """A call of a linked listener whom the server let in.

    envelope: what the server tells of itself in every answer.
    """

    server: MusicServer
    call: Call
    user: User
    client: PassedClient
    envelope: dict[str, Any]

    @cached_property
    def library(self) -> Library:
        """Return the songs that the server has, read once for the call."""
        return Library(self.server)


def session_of(server: MusicServer, call: Call) -> Session | None:
    """Return the session of a call; ``None`` where the server refuses it, or its listener is not linked."""
    credentials = call.credentials
    is_key = "apiKey" in credentials
    if not call.has_login or not (is_key or may_be_linked(server=server, username=credentials.get("u", ""))):
        return None
    judged = judged_login(server, call)
    user = listener_of(server=server, remote_user=judged["user"]) if judged else None
    if judged is None or user is None:
        return None
    return Session(server, call, user, client_of(server, call), judged["envelope"])


def judged_login(server: MusicServer, call: Call) -> dict[str, Any] | None:
    """Return the name of a call's account ("user", "" if unknown) and the server's "envelope"; ``None`` if refused."""
    credentials = call.credentials
    key = _key(server, credentials)
    judged: dict[str, Any] | None = cache.get(key)
    if judged is None:
        try:
            judged = _judged(server, client_of(server, call), credentials)
        except SubsonicError as error:
            if call.method in _PUBLIC and error.code in WRONG_LOGIN_CODES:
                count_refusal(call)
            # The call is passed on, and the server says why.
            return None
        cache.set(key, judged, SECONDS)
    return judged


def client_of(server: MusicServer, call: Call) -> PassedClient:
    """Return a client with the log-in of a call."""
    has_form_post = dict(server.abilities).get("has_form_post") is True
    return PassedClient(
        server.address, call.credentials, client=call.client, has_form_post=has_form_post, deadline=call.deadline
    )


def _judged(server: MusicServer, client: PassedClient, credentials: dict[str, str]) -> dict[str, Any]:
    """Ask the server, also how it spells a name that no listener has linked. Raise ``SubsonicError`` if it refuses."""
    envelope = client.envelope("ping")
    sent = "" if "apiKey" in credentials else credentials.get("u", "")
    is_known = bool(sent) and listener_of(server=server, remote_user=sent) is not None
    return {"user": sent if is_known else username_of(client, sent), "envelope": envelope}


def _key(server: MusicServer, credentials: dict[str, str]) -> str:
    return cache_key("login", json.dumps([server.pk, server.address, sorted(credentials.items())]))
