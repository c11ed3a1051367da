"""Importing files into the database: the service and the command."""

import csv
import gzip
import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection

from catalog.importing.reading.reader import Reject
from catalog.importing.reading.source import SourceError
from catalog.importing.service import ImportBrokenError, ImportReport, import_tracks
from catalog.models import Artist, Genre, Track, TrackArtist

HEADER = "track_id,artists,album_name,track_name,popularity,duration_ms,explicit,energy,tempo,track_genre"


def song_id(number: int) -> str:
    return f"{number:022d}"


def row(number: int, **values: str) -> str:
    fields = {
        "track_id": song_id(number), "artists": "Ann;Bob", "album_name": "Album", "track_name": f"Song {number}",
        "popularity": "50", "duration_ms": "200000", "explicit": "False", "energy": "0.5", "tempo": "120.5",
        "track_genre": "rock",
    }  # fmt: skip
    return ",".join({**fields, **values}.values())


def content(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


def load(*rows: str, **options: object) -> ImportReport:
    return import_tracks(source=io.BytesIO(content(*rows)), name="songs.csv", **options)  # type: ignore[arg-type]


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return (
        report.rows_read, report.songs_created, report.songs_updated, report.songs_unchanged, report.rows_rejected,
    )  # fmt: skip


def state() -> list[tuple[object, ...]]:
    """All that the catalogue says, without primary keys and times."""
    return sorted(
        (
            track.spotify_id or "", track.title, track.album, track.popularity, track.duration_ms, track.explicit,
            track.release_year, track.preview_url, track.isrc, sorted(track.features.items()), track.features_origin,
            track.origin, track.is_active, track.artist_names, track.recording_key, track.search_key,
            track.search_text, [credit.artist.name for credit in track.credits.order_by("position")],
            sorted(genre.name for genre in track.genres.all()),
        )
        for track in Track.objects.all()
    )  # fmt: skip


@pytest.mark.django_db
def test_a_new_song_has_all_its_values() -> None:
    report = load(row(1, track_name="Café (Live)", artists="Beyoncé;JAY-Z", explicit="True"))
    assert counts(report) == (1, 1, 0, 0, 0)
    assert report.genres == 1
    track = Track.objects.get()
    assert (track.spotify_id, track.title, track.album, track.popularity, track.duration_ms, track.explicit) == (
        song_id(1), "Café (Live)", "Album", 50, 200_000, True,
    )  # fmt: skip
    assert track.features == {"energy": 0.5, "tempo": 120.5}
    assert (track.features_origin, track.origin, track.is_active) == ("csv", "csv", True)
    assert [(c.position, c.artist.name) for c in track.credits.order_by("position")] == [(0, "Beyoncé"), (1, "JAY-Z")]
    assert [genre.name for genre in track.genres.all()] == ["rock"]
    assert [(artist.search_name, artist.name) for artist in Artist.objects.all()] == [
        ("beyonce", "Beyoncé"), ("jay z", "JAY-Z"),
    ]  # fmt: skip


@pytest.mark.django_db
def test_derived_columns_are_those_of_the_model() -> None:
    load(
        row(1, track_name="Café (Live) - 2011 Remaster", artists="Beyoncé;JAY-Z"),
        row(2, track_name="!!!", artists="", album_name=""),
        row(3, track_name="Łódź feat. X", artists="Æ", album_name="Été"),
    )
    for track in Track.objects.all():
        imported = (track.artist_names, track.recording_key, track.search_key, track.search_text)
        track.refresh_derived([credit.artist.name for credit in track.credits.order_by("position")])
        assert (track.artist_names, track.recording_key, track.search_key, track.search_text) == imported
    for artist in Artist.objects.all():
        key, search_name = artist.key, artist.search_name
        artist.refresh_derived()
        assert (artist.key, artist.search_name) == (key, search_name)


@pytest.mark.django_db
def test_a_song_without_features_says_so() -> None:
    load(row(1, energy="", tempo="0"))
    track = Track.objects.get()
    assert (track.features, track.features_origin) == ({}, "")


@pytest.mark.django_db
def test_a_second_run_changes_nothing() -> None:
    rows = [row(number % 7, track_genre=f"genre {number}", popularity=str(number)) for number in range(20)]
    assert counts(load(*rows, chunk_bytes=200)) == (20, 7, 0, 0, 0)
    before, times = state(), list(Track.objects.order_by("pk").values_list("updated_at", flat=True))
    again = load(*rows, chunk_bytes=200)
    assert counts(again) == (20, 0, 0, 7, 0)
    assert again.is_unchanged
    assert state() == before
    assert list(Track.objects.order_by("pk").values_list("updated_at", flat=True)) == times


@pytest.mark.django_db
def test_repeated_rows_add_genres_and_fill_gaps_and_the_first_wins() -> None:
    report = load(
        row(1, track_genre="rock", album_name="", popularity="10", energy=""),
        row(2),
        row(1, track_genre="pop", album_name="Late", popularity="90", energy="0.9", tempo="99"),
    )
    assert counts(report) == (3, 2, 0, 0, 0)
    track = Track.objects.get(spotify_id=song_id(1))
    assert (track.album, track.popularity, track.features) == ("Late", 10, {"energy": 0.9, "tempo": 120.5})
    assert sorted(genre.name for genre in track.genres.all()) == ["pop", "rock"]


@pytest.mark.django_db
@pytest.mark.parametrize("chunk_bytes", [1, 250, 1 << 20])
def test_the_size_of_chunks_changes_neither_result_nor_report(chunk_bytes: int) -> None:
    load(row(1, album_name="Old", popularity="1"), row(3, album_name="Old"))
    rows = [
        row(1, album_name="", popularity="10", artists=""),
        row(2, track_genre="jazz", explicit=""),
        row(1, album_name="New", popularity="20", artists="Cleo", track_genre="soul"),
        row(2, track_genre="blues", explicit="True"),
        row(3, album_name="Old"),
        row(3, track_genre="soul"),
        row(1, album_name="Newer", track_name=""),
    ]
    assert counts(load(*rows, chunk_bytes=chunk_bytes)) == (7, 1, 2, 0, 1)
    first, two, three = Track.objects.order_by("spotify_id")
    assert (first.album, first.popularity, first.artist_names) == ("New", 10, "Cleo")
    assert (two.explicit, sorted(genre.name for genre in two.genres.all())) == (True, ["blues", "jazz"])
    assert sorted(genre.name for genre in three.genres.all()) == ["rock", "soul"]
    assert counts(load(*rows, chunk_bytes=chunk_bytes)) == (7, 0, 0, 3, 1)


@pytest.mark.django_db
def test_known_values_replace_stored_ones_and_unknown_ones_do_not() -> None:
    load(row(1), row(2))
    report = load(
        row(1, popularity="60", duration_ms="", album_name="", artists="", explicit="", energy="0.6", tempo="")
    )
    assert counts(report) == (1, 0, 1, 0, 0)
    track = Track.objects.get(spotify_id=song_id(1))
    assert (track.popularity, track.duration_ms, track.album, track.explicit) == (60, 200_000, "Album", False)
    assert (track.artist_names, track.features) == ("Ann, Bob", {"energy": 0.6, "tempo": 120.5})
    assert Track.objects.get(spotify_id=song_id(2)).popularity == 50


@pytest.mark.django_db
def test_a_changed_title_or_artist_changes_the_derived_columns() -> None:
    load(row(1))
    load(row(1, track_name="Other", artists="Bob;Cleo"))
    track = Track.objects.get()
    assert (track.artist_names, track.search_key, track.search_text) == (
        "Bob, Cleo", "other bob cleo", "other bob cleo album",
    )  # fmt: skip
    assert list(TrackArtist.objects.order_by("position").values_list("position", "artist__name")) == [
        (0, "Bob"), (1, "Cleo"),
    ]  # fmt: skip


@pytest.mark.django_db
def test_an_artist_spelled_otherwise_is_the_same_artist() -> None:
    load(row(1, artists="Beyoncé"), row(2, artists="BEYONCE;Beyoncé"))
    assert [artist.name for artist in Artist.objects.all()] == ["Beyoncé"]
    assert [track.artist_names for track in Track.objects.all()] == ["Beyoncé", "Beyoncé"]
    assert counts(load(row(1, artists="beyonce"))) == (1, 0, 0, 1, 0)


@pytest.mark.django_db
def test_ids_that_differ_by_case_are_different_songs() -> None:
    ids = ["a" * 22, "A" * 22]
    assert counts(load(*[row(0, track_id=text) for text in ids])) == (2, 2, 0, 0, 0)
    assert sorted(Track.objects.values_list("spotify_id", flat=True)) == sorted(ids)


@pytest.mark.django_db
def test_what_the_operator_decided_stays() -> None:
    load(row(1), row(2))
    Track.objects.filter(spotify_id=song_id(1)).update(
        is_active=False, features={"energy": 0.1}, features_origin=Track.FeaturesOrigin.OPERATOR
    )
    assert counts(load(row(1, energy="0.9"), row(2))) == (2, 0, 0, 2, 0)
    track = Track.objects.get(spotify_id=song_id(1))
    assert (track.is_active, track.features, track.features_origin) == (False, {"energy": 0.1}, "operator")


@pytest.mark.django_db
def test_estimated_features_give_way() -> None:
    load(row(1, energy="", tempo=""))
    Track.objects.update(features={"energy": 0.1, "valence": 0.2}, features_origin=Track.FeaturesOrigin.ESTIMATED)
    assert counts(load(row(1, energy="0.9", tempo=""))) == (1, 0, 1, 0, 0)
    track = Track.objects.get()
    assert (track.features, track.features_origin) == ({"energy": 0.9}, "csv")


@pytest.mark.django_db
def test_genres_of_an_earlier_file_stay() -> None:
    load(row(1, track_genre="rock"))
    assert counts(load(row(1, track_genre="pop"))) == (1, 0, 1, 0, 0)
    assert sorted(Track.objects.get().genres.values_list("name", flat=True)) == ["pop", "rock"]
    assert Genre.objects.count() == 2


@pytest.mark.django_db
def test_a_file_without_ids_finds_its_songs_by_title_and_artists() -> None:
    load(row(1, track_name="Déjà Vu", artists="Beyoncé;JAY-Z"))
    data = b"title,artist,popularity\nDEJA VU,Beyonce;Jay-Z,70\nNew,Ann,5\nNew,Bob,6\nNew,,7\nNew,,8\n"
    report = import_tracks(source=io.BytesIO(data), name="songs.csv")
    assert counts(report) == (5, 3, 1, 0, 0)
    assert sorted(
        Track.objects.values_list("spotify_id", "artist_names", "popularity"), key=lambda song: str(song[1:])
    ) == [(None, "", 7), (None, "Ann", 5), (song_id(1), "Beyoncé, JAY-Z", 70), (None, "Bob", 6)]
    assert counts(import_tracks(source=io.BytesIO(data), name="songs.csv")) == (5, 0, 0, 4, 0)


@pytest.mark.django_db
def test_a_demo_import_marks_its_songs() -> None:
    load(row(1), origin=Track.Origin.DEMO)
    track = Track.objects.get()
    assert (track.origin, track.features_origin) == ("demo", "demo")


@pytest.mark.django_db
@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20])
def test_a_dry_run_counts_the_same_and_writes_nothing(chunk_bytes: int) -> None:
    load(row(1), row(2))
    rows = [row(1), row(2, popularity="1"), row(3), row(3, track_genre="pop"), row(4, track_name=""), row(2)]
    before = state()
    dry = load(*rows, is_dry_run=True, chunk_bytes=chunk_bytes)
    assert state() == before
    assert Genre.objects.count() == 1
    assert counts(dry) == counts(load(*rows, chunk_bytes=chunk_bytes)) == (6, 1, 1, 1, 1)


