"""Reads a folder: the tags of files that are new or have changed, in batches."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from urllib.parse import unquote

from catalog.sources.folders.files import FolderError, FoundFile, music_files
from catalog.sources.folders.tags import song_of, unread_song
from catalog.sources.library.songs import SourceSong

BATCH = 500
Known = Callable[[Sequence[str]], dict[str, str]]
"""``known(remote_ids)``: the digests of those songs that were read before, by their ids."""


def walk(root: Path, known: Known, unreadable: list[str]) -> Iterator[list[SourceSong]]:
    """Yield the songs below ``root``, those of files that have not changed without their tags.

    The paths of files that could not be read are added to ``unreadable``. Raise ``FolderError`` where folders could not
    be read.
    """
    files = music_files(root)
    while batch := list(islice(files, BATCH)):
        yield list(_songs_of(root, batch, known, unreadable))


def _songs_of(root: Path, files: Sequence[FoundFile], known: Known, unreadable: list[str]) -> Iterator[SourceSong]:
    unread = [unread_song(file) for file in files]
    digests = known([song.remote_id for song in unread])
    for file, song in zip(files, unread, strict=True):
        if digests.get(song.remote_id) == song.digest:
            yield song
            continue
        try:
            yield song_of(root, file)
        except FolderError:
            unreadable.append(_as_text(file.path))


def _as_text(path: str) -> str:
    """Return a stored path as it is written in a line for people, without what a terminal would act on."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in unquote(path))
