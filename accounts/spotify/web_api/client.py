"""The one client for Spotify: named methods for what the site uses, and named errors for what goes wrong.

Every method may raise :class:`accounts.spotify.errors.SpotifyError` and nothing else: ``NotConnected``,
``NeedsReconnect``, ``NotPermitted``, ``RateLimited``, ``Unavailable``, ``Refused``. All calls of one client together
take no longer than its deadline.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import requests
from django.conf import settings

from accounts.models import User
from accounts.spotify.errors import NeedsReconnect, NotPermitted, RateLimited, Refused, SpotifyError, Unavailable
from accounts.spotify.web_api import circuit_breaker, parsing
from accounts.spotify.web_api.compat import ApiRequest, ErrorResponseError, send
from accounts.spotify.web_api.http import PAGE_SECONDS, Deadline, LimitedSession
from accounts.spotify.web_api.parsing import (
    Device,
    MalformedError,
    Page,
    PlayedTrack,
    PlayerState,
    SpotifyPlaylist,
    SpotifyTrack,
)
from accounts.spotify.web_api.tokens import AccessToken, fresh_token

logger = logging.getLogger(__name__)

SERVICE = "api"
SEARCH_LIMIT = 10
PAGE_LIMIT = 50
# So many songs one call puts into a playlist; read they are in pages like all else.
PLAYLIST_LIMIT = 100
_RETRY_NEEDS_SECONDS = 0.5
# A call that had less time than that, and took too long, says nothing of Spotify's health.
_FAIR_SECONDS = 1.0
Result = TypeVar("Result")
TimeRange = Literal["short_term", "medium_term", "long_term"]


class _TokenRefusedError(Exception):
    """401: the token that seemed good is not."""


def is_configured() -> bool:
    """Whether the operator registered an app with Spotify."""
    return bool(settings.SPOTIFY_CLIENT_ID)


def client_for(user: User, *, seconds: float = PAGE_SECONDS) -> "SpotifyClient":
    """Return the client that acts for ``user``. In the background there is more time: ``seconds`` for all calls."""
    return SpotifyClient(user.pk, Deadline(seconds))


class SpotifyClient:
    """Calls Spotify in one listener's name."""

    def __init__(self, user_id: int, deadline: Deadline) -> None:
        self._user_id = user_id
        self._deadline = deadline

    # --- The listener ---
    def access_token(self) -> AccessToken:
        """Return a token for the Web Playback SDK, good for some minutes at least; never cache or log it."""
        return fresh_token(self._user_id, self._deadline)

    def my_id(self) -> str:
        """Return the listener's id, as owners of playlists are named by it."""
        return self._get("me/", read=parsing.identity_of)

    def top_tracks(self, *, offset: str = "0", time_range: TimeRange = "medium_term") -> Page[SpotifyTrack]:
        """Return the songs the listener hears most, of the last 4 weeks, 6 months or year."""
        return self._page("me/top/tracks", parsing.track_of, offset=offset, time_range=time_range)

    def saved_tracks(self, *, offset: str = "0") -> Page[SpotifyTrack]:
        """Return the songs of the listener's library, the latest first."""
        return self._page("me/tracks", parsing.wrapped_track, offset=offset)

    def recently_played(self) -> Page[PlayedTrack]:
        """Return the last 50 plays: Spotify tells of no more."""
        return self._get(
            "me/player/recently-played",
            read=lambda answer: parsing.cursor_page(answer, parsing.played_of, "before"),
            limit=PAGE_LIMIT,
        )

    def followed_artists(self, *, after: str | None = None) -> Page[str]:
        """Return the names of followed artists; ``after``: ``next`` of the page before."""
        return self._get(
            "me/following",
            read=lambda answer: parsing.cursor_page(parsing.part(answer, "artists"), parsing.artist_name, "after"),
            type="artist",
            limit=PAGE_LIMIT,
            after=after,
        )

    # --- Songs ---
    def search_tracks(self, query: str) -> list[SpotifyTrack]:
        """Return up to 10 songs that match."""
        return self._get(
            "search",
            read=lambda answer: parsing.readable(
                parsing.part(parsing.part(answer, "tracks"), "items"), parsing.track_of
            ),
            q=query,
            type="track",
            limit=SEARCH_LIMIT,
        )

    def track(self, spotify_id: str) -> SpotifyTrack:
        """Return one song; ``Refused`` with status 404 where there is none."""
        return self._get(f"tracks/{spotify_id}", read=parsing.track_of)

    def audio_features(self, spotify_id: str) -> dict[str, float]:
        """Return the measured features of a song by Spotify's names; apps of today get ``NotPermitted``."""

        def read(answer: Any) -> dict[str, float]:
            if not isinstance(answer, dict):
                raise MalformedError("no features")
            return {name: value for name, value in answer.items() if isinstance(value, int | float)}

        return self._get(f"audio-features/{spotify_id}", read=read)

    # --- Playlists ---
    def my_playlists(self, *, my_id: str, offset: str = "0") -> Page[SpotifyPlaylist]:
        """Return the playlists in the listener's library, followed ones among them."""
        return self._page("me/playlists", lambda row: parsing.playlist_of(row, my_id), offset=offset)

    def playlist_tracks(self, playlist_id: str, *, offset: str = "0") -> Page[SpotifyTrack]:
        """Return songs of an own playlist, in order; others' cannot be read (``NotPermitted``)."""
        return self._page(f"playlists/{playlist_id}/items", parsing.wrapped_track, offset=offset)

    def create_playlist(self, name: str, description: str = "") -> str:
        """Make a private playlist and return its id."""
        body = {"name": name, "description": description, "public": False}
        return self._call(ApiRequest("POST", "me/playlists", body), parsing.identity_of)

    def set_playlist_tracks(self, playlist_id: str, uris: Sequence[str]) -> None:
        """Replace all songs of an own playlist by up to ``PLAYLIST_LIMIT`` others; the rest is appended."""
        self._change("PUT", f"playlists/{playlist_id}/items", {"uris": list(uris[:PLAYLIST_LIMIT])})

    def playlist_length(self, playlist_id: str) -> int:
        """Return how many songs an own playlist holds by now."""
        return self._page(f"playlists/{playlist_id}/items", parsing.wrapped_track, offset="0", limit=1).total or 0

    def is_in_library(self, uri: str) -> bool:
        """Whether ``uri`` (``spotify:playlist:...``) is in the listener's library.

        A playlist that its owner "deleted" is only taken out of it, and answers as before.
        """
        return self._get("me/library/contains", read=parsing.first_of_flags, uris=uri)

    def append_playlist_tracks(self, playlist_id: str, uris: Sequence[str]) -> None:
        """Append up to ``PLAYLIST_LIMIT`` songs to an own playlist."""
        self._change("POST", f"playlists/{playlist_id}/items", {"uris": list(uris[:PLAYLIST_LIMIT])})

    # --- Playing ---
    def devices(self) -> list[Device]:
        """Return the listener's devices that can be told to play."""
        return self._get(
            "me/player/devices",
            read=lambda answer: parsing.readable(parsing.part(answer, "devices"), parsing.device_of),
        )

    def player_state(self) -> PlayerState | None:
        """Return what plays on the active device; None where none is active."""
        return self._get("me/player", read=lambda answer: None if answer is None else parsing.player_state_of(answer))

    def start_playback(self, device_id: str | None, uri: str, position_ms: int = 0) -> None:
        """Play ``uri`` (``spotify:track:...``) from ``position_ms``; on the active device where none is named."""
        body = {"uris": [uri], "position_ms": position_ms}
        self._change("PUT", "me/player/play", body, device_id=device_id)

    def pause(self, device_id: str | None = None) -> None:
        """Pause."""
        self._change("PUT", "me/player/pause", device_id=device_id)

    def resume(self, device_id: str | None = None) -> None:
        """Go on playing."""
        self._change("PUT", "me/player/play", device_id=device_id)

    def seek(self, position_ms: int, device_id: str | None = None) -> None:
        """Go to ``position_ms`` of the song that plays."""
        self._change("PUT", "me/player/seek", position_ms=position_ms, device_id=device_id)

    def transfer(self, device_id: str, *, play: bool = False) -> None:
        """Make ``device_id`` the active device; ``play``: and have it play."""
        self._change("PUT", "me/player", {"device_ids": [device_id], "play": play})

    # --- How calls are made ---
    def _page(
        self, path: str, read: Callable[[Any], Result], *, offset: str, limit: int = PAGE_LIMIT, **query: Any
    ) -> Page[Result]:
        return self._get(
            path, read=lambda answer: parsing.offset_page(answer, read), limit=limit, offset=offset, **query
        )

    def _get(self, path: str, *, read: Callable[[Any], Result], **query: Any) -> Result:
        return self._call(ApiRequest("GET", path, query=query), read)

    def _change(self, method: Literal["POST", "PUT"], path: str, body: Any = None, **query: Any) -> None:
        """Change something; what is answered does not matter, and with commands to players makes no sense at times."""
        self._call(ApiRequest(method, path, body, query), None)

    def _call(self, request: ApiRequest, read: Callable[[Any], Result] | None) -> Result:
        """Call; what changes something is not repeated when it fails, for it may have been done all the same."""
        token = fresh_token(self._user_id, self._deadline)
        may_renew, may_repeat = True, request.method == "GET"
        while True:
            try:
                return self._once(token, request, read)
            except _TokenRefusedError:
                if not may_renew:
                    raise NeedsReconnect from None
                may_renew = False
                token = fresh_token(self._user_id, self._deadline, refused=token.value)
            except Unavailable:
                if not may_repeat or self._deadline.left() < _RETRY_NEEDS_SECONDS:
                    raise
                may_repeat = False
                time.sleep(random.uniform(0.05, 0.15))  # noqa: S311 - not for secrets

    def _once(self, token: AccessToken, request: ApiRequest, read: Callable[[Any], Result] | None) -> Result:
        circuit_breaker.check(SERVICE)
        if (seconds_left := self._deadline.left()) <= 0:
            raise Unavailable("no time left for this call")
        session = LimitedSession(self._deadline)
        error: Exception
        try:
            result = _checked(send(request, token=token.value, session=session), session, read)
        except ErrorResponseError as refused:
            error = _error_of(refused)
        except MalformedError as failure:
            error = Unavailable(f"malformed answer: {failure}")
        except requests.RequestException as failure:
            # What requests says may hold the address with the query.
            error = Unavailable(type(failure).__name__)
            if isinstance(failure, requests.Timeout) and seconds_left < _FAIR_SECONDS:
                logger.warning("Spotify: a call had only %.1f s left", seconds_left)
                raise error from None
        else:
            circuit_breaker.succeeded(SERVICE)
            return result
        _note(error)
        # Without the cause: its frames hold the token.
        raise error from None


