"""A small sandbox world, and a listener of the site who is connected with it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from django.test import Client, override_settings
from django.utils import timezone

from accounts.models import User
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.provider import SCOPES
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import Grant, Listener, Song, World, spotify_id
from accounts.spotify.services import connect


def song(number: int) -> Song:
    return Song(
        id=spotify_id(f"song {number}"),
        title=f"Song {number}",
        artists=(f"Artist {number % 5}", *(["Guest"] if number % 7 == 0 else [])),
        album=f"Album {number % 10}",
        isrc=f"QZABC{number:07d}",
        duration_ms=180_000 + number,
        explicit=number % 3 == 0,
        year=2000 + number % 20,
    )


def world() -> World:
    songs = [song(number) for number in range(130)]
    ids = [track.id for track in songs]
    device = {"id": "laptop", "name": "Ada's laptop"}
    ada = Listener(
        "ada",
        "Ada",
        top=ids[:60],
        saved=ids[20:80],
        recent=ids[:30],
        followed=["Artist 0", "Artist 1"],
        devices=[device],
    )
    bo = Listener("bo", "Bo", is_premium=False, top=ids[:3], devices=[{"id": "phone", "name": "Bo's phone"}])
    eve = Listener("eve", "Eve", is_allowed=False)
    return World(songs, [ada, bo, eve])


@contextmanager
def running_sandbox(made: World | None = None) -> Iterator[SandboxServer]:
    """Run a sandbox, and point the site at it."""
    with SandboxServer(made or world()) as server, override_settings(**site_settings(server)):
        yield server


def site_settings(server: SandboxServer) -> dict[str, str]:
    return {
        "SPOTIFY_CLIENT_ID": server.world.client_id,
        "SPOTIFY_CLIENT_SECRET": server.world.client_secret,
        "SPOTIFY_ACCOUNTS_URL": server.url,
        "SPOTIFY_API_URL": f"{server.url}/v1/",
    }


def connected(user: User, server: SandboxServer, listener_id: str = "ada", *, seconds: int = 3600) -> SpotifyAccount:
    """Connect ``user`` as the callback would; the access token has ``seconds`` left."""
    made = server.world
    grant = Grant(listener_id, " ".join(SCOPES), 0.0, made.client_id)
    tokens = made.add_tokens(grant)
    return connect(
        user=user,
        account_id=made.listeners[listener_id].account_id,
        display_name=made.listeners[listener_id].name,
        access_token=tokens["access_token"],
        refresh_token=tokens["refresh_token"],
        expires_at=timezone.now() + timedelta(seconds=seconds),
        scopes=SCOPES,
    )


def callback_of(client: Client, start: str, listener: str = "ada", answer: str = "agree") -> str:
    """Go to the sandbox as a browser would, answer there, and return where it sends the listener back."""
    sent = client.post(start)
    assert sent.status_code == 302
    page = requests.get(sent["Location"], timeout=60)
    assert page.status_code == 200
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    form |= {"listener": listener, "answer": answer}
    back = requests.post(
        f"{sent['Location'].split('/authorize')[0]}/authorize", data=form, allow_redirects=False, timeout=60
    )
    return back.headers["Location"]


def come_back(client: Client, url: str) -> Any:
    split = urlsplit(url)
    return client.get(f"{split.path}?{split.query}")
