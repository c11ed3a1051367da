"""Opening an uploaded history: a plain file, or a zip whose members are read in place and never unpacked to disk."""

import codecs
import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

PIECE_BYTES = 1 << 18
MAX_MEMBERS = 5000
# Ten years of listening are some 300 MB of JSON.
MAX_UNPACKED_BYTES = 4_000_000_000
# Real histories pack to a twentieth. What packs to less than a three-hundredth is made to fill a disk.
MAX_RATIO = 300
_RATIO_MATTERS_BYTES = 20_000_000
_ENCRYPTED = 0x1
_NOT_TEXT = {
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"\x1f\x8b": "packed with gzip; unpack it first",
    b"7z\xbc\xaf": "a 7z archive; pack it as zip",
    b"Rar!": "a RAR archive; pack it as zip",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet; save it as CSV",
}


class HistoryError(Exception):
    """The file cannot be used; the message is one line, meant for the listener."""


class Member:
    """One readable file of a history: the upload itself, or a member of the zip."""

    def __init__(self, history: "History", name: str, info: zipfile.ZipInfo | None) -> None:
        self.name = name
        self.size = info.file_size if info else history.size
        self._history = history
        self._info = info

    def pieces(self) -> Iterator[bytes]:
        """Yield the content, at most ``PIECE_BYTES`` at a time. Raises ``HistoryError`` where damaged."""
        try:
            with self._history.open(self._info) as file:
                while piece := file.read(PIECE_BYTES):
                    self._history.read += len(piece)
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise HistoryError(f"{self.name}: is damaged and cannot be unpacked") from error
        except NotImplementedError as error:
            raise HistoryError(f"{self.name}: is packed in a way that is not supported") from error

    def texts(self) -> Iterator[str]:
        """Yield the content as text. Raises ``HistoryError`` where it is not UTF-8."""
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        done = 0
        try:
            for piece in self.pieces():
                yield decoder.decode(piece)
                done += len(piece)
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise HistoryError(f"{self.name}: is not UTF-8 text (after about {done + error.start:,} bytes)") from error

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends."""
        waiting = ""
        for text in self.texts():
            parts = (waiting + text).splitlines(keepends=True)
            # The last may go on in the next piece; so may a line end of two signs.
            waiting = parts.pop() if parts else ""
            yield from parts
            if len(waiting) > 4 * PIECE_BYTES:
                raise HistoryError(f"{self.name}: has a line of more than {4 * PIECE_BYTES:,} signs")
        if waiting:
            yield waiting

    def head(self) -> bytes:
        """Return up to ``PIECE_BYTES`` of its start."""
        return next(self.pieces(), b"")


class History:
    """An upload and its readable members; ``read`` of ``size`` bytes were handed out so far (of all passes)."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name = name
        self._file = file
        self._zip: zipfile.ZipFile | None = None
        self.read = 0
        self.size = file.seek(0, io.SEEK_END)
        file.seek(0)
        start = file.read(16)
        if not start:
            raise HistoryError(f"{name}: the file is empty")
        for magic, what in _NOT_TEXT.items():
            if start.startswith(magic):
                raise HistoryError(f"{name}: is no listening history but {what}")
        if start.startswith(b"PK"):
            self.members = self._zip_members()
        else:
            self.members = [Member(self, name, None)]

    def open(self, info: zipfile.ZipInfo | None) -> IO[bytes]:
        """Return the member, or the file itself, opened at its start."""
        if info is not None and self._zip is not None:
            return self._zip.open(info)
        self._file.seek(0)
        # Closing a member must not close the upload.
        return io.BufferedReader(_Unclosed(self._file))

    def _zip_members(self) -> list[Member]:
        try:
            self._zip = zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
            raise HistoryError(f"{self.name}: is a damaged or incomplete zip archive") from error
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        self._refuse_what_may_harm(infos)
        return [Member(self, info.filename, info) for info in infos if not _is_clutter(info.filename)]

    def _refuse_what_may_harm(self, infos: list[zipfile.ZipInfo]) -> None:
        if len(infos) > MAX_MEMBERS:
            raise HistoryError(f"{self.name}: holds {len(infos):,} files; at most {MAX_MEMBERS:,} are accepted")
        if sum(info.file_size for info in infos) > MAX_UNPACKED_BYTES:
            raise HistoryError(f"{self.name}: unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
        for info in infos:
            # Nothing is unpacked to disk; but an archive with such names was made to do harm.
            if info.filename.startswith(("/", "\\")) or ".." in info.filename.replace("\\", "/").split("/"):
                raise HistoryError(f"{self.name}: holds a file with a forbidden path: {info.filename[:100]!r}")
            if info.flag_bits & _ENCRYPTED:
                raise HistoryError(f"{self.name}: is locked with a password; unpack it and pack it anew without")
            if info.file_size > _RATIO_MATTERS_BYTES and info.file_size > MAX_RATIO * max(1, info.compress_size):
                raise HistoryError(f"{self.name}: {info.filename[:100]} unpacks to far more than a history does")


class _Unclosed(io.RawIOBase):
    """A file that others close."""

    def __init__(self, file: IO[bytes]) -> None:
        self._inner = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _is_clutter(name: str) -> bool:
    """Return whether a member is what operating systems add by themselves."""
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith(".")