def _checked(answer: Any, session: LimitedSession, read: Callable[[Any], Result] | None) -> Result:
    """Return what ``read`` makes of an answer. ``send`` returns None for no answer and for one that is not JSON."""
    if read is None:
        return None  # type: ignore[return-value]  # a command, whose caller takes nothing
    if answer is None and not session.last_was_empty:
        raise MalformedError("no JSON")
    return read(answer)


def _error_of(refused: ErrorResponseError) -> SpotifyError | _TokenRefusedError:
    status = refused.status
    if status == 401:
        return _TokenRefusedError()
    if status == 403:
        return NotPermitted(_code(refused.reason))
    if status == 429:
        return circuit_breaker.limited(SERVICE, refused.retry_after)
    if 400 <= status < 500:
        return Refused(status, _code(refused.reason))
    return Unavailable(f"status {status}")


def _code(reason: str) -> str:
    """Return Spotify's code, such as PREMIUM_REQUIRED; spotipy puts the address before a mere sentence."""
    return reason.rpartition("\n")[2].strip()[:200]


def _note(error: Exception) -> None:
    if isinstance(error, Unavailable):
        circuit_breaker.failed(SERVICE)
        logger.warning("Spotify: %s", error)
    elif isinstance(error, RateLimited):
        logger.warning("Spotify wants no calls %s", error)
    else:
        circuit_breaker.succeeded(SERVICE)
        if isinstance(error, Refused):
            logger.info("Spotify refused: %s", error)