@pytest.mark.django_db
def test_rejects_are_reported_and_handed_out() -> None:
    rejects: list[Reject] = []
    report = load(*[row(number, track_name="") for number in range(150)], row(200), on_reject=rejects.append)
    assert counts(report) == (151, 1, 0, 0, 150)
    assert report.rejects == rejects[:100]
    assert rejects[149] == Reject(151, "title: must not be empty", row(149, track_name=""))


@pytest.mark.django_db
def test_progress_is_told_in_bytes_of_the_file() -> None:
    seen: list[tuple[int, int]] = []
    size = len(content(row(1), row(2)))
    load(row(1), row(2), on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(size, size)]


@pytest.mark.django_db
def test_an_upload_is_a_file_too() -> None:
    upload = SimpleUploadedFile("songs.csv.gz", gzip.compress(content(row(1))))
    assert counts(import_tracks(source=upload, name=upload.name)) == (1, 1, 0, 0, 0)


@pytest.mark.django_db
def test_an_upload_that_unpacks_to_too_much_writes_nothing() -> None:
    data = gzip.compress(content(*map(row, range(1000))))
    with pytest.raises(SourceError, match=r"songs\.csv\.gz: unpacks to more than 50,000 bytes, which is the limit."):
        import_tracks(source=io.BytesIO(data), name="songs.csv.gz", max_bytes=50_000, chunk_bytes=1000)
    assert not Track.objects.exists()


