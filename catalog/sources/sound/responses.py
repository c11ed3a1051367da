"""Recordings and covers as HTTP responses, for pages and the API."""

import os
from pathlib import Path
from urllib.parse import quote_from_bytes

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from catalog.models import MusicServer, ServerSong, Track
from catalog.sources.folders.covers import cover_of
from catalog.sources.folders.files import FolderError, file_of
from catalog.sources.servers.services import client_of
from catalog.sources.sound.pieces import (
    MP3,
    OF_SUFFIX,
    OutsideError,
    SoundError,
    best_song,
    bounds_of,
    piece_of,
    songs_with_cover,
)
from catalog.sources.subsonic.client import COVER_BYTES, SubsonicError

# The internal location of nginx, before the whole path of a file.
ACCEL_LOCATION = "/_music"
_HOUR, _DAY = 3600, 24 * 3600
_COVER_SECONDS = 8.0
# SVG is refused, because it may contain scripts.
_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
_COVER_PIXELS = 300


def recording_response(request: HttpRequest, track: Track) -> HttpResponse:
    """Return the piece of a song's recording that is asked for. Raise ``Http404`` and ``SoundError``.

    ``?format=mp3`` asks for an MP3 made of it.
    """
    song = best_song(track)
    if song is None:
        raise Http404("no file")
    form = MP3 if request.GET.get("format") == MP3 else ""
    is_handed_over = bool(settings.MUSIC_SENDFILE) and not form and song.suffix in OF_SUFFIX
    if is_handed_over and song.server.kind == MusicServer.Kind.FOLDER:
        return _handed_over(song)
    etag = f'"{song.digest}{form}"'
    bounds = bounds_of(request.headers.get("Range", ""))
    if bounds is None or request.headers.get("If-Range", etag) != etag:
        # A whole file would occupy a thread for as long as it is played.
        return _described(HttpResponse("Ask for a Range of bytes.", status=416, content_type="text/plain"), etag)
    try:
        piece = piece_of(song, bounds, form)
    except OutsideError as error:
        answer = HttpResponse(status=416, content_type="text/plain")
        answer["Content-Range"] = f"bytes */{error.total}"
        return _described(answer, etag)
    answer = HttpResponse(piece.content, status=206, content_type=piece.content_type)
    answer["Content-Range"] = f"bytes {piece.first}-{piece.first + len(piece.content) - 1}/{piece.total}"
    patch_cache_control(answer, private=True, max_age=_HOUR)
    return _described(answer, etag)


def _handed_over(song: ServerSong) -> HttpResponse:
    """Return an answer without a body: the web server in front puts the file, or the range asked for, in its place."""
    try:
        path = file_of(Path(song.server.address), song.path)
    except FolderError as error:
        raise SoundError(str(error)) from error
    answer = HttpResponse(content_type=OF_SUFFIX[song.suffix])
    if settings.MUSIC_SENDFILE == "X-Sendfile":
        answer["X-Sendfile"] = str(path)
    else:
        answer["X-Accel-Redirect"] = ACCEL_LOCATION + quote_from_bytes(os.fsencode(path))
    patch_cache_control(answer, private=True, max_age=_HOUR)
    return _safe(answer)


def cover_response(track: Track) -> HttpResponse:
    """Return the cover that a music server has of a song. Raise ``Http404``."""
    song = songs_with_cover(track).first()
    if song is None:
        raise Http404("no cover")
    try:
        content, content_type = _cover_of(song)
    except (SubsonicError, FolderError) as error:
        raise Http404("no cover") from error
    answer = HttpResponse(content, content_type=content_type)
    patch_cache_control(answer, private=True, max_age=_DAY)
    return _safe(answer)


def _cover_of(song: ServerSong) -> tuple[bytes, str]:
    if song.server.kind == MusicServer.Kind.FOLDER:
        return cover_of(file_of(Path(song.server.address), song.path), COVER_BYTES)
    parameters = {"id": song.cover_id, "size": _COVER_PIXELS}
    answer = client_of(song.server).fetch("getCoverArt", parameters, seconds=_COVER_SECONDS)
    if answer.status != 200 or answer.content_type not in _PICTURES:
        answer.close()
        raise SubsonicError("getCoverArt: no picture")
    content = answer.read(COVER_BYTES + 1)
    if not content or len(content) > COVER_BYTES:
        raise SubsonicError("getCoverArt: too large")
    return content, answer.content_type


def _described(answer: HttpResponse, etag: str) -> HttpResponse:
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = etag
    return _safe(answer)


def _safe(answer: HttpResponse) -> HttpResponse:
    """Set headers so that browsers do not guess the type and other sites cannot embed it."""
    answer["Content-Disposition"] = "inline"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer
