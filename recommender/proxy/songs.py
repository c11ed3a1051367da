"""What the music server says of the songs that it has."""

import json
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.cache import cache, caches

from catalog.sources.subsonic.client import SubsonicError
from recommender.proxy.keys import cache_key
from recommender.proxy.logins import Session

BODY_SECONDS = 600
# Thousands of songs would throw the rate limits out of the cache that all processes share.
SONGS_CACHE = "songs"
_LONGEST_BODY = 8_000
# Songs and albums are fetched one by one, by so many connections.
_CONNECTIONS = 4
Body = dict[str, Any]


def bodies(session: Session, track_ids: Iterable[int]) -> dict[int, Body]:
    """Return what the server says of songs, in their order; those that it does not give in time are missing."""
    remote_ids = session.library.remote_ids
    remote = {pk: remote_ids[pk] for pk in track_ids if pk in remote_ids}
    version = cache.get(_version_key(session), "")
    keys = {text: _key(session, version, text) for text in remote.values()}
    known: dict[str, Body] = caches[SONGS_CACHE].get_many(list(keys.values()))
    fetched = songs_of(session, (text for text in remote.values() if keys[text] not in known))
    short = {keys[text]: body for text, body in fetched.items() if len(json.dumps(body)) <= _LONGEST_BODY}
    caches[SONGS_CACHE].set_many(short, BODY_SECONDS)
    by_track = {pk: known.get(keys[text]) or fetched.get(text) for pk, text in remote.items()}
    return {pk: body for pk, body in by_track.items() if body is not None}


def forget_bodies(session: Session) -> None:
    """Fetch the listener's songs anew, in every process: one of them was starred or rated."""
    cache.set(_version_key(session), secrets.token_hex(8), BODY_SECONDS)


def songs_of(session: Session, remote_ids: Iterable[str]) -> dict[str, Body]:
    """Return songs by the server's ids, without those that it does not give in time."""
    songs = fetch_all(session, "getSong", "song", remote_ids)
    return {remote_id: song for remote_id, song in songs.items() if song.get("id") and song.get("title")}


def fetch_all(session: Session, method: str, name: str, remote_ids: Iterable[str]) -> dict[str, Body]:
    """Return ``name`` of the answers to a call for each id, in their order; what fails or comes too late is missing."""
    wanted = list(dict.fromkeys(remote_ids))

    def fetch(remote_id: str) -> Body | None:
        try:
            body = session.client.call(method, {"id": remote_id}).get(name)
        except SubsonicError:
            return None
        return body if isinstance(body, dict) else None

    if not wanted:
        return {}
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        answers = list(pool.map(fetch, wanted))
    return {remote_id: body for remote_id, body in zip(wanted, answers, strict=True) if body is not None}


def _key(session: Session, version: str, remote_id: str) -> str:
    # A body says what the listener starred and rated.
    return cache_key("song", f"{session.server.pk}\n{session.user.pk}\n{version}\n{remote_id}")


def _version_key(session: Session) -> str:
    return cache_key("songs", f"{session.server.pk}\n{session.user.pk}")
