"""Playlists as files: M3U (extended), JSPF and CSV.

Sources: the M3U directives as players read them (``#EXTM3U``, ``#EXTINF:seconds,text``) and
https://www.xspf.org/jspf.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse

from catalog.models import Track, TrackQuerySet
from feedback.playlists.models import Playlist
from feedback.playlists.selectors import tracks_of
from feedback.web.exports import (
    TRACK_COLUMNS,
    Address,
    csv_download,
    download,
    recording_url,
    spotify_url,
    track_cells,
)


def m3u(name: str, tracks: Iterable[Track], page: Address) -> str:
    """Return an extended M3U: for each song its preview, else its page on Spotify, else its page here."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_one_line(name)}"]
    for track in tracks:
        seconds = -1 if track.duration_ms is None else round(track.duration_ms / 1000)
        who = f"{track.artist_names} - {track.title}" if track.artist_names else track.title
        lines += [f"#EXTINF:{seconds},{_one_line(who)}", track.preview_url or spotify_url(track) or page(track)]
    return "\n".join(lines) + "\n"


def jspf(name: str, creator: str, changed_at: datetime, tracks: Iterable[Track], page: Address) -> str:
    """Return a list of songs as JSPF (XSPF in JSON)."""
    content = {
        "title": name,
        "creator": creator,
        "date": changed_at.isoformat(timespec="seconds"),
        "track": [_jspf_track(track, page) for track in tracks],
    }
    return json.dumps({"playlist": content}, ensure_ascii=False, indent=2) + "\n"


def _jspf_track(track: Track, page: Address) -> dict[str, Any]:
    # Unknown values are omitted, because JSPF has no empty values.
    columns = {
        "location": [track.preview_url] if track.preview_url else None,
        "identifier": [address for address in (recording_url(track), spotify_url(track)) if address],
        "title": track.title,
        "creator": track.artist_names,
        "album": track.album,
        "duration": track.duration_ms,
        "info": page(track),
    }
    return {name: value for name, value in columns.items() if value}


def playlist_file(playlist: Playlist, kind: str, page: Address) -> HttpResponse | StreamingHttpResponse:
    """Return a playlist as a file to save: ``m3u``, ``jspf`` or ``csv``."""
    return songs_file(playlist.name, playlist.owner.username, playlist.updated_at, tracks_of(playlist), kind, page)


def songs_file(
    name: str, creator: str, changed_at: datetime, tracks: TrackQuerySet, kind: str, page: Address
) -> HttpResponse | StreamingHttpResponse:
    """Return a list of songs as a file to save: ``m3u``, ``jspf`` or ``csv``."""
    tracks = tracks.defer("features", "search_text")
    if kind == "m3u":
        return download(m3u(name, tracks, page), name=name, suffix="m3u8", content_type="audio/x-mpegurl")
    if kind == "jspf":
        text = jspf(name, creator, changed_at, tracks, page)
        return download(text, name=name, suffix="jspf", content_type="application/jspf+json")
    rows = (track_cells(track, page) for track in tracks.iterator(chunk_size=500))
    return csv_download(TRACK_COLUMNS, rows, name=name)


def _one_line(text: str) -> str:
    return " ".join(text.split())
