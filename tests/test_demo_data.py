"""The bundled demo files: reproducible, of the right shape, invented throughout."""

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.conf import settings

from catalog.features import FEATURE_NAMES, check_features
from catalog.identity.text import fold, recording_key
from catalog.models import INVENTED_ID_PREFIX, SPOTIFY_ID_PATTERN
from spotify_rec.demo import CATALOGUE, LISTENERS

Row = dict[str, str]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def songs(rows: list[Row]) -> list[Row]:
    return list({row["track_id"]: row for row in rows}.values())


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = json.loads(LISTENERS.read_text(encoding="utf-8"))
    return result


def _of(records: list[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    return [record["fields"] for record in records if record["model"] == model]


def test_the_generator_makes_the_committed_files_byte_for_byte(tmp_path: Path) -> None:
    program = settings.BASE_DIR / "data" / "generate_demo.py"
    subprocess.run([sys.executable, program, "--folder", tmp_path], check=True)

    for path in (CATALOGUE, LISTENERS):
        assert (tmp_path / path.relative_to(settings.BASE_DIR)).read_bytes() == path.read_bytes()


def test_three_thousand_songs_in_thirty_genres(rows: list[Row], songs: list[Row]) -> None:
    genres = Counter(row["track_genre"] for row in rows)

    assert len(songs) == 3000
    assert len(genres) == 30
    assert min(genres.values()) >= 60
    assert CATALOGUE.stat().st_size < 600_000


def test_a_song_comes_once_per_genre_and_its_rows_agree(rows: list[Row], songs: list[Row]) -> None:
    song_of = {song["track_id"]: song for song in songs}

    assert len({(row["track_id"], row["track_genre"]) for row in rows}) == len(rows)
    assert [row[""] for row in rows] == [str(number) for number in range(len(rows))]
    for row in rows:
        other = song_of[row["track_id"]]
        assert {**row, "": "", "track_genre": ""} == {**other, "": "", "track_genre": ""}


def test_ids_have_the_shape_of_real_ones_and_say_that_they_are_invented(songs: list[Row]) -> None:
    assert all(re.fullmatch(SPOTIFY_ID_PATTERN, song["track_id"]) for song in songs)
    assert all(song["track_id"].startswith(INVENTED_ID_PREFIX) for song in songs)


def test_every_row_fits_the_schema(rows: list[Row]) -> None:
    for row in rows:
        check_features({name: float(row[name]) for name in FEATURE_NAMES})
        assert row["explicit"] in ("True", "False")
        assert 0 <= int(row["popularity"]) <= 100
        assert 45_000 <= int(row["duration_ms"]) <= 900_000
        assert all(row[name].strip() == row[name] != "" for name in ("track_name", "album_name"))
        assert all(name.strip() == name != "" for name in row["artists"].split(";"))


def test_a_few_values_are_unknown(songs: list[Row]) -> None:
    silent = [song for song in songs if float(song["tempo"]) == 0]

    assert len(silent) == 9
    assert all(song["time_signature"] == "0" for song in silent)
    assert sum(song["key"] == "-1" for song in songs) == 7


def test_two_songs_are_one_recording_only_where_one_is_a_version_of_the_other(songs: list[Row]) -> None:
    titles: dict[str, list[str]] = {}
    for song in songs:
        key = recording_key(song["track_name"], song["artists"].split(";")[0])
        titles.setdefault(key, []).append(song["track_name"])
    families = [sorted(family, key=len) for family in titles.values() if len(family) > 1]

    assert len(families) >= 150
    for plain, version in families:
        assert version.startswith(f"{plain} - ")


def test_most_artists_have_several_songs_and_some_share_one(songs: list[Row]) -> None:
    counts = Counter(song["artists"].split(";")[0] for song in songs)
    albums = {(song["artists"].split(";")[0], song["album_name"]) for song in songs}

    assert sum(count >= 3 for count in counts.values()) > 0.7 * len(counts)
    assert len(counts) < len(albums) < len(songs)
    assert 100 < sum(";" in song["artists"] for song in songs) < 400


def test_popularity_has_a_long_tail(songs: list[Row]) -> None:
    popularity = sorted(int(song["popularity"]) for song in songs)

    assert popularity[1500] < sum(popularity) / 3000 - 2
    assert popularity[-30] > 80


@pytest.mark.parametrize("share", ["danceability", "energy", "acousticness", "instrumentalness", "valence", "loudness"])
def test_genres_sound_as_they_do_in_the_real_table(rows: list[Row], shared_data: Path, share: str) -> None:
    real = pd.read_csv(shared_data / "dataset.csv", usecols=["track_genre", share])
    measured = real.groupby("track_genre")[share].mean()
    mine = pd.DataFrame(rows).astype({share: float}).groupby("track_genre")[share].mean()

    assert mine.corr(measured.reindex(mine.index), method="spearman") > 0.85


def test_no_artist_and_no_title_is_a_real_one(songs: list[Row], shared_data: Path) -> None:
    real = pd.read_csv(shared_data / "dataset.csv", usecols=["artists", "track_name"]).dropna()
    real_artists = {fold(name) for names in real["artists"] for name in (names, *names.split(";"))}
    real_titles = {fold(title) for title in real["track_name"]}

    assert {name for song in songs for name in song["artists"].split(";") if fold(name) in real_artists} == set()
    assert {song["track_name"] for song in songs if fold(song["track_name"]) in real_titles} == set()


def test_a_dozen_listeners_who_cannot_log_in_and_cannot_be_written_to(records: list[dict[str, Any]]) -> None:
    users = _of(records, "accounts.user")

    assert len(users) == 12
    assert all(user["password"] == "!" and user["email"].endswith("@example.org") for user in users)
    assert [user["username"] for user in users if not user["username"].startswith("demo_")] == ["listener"]


def test_each_listener_rates_25_to_60_songs_once_and_likes_most(records: list[dict[str, Any]]) -> None:
    ratings = _of(records, "feedback.rating")
    pairs = Counter((rating["user"][0], rating["track"][0]) for rating in ratings)
    counts = Counter(rating["user"][0] for rating in ratings)
    likes = Counter(rating["user"][0] for rating in ratings if rating["value"] == 1)

    assert set(pairs.values()) == {1}
    assert len(counts) == 12
    for listener, count in counts.items():
        assert 25 <= count <= 60
        assert 0.5 * count < likes[listener] < count


def test_listeners_of_one_taste_like_the_same_songs(records: list[dict[str, Any]]) -> None:
    listeners = [user["username"] for user in _of(records, "accounts.user")]
    likes = {name: set[str]() for name in listeners}
    for rating in _of(records, "feedback.rating"):
        if rating["value"] == 1:
            likes[rating["user"][0]].add(rating["track"][0])

    for index, first in enumerate(listeners):
        for other, second in enumerate(listeners[:index]):
            shared = len(likes[first] & likes[second])
            assert shared >= 3 if index // 3 == other // 3 else shared <= 3


def test_plays_come_before_the_end_and_skips_are_short(records: list[dict[str, Any]]) -> None:
    plays = _of(records, "feedback.play")
    skipped = [play for play in plays if play["outcome"] == "skipped"]

    assert 0 < len(skipped) < len(plays) / 4
    assert all(play["ms_played"] < 30_000 for play in skipped)
    assert max(datetime.fromisoformat(play["played_at"]) for play in plays) <= datetime.fromisoformat(
        "2026-06-30T20:00:00Z"
    )
