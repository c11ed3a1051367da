"""The layouts of real public tables, where they are at hand: SPOTIFY_REC_SHARED_DATA names their folder."""

import os
from itertools import islice
from pathlib import Path

import pytest
from django.conf import settings

from catalog.features import FEATURE_NAMES
from catalog.importing.reading.reader import Reject, SongRow, read_catalogue
from catalog.importing.service import import_tracks
from catalog.models import Track

DATA = Path(os.environ.get("SPOTIFY_REC_SHARED_DATA", Path(settings.BASE_DIR).parent / "shared" / "data"))


def table(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{name} is not in {DATA} (SPOTIFY_REC_SHARED_DATA names the folder of the real tables)")
    return path


def first_rows(name: str, count: int) -> list[SongRow]:
    return [row for chunk in read_catalogue(table(name), limit=count) for row in chunk.rows]


def test_spotify_tracks() -> None:
    rows = first_rows("dataset.csv", 1000)
    assert len(rows) == 1000
    assert rows[0][:8] == (2, "5SuOikwiRyPMVoIQDJUgSV", "Comedy", ("Gen Hoshino",), "", 73, 230666, False)
    assert rows[0].genres == ("acoustic",)
    assert all(len([value for value in row.features if value is not None]) >= 10 for row in rows)


def test_the_whole_table_has_one_bad_row() -> None:
    songs: set[str] = set()
    genres: set[str] = set()
    rejects: list[Reject] = []
    for chunk in read_catalogue(table("dataset.csv")):
        songs.update(row.spotify_id for row in chunk.rows)
        genres.update(genre for row in chunk.rows for genre in row.genres)
        rejects += chunk.rejects
    assert (len(songs), len(genres)) == (82_689, 114)
    assert [(reject.line, reject.reason) for reject in rejects] == [(58_191, "title: must not be empty")]


def test_the_large_catalogue() -> None:
    chunk = next(read_catalogue(table("catalogue-large.csv.gz")))
    assert chunk.rejects == []
    assert chunk.rows[0][:8] == (2, "5SuOikwiRyPMVoIQDJUgSV", "Comedy", ("Gen Hoshino",), "", 73, 230666, None)


def test_playlist_songs_have_no_genre_of_their_own() -> None:
    rows = first_rows("playlist-songs.csv", 1000)
    assert rows[0][:10] == (
        2, "6f807x0ima9a1j3VPbc7VN", "I Don't Care (with Justin Bieber) - Loud Luxury Remix", ("Ed Sheeran",),
        "I Don't Care (with Justin Bieber) [Loud Luxury Remix]", 66, 194754, None, 2019, "",
    )  # fmt: skip
    assert dict(zip(FEATURE_NAMES, rows[0].features, strict=True))["time_signature"] is None
    assert {row.genres for row in rows} == {()}


@pytest.mark.django_db
def test_real_rows_go_in_and_a_second_run_changes_nothing() -> None:
    for name in ("dataset.csv", "playlist-songs.csv"):
        first = import_tracks(source=table(name), limit=500)
        again = import_tracks(source=table(name), limit=500)
        assert first.rows_read == again.rows_read == 500
        assert (again.songs_created, again.songs_updated, again.songs_unchanged) == (
            0, 0, first.songs_created + first.songs_updated + first.songs_unchanged,
        )  # fmt: skip
    ids = {
        row.spotify_id for name in ("dataset.csv", "playlist-songs.csv") for row in islice(first_rows(name, 500), 500)
    }
    assert Track.objects.filter(spotify_id__in=ids).count() == len(ids)
