"""What Spotify answers, as our own dataclasses.

Everything is checked: a field that was removed, or that never was what the description says, must not end in a 500.
``MalformedError`` is raised where an answer makes no sense as a whole; a single song that makes none is left out.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from django.utils.dateparse import parse_datetime

Item = TypeVar("Item")
_SONG_ID = re.compile("[0-9A-Za-z]{22}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Times beyond cannot be turned into another zone.
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


class MalformedError(Exception):
    """The answer makes no sense."""


@dataclass(frozen=True)
class SpotifyTrack:
    """A song as Spotify knows it. ``artists``: names, in credit order; unknown texts are empty.

    ``id`` is the one that lists hold. Where Spotify plays another edition in its place (relinking), ``played_as`` is
    the id of that one.
    """

    id: str
    title: str
    artists: tuple[str, ...]
    album: str
    isrc: str
    duration_ms: int | None
    explicit: bool | None
    release_year: int | None
    cover_url: str
    preview_url: str
    played_as: str = ""

    @property
    def uri(self) -> str:
        """What players and playlists call it."""
        return f"spotify:track:{self.id}"


@dataclass(frozen=True)
class PlayedTrack:
    """A song that was played, and when (aware)."""

    track: SpotifyTrack
    played_at: datetime


@dataclass(frozen=True)
class SpotifyPlaylist:
    """A playlist; ``is_own``: the listener may change it, and its songs can be read."""

    id: str
    name: str
    total: int
    is_own: bool


@dataclass(frozen=True)
class Device:
    """A device of the listener that can play. ``volume``: percent, None where it cannot be told."""

    id: str
    name: str
    kind: str
    is_active: bool
    volume: int | None


@dataclass(frozen=True)
class PlayerState:
    """What plays on the active device."""

    is_playing: bool
    position_ms: int
    track: SpotifyTrack | None
    device: Device | None


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A part of a list. ``next``: the offset (or cursor) of the next part, None at the end; ``total``: if told.

    ``rows``: how many entries there were from ``offset`` on, of which ``items`` are those that can be read.
    """

    items: Sequence[Item]
    next: str | None
    total: int | None
    offset: int = 0
    rows: int = 0


def track_of(value: Any) -> SpotifyTrack:
    """Return a song. Raise ``MalformedError``; so do local files and episodes, which have no song's id."""
    fields = _dict(value)
    spotify_id, title = fields.get("id"), _text(fields.get("name"))
    if not isinstance(spotify_id, str) or not _SONG_ID.fullmatch(spotify_id):
        raise MalformedError("a song without an id")
    if not title or fields.get("type", "track") != "track":
        raise MalformedError("a song without a title")
    album, ids = _dict_or_empty(fields.get("album")), _dict_or_empty(fields.get("external_ids"))
    original = _dict_or_empty(fields.get("linked_from")).get("id")
    is_relinked = isinstance(original, str) and bool(_SONG_ID.fullmatch(original)) and original != spotify_id
    return SpotifyTrack(
        id=str(original) if is_relinked else spotify_id,
        played_as=spotify_id if is_relinked else "",
        title=title,
        artists=_names(fields.get("artists")),
        album=_text(album.get("name")),
        isrc=_isrc(ids.get("isrc")),
        duration_ms=_count(fields.get("duration_ms")) or None,
        explicit=fields["explicit"] if isinstance(fields.get("explicit"), bool) else None,
        release_year=_year(album.get("release_date")),
        cover_url=_cover(album.get("images")),
        preview_url=_https(fields.get("preview_url")),
    )


def wrapped_track(value: Any) -> SpotifyTrack:
    """Return the song of a list's entry, which wraps it as ``track`` or (in playlists, since 2026) as ``item``."""
    entry = _dict(value)
    return track_of(entry.get("item") or entry.get("track"))


def played_of(value: Any) -> PlayedTrack:
    """Return a song of the recently played, with its time."""
    text = _dict(value).get("played_at")
    try:
        moment = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise MalformedError("played at no time")
    return PlayedTrack(wrapped_track(value), moment)


def artist_name(value: Any) -> str:
    """Return the name of an artist."""
    name = _text(_dict(value).get("name"))
    if not name:
        raise MalformedError("an artist without a name")
    return name


def playlist_of(value: Any, spotify_id: str) -> SpotifyPlaylist:
    """Return a playlist; ``spotify_id``: the listener's own id there (``id`` of ``/me``), by which owners are named."""
    fields = _dict(value)
    identity, owner = fields.get("id"), fields.get("owner")
    if not isinstance(identity, str) or not identity.isalnum():
        raise MalformedError("a playlist without an id")
    content = fields.get("items") if isinstance(fields.get("items"), dict) else fields.get("tracks")
    is_own = isinstance(owner, dict) and bool(spotify_id) and owner.get("id") == spotify_id
    return SpotifyPlaylist(
        id=identity,
        name=_text(fields.get("name")),
        total=_count(content.get("total")) if isinstance(content, dict) else 0,
        is_own=is_own or fields.get("collaborative") is True,
    )


