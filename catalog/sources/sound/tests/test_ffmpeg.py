"""ffmpeg as a process: what is kept of what it says."""

import tracemalloc
from pathlib import Path

import pytest

from catalog.sources.sound.ffmpeg import SoundFileError, excerpt_of, write_mp3


def test_a_flood_of_errors_is_read_to_its_end_and_only_the_end_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"
    # One line of 40 MB, then the reason in another: more than the process may hold of them.
    program.write_text("#!/bin/sh\nhead -c 40000000 /dev/zero | tr '\\0' x >&2\necho '\nno sound at all' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "a.flac").write_bytes(b"fLaC")
    tracemalloc.start()
    try:
        with pytest.raises(SoundFileError, match=r"^no sound at all$"):
            write_mp3(tmp_path / "a.flac", tmp_path / "a.mp3", kbit=128, seconds=60)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_flood_of_samples_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexec cat /dev/zero\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    path = tmp_path / "a.flac"
    path.write_bytes(b"fLaC")
    tracemalloc.start()
    try:
        with path.open("rb") as file, pytest.raises(SoundFileError, match=r"^ffmpeg wrote more than 176,400 bytes$"):
            excerpt_of(file, "flac", start=0.0, seconds=1.0)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
