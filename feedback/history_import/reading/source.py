"""Opening an uploaded history: a plain file, or a zip whose members are read in place and never unpacked to disk."""

import codecs
import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from django.utils.translation import gettext_noop

from catalog.importing.reading.dialect import UTF_8
from feedback.history_import.reading.encodings import encoding_for

PIECE_BYTES = 1 << 18
MAX_MEMBERS = 5000
# Ten years of listening are some 300 MB of JSON.
MAX_UNPACKED_BYTES = 1_000_000_000
# Real histories compress to a twentieth. An archive that compresses to less than a sixtieth is made to fill a disk.
MAX_RATIO = 60
_RATIO_MATTERS_BYTES = 3_000_000
_CLUTTER = frozenset({".DS_Store", ".localized", ".directory", "Thumbs.db", "desktop.ini"})
# Members of Excel and LibreOffice files, which are zip archives as well.
_SPREADSHEETS = frozenset({"xl/workbook.xml", "content.xml"})
_ENCRYPTED = 0x1
_UNKNOWN_ENCODING = gettext_noop("%(file)s isn't UTF-8 text. Save it as UTF-8 and try again.")
_UTF_16 = gettext_noop("%(file)s isn't a listening history. It is UTF-16 text. Save it as UTF-8.")
_NOT_TEXT = {
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
    b"\x1f\x8b": gettext_noop("%(file)s isn't a listening history. It is compressed with gzip. Unpack it first."),
    b"7z\xbc\xaf": gettext_noop("%(file)s isn't a listening history. It is a 7z archive. Use a zip file instead."),
    b"Rar!": gettext_noop("%(file)s isn't a listening history. It is a RAR archive. Use a zip file instead."),
    b"%PDF": gettext_noop("%(file)s isn't a listening history. It is a PDF document."),
    b"\xd0\xcf\x11\xe0": gettext_noop("%(file)s isn't a listening history. It is an old spreadsheet. Save it as CSV."),
}


class HistoryError(Exception):
    """The file cannot be used.

    ``pattern`` is one line for the listener, marked for translation, and ``values`` what it is filled with: the worker
    that raises it does not know the listener's language.
    """

    def __init__(self, pattern: str, **values: str | int) -> None:
        # A name within an archive may have any length.
        self.values = {name: value[:200] if isinstance(value, str) else value for name, value in values.items()}
        self.pattern = pattern
        super().__init__(pattern % self.values)


