"""Recordings as files on this machine: those of folders as they are, those of servers fetched within limits."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from catalog.models import MusicServer, ServerSong
from catalog.sources.folders.files import FolderError, file_of
from catalog.sources.servers.services import client_of
from catalog.sources.sound.ffmpeg import MAX_BYTES
from catalog.sources.subsonic.client import SubsonicError

_SECONDS = 120.0
_LEFTOVER_SECONDS = 3600.0
# What servers send where there is no song.
_NO_SOUND = ("application/json", "text/", "application/xml", "image/")


class RecordingError(Exception):
    """A recording is not available, or is too large; the message says why."""


class ServerAwayError(RecordingError):
    """The server does not answer, so it makes no sense to ask it for more now."""


class TooLargeError(RecordingError):
    """The file is larger than what is analysed."""

    def __init__(self) -> None:
        super().__init__(f"the file is larger than {MAX_BYTES // 1_000_000} MB")


@contextmanager
def recording_file(song: ServerSong) -> Iterator[Path]:
    """Provide the file of a recording until the end of the ``with``. Raise ``RecordingError``."""
    if song.server.kind == MusicServer.Kind.FOLDER:
        yield _file_of_folder(song)
        return
    folder = settings.VAR_DIR / "sound"
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        path = Path(file.name)
        _fetch(song, path)
        yield path


def _remove_leftovers(folder: Path) -> None:
    """Remove the files of workers that were killed: no recording takes an hour."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                path.unlink()


def _file_of_folder(song: ServerSong) -> Path:
    try:
        path = file_of(Path(song.server.address), song.path)
        size = path.stat().st_size
    except (FolderError, OSError) as error:
        raise RecordingError(str(error)) from error
    if size > MAX_BYTES:
        raise TooLargeError
    return path


def _fetch(song: ServerSong, path: Path) -> None:
    if (song.size or 0) > MAX_BYTES:
        raise TooLargeError
    try:
        parameters = {"id": song.remote_id, "format": "raw"}
        answer = client_of(song.server).fetch("stream", parameters, seconds=_SECONDS)
    except SubsonicError as error:
        raise ServerAwayError(str(error)) from error
    try:
        if answer.status != 200 or answer.content_type.startswith(_NO_SOUND):
            raise RecordingError(f"no sound, but {answer.content_type[:50] or 'nothing'} (HTTP {answer.status})")
        size = 0
        with path.open("wb") as file:
            for piece in answer.pieces():
                size += len(piece)
                if size > MAX_BYTES:
                    raise TooLargeError
                file.write(piece)
    except SubsonicError as error:
        # Of this recording alone: a server that is away does not answer for the next one either.
        raise RecordingError(str(error)) from error
    finally:
        answer.close()
