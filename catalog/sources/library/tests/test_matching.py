"""Which song of the catalogue a server's song is."""

from typing import Any

import pytest

from catalog.models import Track, TrackCode
from catalog.sources.library.matching import match_songs
from catalog.sources.library.songs import SourceSong, clean_artists, clean_isrcs, clean_mbid, clean_year
from catalog.tests.factories import make_track

pytestmark = pytest.mark.django_db
MBID = "0a1b2c3d-0000-4000-8000-000000000001"


def song(title: str, *artists: str, **columns: Any) -> SourceSong:
    return SourceSong(remote_id="1", title=title, artists=artists, **columns)


def matched(wanted: SourceSong) -> int | None:
    return match_songs([wanted])[0]


def test_a_musicbrainz_id_goes_before_an_isrc_and_an_isrc_before_names() -> None:
    by_name = make_track("Creep", "Radiohead", duration_ms=238_000)
    by_isrc = make_track("Kriechen", "Other", isrc="GBAYE9200070", duration_ms=239_000)
    by_mbid = make_track("Ramper", "Third", mbid=MBID, duration_ms=240_000)
    wanted = song("Creep", "Radiohead", duration_ms=238_000)
    assert matched(wanted) == by_name.pk
    assert matched(wanted._replace(isrcs=("GBAYE9200070",))) == by_isrc.pk
    assert matched(wanted._replace(isrcs=("GBAYE9200070",), mbid=MBID)) == by_mbid.pk


def test_a_further_code_is_found_and_one_of_another_length_is_wrong() -> None:
    track = make_track("Creep", "Radiohead", duration_ms=238_000)
    TrackCode.objects.create(track=track, scheme=TrackCode.Scheme.ISRC, value="GBAYE9200071")
    assert matched(song("X", "Y", isrcs=("GBAYE9200071",), duration_ms=240_000)) == track.pk
    assert matched(song("X", "Y", isrcs=("GBAYE9200071",), duration_ms=400_000)) is None


@pytest.mark.parametrize(
    ("title", "artists"),
    [
        ("Blue Monday", ["New Order feat. Somebody"]),
        ("Blue Monday", ["New Order & Somebody"]),
        ("Blue Monday", ["New Order, Somebody"]),
        ("Blue Monday", ["New Order \u2022 Somebody"]),
        ("Blue Monday", ["The New Order"]),
        ("Blue Monday", ["New Order, The"]),
        ("07 - Blue Monday", ["New Order"]),
        ("07 Blue Monday", ["New Order"]),
        ("Blue Monday - 2011 Remaster", ["New Order"]),
        ("BLUE  MONDAY", ["new order"]),
    ],
)
def test_ways_of_writing_are_one_song(title: str, artists: list[str]) -> None:
    track = make_track("Blue Monday", "New Order", duration_ms=447_000)
    assert matched(song(title, *artists, duration_ms=450_000)) == track.pk


@pytest.mark.parametrize(
    "wanted",
    [
        song("Blue Monday", "New Order", duration_ms=455_000),
        song("Blue Monday (Live)", "New Order", duration_ms=447_000),
        song("Blue Monday - Instrumental", "New Order", duration_ms=447_000),
        song("Blue Monday", "Orgy", duration_ms=447_000),
        song("Monday", "New Order", duration_ms=447_000),
        song("Blue Monday"),
    ],
)
def test_others_are_not(wanted: SourceSong) -> None:
    make_track("Blue Monday", "New Order", duration_ms=447_000)
    assert matched(wanted) is None


def test_of_several_the_nearest_in_length_is_meant_and_a_shown_one_before_a_hidden_one() -> None:
    make_track("Blue Monday", "New Order", duration_ms=447_000, album="A")
    near = make_track("Blue Monday", "New Order", duration_ms=449_000, album="B")
    make_track("Blue Monday", "New Order", duration_ms=450_000, album="C", is_active=False)
    assert matched(song("Blue Monday", "New Order", duration_ms=450_000)) == near.pk


def test_intros_of_one_artist_that_a_server_has_are_told_by_their_lengths() -> None:
    make_track("Intro", "The xx", duration_ms=127_000, album="xx", origin=Track.Origin.SERVER)
    assert matched(song("Intro", "The xx", duration_ms=131_000, album="Coexist")) is None
    assert matched(song("Intro", "The xx", duration_ms=128_000, album="Best of")) is not None


def test_values_that_are_none_are_unknown() -> None:
    assert clean_artists(["A; B feat. C", "", None, "[unknown]", "AC/DC", "Earth, Wind & Fire"]) == (
        "A", "B", "C", "AC/DC", "Earth, Wind & Fire",
    )  # fmt: skip
    assert clean_isrcs(["gb-aye-92-00070", "X", None, 7]) == ("GBAYE9200070",)
    assert clean_mbid(MBID.upper()) == MBID
    assert clean_mbid("0a1b2c3d") == ""
    assert [clean_year(value) for value in ("2011-03-04", 1999, "x", None, 0, True)] == [2011, 1999] + [None] * 4