@pytest.mark.django_db
def test_a_file_that_breaks_off_keeps_what_was_read() -> None:
    data = gzip.compress(content(*map(row, range(5000))))
    with pytest.raises(
        ImportBrokenError, match=r"^songs\.csv\.gz: incomplete .* Rows before that were imported\.$"
    ) as info:
        import_tracks(source=io.BytesIO(data[: len(data) // 2]), name="songs.csv.gz", chunk_bytes=10_000)
    assert 0 < Track.objects.count() < 5000
    assert info.value.report.songs_created == Track.objects.count()
    import_tracks(source=io.BytesIO(data), name="songs.csv.gz")
    assert Track.objects.count() == 5000


@pytest.mark.django_db
def test_stopped_between_chunks_it_can_be_run_again() -> None:
    rows = [row(number) for number in range(40)]

    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(*rows, chunk_bytes=500, on_progress=stop)
    count_before = Track.objects.count()
    assert 0 < count_before < 40
    assert TrackArtist.objects.count() == 2 * count_before
    assert counts(load(*rows, chunk_bytes=500)) == (40, 40 - count_before, 0, count_before, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["catalog_track", "catalog_artist", "catalog_genre"])
def test_a_chunk_is_tried_again_where_somebody_else_was_first(table: str) -> None:
    """Another import's song, artist or genre turns up between our look and our insert."""
    tries: list[str] = []

    def rival(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(f"INSERT INTO {connection.ops.quote_name(table)} "):
            tries.append(table)
            if len(tries) == 1:
                execute(sql, params, many, context)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(rival):
        assert counts(load(row(1), row(2))) == (2, 2, 0, 0, 0)
    assert len(tries) == 2
    assert Track.objects.count() == Artist.objects.count() == 2


# --- the command -----------------------------------------------------------------------------------------------------
@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "songs.csv"
    file.write_bytes(content(row(1), row(2, track_name=""), row(3)))
    return file


def run(*arguments: object) -> str:
    out = io.StringIO()
    call_command("import_tracks", *map(str, arguments), stdout=out)
    return out.getvalue()


def table(output: str) -> dict[str, str]:
    """The summary's lines by label."""
    lines = (line.rsplit(None, 1) for line in output.splitlines() if line[-1:].isdigit())
    return {parts[0].strip(): parts[1] for parts in lines}


@pytest.mark.django_db
def test_the_command_tells_what_it_did(path: Path) -> None:
    output = run(path)
    summary = table(output)
    assert float(summary.pop("seconds")) >= 0
    assert summary == {
        "rows read": "3", "songs created": "2", "songs updated": "0", "songs unchanged": "0",
        "rows that repeat a song of the file": "0", "rows skipped": "1", "genres": "1",
    }  # fmt: skip
    assert "skipped line 3: title: must not be empty" in output
    assert "Nothing changed." not in output
    again = run(path)
    assert table(again)["songs unchanged"] == "2"
    assert "Nothing changed." in again


@pytest.mark.django_db
@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_the_command_names_values_it_cannot_read(tmp_path: Path, options: tuple[str, ...]) -> None:
    file = tmp_path / "songs.csv"
    file.write_bytes(
        content(
            row(1, tempo="abc"), row(2), *[row(number, popularity="999") for number in range(3, 8)], row(8, tempo="x")
        )
    )
    output = run(file, *options)
    assert table(output)["rows skipped"] == "0"
    assert [line for line in output.splitlines() if line.startswith("not understood")] == [
        "not understood, so unknown: popularity in 5 rows (line 4: popularity: 999 is not between 0 and 100; "
        "line 5: popularity: 999 is not between 0 and 100; line 6: popularity: 999 is not between 0 and 100; ...)",
        "not understood, so unknown: tempo in 2 rows (line 2: tempo: 'abc' is not a number; "
        "line 9: tempo: 'x' is not a number)",
    ]
    if not options:
        assert Track.objects.get(spotify_id=song_id(1)).features == {"energy": 0.5}
        assert Track.objects.filter(popularity=None).count() == 5


@pytest.mark.django_db
def test_dry_run(path: Path) -> None:
    output = run(path, "--dry-run")
    assert table(output)["songs created (dry run: would be)"] == "2"
    assert "Nothing was written." in output
    assert not Track.objects.exists()


@pytest.mark.django_db
def test_rejects_file(path: Path, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    run(path, "--rejects", rejects)
    with rejects.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "reason", "row"],
            ["3", "title: must not be empty", row(2, track_name="")],
        ]


@pytest.mark.django_db
def test_rejects_file_that_cannot_be(path: Path, tmp_path: Path) -> None:
    with pytest.raises(
        CommandError, match=r"--rejects .*songs\.csv: this is the file you are importing. Choose another one."
    ):
        run(path, "--rejects", path)
    with pytest.raises(CommandError, match=r"--rejects .*: can't write to this file: "):
        run(path, "--rejects", tmp_path / "no" / "rejects.csv")
    assert path.read_bytes() == content(row(1), row(2, track_name=""), row(3))
    assert not Track.objects.exists()


@pytest.mark.django_db
def test_limit(path: Path) -> None:
    assert table(run(path, "--limit", 2))["rows read"] == "2"
    assert Track.objects.get().spotify_id == song_id(1)
    with pytest.raises(CommandError, match="must be a whole number above 0"):
        run(path, "--limit", "0")


@pytest.mark.django_db
def test_origin(path: Path) -> None:
    run(path, "--origin", "demo")
    assert set(Track.objects.values_list("origin", flat=True)) == {"demo"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "no such file"),
        (b"", "the file is empty"),
        (b"a,b\n1,2\n", "no usable columns"),
        (b"PK\x03\x04", "isn't a CSV file. It looks like a zip archive"),
        ((HEADER + "\n").encode(), "has a header but no rows"),
    ],
)
def test_a_bad_file_is_one_line_and_writes_nothing(tmp_path: Path, data: bytes | None, message: str) -> None:
    file = tmp_path / "bad.csv"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(CommandError, match=message) as info:
        run(file)
    assert "\n" not in str(info.value)
    assert str(file) in str(info.value)
    assert not Track.objects.exists()


@pytest.mark.django_db
def test_a_file_of_which_no_row_can_be_used(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content(row(1, track_name=""), row(2, track_name="")))
    with pytest.raises(CommandError, match="none of the rows could be imported"):
        run(file)


@pytest.mark.django_db
def test_a_file_that_breaks_off_ends_in_an_error(tmp_path: Path) -> None:
    file = tmp_path / "songs.csv.gz"
    packed = gzip.compress(content(*map(row, range(5000))))
    file.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(CommandError, match=r"incomplete or damaged after .* Rows before that were imported"):
        run(file)
    assert Track.objects.exists()


@pytest.mark.django_db(transaction=True)  # an open transaction would hold up the copy
def test_killed_half_way_it_can_be_run_again(tmp_path: Path) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("kills a process that writes to a database file of its own: SQLite only")
    file, database = tmp_path / "songs.csv", tmp_path / "killed.sqlite3"
    # A column that is not read makes many chunks of few songs.
    lines = [HEADER + ",lyrics", *(f"{row(number)},{'x' * 900}" for number in range(8000))]
    file.write_text("\n".join(lines))
    with closing(sqlite3.connect(database)) as copy:
        connection.ensure_connection()
        connection.connection.backup(copy)
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{database}"}
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "import_tracks", str(file)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not songs_in(database) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    songs_before = songs_in(database)
    assert 0 < songs_before < 8000
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert table(done.stdout)["songs unchanged"] == f"{songs_before:,}"
    assert table(done.stdout)["songs created"] == f"{8000 - songs_before:,}"
    assert songs_in(database) == 8000


def songs_in(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as file:
        return int(file.execute("SELECT count(*) FROM catalog_track").fetchone()[0])
