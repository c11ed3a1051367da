"""Sends recordings in pieces small enough that no thread waits for a listener who pauses. A browser that requests a
file from some byte on accepts a shorter response and requests the rest (RFC 9110, section 15.3.7).
"""

import re
from pathlib import Path
from typing import NamedTuple

from django.db.models import Q, QuerySet

from catalog.models import MusicServer, ServerSong, Track
from catalog.sources.folders.files import FolderError, file_of
from catalog.sources.servers.services import client_of
from catalog.sources.sound.ffmpeg import MAX_BYTES, has_ffmpeg
from catalog.sources.sound.transcoded import transcoded_file
from catalog.sources.subsonic.client import Answer, SubsonicError

PIECE = 256 * 1024
_SECONDS = 10.0
# The content type sent to browsers for each type from servers; others are refused.
TYPES = {
    "audio/mpeg": "audio/mpeg", "audio/mp3": "audio/mpeg", "audio/x-mp3": "audio/mpeg",
    "audio/flac": "audio/flac", "audio/x-flac": "audio/flac",
    "audio/ogg": "audio/ogg", "application/ogg": "audio/ogg", "audio/opus": "audio/ogg", "audio/vorbis": "audio/ogg",
    "audio/mp4": "audio/mp4", "audio/x-m4a": "audio/mp4", "audio/m4a": "audio/mp4", "audio/aac": "audio/aac",
    "audio/wav": "audio/wav", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav", "audio/webm": "audio/webm",
}  # fmt: skip
# Content types by the extension of files that browsers play.
OF_SUFFIX = {
    "mp3": "audio/mpeg", "flac": "audio/flac", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg",
    "m4a": "audio/mp4", "mp4": "audio/mp4", "aac": "audio/aac", "wav": "audio/wav", "webm": "audio/webm",
}  # fmt: skip
MP3 = "mp3"
_BOUNDS = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")


class SoundError(Exception):
    """The recording is not available now."""


class OutsideError(Exception):
    """The piece lies outside of the file, which has ``total`` bytes."""

    def __init__(self, total: int) -> None:
        super().__init__(total)
        self.total = total


class Piece(NamedTuple):
    """Bytes of a file of ``total`` bytes, from ``first`` on."""

    content: bytes
    first: int
    total: int
    content_type: str


def present_songs(track: Track) -> QuerySet[ServerSong]:
    """Return the available files of a song, those that browsers can play first."""
    rows = ServerSong.objects.filter(track=track, gone_at=None, server__is_active=True)
    return rows.select_related("server").order_by("pk")


def songs_with_cover(track: Track) -> QuerySet[ServerSong]:
    """Return the available files of a song that may have a cover: of a folder's files only reading tells."""
    if not track.has_file:
        return ServerSong.objects.none()
    return present_songs(track).filter(Q(server__kind=MusicServer.Kind.FOLDER) | ~Q(cover_id=""))


def best_song(track: Track) -> ServerSong | None:
    """Return the file to play of a song; ``None`` where there is none that can be played."""
    rows = list(present_songs(track)[:20]) if track.has_file else []
    playable = [row for row in rows if row.suffix in OF_SUFFIX or _is_made_playable(row)]
    return min(playable, key=lambda row: (row.suffix not in OF_SUFFIX, row.pk), default=None)


def _is_made_playable(song: ServerSong) -> bool:
    """Return whether somebody makes an MP3 of a file: its server, or ffmpeg on this machine."""
    return song.server.kind == MusicServer.Kind.SUBSONIC or has_ffmpeg()


def bounds_of(text: str) -> tuple[int, int] | None:
    """Return the bytes to send of those that the header ``Range`` asks for; ``None`` where it is no such."""
    match = _BOUNDS.fullmatch(text.strip())
    if match is None:
        return None
    first = int(match[1])
    last = min(int(match[2]), first + PIECE - 1) if match[2] else first + PIECE - 1
    return (first, last) if last >= first else None


def piece_of(song: ServerSong, bounds: tuple[int, int], form: str = "") -> Piece:
    """Return a piece of a song's file, of its MP3 where ``form`` says so.

    Raise ``OutsideError``, or ``SoundError`` where the server does not answer in time or sends what is no sound.
    """
    try:
        if form == MP3:
            return _transcoded_piece(song, bounds)
        is_on_server = song.server.kind == MusicServer.Kind.SUBSONIC
        return _server_piece(song, bounds) if is_on_server else _folder_piece(song, bounds)
    except (SubsonicError, FolderError) as error:
        raise SoundError(str(error)) from error


def _server_piece(song: ServerSong, bounds: tuple[int, int]) -> Piece:
    parameters = {"id": song.remote_id, "format": "raw"}
    answer = client_of(song.server).fetch("stream", parameters, seconds=_SECONDS, bounds=bounds)
    try:
        return _piece_of_answer(answer, bounds)
    finally:
        answer.close()


def _piece_of_answer(answer: Answer, bounds: tuple[int, int]) -> Piece:
    first, last = bounds
    content_range = answer.headers.get("Content-Range", "")
    if answer.status == 416 and (total := re.fullmatch(r"bytes \*/(\d{1,15})", content_range)):
        raise OutsideError(int(total[1]))
    content_type = TYPES.get(answer.content_type)
    if content_type is None or answer.status not in (200, 206):
        raise SoundError(f"no sound, but {answer.content_type[:50] or 'nothing'} (HTTP {answer.status})")
    if answer.status == 206:
        match = _CONTENT_RANGE.fullmatch(content_range)
        if match is None or int(match[1]) != first:
            raise SoundError("the server sent other bytes")
        total_bytes, content = int(match[3]), answer.read(last - first + 1)
    else:
        # The server ignores ranges, so the bytes before are read and dropped.
        total_bytes = int(answer.headers.get("Content-Length", "0") or 0)
        content = answer.read(last - first + 1, skip=first) if first < total_bytes <= MAX_BYTES else b""
    return checked_piece(Piece(content, first, total_bytes, content_type))


def checked_piece(piece: Piece) -> Piece:
    """Return ``piece``. Raise ``OutsideError`` or ``SoundError`` for one that is none."""
    if piece.total > MAX_BYTES:
        raise SoundError("the file is too large")
    if piece.first >= piece.total > 0:
        raise OutsideError(piece.total)
    if not piece.content:
        raise SoundError("the server sent nothing")
    return piece


def _folder_piece(song: ServerSong, bounds: tuple[int, int]) -> Piece:
    content_type = OF_SUFFIX.get(song.suffix)
    if content_type is None:
        raise SoundError("browsers don't play such files")
    return piece_of_file(file_of(Path(song.server.address), song.path), bounds, content_type)


def _transcoded_piece(song: ServerSong, bounds: tuple[int, int]) -> Piece:
    return piece_of_file(transcoded_file(song), bounds, "audio/mpeg")


def piece_of_file(path: Path, bounds: tuple[int, int], content_type: str) -> Piece:
    """Return a piece of a file on this machine. Raise ``OutsideError`` or ``SoundError``."""
    first, last = bounds
    try:
        with path.open("rb") as file:
            total = file.seek(0, 2)
            file.seek(first)
            content = file.read(last - first + 1)
    except OSError as error:
        raise SoundError(f"the file can't be read ({error.strerror})") from error
    return checked_piece(Piece(content, first, total, content_type))
