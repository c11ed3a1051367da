"""ffmpeg as a process with limits, which is given files only through a pipe: it opens no address and no other file.

Nothing here imports Django, because the process that analyses sound uses it, too.
"""

import os
import re
import shutil
import subprocess
import threading
from functools import cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

RATE = 22_050
MAX_BYTES = 500_000_000
# Limits of a process: memory in KiB, CPU and elapsed time in seconds, and 512-byte blocks of files that it writes.
_MEMORY_KIB = 1_048_576
_CPU_SECONDS = 60
_SECONDS = 120.0
_FILE_BLOCKS = 1_200_000
_NICE = 10
# Of what ffmpeg says, the end: a damaged file makes it write a line for each of its packets.
_ERRORS_BYTES = 65_536
# A report of its progress is 200 bytes, two a second.
_PROGRESS_BYTES = 1_000_000
_SAMPLE_BYTES = 4
_LIMITED = (
    f"ulimit -c 0; ulimit -f {_FILE_BLOCKS}; ulimit -t {_CPU_SECONDS}; ulimit -v {_MEMORY_KIB} 2>/dev/null; "
    f'exec nice -n {_NICE} "$@"'
)
# ``cache`` lets ffmpeg go back and forth in a pipe, as MP4 files need it, by an unlinked temporary file.
_INPUT = ("-protocol_whitelist", "pipe,cache", "-read_ahead_limit", "-1")
_MAGIC = (
    (0, b"fLaC", "flac"), (0, b"OggS", "ogg"), (4, b"ftyp", "mov"), (0, b"FORM", "aiff"), (0, b"RIFF", "wav"),
    (0, b"RF64", "wav"), (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"), (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"wvpk", "wv"), (0, b"MAC ", "ape"), (0, b"MPCK", "mpc8"), (0, b"ADIF", "aac"),
)  # fmt: skip
_OUT_TIME = re.compile(rb"^out_time_us=(\d{1,15})\s*$", re.MULTILINE)
_LOUDNESS = re.compile(rb"^\s{0,8}I:\s{1,20}(-?\d{1,3}\.\d) LUFS", re.MULTILINE)


class SoundFileError(Exception):
    """A file cannot be decoded; the message says why."""


class Excerpt(NamedTuple):
    """Decoded sound: bytes of float32 samples, one channel, ``RATE`` a second; ``loudness`` in LUFS (EBU R 128)."""

    samples: bytes
    loudness: float | None


@cache
def has_ffmpeg() -> bool:
    """Return whether this machine has ffmpeg."""
    return shutil.which("ffmpeg") is not None


def container_of(file: BinaryIO, suffix: str = "") -> str:
    """Return ffmpeg's name of a file's format, by its first bytes; "" for what is no sound. Go back to its start.

    ffmpeg is never left to guess: it would take a playlist of addresses for music.
    """
    head = file.read(16)
    if head[:3] == b"ID3" and len(head) >= 10:
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        file.seek(10 + size)
        head = file.read(16)
        suffix = suffix or "mp3"
    file.seek(0)
    for offset, magic, name in _MAGIC:
        if head[offset:].startswith(magic):
            return name
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "mp3" if head[1] & 0x06 else "aac"
    # There may be padding before the first frame.
    return suffix if suffix in ("mp3", "aac") else ""


def seconds_in(file: BinaryIO, container: str) -> float | None:
    """Return how long the sound in a file is, by its packets and not by its header; ``None`` where they do not tell."""
    output = _run(file, container, [], ["-map", "0:a:0", "-c", "copy", "-f", "null", "-progress", "pipe:1", "-"])
    times = _OUT_TIME.findall(output.stdout)
    return int(times[-1]) / 1_000_000 if times else None


def excerpt_of(file: BinaryIO, container: str, *, start: float, seconds: float) -> Excerpt:
    """Return decoded sound from ``start`` on, at most ``seconds`` of it. Raise ``SoundFileError``."""
    filters = f"ebur128=framelog=verbose,aresample={RATE},aformat=sample_fmts=flt:channel_layouts=mono"
    cut = ["-ss", f"{start:.3f}", "-t", f"{seconds:.3f}"]
    # A second more: ffmpeg cuts by packets.
    most = int((seconds + 1) * RATE) * _SAMPLE_BYTES
    output = _run(file, container, cut, ["-map", "0:a:0", "-af", filters, "-f", "f32le", "pipe:1"], most=most)
    loudness = _LOUDNESS.findall(output.stderr)
    return Excerpt(
        output.stdout[: len(output.stdout) // _SAMPLE_BYTES * _SAMPLE_BYTES], float(loudness[-1]) if loudness else None
    )


def write_mp3(path: Path, target: Path, *, kbit: int, seconds: float) -> None:
    """Write an MP3 of a file to ``target``. Raise ``SoundFileError`` where it cannot be decoded, and ``OSError``."""
    with path.open("rb") as file, target.open("wb") as output:
        if not (container := container_of(file, path.suffix[1:].lower())):
            raise SoundFileError("the file is no sound")
        options = ["-map", "0:a:0", "-map_metadata", "-1", "-ac", "2", "-b:a", f"{kbit}k", "-f", "mp3", "pipe:1"]
        result = _run(file, container, [], options, output=output, seconds=seconds, is_alone=True)
    if result.returncode or not target.stat().st_size:
        raise SoundFileError(_reason(result.stderr))


def _run(
    file: BinaryIO,
    container: str,
    cut: list[str],
    options: list[str],
    *,
    output: BinaryIO | None = None,
    most: int = _PROGRESS_BYTES,
    seconds: float = _SECONDS,
    is_alone: bool = False,
) -> "subprocess.CompletedProcess[bytes]":
    """Run ffmpeg on an open file. Raise ``SoundFileError``, also where it writes more than ``most`` bytes.

    ``output``: a file for what it writes, whose size the process's limit bounds; ``is_alone``: in a process group of
    its own.
    """
    # The descriptor's own position: ``seek`` may move within what was read ahead only.
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    arguments = ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-threads", "1", *_INPUT, "-f", container, *cut]
    arguments += ["-i", "cache:pipe:0", "-vn", "-sn", "-dn", "-threads", "1", *options]
    errors, written = _Errors(), _Written(most)
    try:
        result = subprocess.run(  # noqa: S603  (our own arguments and a number of seconds)
            ["/bin/sh", "-c", _LIMITED, "sh", *arguments],
            stdin=file,
            stdout=written.writer if output is None else output,
            stderr=errors.writer,
            timeout=seconds,
            start_new_session=is_alone,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SoundFileError(f"ffmpeg took longer than {seconds:.0f} s") from error
    finally:
        end, start = errors.close(), written.close()
    if len(start) > most:
        raise SoundFileError(f"ffmpeg wrote more than {most:,} bytes")
    result.stdout, result.stderr = start, end
    return result


class _Reader(threading.Thread):
    """Reads what a process writes into ``writer``."""

    def __init__(self) -> None:
        super().__init__(name="ffmpeg-reader", daemon=True)
        self._reader, self.writer = os.pipe()
        self._kept = bytearray()
        self.start()

    def run(self) -> None:
        """Read until nobody can write any more, or as long as is wanted: whoever goes on writing then is ended."""
        with os.fdopen(self._reader, "rb", buffering=0) as pipe:
            while (piece := pipe.read(_ERRORS_BYTES)) and self._keep(piece):
                pass

    def _keep(self, piece: bytes) -> bool:
        """Keep what was read; return whether more is wanted."""
        raise NotImplementedError

    def close(self) -> bytes:
        """Return what was kept, once the process has ended."""
        os.close(self.writer)
        self.join()
        return bytes(self._kept)


class _Errors(_Reader):
    """Keeps the end."""

    def _keep(self, piece: bytes) -> bool:
        self._kept = (self._kept + piece)[-_ERRORS_BYTES:]
        return True


class _Written(_Reader):
    """Keeps all up to a number of bytes, and one piece more."""

    def __init__(self, most: int) -> None:
        self._most = most
        super().__init__()

    def _keep(self, piece: bytes) -> bool:
        self._kept += piece
        return len(self._kept) <= self._most


def _reason(text: bytes) -> str:
    """Return ffmpeg's last line."""
    lines = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "ffmpeg could not decode it"
