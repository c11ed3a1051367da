"""The songs that a server has, by our ids and by its own, and what it says of each."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from django.core.cache import cache

from catalog.models import MusicServer, ServerSong
from catalog.sources.subsonic.client import SubsonicError
from recommender.proxy.keys import cache_key
from recommender.proxy.logins import Session

BODY_SECONDS = 600
# Songs are fetched one by one: by so many connections, and as long as a player waits.
_CONNECTIONS, _WAIT_SECONDS = 4, 12.0


class Library:
    """The songs that a server has now and the site shows; one query when it is first used."""

    def __init__(self, server: MusicServer) -> None:
        self.server = server

    @cached_property
    def remote_ids(self) -> dict[int, str]:
        """Return the server's id of each song, by ours."""
        rows = ServerSong.objects.filter(server=self.server, gone_at=None, track__is_active=True)
        return dict(rows.order_by("-pk").values_list("track_id", "remote_id"))

    def tracks_of(self, remote_ids: Sequence[str]) -> dict[str, int]:
        """Return our ids of some songs by the server's."""
        rows = ServerSong.objects.filter(server=self.server, gone_at=None, remote_id__in=remote_ids[:1000])
        return dict(rows.order_by().values_list("remote_id", "track_id"))


def bodies(session: Session, library: Library, track_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return what the server says of songs, in their order; those that it does not give in time are missing."""
    remote = {pk: library.remote_ids[pk] for pk in track_ids if pk in library.remote_ids}
    keys = {pk: _key(session, text) for pk, text in remote.items()}
    known: dict[str, dict[str, Any]] = cache.get_many(list(keys.values()))
    fetched = _fetched(session, {pk: text for pk, text in remote.items() if keys[pk] not in known})
    cache.set_many({keys[pk]: body for pk, body in fetched.items()}, BODY_SECONDS)
    by_track = {pk: known.get(keys[pk]) or fetched.get(pk) for pk in remote}
    return {pk: body for pk, body in by_track.items() if body is not None}


def forget_bodies(session: Session, remote_ids: Iterable[str]) -> None:
    """Fetch songs anew that the listener starred or rated."""
    cache.delete_many([_key(session, text) for text in remote_ids])


def _fetched(session: Session, remote_ids: Mapping[int, str]) -> dict[int, dict[str, Any]]:
    deadline = time.monotonic() + _WAIT_SECONDS

    def fetch(remote_id: str) -> dict[str, Any] | None:
        if time.monotonic() > deadline:
            return None
        try:
            song = session.client.call("getSong", {"id": remote_id}).get("song")
        except SubsonicError:
            return None
        return song if isinstance(song, dict) and song.get("id") and song.get("title") else None

    if not remote_ids:
        return {}
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        songs = list(pool.map(fetch, remote_ids.values()))
    return {pk: song for pk, song in zip(remote_ids, songs, strict=True) if song is not None}


def _key(session: Session, remote_id: str) -> str:
    # A body says what the listener starred and rated.
    return cache_key("song", f"{session.server.pk}\n{session.user.pk}\n{remote_id}")
