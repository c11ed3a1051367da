"""The process that analyses: files of every kind, broken ones, and its limits."""

import os
import resource
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from catalog.sound.analyser import Analyser
from catalog.sound.measuring import Measurement
from catalog.sound.tests.sounds import CODECS, broken_files, encode, ffmpeg, sketch

pytestmark = pytest.mark.usefixtures("tools")
NOTHING: tuple[object, ...] = (None, None, None, None, [], {})


def values(measurement: Measurement) -> tuple[object, ...]:
    m = measurement
    return m.tempo, m.key, m.mode, m.loudness, m.embedding, m.numbers


def is_same_beat(tempo: float | None, other: float) -> bool:
    return tempo is not None and any(abs(tempo * factor / other - 1) < 0.04 for factor in (0.5, 1, 2))


@pytest.mark.parametrize(
    ("suffix", "tempo", "key", "is_major"),
    [("flac", 110, 10, True), ("mp3", 140, 4, True), ("ogg", 170, 10, True), ("opus", 175, 11, True),
     ("m4a", 130, 2, True)],
)  # fmt: skip
def test_tempo_key_and_loudness_of_sketches(
    tmp_path: Path, suffix: str, tempo: float, key: int, is_major: bool
) -> None:
    path = encode(sketch(3, tempo=tempo, key=key, is_major=is_major), tmp_path / f"a.{suffix}")
    with Analyser() as analyser:
        result = analyser.analyse(path, suffix=suffix, seconds=25.0)
    assert (result.state, result.error, result.key, result.mode) == ("measured", "", key, int(is_major))
    assert is_same_beat(result.tempo, tempo)
    assert result.loudness is not None
    assert -25 < result.loudness < -5
    assert result.seconds_decoded is not None
    assert 22 < result.seconds_decoded < 28
    assert (len(result.embedding), len(result.numbers)) == (48, 36)
    assert result.peak_mb < 400


def test_a_worker_may_have_many_files_open(tmp_path: Path) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 2000:
        pytest.skip("fewer than 2,000 files may be open")
    path = encode(sketch(3), tmp_path / "a.flac")
    with ExitStack() as opened, Analyser() as analyser:
        for _number in range(1100):
            opened.enter_context(Path(os.devnull).open())
        assert analyser.analyse(path, suffix="flac", seconds=25.0).state == "measured"


def test_broken_files_give_no_values_and_do_not_stop_the_others(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Analyser() as analyser:
        server.setblocking(False)
        files = list(broken_files(tmp_path, server.getsockname()[1]))
        results = {
            path.name: analyser.analyse(path, suffix=path.suffix[1:], seconds=seconds) for path, seconds in files
        }
        good = analyser.analyse(tmp_path / "whole.flac", suffix="flac", seconds=25.0)
        # No playlist made ffmpeg open an address.
        with pytest.raises(BlockingIOError):
            server.accept()
    assert len(results) == 34
    assert {name: values(result) for name, result in results.items()} == dict.fromkeys(results, NOTHING)
    assert {name for name, result in results.items() if result.state == "measured"} == set()
    assert all(result.error for result in results.values())
    states = {name: results[name].state for name in ("truncated.mp3", "silent.flac", "white.mp3", "playlist.mp3")}
    assert states == {
        "truncated.mp3": "broken", "silent.flac": "empty", "white.mp3": "empty", "playlist.mp3": "broken"
    }  # fmt: skip
    assert good.state == "measured"


def test_two_hours_stay_within_the_memory(tmp_path: Path) -> None:
    minute = ffmpeg("-i", "pipe:0", "-af", "aloop=loop=2:size=529200,atrim=end=60", "-b:a", "128k", "-write_xing", "0",
                    "-f", "mp3", "pipe:1", content=sketch(3))  # fmt: skip
    path = tmp_path / "long.mp3"
    path.write_bytes(minute * 120)
    with Analyser() as analyser:
        result = analyser.analyse(path, suffix="mp3", seconds=7200.0)
    assert (result.state, result.error) == ("measured", "")
    assert result.seconds_decoded == pytest.approx(90, abs=0.1)
    assert 0 < result.peak_mb < 400


def test_a_process_that_hangs_is_ended_and_the_next_file_is_analysed(tmp_path: Path) -> None:
    path = encode(sketch(3), tmp_path / "a.flac")
    with Analyser(seconds=0.001) as analyser:
        result = analyser.analyse(path, suffix="flac", seconds=25.0)
        assert (result.state, result.error) == ("failed", "took longer than 0 s")
        assert analyser.pid is None
    with Analyser() as analyser:
        assert analyser.analyse(path, suffix="flac", seconds=25.0).state == "measured"


def test_a_process_that_is_killed_is_started_again(tmp_path: Path) -> None:
    path = encode(sketch(3), tmp_path / "a.flac")
    with Analyser() as analyser:
        assert analyser.analyse(path, suffix="flac", seconds=25.0).state == "measured"
        first = analyser.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert analyser.analyse(path, suffix="flac", seconds=25.0).error == "the analysis ended with -9"
        assert analyser.analyse(path, suffix="flac", seconds=25.0).state == "measured"
        assert analyser.pid != first


def test_every_format_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    files = [encode(sketch(3), tmp_path / f"a.{suffix}") for suffix in CODECS]
    with Analyser() as analyser:
        # Named wrongly, as files of servers may be.
        states = [analyser.analyse(path, suffix="wma", seconds=None).state for path in files]
    assert states == ["measured"] * 5
