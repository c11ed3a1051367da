"""From recordings to the songs' features: by the command and the job, again and again."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.models import ServerSong, SoundAnalysis, Track
from catalog.sound.measuring import Measurement
from catalog.sound.services import analyse_songs, fill_features, pending_songs, write_analysis
from catalog.sound.tests.sounds import encode, sketch
from catalog.sound.tests.test_files import is_same_beat
from catalog.sources.servers.services import connect_folder, connect_server, read_server, set_server_active
from catalog.sources.subsonic.tests.stand_in import StandIn, running
from jobs.models import Job
from jobs.services import enqueue
from jobs.tests.helpers import run_waiting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tools")]
SONGS = ((110.0, 10, True), (140.0, 4, True), (130.0, 2, True))


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """Return a folder with three sketches and a broken file, whose songs are in the catalogue."""
    settings.VAR_DIR = tmp_path / "var"
    root = tmp_path / "music"
    root.mkdir()
    for number, (tempo, key, is_major) in enumerate(SONGS):
        suffix = ("flac", "mp3", "m4a")[number]
        sound = sketch(3, tempo=tempo, key=key, is_major=is_major)
        encode(sound, root / f"{number}.{suffix}", title=f"Song {number}", artist="Ada Lane")
    whole = encode(sketch(4), root / "z.flac", title="Broken", artist="Ada Lane")
    whole.write_bytes(whole.read_bytes()[:300_000])
    read_server(connect_folder(path=root))
    return root


def analyse(**options: Any) -> str:
    output = StringIO()
    call_command("analyse_sound", stdout=output, **options)
    return output.getvalue()


def analysed_at() -> list[Any]:
    return list(SoundAnalysis.objects.values_list("server_song", "created_at"))


def test_tempo_key_and_loudness_become_features(folder: Path) -> None:
    assert analyse().startswith("4 recordings analysed: 3 measured, 0 silent, short or noise, 1 broken, 0 failed; 0.")
    for number, (tempo, key, is_major) in enumerate(SONGS):
        track = Track.objects.get(title=f"Song {number}")
        assert sorted(track.features) == ["key", "loudness", "mode", "tempo"]
        assert (track.features["key"], track.features["mode"]) == (key, int(is_major))
        assert is_same_beat(track.features["tempo"], tempo)
        assert (track.features_origin, track.tempo) == ("measured", track.features["tempo"])
    broken = Track.objects.get(title="Broken")
    assert (broken.features, broken.features_origin) == ({}, "")
    row = SoundAnalysis.objects.get(server_song__track=broken)
    assert (row.state, row.tempo, row.embedding, row.numbers) == ("broken", None, [], {})
    assert "by its tags" in row.error


def test_what_was_analysed_is_analysed_again_only_after_it_has_changed(folder: Path) -> None:
    analyse()
    before = analysed_at()
    assert analyse().startswith("0 recordings analysed")
    assert analysed_at() == before
    encode(sketch(5, tempo=100), folder / "0.flac", title="Song 0", artist="Ada Lane")
    read_server(connect_folder(path=folder))
    assert [song.path for song in pending_songs()] == ["0.flac"]
    assert analyse().startswith("1 recordings analysed: 1 measured")
    assert is_same_beat(Track.objects.get(title="Song 0").features["tempo"], 100)
    SoundAnalysis.objects.update(version="0.1-1")
    assert pending_songs().count() == 4


def test_a_run_that_is_stopped_goes_on_where_it_was(folder: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        assert total == 4
        if done == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        analyse_songs(stop)
    assert SoundAnalysis.objects.count() == 2
    first = analysed_at()
    steps: list[tuple[int, int]] = []
    assert analyse_songs(lambda done, total: steps.append((done, total))).analysed == 2
    assert steps == [(0, 2), (1, 2), (2, 2)]
    assert analysed_at()[:2] == first
    assert analyse(limit=1).startswith("0 recordings")


@pytest.mark.django_db(transaction=True)
def test_the_job_lets_others_go_first(folder: Path) -> None:
    enqueue(kind="analyse-sound", subject="sound")
    enqueue(kind="read-servers", subject="library")
    run_waiting()
    sound, library = Job.objects.get(subject="sound"), Job.objects.get(subject="library")
    assert (sound.state, library.state) == ("done", "done")
    assert sound.finished_at is not None
    assert library.finished_at is not None
    assert sound.finished_at > library.finished_at
    assert SoundAnalysis.objects.count() == 4


def test_known_features_stay_as_they_are(folder: Path) -> None:
    Track.objects.filter(title="Song 0").update(features={"energy": 0.5}, features_origin="csv")
    Track.objects.filter(title="Song 1").update(features={"tempo": 99.0}, features_origin="estimated")
    analyse()
    first, second = (Track.objects.get(title=f"Song {number}") for number in (0, 1))
    assert (first.features, first.features_origin) == ({"energy": 0.5}, "csv")
    assert (sorted(second.features), second.features_origin) == (["key", "loudness", "mode", "tempo"], "measured")


def test_measured_features_that_a_song_lost_are_given_back(folder: Path) -> None:
    analyse()
    first, second, third = (Track.objects.get(title=f"Song {number}") for number in range(3))
    Track.objects.filter(pk=first.pk).update(features={}, features_origin="")
    Track.objects.filter(pk=second.pk).update(features={"energy": 0.4}, features_origin="estimated")
    Track.objects.filter(pk=third.pk).update(features={"energy": 0.5}, features_origin="csv")
    assert analyse().startswith("0 recordings analysed")
    after = [Track.objects.get(pk=track.pk) for track in (first, second, third)]
    assert [(track.features, track.features_origin, track.tempo) for track in after] == [
        (first.features, "measured", first.tempo),
        (second.features, "measured", second.tempo),
        ({"energy": 0.5}, "csv", third.tempo),
    ]


def test_the_songs_of_a_switched_off_server_wait(folder: Path) -> None:
    server = ServerSong.objects.select_related("server")[0].server
    set_server_active(server=server, is_active=False)
    assert analyse().startswith("0 recordings analysed")
    set_server_active(server=server, is_active=True)
    (folder / "0.flac").unlink()
    assert analyse(limit=1).startswith("0 recordings analysed")
    assert not SoundAnalysis.objects.exists()


def test_wrong_limits_are_refused(folder: Path) -> None:
    with pytest.raises(CommandError, match=r"--limit: must be 1 or more, not 0\."):
        analyse(limit=0)


@pytest.fixture
def stand_in(settings: Any, tmp_path: Path) -> Iterator[StandIn]:
    settings.VAR_DIR = tmp_path
    with running(StandIn(3)) as server:
        for number in range(3):
            server.changes[number] = {"suffix": "mp3", "duration": 25}
        sound = encode(sketch(3, tempo=140, key=4, is_major=True), tmp_path / "a.mp3").read_bytes()
        server.files["so-0"] = ("audio/mpeg", sound)
        server.files["so-2"] = ("audio/mpeg", sound[:100_000])
        read_server(connect_server(address=server.address, username=StandIn.user, secret=StandIn.password))
        server.calls.clear()
        yield server


def test_recordings_of_a_server_are_fetched_and_not_kept(stand_in: StandIn, tmp_path: Path) -> None:
    # The second has no file: the server says so in JSON.
    assert ": 1 measured, 0 silent, short or noise, 1 broken, 0 failed, 1 not available now; " in analyse()
    track = Track.objects.get(title="Song 0")
    assert (track.features["key"], track.features["mode"], track.features_origin) == (4, 1, "measured")
    assert [(method, values["id"], values["format"]) for _verb, method, values, _headers in stand_in.calls] == [
        ("stream", "so-0", "raw"), ("stream", "so-1", "raw"), ("stream", "so-2", "raw")
    ]  # fmt: skip
    assert list((tmp_path / "sound").iterdir()) == []
    assert list(SoundAnalysis.objects.values_list("server_song__remote_id", "state")) == [
        ("so-0", "measured"),
        ("so-2", "broken"),
    ]


def test_a_server_that_does_not_answer_is_left_alone(stand_in: StandIn) -> None:
    server = ServerSong.objects.select_related("server")[0].server
    server.address = "http://127.0.0.1:1"
    server.save()
    assert analyse().splitlines()[0] == (
        "0 recordings analysed: 0 measured, 0 silent, short or noise, 0 broken, 0 failed, 1 not available now."
    )
    assert not SoundAnalysis.objects.exists()


def test_a_second_recording_of_a_song_does_not_change_it(folder: Path) -> None:
    analyse()
    track = Track.objects.get(title="Song 0")
    before = track.features
    song = track.server_songs.get()
    second = ServerSong.objects.create(
        server=song.server, track=track, remote_id="second", digest="x", reading=1, path="gone.flac"
    )
    write_analysis(song=second, measurement=Measurement("measured", tempo=77.0, key=1, mode=0, loudness=-9.0))
    track.refresh_from_db()
    assert track.features == before
    assert not fill_features(track_id=track.pk)
