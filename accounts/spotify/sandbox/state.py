"""What there is in the sandbox: songs, listeners with their libraries, and the faults that it was told to have."""

import hashlib
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Spotify has a limit of this order.
MOST_PLAYLIST_SONGS = 11_000
CLIENT_ID = "sandbox"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - opens nothing but the sandbox
FAULTS = (
    "429", "quota", "500", "403", "timeout", "slow", "drip", "drop", "lost", "expired", "revoked", "malformed", "odd",
)  # fmt: skip


# What a hostile sandbox does to every so many calls, by turns.
_HOSTILE = ("500", "429", "drop", "expired", "lost", "slow", "malformed")
_HOSTILE_EVERY = 9
# After so long another song plays there.
OTHER_SONG_MS = 20_000


def spotify_id(text: str) -> str:
    """Return an id that looks like Spotify's and is always the same for ``text``."""
    number, signs = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big"), ""
    while len(signs) < 22:
        number, digit = divmod(number, len(_SIGNS))
        signs += _SIGNS[digit]
    return signs


@dataclass(frozen=True)
class Song:
    """A song of the sandbox."""

    id: str
    title: str
    artists: tuple[str, ...]
    album: str
    isrc: str = ""
    duration_ms: int = 200_000
    explicit: bool = False
    year: int = 2020
    # The pictures named for it lie nowhere: those of a site that is looked at have none.
    has_cover: bool = True


@dataclass
class Playlist:
    """A playlist of the sandbox."""

    id: str
    name: str
    owner_id: str
    description: str = ""
    public: bool = False
    song_ids: list[str] = field(default_factory=list)
    snapshot: str = "AAAA1"


@dataclass
class Player:
    """What plays at a listener's."""

    device_id: str | None = None
    song_id: str | None = None
    is_playing: bool = False
    queue: list[str] = field(default_factory=list)
    _at_ms: int = 0
    _since: float = 0.0

    @property
    def position_ms(self) -> int:
        """Where it is now: it goes on while it plays."""
        return self._at_ms + (round(1000 * (time.monotonic() - self._since)) if self.is_playing else 0)

    def go_to(self, position_ms: int) -> None:
        """Play on, or stand still, from there."""
        self._at_ms, self._since = position_ms, time.monotonic()

    def run(self) -> None:
        """Go on from where it is."""
        self.go_to(self.position_ms)
        self.is_playing = True

    def stop(self) -> None:
        """Stand still where it is."""
        self.go_to(self.position_ms)
        self.is_playing = False


@dataclass
class Listener:
    """Somebody with a Spotify account. ``is_allowed``: is on the app's list of users.

    ``playlist_ids``: playlists in the library, own and followed ones, the latest first. ``unplayable``: songs that no
    device of theirs will play. An empty id among ``saved`` stands for a song that Spotify has no more.
    """

    id: str
    name: str
    is_allowed: bool = True
    is_premium: bool = True
    top: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    recent: list[str] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)
    devices: list[dict[str, Any]] = field(default_factory=list)
    playlist_ids: list[str] = field(default_factory=list)
    unplayable: set[str] = field(default_factory=set)
    player: Player = field(default_factory=Player)

    @property
    def account_id(self) -> str:
        """The id that stays the same; apps are to use it since May 2026."""
        return spotify_id(f"account {self.id}")


@dataclass
class Fault:
    """A fault of the next ``times`` calls whose path begins with ``path``, when ``after`` of them went well."""

    kind: str
    path: str = "/"
    times: int = 1
    retry_after: int = 30
    method: str = ""
    after: int = 0


@dataclass
class Grant:
    """What a token stands for."""

    listener_id: str
    scope: str
    ends_at: float
    client_id: str
    challenge: str = ""
    redirect_uri: str = ""
    family: str = ""


