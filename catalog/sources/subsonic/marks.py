"""What an account thinks of the server's songs, and when it last played them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from catalog.sources.subsonic.client import SubsonicClient, SubsonicError
from catalog.sources.subsonic.parsing import remote_id, rows_of
from catalog.sources.subsonic.walking import walk_rows

LIKED, DISLIKED = 1, -1
OF_POINTS = {1: DISLIKED, 2: DISLIKED, 4: LIKED, 5: LIKED}
"""What one to five points say; three, and none, say nothing."""


@dataclass(frozen=True)
class Marks:
    """By the server's ids of songs: what the account likes (1) and dislikes (-1), and the second of its last play."""

    opinions: dict[str, int]
    last_plays: dict[str, int]


def marks_of(client: SubsonicClient) -> Marks:
    """Return what the account's songs say. Raise ``SubsonicError``.

    A star is a like, and so are four and five of five points; one and two are a dislike, also of a starred song.
    The points and plays stand in the songs alone, so all of them are read. Servers tell when a song was last played,
    and how often in all, but not when else.
    """
    marks = dict.fromkeys(_starred(client), LIKED)
    last_plays: dict[str, int] = {}
    for row in walk_rows(client):
        if not (key := remote_id(row.get("id"))):
            continue
        if row.get("starred"):
            marks[key] = LIKED
        if (value := OF_POINTS.get(_points(row))) is not None:
            marks[key] = value
        if (second := _second(row.get("played"))) is not None:
            last_plays[key] = second
    return Marks(marks, last_plays)


def _starred(client: SubsonicClient) -> Iterator[str]:
    try:
        starred = client.call("getStarred2").get("starred2")
    except SubsonicError as error:
        if not error.is_refusal:
            raise
        # Old servers do not have this call; their songs may say that they are starred.
        return
    rows = rows_of(starred.get("song")) if isinstance(starred, dict) else []
    yield from (key for row in rows if (key := remote_id(row.get("id"))))


def _second(text: Any) -> int | None:
    """Return a time in ISO 8601 as seconds since 1970, in UTC where it has no time zone."""
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (TypeError, ValueError, OverflowError):
        return None


def _points(row: Mapping[str, Any]) -> int:
    points = row.get("userRating")
    return points if isinstance(points, int) and not isinstance(points, bool) else 0
