"""Estimates of audio features from own pairs, on sketches: their numbers are in a file beside."""

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from catalog.models import MusicServer, ServerSong, SoundAnalysis, SoundCalibration, Track
from catalog.sound import calibrating
from catalog.sound.analyser import Analyser
from catalog.sound.calibrating import count_pairs, unestimated
from catalog.sound.calibration import COLUMNS, fit_columns
from catalog.sound.measuring import Measurement
from catalog.sound.services import calibrate, current_version, write_analysis
from catalog.synth.plan import plan
from catalog.synth.render import render_wav
from catalog.tests.factories import make_track

# Sketches of the demo's songs: their features, and the numbers that the analysis gave.
ROWS = list(csv.DictReader((Path(__file__).parent / "sketches.csv").read_text(encoding="utf-8").splitlines()))
KNOWN = "known_"


def pair(number: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return the numbers of a sketch, and the features that it was made from."""
    values = {name: float(value) for name, value in ROWS[number].items() if value}
    numbers = {name: value for name, value in values.items() if not name.startswith(KNOWN)}
    known = {name.removeprefix(KNOWN): value for name, value in values.items() if name.startswith(KNOWN)}
    return numbers, known


def test_on_sketches_energy_and_acousticness_are_kept_and_the_others_are_not() -> None:
    fits = fit_columns([pair(number) for number in range(130)])
    assert {name: fit.is_kept for name, fit in fits.items()} == {
        "energy": True, "danceability": False, "valence": False, "acousticness": True
    }  # fmt: skip
    assert fits["energy"].r2 > 0.85
    assert fits["energy"].error < 0.07
    assert fits["energy"].mean_error > 0.2
    assert fits["acousticness"].r2 > 0.75
    assert fits["acousticness"].error < 0.14
    assert fits["acousticness"].mean_error > 0.29


def test_its_error_on_songs_it_has_not_seen_is_the_one_it_tells() -> None:
    fits = fit_columns([pair(number) for number in range(100)])
    for name in ("energy", "acousticness"):
        seen = [fits[name].value(numbers) for numbers, _features in map(pair, range(100, 130))]
        errors = [
            abs((value or 0.0) - pair(number)[1][name]) for value, number in zip(seen, range(100, 130), strict=True)
        ]
        assert sum(errors) / 30 == pytest.approx(fits[name].error, abs=0.05)


def test_what_has_no_information_is_not_kept_and_few_pairs_are_not_fitted() -> None:
    shuffled = [(pair(number)[0], pair((number * 37 + 11) % 130)[1]) for number in range(130)]
    assert [name for name, fit in fit_columns(shuffled).items() if fit.is_kept] == []
    assert fit_columns([pair(number) for number in range(99)]) == {}
    same = [(pair(number)[0], {"energy": 0.5}) for number in range(100)]
    assert not fit_columns(same)["energy"].is_kept


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("number", [0, 77])
def test_the_numbers_beside_are_those_of_the_analysis(tmp_path: Path, number: int) -> None:
    numbers, features = pair(number)
    track = Track(features=features, recording_key=str(number))
    path = tmp_path / "a.wav"
    path.write_bytes(render_wav(plan(track)))
    with Analyser() as analyser:
        result = analyser.analyse(path, suffix="wav", seconds=None)
    assert sorted(result.numbers) == sorted(numbers)
    for name in ("energy", "acousticness", "rms_mean", "spectral_centroid_mean", "mfcc_mean_00"):
        assert result.numbers[name] == pytest.approx(numbers[name], rel=0.05)


def song(number: int, *, origin: str) -> ServerSong:
    """Return a measured recording of the sketch of that number, whose features are known if ``origin`` is given."""
    server, _is_new = MusicServer.objects.get_or_create(kind="folder", address="/srv/music")
    numbers, features = pair(number)
    track = make_track(f"Song {number}", features=features if origin else {}, features_origin=origin)
    row = ServerSong.objects.create(server=server, track=track, remote_id=str(number), digest="x", reading=1)
    measurement = Measurement("measured", tempo=120.0, key=1, mode=1, loudness=-12.0, numbers=numbers)
    write_analysis(song=row, measurement=measurement)
    return row


@pytest.fixture
def library() -> list[ServerSong]:
    return [song(number, origin="csv") for number in range(99)]


def features_of(row: ServerSong) -> dict[str, float]:
    return dict(Track.objects.get(pk=row.track_id).features)


@pytest.mark.django_db
@pytest.mark.usefixtures("tools")
def test_from_a_hundred_songs_on_estimates_fill_what_is_unknown(library: list[ServerSong], client: Client) -> None:
    unknown = song(120, origin="")
    # What Spotify's API or the demo gave does not count.
    for number, origin in ((121, "spotify"), (122, "demo"), (123, "estimated")):
        song(number, origin=origin)
    output = StringIO()
    ServerSong.objects.update(gone_at="2026-01-01T00:00:00Z")
    call_command("analyse_sound", stdout=output)
    assert "No calibration yet: 99 of the 100 songs that it needs" in output.getvalue()
    assert sorted(features_of(unknown)) == ["key", "loudness", "mode", "tempo"]

    song(99, origin="operator")
    calibration = calibrate()
    assert calibration is not None
    assert (calibration.pairs, calibration.version) == (100, current_version())
    features = features_of(unknown)
    assert sorted(features) == ["acousticness", "energy", "key", "loudness", "mode", "tempo"]
    known = pair(120)[1]
    assert features["energy"] == pytest.approx(known["energy"], abs=0.2)
    assert features["acousticness"] == pytest.approx(known["acousticness"], abs=0.4)
    row = SoundAnalysis.objects.get(server_song=unknown)
    assert (row.calibration, row.estimates) == (
        calibration,
        {name: features[name] for name in ("acousticness", "energy")},
    )
    assert features_of(library[0]) == pair(0)[1]
    # The next recording is estimated at once, and no second calibration is fitted for one song more.
    later = song(124, origin="")
    assert SoundAnalysis.objects.get(server_song=later).calibration == calibration
    assert "energy" in features_of(later)
    assert calibrate() is None

    client.force_login(User.objects.create_superuser("root", "root@example.org"))
    page = client.get("/admin/catalog/soundcalibration/").content.decode()
    energy = calibration.columns["energy"]
    assert f"energy: mean error {energy['error']:.3f}, of guessing the mean {energy['mean_error']:.3f}" in page
    assert page.count(": not used") == 2
    assert client.get("/admin/catalog/soundanalysis/").status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("tools")
def test_it_is_fitted_again_with_a_tenth_more_songs_or_by_the_command(library: list[ServerSong]) -> None:
    song(99, origin="csv")
    unknown = song(120, origin="")
    first = calibrate()
    assert calibrate() is None
    output = StringIO()
    ServerSong.objects.update(gone_at="2026-01-01T00:00:00Z")
    call_command("analyse_sound", "--calibrate", stdout=output)
    lines = output.getvalue().splitlines()
    assert lines[1].endswith(", on 100 songs:")
    assert [line.split()[0] for line in lines[2:]] == [f"{name}:" for name in COLUMNS]
    for number in range(100, 110):
        song(number, origin="csv")
    last = calibrate()
    assert last is not None
    assert last.pairs == 110
    assert SoundAnalysis.objects.get(server_song=unknown).calibration == last != first
    assert SoundCalibration.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.usefixtures("tools")
def test_a_run_that_is_stopped_is_finished_by_the_next(
    library: list[ServerSong], monkeypatch: pytest.MonkeyPatch
) -> None:
    song(99, origin="csv")
    unknown = [song(number, origin="") for number in range(120, 124)]
    monkeypatch.setattr(calibrating, "_CHUNK", 102)
    updates = 0

    def stop_at_the_second(execute: Any, sql: str, *arguments: Any) -> Any:
        nonlocal updates
        updates += sql.startswith("UPDATE") and "catalog_soundanalysis" in sql
        if updates == 2:
            raise KeyboardInterrupt
        return execute(sql, *arguments)

    with pytest.raises(KeyboardInterrupt), connection.execute_wrapper(stop_at_the_second):
        calibrate()
    calibration = SoundCalibration.objects.get()
    assert ["energy" in features_of(row) for row in unknown] == [True, True, False, False]
    assert [row.server_song for row in unestimated(calibration)] == unknown[2:]
    assert calibrate() is None
    assert ["energy" in features_of(row) for row in unknown] == [True] * 4
    assert unestimated(calibration) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("tools")
def test_pairs_are_counted_in_the_database(library: list[ServerSong], monkeypatch: pytest.MonkeyPatch) -> None:
    track = Track.objects.get(pk=library[0].track_id)
    again = ServerSong.objects.create(server=library[0].server, track=track, remote_id="again", digest="x", reading=1)
    write_analysis(song=again, measurement=Measurement("measured", tempo=120.0, numbers=pair(0)[0]))
    with CaptureQueriesContext(connection) as queries:
        assert count_pairs(current_version()) == 99
    assert [query["sql"] for query in queries if "numbers" in query["sql"]] == []
    monkeypatch.setattr(calibrating, "MAX_PAIRS", 10)
    assert count_pairs(current_version()) == 10