class World:
    """Everything the sandbox knows. Its methods may be called from any thread."""

    def __init__(
        self,
        songs: Iterable[Song],
        listeners: Iterable[Listener],
        *,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        redirect_uris: Iterable[str] = ("http://127.0.0.1/accounts/spotify/login/callback/",),
    ) -> None:
        self.lock = threading.RLock()
        self.songs = {song.id: song for song in songs}
        self.listeners = {listener.id: listener for listener in listeners}
        self.playlists: dict[str, Playlist] = {}
        # By the id that lists hold, the id of the edition that Spotify plays in its place.
        self.relinked: dict[str, str] = {}
        self.opened_at = datetime.now(UTC).replace(microsecond=0)
        self.client_id, self.client_secret = client_id, client_secret
        self.redirect_uris = tuple(redirect_uris)
        self.faults: list[Fault] = []
        # Method, path without the query, status: what was asked and answered, for tests.
        self.calls: list[tuple[str, str, int]] = []
        # Method, path, query and body of what reached the Web API: for tests of the requests.
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.seconds_good = 3600
        self.is_hostile = False
        self._calls_so_far = 0
        self.refresh_rotates = False
        self.slow_seconds = 1.0
        self.codes: dict[str, Grant] = {}
        self.access: dict[str, Grant] = {}
        self.refresh: dict[str, Grant] = {}

    def make_hostile(self) -> None:
        """Do all that Spotify may do to its listeners, by turns and always in the same order.

        Calls fail now and then; libraries hold songs that are gone and songs that were relinked; a device takes no
        commands; another song plays after a while; a playlist is taken out of the library once it was filled.
        """
        self.is_hostile = True
        for listener in self.listeners.values():
            for listed, other in zip(listener.saved[:10:2], listener.saved[1:11:2], strict=False):
                self.relinked[listed] = other
            listener.saved.insert(min(3, len(listener.saved)), "")
            listener.devices.append({"id": "speaker", "name": "A speaker of somebody's", "is_restricted": True})

    def _hostile_fault(self, path: str) -> Fault | None:
        if not self.is_hostile or not path.startswith("/v1/"):
            return None
        self._calls_so_far += 1
        turn, rest = divmod(self._calls_so_far, _HOSTILE_EVERY)
        return None if rest else Fault(_HOSTILE[turn % len(_HOSTILE)], retry_after=1)

    def take_fault(self, method: str, path: str) -> Fault | None:
        """Return the fault that this call has, and count it."""
        with self.lock:
            if hostile := self._hostile_fault(path):
                return hostile
            for fault in self.faults:
                if fault.times > 0 and path.startswith(fault.path) and fault.method in ("", method):
                    if fault.after > 0:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def add_code(self, grant: Grant) -> str:
        """Return a code that can be turned into tokens once, within ten minutes."""
        code = secrets.token_urlsafe(32)
        with self.lock:
            self.codes[code] = grant
        return code

    def add_tokens(self, grant: Grant, *, refresh: str | None = None) -> dict[str, Any]:
        """Return the answer of the token call; ``refresh``: the one in use, which stays unless they rotate."""
        now = time.time()
        family = grant.family or secrets.token_urlsafe(8)
        access = "sandbox-access-" + secrets.token_urlsafe(24)
        answer: dict[str, Any] = {
            "access_token": access,
            "token_type": "Bearer",
            "scope": grant.scope,
            "expires_in": self.seconds_good,
        }
        with self.lock:
            made = Grant(grant.listener_id, grant.scope, now + self.seconds_good, grant.client_id, family=family)
            self.access[access] = made
            if refresh is None or self.refresh_rotates:
                new = "sandbox-refresh-" + secrets.token_urlsafe(24)
                lifetime = grant.ends_at if refresh else now + timedelta(days=182).total_seconds()
                self.refresh.pop(refresh or "", None)
                self.refresh[new] = Grant(grant.listener_id, grant.scope, lifetime, grant.client_id, family=family)
                answer["refresh_token"] = new
        return answer

    def revoke(self, listener_id: str) -> None:
        """End all connections of a listener, as on Spotify's page of apps."""
        with self.lock:
            for tokens in (self.access, self.refresh):
                for token in [token for token, grant in tokens.items() if grant.listener_id == listener_id]:
                    del tokens[token]

    def expire_access(self) -> None:
        """Let all access tokens end now."""
        with self.lock:
            self.access.clear()

    def listener_of(self, access_token: str) -> tuple[Listener, Grant] | None:
        """Return who is behind a good access token."""
        with self.lock:
            grant = self.access.get(access_token)
            if grant is None or grant.ends_at < time.time():
                return None
            return self.listeners[grant.listener_id], grant

    def playlists_of(self, listener: Listener) -> list[Playlist]:
        """Return the playlists in the listener's library, the latest first."""
        with self.lock:
            return [self.playlists[pk] for pk in listener.playlist_ids if pk in self.playlists]

    def add_playlist(self, listener: Listener, name: str, description: str, *, public: bool) -> Playlist:
        """Make an empty playlist."""
        with self.lock:
            made = Playlist(
                spotify_id(f"playlist {len(self.playlists)} {name}"), name, listener.id, description, public
            )
            self.playlists[made.id] = made
            listener.playlist_ids.insert(0, made.id)
            return made

    def played_at(self, number: int) -> str:
        """Return when the song of that ``number`` among the recently played was played; it stays that moment."""
        moment = self.opened_at - timedelta(minutes=7 * (number + 1))
        return moment.strftime("%Y-%m-%dT%H:%M:%S.123Z")
