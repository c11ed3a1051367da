"""Cache of rendered sketches on disk, limited by ``SKETCH_CACHE_MB``; the least recently used are deleted first."""

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings

from catalog.models import Track
from catalog.synth.plan import digest, plan

logger = logging.getLogger(__name__)
# A file in use is touched at most this often, to avoid a write per request.
_TOUCH_SECONDS = 600


def sketch_wav(track: Track) -> bytes:
    """Return the song's sketch as the bytes of a WAV file: from disk, else rendered and kept.

    If the disk is full or read-only, the sketch is rendered again for the next listener.
    """
    path = settings.SKETCH_DIR / f"{digest(track)}.wav"
    try:
        content: bytes = path.read_bytes()
        _mark_used(path)
    except OSError:
        from catalog.synth.render import render_wav

        content = render_wav(plan(track))
        _keep(path, content)
    return content


def _mark_used(path: Path) -> None:
    if time.time() - path.stat().st_mtime > _TOUCH_SECONDS:
        os.utime(path)


def _keep(path: Path, content: bytes) -> None:
    limit = settings.SKETCH_CACHE_MB * 1_000_000
    if len(content) > limit:
        return
    try:
        with drafted(path) as draft:
            draft.write(content)
        trim_folder(path.parent, limit)
    except OSError as error:
        logger.warning("sketches are not kept: %s", error)


@contextmanager
def drafted(path: Path) -> Iterator[IO[bytes]]:
    """Give a file under another name, which becomes ``path`` at the end, so that nobody reads half a file.

    After an error nothing of it stays: on a full disk, each try would leave a draft that takes more room.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = tempfile.NamedTemporaryFile(dir=path.parent, suffix=".draft", delete=False)  # noqa: SIM115
    try:
        # What is still in its buffer is written here, which can fail as well.
        with draft:
            yield draft
        Path(draft.name).replace(path)
    except BaseException:
        Path(draft.name).unlink(missing_ok=True)
        raise


def trim_folder(folder: Path, limit: int) -> None:
    """Delete the least recently used files until the rest is within ``limit`` bytes; other workers may do so at the
    same time."""
    files = []
    for entry in os.scandir(folder):
        try:
            status = entry.stat()
        except FileNotFoundError:
            continue
        files.append((status.st_mtime, status.st_size, entry.path))
    total = sum(size for _used, size, _path in files)
    for _used, size, path in sorted(files):
        if total <= limit:
            break
        Path(path).unlink(missing_ok=True)
        total -= size
