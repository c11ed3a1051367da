"""Finding songs by sound and year; the columns that hold the sound."""

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries

from catalog import selectors, services
from catalog.duplicates.merging import merge_tracks
from catalog.features import SOUND_COLUMNS
from catalog.forms import BrowseForm
from catalog.models import Genre, Track
from catalog.search.filters import MOODS, SLIDERS, SongFilter
from catalog.tests.factories import FEATURES, make_track

pytestmark = pytest.mark.django_db
URL = "/songs/"


def titles(client: Client, **query: Any) -> list[str]:
    return [track.title for track in client.get(URL, query).context["tracks"]]


@pytest.fixture
def songs() -> None:
    for title, popularity, features in (
        ("Calm", 30, {"tempo": 95.0, "energy": 0.2, "acousticness": 0.9}),
        ("Calmer", 20, {"tempo": 110.0, "energy": 0.1, "acousticness": 0.7}),
        ("Loud", 90, {"tempo": 100.0, "energy": 0.95, "acousticness": 0.01}),
        ("Half known", 80, {"tempo": 100.0}),
        ("Unknown", 99, {}),
    ):
        make_track(title, popularity=popularity, features=features, genres=["rock" if title == "Calm" else "pop"])
    make_track("Hidden", popularity=99, features=FEATURES, is_active=False)


@pytest.mark.usefixtures("songs")
def test_calm_and_acoustic_between_90_and_110_bpm(client: Client) -> None:
    queries = {"tempo_min": 90, "tempo_max": 110, "energy_max": 40, "acousticness_min": 70}
    assert titles(client, **queries) == ["Calm", "Calmer"]
    assert titles(client, **queries, sort="title") == ["Calm", "Calmer"]
    assert titles(client, **queries, sort="newest") == ["Calmer", "Calm"]
    assert titles(client, **queries, genre=Genre.objects.get(name="rock").pk) == ["Calm"]


@pytest.mark.usefixtures("songs")
def test_a_range_at_its_ends_leaves_out_nothing(client: Client) -> None:
    everything = ["Unknown", "Loud", "Half known", "Calm", "Calmer"]
    assert titles(client) == everything
    assert titles(client, tempo_min=40, tempo_max=220, energy_min=0, energy_max=100) == everything
    assert titles(client, tempo_min=41) == ["Loud", "Half known", "Calm", "Calmer"]


@pytest.mark.usefixtures("songs")
def test_ends_are_inclusive_and_may_be_swapped(client: Client) -> None:
    assert titles(client, energy_min=10, energy_max=20) == ["Calm", "Calmer"]
    assert titles(client, tempo_min=110, tempo_max=96) == ["Loud", "Half known", "Calmer"]


@pytest.mark.usefixtures("songs")
@pytest.mark.parametrize("sent", ["x", "-1", "101", "1e9", "\x00"])
def test_what_does_not_fit_counts_as_not_chosen(client: Client, sent: str) -> None:
    assert len(titles(client, energy_min=sent, year_from=sent)) == 5


def test_years_where_they_are_known(client: Client) -> None:
    make_track("Without")
    assert "year_from" not in client.get(URL).content.decode()
    cache.clear()
    for year in (1969, 1985, 2024):
        make_track(f"Of {year}", release_year=year)
    assert client.get(URL).context["years"] == (1969, 2024)
    assert sorted(titles(client, year_from=1980)) == ["Of 1985", "Of 2024"]
    assert sorted(titles(client, year_from=1969, year_to=1985)) == ["Of 1969", "Of 1985"]


@pytest.mark.usefixtures("songs")
def test_nothing_fits(client: Client) -> None:
    html = client.get(URL, {"energy_min": 100, "acousticness_min": 100}).content.decode()
    assert "No matching songs" in html


@pytest.mark.usefixtures("songs")
def test_the_form_shows_what_was_asked_for(client: Client) -> None:
    html = client.get(URL, {"tempo_min": "90"}).content.decode()
    assert "<output>90–220 BPM</output>" in html  # noqa: RUF001
    assert 'name="tempo_min" value="90"' in html
    assert '<details class="panel moods mb-3" open>' in html


