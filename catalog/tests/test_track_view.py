"""The page of one song."""

import re
from typing import Any

import pytest
from django.test import Client

from catalog.models import Track
from catalog.tests.factories import FEATURES, make_track
from catalog.tests.test_browse_view import titles

pytestmark = pytest.mark.django_db


def page_of(client: Client, track: Track) -> str:
    response = client.get(f"/songs/{track.pk}/")
    assert response.status_code == 200
    return response.content.decode()


def test_shows_what_is_known(client: Client) -> None:
    track = make_track(
        "Song", "First", "Second", genres=["rock", "pop"], album="Record", popularity=55, duration_ms=187_400,
        release_year=1999, explicit=True, features=FEATURES, features_origin="csv", origin="csv",
    )  # fmt: skip
    page = page_of(client, track)
    assert track.get_absolute_url() == f"/songs/{track.pk}/"
    links = re.findall(r'<a href="/artists/(\d+)/">(\w+)</a>', page)
    assert [name for _pk, name in links] == ["First", "Second"]
    for text in (
        "Record",
        "55 out of 100",
        "3:07",
        "1999",
        ">yes<",
        "CSV import",
        "120 BPM",
        "A minor",
        "\u22127.2 dB",
    ):
        assert text in page, text
    for genre in track.genres.all():
        assert f'href="/genres/{genre.pk}/"' in page
    assert "4 beats per bar" in page
    assert "Audio features: from the imported file." in page
    assert f'hx-get="/songs/{track.pk}/similar/" hx-trigger="load"' in page
    assert f'<a href="/songs/{track.pk}/similar/">' in page


def test_unknown_features_are_said_to_be_unknown_and_not_drawn(client: Client) -> None:
    track = make_track(features={"energy": 0.0}, features_origin="csv")
    page = page_of(client, track)
    chart = re.search(r'<svg class="feature-chart".*?</svg>', page, re.DOTALL)
    assert chart is not None
    assert chart[0].count('class="bar"') == 1
    assert chart[0].count("unknown") == 6
    assert chart[0].count("0 %") == 1
    assert page.count('<dd class="col-6 col-sm-3 text-body-secondary">unknown</dd>') == 4


def test_song_without_features_says_so(client: Client) -> None:
    page = page_of(client, make_track())
    assert "We don't have sound measurements for this song yet." in page
    assert "feature-chart" not in page


@pytest.mark.parametrize(
    ("origin", "text"), [("estimated", "estimated from similar songs."), ("demo", "made up for the demo."), ("csv", "")]
)
def test_estimated_and_invented_features_are_marked(client: Client, origin: str, text: str) -> None:
    page = page_of(client, make_track(features=FEATURES, features_origin=origin))
    assert ("text-bg-warning" in page) == bool(text)
    assert text in page


def test_features_for_screen_readers(client: Client) -> None:
    page = page_of(client, make_track(features=FEATURES, features_origin="csv"))
    table = re.search(r'<div class="visually-hidden">.*?</table>', page, re.DOTALL)
    assert table is not None
    cells = re.findall(r"<th scope=\"row\">(\w+) .*?<td>([^<]*)</td>", table[0], re.DOTALL)
    assert cells == [
        ("Danceability", "50 %"), ("Energy", "80 %"), ("Valence", "100 %"), ("Acousticness", "0 %"),
        ("Instrumentalness", "1 %"), ("Liveness", "12 %"), ("Speechiness", "4 %"),
    ]  # fmt: skip


def test_usual_range_of_the_catalogue(client: Client) -> None:
    for number in range(50):
        make_track(f"Song {number}", features={"energy": number / 50}, features_origin="csv")
    estimated = make_track("Guess", features={"energy": 1.0}, features_origin="estimated")
    assert "<td>10\u201390 %</td>" in page_of(client, estimated)


def test_link_to_spotify_only_for_songs_that_are_there(client: Client) -> None:
    there = make_track("There", spotify_id="0123456789012345678901")
    invented = make_track("Invented", spotify_id="demo456789012345678901")
    assert "https://open.spotify.com/track/0123456789012345678901" in page_of(client, there)
    assert "open.spotify.com" not in page_of(client, invented)
    assert "open.spotify.com" not in page_of(client, make_track())


def test_other_versions_are_listed(client: Client) -> None:
    track = make_track("Song", "One")
    make_track("Song - Live", "One", popularity=1)
    make_track("Song (Acoustic)", "One", popularity=9)
    make_track("Song - Remix", "One", is_active=False)
    make_track("Song", "Another")
    assert titles(client.get(f"/songs/{track.pk}/")) == ["Song (Acoustic)", "Song - Live"]


def test_hidden_song_is_not_found(client: Client) -> None:
    assert client.get(f"/songs/{make_track(is_active=False).pk}/").status_code == 404


@pytest.mark.parametrize("kind", ["songs", "artists", "genres"])
@pytest.mark.parametrize("pk", ["0", "123456", "9223372036854775808", "9" * 40, "9" * 5000, "abc", "-1"])
def test_unknown_ids_are_not_found(client: Client, kind: str, pk: str) -> None:
    assert client.get(f"/{kind}/{pk}/").status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_constant_number_of_queries(client: Client, count: int, django_assert_num_queries: Any) -> None:
    artists = [f"Artist {number}" for number in range(count)]
    genres = [f"genre {number}" for number in range(count)]
    track = make_track("Song", *artists, genres=genres, features=FEATURES, features_origin="csv")
    for number in range(count):
        make_track(f"Song (Live {number})", *artists, genres=genres)
    # song with credits and genres, newest id and sample for the usual ranges, versions with both
    with django_assert_num_queries(8):
        assert len(titles(client.get(f"/songs/{track.pk}/"))) == count
