"""The files of a folder: lists them, and finds one by its stored path. Stored paths are relative to the folder and
percent-encoded, so that names in any encoding survive.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

SUFFIXES = frozenset({
    "mp3", "flac", "ogg", "oga", "opus", "m4a", "mp4", "aac", "wav", "wma", "aif", "aiff",
})  # fmt: skip
# Maximum depth, for folders that are mounted within themselves.
_MAX_DEPTH = 40


class FolderError(Exception):
    """A folder or a file in it cannot be read; the message says why."""


class FoundFile(NamedTuple):
    """A music file: its stored path, and its size and time of change."""

    path: str
    size: int
    changed_ns: int

    @property
    def suffix(self) -> str:
        """Return the end of its name, in small letters."""
        return self.path.rpartition(".")[2].lower()


def music_files(root: Path) -> Iterator[FoundFile]:
    """Yield the music files below ``root``, by their paths, without hidden ones and without links.

    Raise ``FolderError`` after the last one if a folder could not be read.
    """
    if not root.is_dir():
        raise FolderError(f"{root}: isn't a folder")
    failures: list[OSError] = []
    top = os.fsencode(root)
    yield from _walk(top, len(top.rstrip(b"/")) + 1, failures, _MAX_DEPTH)
    if failures:
        first = failures[0]
        name = os.fsencode(first.filename or b"").decode(errors="replace")
        raise FolderError(f"{name}: can't be read ({first.strerror}), {len(failures)} in all. Nothing counts as gone.")


def _walk(folder: bytes, cut: int, failures: list[OSError], depth: int) -> Iterator[FoundFile]:
    """Yield the files of a folder; ``cut``: where in their paths the part within the root begins."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        failures.append(error)
        return
    for entry in names:
        if entry.name.startswith(b"."):
            continue
        if entry.is_dir(follow_symlinks=False) and depth:
            yield from _walk(entry.path, cut, failures, depth - 1)
        elif _is_music(entry):
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                failures.append(error)
                continue
            yield FoundFile(quote_from_bytes(entry.path[cut:]), status.st_size, status.st_mtime_ns)


def _is_music(entry: "os.DirEntry[bytes]") -> bool:
    suffix = entry.name.rpartition(b".")[2].lower().decode(errors="replace")
    return suffix in SUFFIXES and entry.is_file(follow_symlinks=False)


def file_of(root: Path, path: str) -> Path:
    """Return the file of a stored ``path``.

    Raise ``FolderError`` unless it is a music file below ``root``. Links are resolved, so that a file that has become
    a link is not opened outside the root.
    """
    try:
        file = (root / os.fsdecode(unquote_to_bytes(path))).resolve(strict=True)
    except (OSError, ValueError) as error:
        raise FolderError("the file is no longer there") from error
    if not file.is_relative_to(root.resolve()) or not file.is_file() or file.suffix[1:].lower() not in SUFFIXES:
        raise FolderError("the file isn't a music file of the folder")
    return file
