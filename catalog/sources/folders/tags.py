"""The tags of a music file as a song of a source, and the picture in it."""

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from urllib.parse import unquote_to_bytes

from tinytag import TinyTag, TinyTagException

from catalog.sources.folders.files import FolderError, FoundFile, file_of
from catalog.sources.library.songs import (
    SourceSong,
    clean_album,
    clean_artists,
    clean_count,
    clean_gain,
    clean_genres,
    clean_isrcs,
    clean_mbid,
    clean_ms,
    clean_text,
    clean_year,
)

# Increased when tags are read differently, so that every file is read again.
_VERSION = 2
# Gains of Opus are 256ths of a dB towards -23 LUFS, those of ReplayGain towards -18 (RFC 7845, section 5.2.1).
_R128_STEPS, _R128_BELOW_DB = 256, 5.0
# Of the ID3 frame in which the recording's id is, behind the name of whose id it is.
_UFID = re.compile(r"musicbrainz\.org\W*([0-9a-f-]{36})", re.IGNORECASE)
_R128 = re.compile(r"-?\d{1,5}")
# Minimum plausible bytes per second, because headers may claim a wrong length.
_MIN_SHARE = 0.5


def stamp_of(file: FoundFile) -> str:
    """Return a stamp that differs after a file has changed."""
    return f"{_VERSION}:{file.size}:{file.changed_ns}"


def unread_song(file: FoundFile) -> SourceSong:
    """Return a song without tags, for a file that has not changed."""
    remote_id = blake2b(file.path.encode(), digest_size=16).hexdigest()
    return SourceSong(remote_id=remote_id, title="", artists=(), path=file.path, stamp=stamp_of(file))


def song_of(root: Path, file: FoundFile) -> SourceSong:
    """Return the song in a file. Raise ``FolderError`` for a file that is none."""
    tag = tag_of(file_of(root, file.path))
    if not (tag.title or tag.duration):
        raise FolderError(f"{file.path}: has neither a title nor a length")
    other = _by_plain_name(tag)
    artists = _artists(tag)
    artist_mbids = [clean_mbid(value) for value in other.get("musicbrainzartistid", ())]
    is_told = len(artist_mbids) == len(artists)
    return unread_song(file)._replace(
        title=clean_text(tag.title) or _title_of(file.path),
        artists=artists,
        album=clean_album(tag.album),
        duration_ms=_length(tag, file.size),
        release_year=clean_year(tag.year),
        isrcs=clean_isrcs(part for value in other.get("isrc", ()) for part in re.split(r"[;,/\s]+", value)),
        mbid=_recording(other),
        release_mbid=next(filter(None, map(clean_mbid, other.get("musicbrainzalbumid", ()))), ""),
        artist_mbids=tuple((n, m) for n, m in zip(artists, artist_mbids, strict=True) if m) if is_told else (),
        genres=clean_genres([tag.genre, *tag.other.get("genre", [])]),
        suffix=file.suffix,
        bit_rate=clean_count(tag.bitrate),
        size=file.size,
        gain_db=_gain(other),
    )


def tag_of(path: Path, *, image: bool = False) -> TinyTag:
    """Return the tags of a file. Raise ``FolderError`` for one that has none that can be read."""
    try:
        return TinyTag.get(path, image=image)
    except (TinyTagException, OSError, MemoryError, RecursionError) as error:
        raise FolderError(f"{path.name}: the tags can't be read") from error


def _by_plain_name(tag: TinyTag) -> dict[str, list[str]]:
    """Return further tags by names without blanks and underscores, because formats spell them differently."""
    return {name.lower().replace(" ", "").replace("_", ""): values for name, values in tag.other.items()}


def _artists(tag: TinyTag) -> tuple[str, ...]:
    """Return the artists: the list of them where a joined name comes with it, else the artist of the album."""
    further = tag.other.get("artist", [])
    first = tag.artist or ""
    is_joined = len(further) > 1 and all(name in first for name in further)
    names: Iterable[str] = further if is_joined else [first, *further]
    return clean_artists(names) or clean_artists([tag.albumartist])


def _recording(other: dict[str, list[str]]) -> str:
    def told() -> Iterator[str]:
        yield from other.get("musicbrainztrackid", ())
        yield from (match[1] for value in other.get("ufid", ()) if (match := _UFID.search(value)))

    return next(filter(None, map(clean_mbid, told())), "")


def _gain(other: dict[str, list[str]]) -> float | None:
    gains = [clean_gain(value) for value in other.get("replaygaintrackgain", ())]
    steps = [int(value) for value in other.get("r128trackgain", ()) if _R128.fullmatch(value)]
    gains += [clean_gain(number / _R128_STEPS + _R128_BELOW_DB) for number in steps]
    return next((gain for gain in gains if gain is not None), None)


def _title_of(path: str) -> str:
    return clean_text(PurePosixPath(unquote_to_bytes(path).decode(errors="replace")).stem)


def _length(tag: TinyTag, size: int) -> int | None:
    seconds, kbit = tag.duration, tag.bitrate
    if seconds and kbit and size < _MIN_SHARE * seconds * kbit * 125:
        return None
    return clean_ms(seconds)
