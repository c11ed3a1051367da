"""Lists of songs as files: M3U (extended), JSPF and CSV.

Sources: the M3U directives as players read them (``#EXTM3U``, ``#EXTINF:seconds,text``), https://www.xspf.org/jspf,
and OWASP's advice on formula injection for CSV.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.text import slugify

from accounts.csv_cells import safe_cell
from catalog.models import Track
from feedback.models import Play, Playlist
from feedback.playlist_selectors import tracks_of

TRACK_COLUMNS = ("title", "artists", "album", "duration_ms", "spotify_id", "url")
_HISTORY_COLUMNS = ("played_at", "outcome", "ms_played", "source", *TRACK_COLUMNS)
Address = Callable[[Track], str]


def spotify_url(track: Track) -> str:
    """Return the song's page on Spotify, empty where it has none."""
    return f"https://open.spotify.com/track/{track.spotify_id}" if track.is_on_spotify else ""


def page_address(request: HttpRequest) -> Address:
    """Return the function that gives a song's page on this site, host and all."""
    return lambda track: request.build_absolute_uri(track.get_absolute_url())


def m3u(name: str, tracks: Iterable[Track], page: Address) -> str:
    """Return an extended M3U: for each song its preview, else its page on Spotify, else its page here."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_one_line(name)}"]
    for track in tracks:
        seconds = -1 if track.duration_ms is None else round(track.duration_ms / 1000)
        who = f"{track.artist_names} - {track.title}" if track.artist_names else track.title
        lines += [f"#EXTINF:{seconds},{_one_line(who)}", track.preview_url or spotify_url(track) or page(track)]
    return "\n".join(lines) + "\n"


def jspf(playlist: Playlist, tracks: Iterable[Track], page: Address) -> str:
    """Return the playlist as JSPF (XSPF in JSON)."""
    content = {
        "title": playlist.name,
        "creator": playlist.owner.username,
        "date": playlist.updated_at.isoformat(timespec="seconds"),
        "track": [_jspf_track(track, page) for track in tracks],
    }
    return json.dumps({"playlist": content}, ensure_ascii=False, indent=2) + "\n"


def _jspf_track(track: Track, page: Address) -> dict[str, Any]:
    # What is unknown is left out, not empty: JSPF knows no empty values.
    columns = {
        "location": [track.preview_url] if track.preview_url else None,
        "identifier": [spotify_url(track)] if track.is_on_spotify else None,
        "title": track.title,
        "creator": track.artist_names,
        "album": track.album,
        "duration": track.duration_ms,
        "info": page(track),
    }
    return {name: value for name, value in columns.items() if value}


def track_cells(track: Track, page: Address) -> list[object]:
    """Return a song's values for ``TRACK_COLUMNS``."""
    address = spotify_url(track) or page(track)
    return [track.title, track.artist_names, track.album, track.duration_ms, track.spotify_id, address]


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a CSV file (RFC 4180), unknown values empty, none of them a formula."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    yield _emptied(buffer)
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
        yield _emptied(buffer)


def download(text: str, *, name: str, suffix: str, content_type: str) -> HttpResponse:
    """Return ``text`` as a file to save, named after ``name``."""
    return HttpResponse(text, content_type=f"{content_type}; charset=utf-8", headers=_headers(name, suffix))


def csv_download(header: Sequence[str], rows: Iterable[Sequence[object]], *, name: str) -> StreamingHttpResponse:
    """Return a CSV file to save, written while it is read from the database."""
    return StreamingHttpResponse(
        csv_lines(header, rows), content_type="text/csv; charset=utf-8", headers=_headers(name, "csv")
    )


def history_csv(plays: QuerySet[Play], page: Address) -> StreamingHttpResponse:
    """Return plays as a CSV file to save; times are UTC."""
    return csv_download(_HISTORY_COLUMNS, _history_rows(plays, page), name="history")


def playlist_file(playlist: Playlist, kind: str, page: Address) -> HttpResponse | StreamingHttpResponse:
    """Return a playlist as a file to save: ``m3u``, ``jspf`` or ``csv``."""
    tracks = tracks_of(playlist).defer("features", "search_text")
    if kind == "m3u":
        text = m3u(playlist.name, tracks, page)
        return download(text, name=playlist.name, suffix="m3u8", content_type="audio/x-mpegurl")
    if kind == "jspf":
        text = jspf(playlist, tracks, page)
        return download(text, name=playlist.name, suffix="jspf", content_type="application/json")
    rows = (track_cells(track, page) for track in tracks.iterator(chunk_size=500))
    return csv_download(TRACK_COLUMNS, rows, name=playlist.name)


def _history_rows(plays: QuerySet[Play], page: Address) -> Iterator[Sequence[object]]:
    for play in plays.iterator(chunk_size=500):
        at = play.played_at.isoformat(timespec="seconds")
        yield (at, play.outcome, play.ms_played, play.source, *track_cells(play.track, page))


def _headers(name: str, suffix: str) -> dict[str, str]:
    file_name = f"{slugify(name, allow_unicode=True) or 'playlist'}.{suffix}"
    return {"Content-Disposition": content_disposition_header(True, file_name) or ""}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _emptied(buffer: StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
