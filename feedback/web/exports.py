"""Lists of songs as files to save: what playlists and the history have in common.

Source: OWASP's advice on formula injection for CSV.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.text import slugify

from accounts.personal_data.csv_cells import safe_cell
from catalog.models import Track

TRACK_COLUMNS = ("title", "artists", "album", "duration_ms", "spotify_id", "url")

Address = Callable[[Track], str]
# XML 1.0 has no such characters, not even escaped.
NO_XML = {number: None for number in range(32) if number not in (9, 10, 13)} | {0xFFFE: None, 0xFFFF: None}


def spotify_url(track: Track) -> str:
    """Return the song's page on Spotify, empty where it has none."""
    return f"https://open.spotify.com/track/{track.spotify_id}" if track.is_on_spotify else ""


def recording_url(track: Track) -> str:
    """Return the song's recording at MusicBrainz, by which players know it, empty where that is unknown."""
    return f"https://musicbrainz.org/recording/{track.mbid}" if track.mbid else ""


def page_address(request: HttpRequest) -> Address:
    """Return the function that gives a song's page on this site, host and all."""
    return lambda track: request.build_absolute_uri(track.get_absolute_url())


def track_cells(track: Track, page: Address) -> list[object]:
    """Return a song's values for ``TRACK_COLUMNS``."""
    address = spotify_url(track) or page(track)
    spotify_id = track.spotify_id if track.is_on_spotify else None
    return [track.title, track.artist_names, track.album, track.duration_ms, spotify_id, address]


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


def _headers(name: str, suffix: str) -> dict[str, str]:
    file_name = f"{slugify(name, allow_unicode=True) or 'playlist'}.{suffix}"
    return {"Content-Disposition": content_disposition_header(True, file_name) or ""}


def _emptied(buffer: StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