def device_of(value: Any) -> Device:
    """Return a device. Raise ``MalformedError``; so does one that cannot be addressed."""
    fields = _dict(value)
    if not isinstance(fields.get("id"), str) or not fields["id"] or fields.get("is_restricted") is True:
        raise MalformedError("a device that takes no commands")
    volume = fields.get("volume_percent")
    return Device(
        id=fields["id"],
        name=_text(fields.get("name")),
        kind=_text(fields.get("type")),
        is_active=fields.get("is_active") is True,
        volume=volume if isinstance(volume, int) else None,
    )


def player_state_of(value: Any) -> PlayerState:
    """Return what plays."""
    fields = _dict(value)
    return PlayerState(
        is_playing=fields.get("is_playing") is True,
        position_ms=_count(fields.get("progress_ms")),
        track=_or_none(track_of, fields.get("item")),
        device=_or_none(device_of, fields.get("device")),
    )


def offset_page(value: Any, read: Callable[[Any], Item]) -> Page[Item]:
    """Return a part of a list that is counted by offsets."""
    fields = _dict(value)
    rows = _list(fields.get("items"))
    offset = _count(fields.get("offset"))
    total = fields["total"] if isinstance(fields.get("total"), int) else None
    following = None
    if fields.get("next") and (rows or offset < (total or 0)):
        following = str(_offset_of(fields["next"], offset) or offset + max(1, len(rows)))
    return Page(readable(rows, read), following, total, offset, len(rows))


def _offset_of(address: Any, offset: int) -> int | None:
    """Return the offset that the address of the next part names: parts may hold fewer entries than they stand for.

    The address itself is not followed, for it would get the token wherever it leads.
    """
    try:
        values = parse_qs(urlsplit(address).query).get("offset", []) if isinstance(address, str) else []
    except ValueError:
        return None
    text = values[0] if values else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 and int(text) > offset else None


def cursor_page(value: Any, read: Callable[[Any], Item], cursor: str) -> Page[Item]:
    """Return a part of a list whose next part begins behind ``cursors[cursor]``."""
    fields = _dict(value)
    rows = _list(fields.get("items"))
    cursors = fields.get("cursors")
    following = cursors.get(cursor) if isinstance(cursors, dict) and fields.get("next") else None
    total = fields.get("total")
    return Page(
        readable(rows, read),
        following if isinstance(following, str) and following else None,
        total if isinstance(total, int) else None,
        rows=len(rows),
    )


def first_of_flags(value: Any) -> bool:
    """Return the first of a list of yes and no. Raise ``MalformedError`` where there is none."""
    flags = _list(value)
    if not flags or not isinstance(flags[0], bool):
        raise MalformedError("neither yes nor no")
    return flags[0]


def readable(rows: Any, read: Callable[[Any], Item]) -> list[Item]:
    """Return what can be read of ``rows``; Spotify's lists hold nulls, local files and episodes."""
    results = (_or_none(read, row) for row in _list(rows))
    return [result for result in results if result is not None]


def part(value: Any, name: str) -> Any:
    """Return ``value[name]``. Raise ``MalformedError`` where it is not there."""
    fields = _dict(value)
    if name not in fields:
        raise MalformedError(f"no {name}")
    return fields[name]


def identity_of(value: Any) -> str:
    """Return the ``id`` of an object. Raise ``MalformedError`` where it is no text."""
    identity = part(value, "id")
    if not isinstance(identity, str) or not identity:
        raise MalformedError("an id that is no text")
    return identity


def _or_none(read: Callable[[Any], Item], value: Any) -> Item | None:
    try:
        return read(value)
    except MalformedError:
        return None


def _dict(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError("no object")
    return value


def _dict_or_empty(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise MalformedError("no list")
    return value


def _text(value: Any) -> str:
    # Databases take neither NUL nor half of a surrogate pair, which JSON can hold.
    return _UNSTORABLE.sub("", value).strip() if isinstance(value, str) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**31 else 0


def _names(value: Any) -> tuple[str, ...]:
    rows = value if isinstance(value, list) else []
    names = (_text(row.get("name")) for row in rows if isinstance(row, dict))
    return tuple(dict.fromkeys(name for name in names if name))


def _isrc(value: Any) -> str:
    text = _text(value).upper().replace("-", "")
    return text if len(text) == 12 and text.isalnum() and text.isascii() else ""


def _year(value: Any) -> int | None:
    digits = _text(value)[:4]
    return int(digits) if digits.isascii() and digits.isdigit() and int(digits) >= 1000 else None


def _https(value: Any) -> str:
    text = _text(value)
    return text if text.startswith("https://") and len(text) <= 500 else ""


def _cover(value: Any) -> str:
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    # The smallest that is sharp on a screen; they come in 640, 300 and 64 pixels.
    fitting = sorted((row for row in rows if _count(row.get("width")) >= 300), key=lambda row: _count(row.get("width")))
    return next((url for row in [*fitting, *rows] if (url := _https(row.get("url")))), "")