def test_moods_ask_for_what_the_form_understands() -> None:
    for mood in MOODS:
        with override("en"):
            wanted, _sort = BrowseForm(dict(part.split("=") for part in mood.query.split("&"))).choices_made()
        assert wanted.ranges == mood.ranges
        assert wanted.is_narrowed


def test_query_count_does_not_grow(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for rows in (1, 3):
        while Track.objects.count() < rows:
            make_track(f"Song {Track.objects.count()}", features=FEATURES)
        client.get(URL)
        with django_assert_num_queries(5):
            assert len(titles(client, energy_min=50)) == rows


def test_it_reads_one_index_and_no_song() -> None:
    make_track(features=FEATURES)
    for sort in selectors.SORTS:
        ids = selectors.browse(wanted=SongFilter(ranges={"energy": (10, 100)}), sort=sort).object_list
        assert isinstance(ids, QuerySet)
        plan = ids.explain()
        if "SEARCH" in plan:  # SQLite
            assert "track_browse_sound" in plan, (sort, plan)


def sound(track: Track) -> dict[str, float]:
    values = Track.objects.filter(pk=track.pk).values(*SOUND_COLUMNS).get()
    return {name: value for name, value in values.items() if value is not None}


def expected(features: dict[str, Any]) -> dict[str, float]:
    return {name: features[name] for name in SOUND_COLUMNS if name in features}


def test_the_columns_follow_the_features() -> None:
    track = make_track(features={"tempo": 120.0, "key": 3})
    assert sound(track) == {"tempo": 120.0}
    services.set_features(track=track, features=FEATURES)
    assert sound(track) == expected(FEATURES)
    services.set_features(track=track, features={})
    assert sound(track) == {}
    services.set_estimated_features(estimates={track.pk: {"energy": 0.25}})
    assert sound(track) == {"energy": 0.25}
    Track.objects.bulk_create([Track(title="Bulk", features={"valence": 0.5}, recording_key="0" * 32)])
    assert sound(Track.objects.get(title="Bulk")) == {"valence": 0.5}


def test_merged_songs_bring_their_sound_along() -> None:
    keep, duplicate = make_track("Keep"), make_track("Duplicate", features=FEATURES)
    merge_tracks(keep=keep, duplicates=[duplicate])
    assert sound(keep) == expected(FEATURES)


def test_imported_songs_have_it_and_changed_ones_too(tmp_path: Path) -> None:
    path = tmp_path / "songs.csv"
    head = "track_id,track_name,artists,energy,tempo\n"
    path.write_text(head + "4uLU6hMCjMI75M1A2tKUQC,Song,Someone,0.5,120\n")
    call_command("import_tracks", str(path), verbosity=0)
    track = Track.objects.get()
    assert sound(track) == {"energy": 0.5, "tempo": 120.0}
    path.write_text(head + "4uLU6hMCjMI75M1A2tKUQC,Song,Someone,0.75,\n")
    call_command("import_tracks", str(path), verbosity=0)
    assert sound(track) == {"energy": 0.75, "tempo": 120.0}


def test_every_slider_has_its_column() -> None:
    assert set(SLIDERS) == set(SOUND_COLUMNS)


@pytest.mark.django_db(transaction=True)  # a full-text index sees what is committed
def test_suggestions_in_groups(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    address = reverse("catalog:suggest")
    assert client.get(address).content.strip() == b""
    for number in range(8):
        make_track(f"Rock {number}", "Rock Star", genres=["rock"], popularity=number)
    html = client.get(address, {"q": "roc"}).content.decode()
    assert [html.count(part) for part in ("/songs/", "/artists/", "/genres/")] == [6, 1, 1]
    assert html.index("Rock 7") < html.index("Rock 2")
    assert "No results for “&lt;b&gt;”" in client.get(address, {"q": "<b>"}).content.decode()
    # A short word is looked for as initials, too; on MariaDB, only where nothing else is found.
    with django_assert_num_queries(6 if connection.vendor == "mysql" else 7):
        client.get(address, {"q": "roc"})
