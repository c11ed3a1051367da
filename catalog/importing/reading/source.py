"""Opening a catalogue file: plain or gzip, by path or as an open binary file, in blocks of whole lines."""

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

PIECE_BYTES = 1 << 18
# A longer line cannot be a row; it is cut here, and the remainder fails the reader's checks.
MAX_LINE_BYTES = 1 << 22
_GZIP = b"\x1f\x8b"
_UTF_16 = gettext_noop("%(file)s: isn't a CSV file. It looks like UTF-16 text. Save it as UTF-8.")
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*[\"}]|(?:\xef\xbb\xbf)?\s*\[\s*\[")
_WEB_PAGE = gettext_noop("%(file)s: isn't a CSV file. It looks like a web page.")
_NOT_CSV = {
    b"PK": gettext_noop("%(file)s: isn't a CSV file. It looks like a zip archive or a spreadsheet."),
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
    b"BZh": gettext_noop("%(file)s: isn't a CSV file. It looks like a bzip2 file. Use gzip instead."),
    b"\xfd7zXZ": gettext_noop("%(file)s: isn't a CSV file. It looks like an xz file. Use gzip instead."),
    b"\x28\xb5\x2f\xfd": gettext_noop("%(file)s: isn't a CSV file. It looks like a zstd file. Use gzip instead."),
    b"7z\xbc\xaf": gettext_noop("%(file)s: isn't a CSV file. It looks like a 7z archive."),
    b"PAR1": gettext_noop("%(file)s: isn't a CSV file. It looks like a Parquet file."),
    b"SQLite format 3": gettext_noop("%(file)s: isn't a CSV file. It looks like an SQLite database."),
    b"%PDF": gettext_noop("%(file)s: isn't a CSV file. It looks like a PDF document."),
    b"<!DOCTYPE": _WEB_PAGE,
    b"<html": _WEB_PAGE,
}


class SourceError(Exception):
    """A file cannot be used; the message is one line and names the file."""


class BrokenSourceError(SourceError):
    """A file ends, or can no longer be unpacked, half-way: all lines before that were handed out."""


class Source:
    """A seekable binary file of lines, unpacked where it is gzip.

    ``size`` is the number of bytes as stored (packed), ``position`` how many of them were read in the present pass.

    Raises:
        SourceError: the file is empty or not text.
    """

    def __init__(self, file: IO[bytes], name: str, *, max_bytes: int | None = None) -> None:
        self.name = name
        self._file = file
        self._max_bytes = max_bytes
        self.size = file.seek(0, io.SEEK_END)
        file.seek(0)
        start = file.read(2)
        self.is_gzip = start == _GZIP
        if not start:
            raise SourceError(_("%(file)s: the file is empty.") % {"file": name})
        if name.lower().endswith(".gz") and not self.is_gzip:
            raise SourceError(_("%(file)s: ends in .gz but isn't a gzip file.") % {"file": name})
        self._refuse_what_is_not_text()

    @property
    def position(self) -> int:
        """Bytes of the stored file read so far."""
        return self._file.tell()

    def blocks(self, block_bytes: int) -> Iterator[bytes]:
        """Yield the file from its start in blocks of whole lines, each ending in a line feed.

        Raises:
            BrokenSourceError: the rest cannot be unpacked; everything before it was yielded.
            SourceError: more than ``max_bytes`` came out of it.
        """
        waiting = bytearray()
        try:
            for piece in self._pieces(min(block_bytes, PIECE_BYTES)):
                waiting += piece
                if len(waiting) < block_bytes:
                    continue
                end = waiting.rfind(b"\n") + 1
                if end:
                    yield bytes(waiting[:end])
                    del waiting[:end]
                del waiting[MAX_LINE_BYTES:]
        except BrokenSourceError:
            # The last line is incomplete.
            if end := waiting.rfind(b"\n") + 1:
                yield bytes(waiting[:end])
            raise
        if waiting:
            yield bytes(waiting) if waiting.endswith(b"\n") else bytes(waiting) + b"\n"

    def _pieces(self, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
        """Yield the unpacked bytes as they come, at most ``piece_bytes`` at a time."""
        self._file.seek(0)
        # read1 returns what was unpacked before an error; read would lose up to a whole piece.
        read = gzip.GzipFile(fileobj=self._file).read1 if self.is_gzip else self._file.read
        total = 0
        while True:
            try:
                piece = read(piece_bytes)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                text = _("%(file)s: incomplete or damaged after %(number)s unpacked bytes.")
                raise BrokenSourceError(text % {"file": self.name, "number": f"{total:,}"}) from error
            if not piece:
                return
            total += len(piece)
            if self._max_bytes is not None and total > self._max_bytes:
                text = _("%(file)s: unpacks to more than %(limit)s bytes, which is the limit.")
                raise SourceError(text % {"file": self.name, "limit": f"{self._max_bytes:,}"})
            yield piece

    def _refuse_what_is_not_text(self) -> None:
        try:
            start = next(self._pieces(), b"")[:4096]
        except BrokenSourceError as error:
            raise SourceError(_("%(file)s: isn't a valid gzip file.") % {"file": self.name}) from error
        if not start.strip():
            raise SourceError(_("%(file)s: the file is empty.") % {"file": self.name})
        for magic, pattern in _NOT_CSV.items():
            if start.startswith(magic):
                raise SourceError(_(pattern) % {"file": self.name})
        if _JSON.match(start):
            text = _("%(file)s: isn't a CSV file. It looks like JSON, which isn't a table of songs. Save it as CSV.")
            raise SourceError(text % {"file": self.name})
        # The first line holds column names; zero bytes there mean that this is not text.
        if b"\0" in start.split(b"\n", 1)[0]:
            text = _("%(file)s: isn't a CSV file. It looks like binary data.")
            raise SourceError(text % {"file": self.name})


@contextmanager
def open_source(
    source: str | Path | IO[bytes], *, name: str | None = None, max_bytes: int | None = None
) -> Iterator[Source]:
    """Open ``source``, a path or a seekable binary file (then left open), for reading.

    Args:
        source: where the file is.
        name: how messages call it; by default its path.
        max_bytes: refuse a file that unpacks to more.

    Raises:
        SourceError: not there, a directory, not permitted, empty, or not text.
    """
    if not isinstance(source, (str, Path)):
        yield Source(source, name or str(getattr(source, "name", "the file")), max_bytes=max_bytes)
        return
    path = Path(source)
    name = name or str(path)
    if path.is_dir():
        raise SourceError(_("%(file)s: is a folder, not a file.") % {"file": name})
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise SourceError(_("%(file)s: no such file.") % {"file": name}) from error
    except OSError as error:
        text = _("%(file)s: can't be read: %(reason)s.")
        raise SourceError(text % {"file": name, "reason": error.strerror}) from error
    with file:
        yield Source(file, name, max_bytes=max_bytes)
