"""Keys of before are worked out anew, and back."""

from importlib import import_module

import pytest
from django.apps import apps

from catalog.identity.text import artist_key, recording_key
from catalog.importing.service import import_tracks
from catalog.importing.tests.test_inputs import FOLDER, ID
from catalog.models import Artist, Track
from catalog.tests.factories import make_track

migration = import_module("catalog.migrations.0007_identity_keys")
pytestmark = pytest.mark.django_db


def keys() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    return (
        list(Artist.objects.order_by("pk").values_list("name", "key")),
        list(Track.objects.order_by("pk").values_list("title", "recording_key")),
    )


def test_keys_become_what_they_are_now_and_go_back(capsys: pytest.CaptureFixture[str]) -> None:
    make_track("मेरा", "राम", spotify_id=ID + "1")
    make_track("मारी", "राम", spotify_id=ID + "2")
    make_track("Plain", "Ann", spotify_id=ID + "3")
    make_track("Song +", "$NOT", spotify_id=ID + "4")
    migration.restore(apps, None)
    before = keys()
    assert before[1][0][1] == before[1][1][1]
    migration.renew(apps, None)
    output = capsys.readouterr().out
    assert keys() == (
        [(name, artist_key(name)) for name in ("राम", "Ann", "$NOT")],
        [(title, recording_key(title, artist)) for title, artist in
         [("मेरा", "राम"), ("मारी", "राम"), ("Plain", "Ann"), ("Song +", "$NOT")]],
    )  # fmt: skip
    assert "1 that were taken for versions of others are songs of their own now" in output
    assert "2 artists may stand for others, too, that were taken for the same (राम, $NOT)" in output
    migration.restore(apps, None)
    assert keys() == before


def test_songs_of_one_name_on_several_albums_come_apart(capsys: pytest.CaptureFixture[str]) -> None:
    for number, (album, length) in enumerate([("First", 60_000), ("Second", 100_000), ("Third", 61_000)]):
        make_track("Intro", "Ann", spotify_id=f"{ID}{number}", album=album, duration_ms=length)
    migration.restore(apps, None)
    migration.renew(apps, None)
    first, second, third = Track.objects.order_by("pk").values_list("recording_key", flat=True)
    assert first == third == recording_key("Intro", "Ann") != second
    assert "1 that were taken for versions" in capsys.readouterr().out


def test_a_key_that_is_taken_stays() -> None:
    first, two = make_track("One", "+44"), make_track("Two", "44")
    migration.restore(apps, None)
    assert Artist.objects.count() == 2
    migration.renew(apps, None)
    assert [track.artists.get().key for track in (first, two)] == [artist_key("+44"), artist_key("44")]


def test_importing_again_parts_artists_by_the_songs_ids() -> None:
    import_tracks(source=FOLDER / "c17_scripts.csv")
    merged = Artist.objects.get(name="राम")
    for track in Track.objects.filter(spotify_id__in=[f"{2:022}", f"{9:022}"]):
        track.credits.update(artist=merged)
    Artist.objects.filter(name__in=["रीमा", "रेम"]).delete()
    migration.restore(apps, None)
    migration.renew(apps, None)
    assert import_tracks(source=FOLDER / "c17_scripts.csv").songs_updated == 2
    assert Artist.objects.count() == 9
    assert Track.objects.get(spotify_id=f"{9:022}").artist_names == "रेम"
