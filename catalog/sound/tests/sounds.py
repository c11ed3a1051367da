"""Recordings for the tests: sketches of known tempo and key in the formats of music files, and broken files."""

import random
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

from catalog.sources.folders.tests.music import flac, mp3, wav
from catalog.synth.plan import Plan
from catalog.synth.render import render_wav

CODECS = {
    "flac": ("-c:a", "flac"),
    "mp3": ("-c:a", "libmp3lame", "-b:a", "128k"),
    "ogg": ("-c:a", "libvorbis"),
    "opus": ("-c:a", "libopus"),
    "m4a": ("-c:a", "aac"),
}


def sketch(number: int, *, tempo: float = 120.0, key: int = 9, is_major: bool = False) -> bytes:
    """Return a sketch of about 25 s as a WAV; ``number`` varies it."""
    dice = random.Random(number)
    shares = {name: dice.uniform(0.2, 0.9) for name in ("energy", "valence", "danceability", "acousticness")}
    return render_wav(
        Plan(seed=number, tempo=tempo, beats_per_bar=4, key=key, is_major=is_major, speechiness=0.05, **shares)
    )


def ffmpeg(*arguments: str | Path, content: bytes = b"") -> bytes:
    """Return what ffmpeg writes to its output; the input may be ``content``."""
    command = ["ffmpeg", "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout


def encode(content: bytes, target: Path, **tags: str) -> Path:
    """Write a WAV as a file of the format that ``target`` ends in."""
    metadata = [part for name, value in tags.items() for part in ("-metadata", f"{name}={value}")]
    ffmpeg("-i", "pipe:0", *CODECS[target.suffix[1:]], *metadata, target, content=content)
    return target


def samples(values: list[float], *, rate: int = 22_050, channels: int = 1, claimed: int | None = None) -> bytes:
    """Return a WAV of 32-bit floats; ``claimed``: the bytes that its header claims."""
    body = struct.pack(f"<{len(values)}f", *values)
    size = len(body) if claimed is None else claimed
    head = struct.pack("<IHHIIHH", 16, 3, channels, rate, rate * 4 * channels, 4 * channels, 32)
    return (
        b"RIFF" + struct.pack("<I", (36 + size) % 2**32) + b"WAVEfmt " + head + b"data" + struct.pack("<I", size) + body
    )


def noise(colour: str, target: str) -> bytes:
    """Return 30 s of noise."""
    source = f"anoisesrc=c={colour}:d=30:a=0.5:r=44100"
    return ffmpeg("-f", "lavfi", "-i", source, *CODECS[target], "-f", target, "pipe:1")


def broken_files(folder: Path, port: int) -> Iterator[tuple[Path, float | None]]:
    """Yield 34 files without music in them, or without all of it, and how long their tags say that they are.

    Three of them are playlists of an address on this machine, at ``port``.
    """
    whole = {suffix: encode(sketch(7), folder / f"whole.{suffix}").read_bytes() for suffix in CODECS}
    dice = random.Random(1)
    playlist = (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n".encode()
    )
    silence = ffmpeg("-f", "lavfi", "-i", "anullsrc=d=30", "-f", "flac", "pipe:1")
    quiet = ffmpeg("-f", "lavfi", "-i", "sine=d=30,volume=-75dB", "-f", "flac", "pipe:1")
    files: dict[str, tuple[bytes, float | None]] = {
        "empty.mp3": (b"", None),
        "empty.flac": (b"", None),
        "one-byte.ogg": (b"O", None),
        "random.mp3": (dice.randbytes(400_000), 25.0),
        "random.m4a": (dice.randbytes(400_000), 25.0),
        "random-behind-id3.mp3": (b"ID3\4\0\0\0\0\0\0" + dice.randbytes(400_000), 25.0),
        "text.mp3": (b"This is a text and no music.\n" * 500, None),
        "page.flac": (b"<!doctype html><title>404</title>", None),
        "picture.ogg": (b"\x89PNG\r\n\x1a\n" + bytes(5000), None),
        "archive.wav": (b"PK\3\4" + bytes(5000), None),
        "playlist.mp3": (playlist, None),
        "playlist.m4a": (playlist, None),
        "playlist.wav": (playlist, None),
        "truncated.mp3": (whole["mp3"][: len(whole["mp3"]) // 2], 25.0),
        "truncated.flac": (whole["flac"][: len(whole["flac"]) // 2], 25.0),
        "truncated.ogg": (whole["ogg"][: len(whole["ogg"]) // 2], 25.0),
        "truncated.opus": (whole["opus"][: len(whole["opus"]) // 2], 25.0),
        "truncated.m4a": (whole["m4a"][: len(whole["m4a"]) // 2], 25.0),
        "truncated.wav": (sketch(7)[:400_000], 25.0),
        "claims-hours.wav": (wav(2**31), None),
        "claims-4-gb.wav": (samples([0.1] * 1000, claimed=2**32 - 1), None),
        "no-channels.wav": (samples([0.1] * 1000, channels=0), None),
        "no-rate.wav": (samples([0.1] * 1000, rate=0), None),
        "nan.wav": (samples([float("nan")] * 22_050 * 25), None),
        "infinite.wav": (samples([float("inf")] * 22_050 * 25), None),
        "silent.flac": (silence, 30.0),
        "nearly-silent.flac": (quiet, 30.0),
        "header-alone.flac": (flac(200), 200.0),
        "zeroed-frames.mp3": (mp3(200), None),
        "short.wav": (sketch(7)[: 44 + 2 * 22_050 * 5], None),
        "white.flac": (noise("white", "flac"), 30.0),
        "white.mp3": (noise("white", "mp3"), 30.0),
        "pink.ogg": (noise("pink", "ogg"), 30.0),
        "brown.flac": (noise("brown", "flac"), 30.0),
    }
    for name, (content, seconds) in files.items():
        path = folder / name
        path.write_bytes(content)
        yield path, seconds
