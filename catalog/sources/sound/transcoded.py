"""Recordings that browsers cannot play, as MP3s: whole files, so that seeking works. A music server makes its own, and
ffmpeg on this machine those of folders.
"""

import os
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO

from django.conf import settings

from catalog.models import MusicServer, ServerSong
from catalog.sources.folders.files import FolderError, file_of
from catalog.sources.servers.services import client_of
from catalog.sources.sound.ffmpeg import SoundFileError, has_ffmpeg, write_mp3
from catalog.sources.subsonic.client import Answer, SubsonicError
from catalog.synth.store import drafted, trim_folder

_SECONDS = 25.0
_MAX_BYTES = 100_000_000
_KBIT = 192
# Maximum number of threads per process that wait for a server to make an MP3.
_makers = BoundedSemaphore(2)


def transcoded_file(song: ServerSong) -> Path:
    """Return where the MP3 of a song is, made if it is not there yet. Raise ``SubsonicError`` and ``FolderError``."""
    path: Path = settings.VAR_DIR / "transcoded" / f"{song.server_id}-{song.digest}.mp3"
    if path.is_file():
        os.utime(path)
        return path
    if not _makers.acquire(timeout=_SECONDS / 5):
        raise SubsonicError("stream: other MP3s are being made")
    try:
        if not path.is_file():
            _make(song, path, limit=settings.TRANSCODED_CACHE_MB * 1_000_000)
    except OSError as error:
        raise SubsonicError(f"stream: the MP3 can't be kept ({error.strerror})") from error
    finally:
        _makers.release()
    return path


def _make(song: ServerSong, path: Path, *, limit: int) -> None:
    if not limit:
        raise SubsonicError("stream: MP3s are off (TRANSCODED_CACHE_MB)")
    if song.server.kind == MusicServer.Kind.FOLDER and (song.duration_ms or 0) * _KBIT / 8 > min(_MAX_BYTES, limit):
        raise FolderError("the MP3 would be larger than TRANSCODED_CACHE_MB or 100 MB")
    with drafted(path) as draft:
        if song.server.kind == MusicServer.Kind.FOLDER:
            _encode(song, Path(draft.name))
        else:
            _fetch(song, draft, min(_MAX_BYTES, limit))
    trim_folder(path.parent, limit)


def _encode(song: ServerSong, target: Path) -> None:
    if not has_ffmpeg():
        raise FolderError("no MP3 can be made without ffmpeg")
    try:
        write_mp3(file_of(Path(song.server.address), song.path), target, kbit=_KBIT, seconds=_SECONDS)
    except SoundFileError as error:
        raise FolderError(f"no MP3 can be made: {error}") from error


def _fetch(song: ServerSong, draft: IO[bytes], limit: int) -> None:
    parameters = {"id": song.remote_id, "format": "mp3", "maxBitRate": _KBIT}
    answer = client_of(song.server).fetch("stream", parameters, seconds=_SECONDS)
    if answer.status != 200 or answer.content_type not in ("audio/mpeg", "audio/mp3"):
        answer.close()
        raise SubsonicError(f"stream: no MP3, but {answer.content_type[:50]} (HTTP {answer.status})")
    _write(answer, draft, limit)


def _write(answer: Answer, file: IO[bytes], limit: int) -> None:
    size = 0
    for piece in answer.pieces():
        size += len(piece)
        if size > limit:
            raise SubsonicError("stream: the MP3 is too large")
        file.write(piece)
