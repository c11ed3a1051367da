"""Sketches: sound made from features, sent in parts, kept on disk."""

import io
import os
import wave
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from accounts.models import User
from catalog.models import Track
from catalog.synth.plan import digest, plan
from catalog.synth.render import render_wav
from catalog.synth.score import compose
from catalog.synth.store import sketch_wav
from catalog.tests.factories import FEATURES, make_track

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.SKETCH_DIR = tmp_path / "sketches"
    return tmp_path / "sketches"


@pytest.fixture
def listener(client: Client) -> Client:
    client.force_login(User.objects.create_user("ada", "ada@example.org"))
    return client


def samples(content: bytes) -> "np.ndarray[Any, np.dtype[np.int16]]":
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22_050)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


@pytest.mark.parametrize(
    "features",
    [
        {},
        FEATURES,
        {"energy": 0.0, "acousticness": 1.0, "tempo": 20.0, "time_signature": 1},
        {"energy": 1.0, "danceability": 1.0, "tempo": 300.0, "time_signature": 12, "key": 11, "mode": 1},
        {"energy": 1.0, "acousticness": 1.0, "tempo": 50.0, "time_signature": 7, "valence": 0.0},
    ],
)
def test_any_song_has_a_sketch_of_its_own_that_is_always_the_same(features: dict[str, Any]) -> None:
    song = make_track("One", features=features)
    content = render_wav(plan(song))
    sound = samples(content)
    assert 20 <= len(sound) / 22_050 <= 32
    # Neither too loud nor silent, and it dies away.
    assert 8_000 < np.abs(sound.astype(int)).max() < 32_000
    assert np.abs(sound[: 22_050 * 20].astype(float)).mean() > 800
    assert np.abs(sound[-50:].astype(int)).max() < 400
    assert render_wav(plan(song)) == content
    assert render_wav(plan(make_track("Two", features=features))) != content


@pytest.mark.parametrize(("tempo", "counted"), [(120.0, 120.0), (30.0, 60.0), (250.0, 125.0), (20.0, 80.0)])
def test_tempo_is_that_of_the_song(tempo: float, counted: float) -> None:
    score = compose(plan(make_track(features={**FEATURES, "tempo": tempo, "energy": 0.9, "acousticness": 0.1})))
    snares = sorted(note.start for note in score.notes if note.voice == "snare")
    gaps = {round(second - first, 3) for first, second in pairwise(snares)}
    # On every second beat.
    assert round(120 / counted, 3) in gaps


@pytest.mark.parametrize(
    ("features", "voice", "is_heard"),
    [
        ({"acousticness": 0.9}, "string", True),
        ({"acousticness": 0.9}, "pad", False),
        ({"acousticness": 0.1}, "pad", True),
        ({"energy": 0.1}, "snare", False),
        ({"energy": 0.9, "acousticness": 0.1}, "snare", True),
    ],
)
def test_instruments_follow_the_features(features: dict[str, Any], voice: str, is_heard: bool) -> None:
    score = compose(plan(make_track(features={**FEATURES, **features})))
    assert any(note.voice == voice for note in score.notes) is is_heard


@pytest.mark.parametrize(("mode", "scale"), [(1, {0, 2, 4, 5, 7, 9, 11}), (0, {0, 2, 3, 5, 7, 8, 10})])
def test_notes_are_of_the_songs_key(mode: int, scale: set[int]) -> None:
    score = compose(plan(make_track(features={**FEATURES, "mode": mode, "key": 9})))
    assert {(note.pitch - 9) % 12 for note in score.notes if note.pitch} <= scale


_SOUNDS = [
    {"energy": energy, "acousticness": acousticness, "tempo": tempo, "time_signature": beats, "key": key, "mode": mode}
    for energy, acousticness, tempo, beats, key, mode in (
        (0.03, 0.99, 101.0, 4, 7, 0), (0.25, 0.66, 132.0, 4, 4, 1), (0.11, 0.82, 138.0, 3, 0, 1),
        (0.6, 0.9, 88.0, 5, 10, 0), (0.9, 0.0, 107.0, 4, 5, 1), (1.0, 1.0, 180.0, 4, 11, 0),
    )
]  # fmt: skip


def spectra(sound: "np.ndarray[Any, Any]", size: int, step: int) -> "np.ndarray[Any, Any]":
    windows = np.lib.stride_tricks.sliding_window_view(sound, size)[::step]
    return np.asarray(np.abs(np.fft.rfft(windows * np.hanning(size), axis=1)))


