"""A song of OpenSubsonic ("Child") as a song of a source. What does not fit its type is unknown."""

import re
from collections.abc import Mapping
from typing import Any

from catalog.models import REMOTE_ID_LENGTH
from catalog.sources.library.songs import (
    SourceSong,
    clean_album,
    clean_artists,
    clean_count,
    clean_gain,
    clean_genres,
    clean_isrcs,
    clean_mbid,
    clean_ms,
    clean_size,
    clean_text,
    clean_year,
)

# What no database takes: NUL, and halves of characters.
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_EXPLICIT = {"explicit": True, "clean": False}


def rows_of(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; some servers leave the list out where there is one."""
    rows = [value] if isinstance(value, dict) else value
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def remote_id(value: Any) -> str:
    """Return an id as it was sent, "" where it is none that we can keep."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= REMOTE_ID_LENGTH and not _UNFIT.search(text) else ""


def song_of(row: Mapping[str, Any], release_mbids: Mapping[str, str]) -> SourceSong | None:
    """Return the song; ``None`` for folders, videos, podcasts and what has no id or title.

    ``release_mbids``: the MusicBrainz ids of albums, by the server's own ids.
    """
    key, title = remote_id(row.get("id")), clean_text(row.get("title"))
    is_music = row.get("type") in (None, "", "music") and not row.get("isDir") and not row.get("isVideo")
    if not key or not title or not is_music:
        return None
    credited = rows_of(row.get("artists"))
    names = [each.get("name") for each in credited] or [row.get("artist") or row.get("displayArtist")]
    genres = [each.get("name") for each in rows_of(row.get("genres"))] or [row.get("genre")]
    isrcs = row.get("isrc")
    mbids = [(clean_text(each.get("name"), 300), clean_mbid(each.get("musicBrainzId"))) for each in credited]
    return SourceSong(
        remote_id=key,
        title=title,
        artists=clean_artists(names),
        album=clean_album(row.get("album")),
        duration_ms=clean_ms(row.get("duration")),
        release_year=clean_year(row.get("year")),
        explicit=_EXPLICIT.get(str(row.get("explicitStatus"))),
        isrcs=clean_isrcs(isrcs if isinstance(isrcs, list) else [isrcs]),
        mbid=clean_mbid(row.get("musicBrainzId")),
        release_mbid=release_mbids.get(remote_id(row.get("albumId")), ""),
        artist_mbids=tuple((name, mbid) for name, mbid in mbids if name and mbid),
        genres=clean_genres(genres),
        suffix=clean_text(row.get("suffix"), 10).lower(),
        bit_rate=clean_count(row.get("bitRate")),
        size=clean_size(row.get("size")),
        cover_id=remote_id(row.get("coverArt")),
        gain_db=_gain_of(row.get("replayGain")),
    )


def _gain_of(value: Any) -> float | None:
    """Return the track's gain; servers send 0 or nothing where the tags have none."""
    gain = clean_gain(value.get("trackGain")) if isinstance(value, dict) else None
    return gain or None