class Member:
    """One readable file of a history: the upload itself, or a member of the zip."""

    def __init__(self, history: "History", name: str, info: zipfile.ZipInfo | None) -> None:
        self.name = name
        self.size = info.file_size if info else history.size
        self.encoding = "utf-8-sig"
        self._history = history
        self._info = info

    def pieces(self) -> Iterator[bytes]:
        """Yield the content, at most ``PIECE_BYTES`` at a time. Raise ``HistoryError`` where damaged."""
        try:
            with self._history.open(self._info) as file:
                while piece := file.read(PIECE_BYTES):
                    self._history.read += len(piece)
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise HistoryError(gettext_noop("%(file)s is damaged and can't be unpacked."), file=self.name) from error
        except NotImplementedError as error:
            raise HistoryError(
                gettext_noop("%(file)s uses an unsupported compression method."), file=self.name
            ) from error

    def texts(self) -> Iterator[str]:
        """Yield the content as text. Raise ``HistoryError`` where it is not UTF-8 (or not what ``encoding`` says)."""
        decoder = codecs.getincrementaldecoder(self.encoding)()
        try:
            for piece in self.pieces():
                yield decoder.decode(piece)
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise HistoryError(_UNKNOWN_ENCODING, file=self.name) from error

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends, which are CR, LF or both, because titles may contain other line
        separators."""
        waiting = ""
        for text in self.texts():
            parts = _lines(waiting + text)
            # The last line may continue in the next piece, and so may a line end of two characters.
            waiting = parts.pop() if parts else ""
            yield from parts
            if len(waiting) > 4 * PIECE_BYTES:
                raise HistoryError(
                    gettext_noop("%(file)s has a line that is far too long for a listening history."), file=self.name
                )
        yield from _lines(waiting)

    def settle_encoding(self) -> None:
        """Read the file as spreadsheets write where it is not UTF-8; for tables.

        Raise ``HistoryError`` where no encoding makes sense of it.
        """
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        piece = b""
        try:
            for piece in self.pieces():
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            guess = encoding_for(piece)
            if guess is None:
                raise HistoryError(_UNKNOWN_ENCODING, file=self.name) from None
            self.encoding = self.encoding if guess == UTF_8 else guess

    def head(self) -> bytes:
        """Return up to ``PIECE_BYTES`` of its start."""
        return next(self.pieces(), b"")


class History:
    """An upload and its readable members; ``read`` counts the bytes returned so far, of ``size`` (of all passes)."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name = name
        self._file = file
        self._zip: zipfile.ZipFile | None = None
        self.read = 0
        self.size = file.seek(0, io.SEEK_END)
        file.seek(0)
        start = file.read(16)
        if not start:
            raise HistoryError(gettext_noop("%(file)s is empty."), file=name)
        for magic, pattern in _NOT_TEXT.items():
            if start.startswith(magic):
                raise HistoryError(pattern, file=name)
        if start.startswith(b"PK"):
            self.members = self._zip_members()
        else:
            self.members = [Member(self, name, None)]

    @property
    def is_zip(self) -> bool:
        """Return whether the upload is an archive."""
        return self._zip is not None

    def open(self, info: zipfile.ZipInfo | None) -> IO[bytes]:
        """Return the member, or the file itself, opened at its start."""
        if info is not None and self._zip is not None:
            try:
                return self._zip.open(info)
            except ValueError as error:
                # Its place or its name in the archive cannot be.
                raise zipfile.BadZipFile(str(error)) from error
        self._file.seek(0)
        # Closing a member must not close the upload.
        return io.BufferedReader(_Unclosed(self._file))

    def _zip_members(self) -> list[Member]:
        try:
            self._zip = zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
            raise HistoryError(
                gettext_noop("%(file)s is a damaged or incomplete zip archive. Please download it again."),
                file=self.name,
            ) from error
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        if any(info.filename in _SPREADSHEETS for info in infos):
            raise HistoryError(
                gettext_noop("%(file)s isn't a listening history we can read. It is a spreadsheet. Save it as CSV."),
                file=self.name,
            )
        self._refuse_what_may_harm(infos)
        return [Member(self, info.filename, info) for info in infos if not _is_clutter(info.filename)]

    def _refuse_what_may_harm(self, infos: list[zipfile.ZipInfo]) -> None:
        if len(infos) > MAX_MEMBERS:
            raise HistoryError(
                gettext_noop("%(file)s contains %(number)d files. The limit is %(limit)d."),
                file=self.name,
                number=len(infos),
                limit=MAX_MEMBERS,
            )
        if sum(info.file_size for info in infos) > MAX_UNPACKED_BYTES:
            raise HistoryError(
                gettext_noop("%(file)s unpacks to more than %(limit)d MB, which is the limit."),
                file=self.name,
                limit=MAX_UNPACKED_BYTES // 1_000_000,
            )
        unpacked = sum(info.file_size for info in infos)
        # Several members may refer to the same packed bytes, so the size of the upload counts.
        if unpacked > _RATIO_MATTERS_BYTES and unpacked > MAX_RATIO * self.size:
            largest = max(infos, key=lambda info: info.file_size)
            raise HistoryError(
                gettext_noop("%(member)s in %(file)s is far too large for a listening history."),
                file=self.name,
                member=largest.filename[:100],
            )
        for info in infos:
            # Nothing is unpacked to disk, but an archive with such names is malicious.
            if info.filename.startswith(("/", "\\")) or ".." in info.filename.replace("\\", "/").split("/"):
                raise HistoryError(
                    gettext_noop("%(file)s contains a file with an unsafe path (%(member)s)."),
                    file=self.name,
                    member=info.filename[:100],
                )
            if info.flag_bits & _ENCRYPTED:
                raise HistoryError(
                    gettext_noop("%(file)s is password-protected. Unpack it and upload it without a password."),
                    file=self.name,
                )


class _Unclosed(io.RawIOBase):
    """A file whose ``close`` does nothing."""

    def __init__(self, file: IO[bytes]) -> None:
        self._inner = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _lines(text: str) -> list[str]:
    # Unlike ``splitlines``, which also splits at form feeds and U+2028.
    return list(io.StringIO(text, newline=""))


def _is_clutter(name: str) -> bool:
    """Return whether a member is one of those that operating systems add."""
    last = name.rsplit("/", 1)[-1]
    return name.startswith("__MACOSX/") or last.startswith("._") or last in _CLUTTER