def chroma(sound: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Return how strong each of the twelve tones is, C first."""
    loud = spectra(sound, 8192, 4096).sum(axis=0)
    frequencies = np.fft.rfftfreq(8192, 1 / 22_050)
    # Lower down the tones lie closer together than the spectrum can tell.
    heard = (frequencies > 200) & (frequencies < 2000)
    tones = np.round(12 * np.log2(frequencies[heard] / 440) + 69).astype(int) % 12
    return np.bincount(tones, weights=loud[heard] ** 2, minlength=12)


@pytest.mark.parametrize("features", _SOUNDS)
def test_key_and_tempo_are_heard_in_the_sound_and_nothing_else_is(features: dict[str, Any]) -> None:
    sound = samples(render_wav(plan(make_track(features={**FEATURES, **features})))) / 32_768
    # No clipping, no offset, no click at either end.
    assert np.abs(sound).max() < 0.97
    assert abs(sound.mean()) < 0.003
    assert np.abs(sound[[0, 1, -2, -1]]).max() < 0.005

    # Nearly all that sounds is of the key's scale, and the end is its own chord.
    scale, chord = ((0, 2, 4, 5, 7, 9, 11), {0, 4, 7}) if features["mode"] else ((0, 2, 3, 5, 7, 8, 10), {0, 3, 7})
    whole = np.roll(chroma(sound), -features["key"])
    assert whole[list(scale)].sum() > 0.8 * whole.sum()
    end = np.roll(chroma(sound[-2 * 22_050 :]), -features["key"])
    assert set(np.argsort(end)[-3:].tolist()) == chord

    # What begins, begins on the beat or a simple part of it.
    onsets = np.maximum(0, np.diff(np.log1p(20 * spectra(sound, 1024, 256)), axis=0)).sum(axis=1)
    onsets -= onsets.mean()
    alike = np.correlate(onsets, onsets, "full")[len(onsets) - 1 :]
    lags = np.arange(len(alike)) * 256 / 22_050
    pulse = lags[np.argmax(np.where((lags > 0.24) & (lags < 1.6), alike, -np.inf))]
    beats = pulse * features["tempo"] / 60
    assert min(abs(beats - simple) / simple for simple in (0.5, 1, 1.5, 2, 3, 4)) < 0.03


def test_it_is_sent_whole_and_in_parts(listener: Client) -> None:
    song = make_track(features=FEATURES)
    url = f"/songs/{song.pk}/sketch.wav"
    whole = listener.get(url)
    content = whole.content
    assert (whole.status_code, whole["Content-Type"], whole["Accept-Ranges"]) == (200, "audio/wav", "bytes")
    assert (whole["ETag"], whole["Cache-Control"]) == (f'"{digest(song)}"', "private, max-age=86400")
    size = len(content)
    for byte_range, first, last in (
        ("bytes=0-1", 0, 1), ("bytes=100-", 100, size - 1), ("bytes=-7", size - 7, size - 1),
        (f"bytes=5-{size + 9}", 5, size - 1), (f"bytes=-{size + 9}", 0, size - 1),
    ):  # fmt: skip
        part = listener.get(url, headers={"Range": byte_range})
        assert (part.status_code, part["Content-Range"]) == (206, f"bytes {first}-{last}/{size}"), byte_range
        assert part.content == content[first : last + 1]
    for byte_range in (f"bytes={size}-", "bytes=9-3", "bytes=-0"):
        refused = listener.get(url, headers={"Range": byte_range})
        assert (refused.status_code, refused["Content-Range"]) == (416, f"bytes */{size}"), byte_range
    for byte_range in ("bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes=" + "9" * 30 + "-"):
        assert listener.get(url, headers={"Range": byte_range}).content == content, byte_range
    assert listener.get(url, headers={"Range": "bytes=0-1", "If-Range": '"other"'}).status_code == 200
    assert listener.get(url, headers={"If-None-Match": whole["ETag"]}).status_code == 304


def test_strangers_and_hidden_songs(client: Client, listener: Client) -> None:
    assert listener.get(f"/songs/{make_track(is_active=False).pk}/sketch.wav").status_code == 404
    url = f"/songs/{make_track().pk}/sketch.wav"
    assert listener.post(url).status_code == 405
    assert Client().get(url)["Location"] == f"/accounts/login/?next={url}"


def test_it_is_rendered_once_and_anew_when_the_features_change(folder: Path) -> None:
    song = make_track(features=FEATURES)
    content = sketch_wav(song)
    cached_file = folder / f"{digest(song)}.wav"
    assert [path.name for path in folder.iterdir()] == [cached_file.name]
    cached_file.write_bytes(b"kept")
    assert sketch_wav(song) == b"kept"
    song.features = {**FEATURES, "tempo": 90.0}
    assert sketch_wav(song) not in (b"kept", content)


def test_the_longest_unused_go_first(folder: Path, settings: Any) -> None:
    songs = [make_track(f"Song {number}", features=FEATURES) for number in range(4)]
    size = len(sketch_wav(songs[0]))
    settings.SKETCH_CACHE_MB = 2.5 * size / 1_000_000
    for age, song in enumerate(songs[:3]):
        sketch_wav(song)
        path = folder / f"{digest(song)}.wav"
        os.utime(path, (1_000_000_000 + age,) * 2)
    assert {path.stem for path in folder.iterdir()} == {digest(songs[1]), digest(songs[2])}
    settings.SKETCH_CACHE_MB = 0
    assert sketch_wav(songs[3])[:4] == b"RIFF"
    assert {path.stem for path in folder.iterdir()} == {digest(songs[1]), digest(songs[2])}


def test_a_disk_that_cannot_be_written_only_costs_time(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder.write_text("a file where the folder should be")
    song: Track = make_track(features=FEATURES)
    assert sketch_wav(song) == sketch_wav(song)
    assert "sketches are not kept" in caplog.text
