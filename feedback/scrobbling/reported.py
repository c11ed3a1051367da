"""One listen as a player reports it, with known errors of players corrected."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from catalog.identity.nobody import is_no_album, is_no_artist
from catalog.models import Track
from feedback.history_import.reading.values import isrc_of, mbid_of, spotify_id, text_of, whole

# No song is shorter, so a smaller number of "milliseconds" is in seconds.
_SHORTEST_MS = 10_000
# No song is longer, so a larger number of "seconds" is in milliseconds.
_LONGEST_SECONDS = 6 * 3600
# Times after the year 5138 are milliseconds.
_LAST_SECOND = 100_000_000_000
_MAX_MS = 2**31 - 1
_TITLE, _ARTIST = 500, 300


@dataclass(frozen=True)
class ReportedListen:
    """One listen, or one song that plays now; ``at``: seconds since 1970, ``None`` where it is not told.

    ``track_id``: the song of the catalogue, where the reporter knows it.
    """

    title: str
    artists: tuple[str, ...]
    at: int | None = None
    album: str = ""
    mbid: str = ""
    isrc: str = ""
    spotify_id: str = ""
    duration_ms: int | None = None
    client: str = ""
    track_id: int | None = None

    @property
    def artist(self) -> str:
        """Return the artists as one text."""
        return ", ".join(self.artists)[:_ARTIST]


def reported_listen(
    *,
    title: Any,
    artist: Any,
    artists: Any = None,
    at: Any = None,
    album: Any = "",
    mbid: Any = "",
    duration_ms: Any = None,
    seconds: Any = None,
) -> ReportedListen | None:
    """Return the listen, ``None`` if the report names no song."""
    names = tuple(filter(None, map(_clean, artists))) if isinstance(artists, list) else ()
    names = tuple(name[:_ARTIST] for name in names or (_clean(artist),) if name and not is_no_artist(name))[:20]
    name, record = _clean(title)[:_TITLE], _clean(album)[:_TITLE]
    if not (name and names):
        return None
    return ReportedListen(
        title=name,
        artists=names,
        at=second_of(at),
        album="" if record and is_no_album(record) else record,
        mbid=mbid_of(mbid),
        duration_ms=length_of(duration_ms=duration_ms, seconds=seconds),
    )


def listen_of(track: Track, at: int | None) -> ReportedListen:
    """Return the listen of a song of the catalogue."""
    return ReportedListen(
        title=track.title[:_TITLE],
        artists=(track.artist_names[:_ARTIST],),
        at=at,
        album=track.album[:_TITLE],
        duration_ms=track.duration_ms,
        track_id=track.pk,
    )


def of_listenbrainz(listen: Any) -> ReportedListen | None:
    """Return one entry of a ListenBrainz payload; ``None`` where it is none."""
    meta = listen.get("track_metadata") if isinstance(listen, Mapping) else None
    if not isinstance(meta, Mapping):
        return None
    more = meta.get("additional_info")
    more = more if isinstance(more, Mapping) else {}
    mapping = meta.get("mbid_mapping")
    mapped = mapping.get("recording_mbid") if isinstance(mapping, Mapping) else None
    heard = reported_listen(
        title=meta.get("track_name"),
        artist=meta.get("artist_name"),
        artists=more.get("artist_names"),
        at=listen.get("listened_at"),
        album=meta.get("release_name"),
        mbid=more.get("recording_mbid") or mapped,
        duration_ms=more.get("duration_ms"),
        seconds=more.get("duration"),
    )
    if heard is None:
        return None
    address = text_of(more.get("spotify_id")) or text_of(more.get("origin_url"))
    client = _clean(more.get("submission_client")) or _clean(more.get("media_player"))
    return replace(heard, isrc=isrc_of(more.get("isrc")), spotify_id=spotify_id(address), client=client[:60])


def length_of(*, duration_ms: Any = None, seconds: Any = None) -> int | None:
    """Return a song's length in milliseconds; some players confuse seconds and milliseconds."""
    value = whole(duration_ms)
    if value is not None and value > 0:
        return min(value if value >= _SHORTEST_MS else value * 1000, _MAX_MS)
    value = whole(seconds)
    if value is not None and value > 0:
        return min(value if value > _LONGEST_SECONDS else value * 1000, _MAX_MS)
    return None


def second_of(value: Any) -> int | None:
    """Return a time in whole seconds since 1970, from a number or its text, of milliseconds, too."""
    second = whole(value)
    if second is not None and second > _LAST_SECOND:
        second //= 1000
    return second


def _clean(value: Any) -> str:
    """Return text without signs that databases refuse."""
    return text_of(value).encode("utf-8", "replace").decode().replace("\0", "").strip()
