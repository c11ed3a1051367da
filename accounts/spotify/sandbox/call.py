"""One call of the sandbox's Web API, and the answer that says no."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.spotify.sandbox import responses
from accounts.spotify.sandbox.state import Grant, Listener, World

Answer = tuple[int, dict[str, str], Any]
MAX_URIS = 40


class ApiError(Exception):
    """An answer that says no."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"status": status, "message": message, **({"reason": reason} if reason else {})}}


@dataclass
class Call:
    """One call with all that belongs to it."""

    world: World
    base: str
    listener: Listener
    grant: Grant
    path: str
    parts: tuple[str, ...]
    query: dict[str, str]
    body: Any

    def need(self, *scopes: str) -> None:
        """Refuse where the listener did not agree to one of ``scopes``."""
        if not set(scopes) & set(self.grant.scope.split()):
            raise ApiError(403, "Insufficient client scope")

    def count(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number of the query."""
        text = self.query.get(name, str(default))
        if not text.isdigit() or not low <= int(text) <= high:
            raise ApiError(400, f"Invalid {name}")
        return int(text)

    def page(self, rows: Sequence[Any], describe: Callable[[Any], Any], limit: int = 20, most: int = 50) -> Answer:
        """Answer a part of a list, as ``describe`` says of each row; ``limit``: unless the query has one."""
        limit, offset = self.count("limit", limit, 1, most), self.count("offset", 0, 0, 100_000)
        return 200, {}, responses.page(rows, self.address(), limit, offset, describe)

    def address(self) -> str:
        """Return the address that was called, with its query but for the place in the list."""
        return responses.address_of(f"{self.base}{self.path}", self.query)

    def track(self, song_id: str) -> dict[str, Any]:
        """Return a song as it is listed: what was relinked names the one that was asked for."""
        return responses.listed_track(song_id, self.world, self.base)

    def uris(self, *kinds: str) -> list[tuple[str, str]]:
        """Return the kinds and ids of the ``uris`` of the query."""
        texts = [text for text in self.query.get("uris", "").split(",") if text]
        if not texts:
            raise ApiError(400, "Missing required field: uris")
        pairs = [tuple(text.split(":")[1:]) for text in texts]
        if len(texts) > MAX_URIS or any(len(pair) != 2 or pair[0] not in kinds for pair in pairs):
            raise ApiError(400, "Invalid uris")
        return [(pair[0], pair[1]) for pair in pairs]

    def object_body(self) -> dict[str, Any]:
        """Return the body, empty where it is no object."""
        return self.body if isinstance(self.body, dict) else {}
