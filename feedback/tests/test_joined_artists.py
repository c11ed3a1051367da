"""Artists who are one by now, though their names were told apart when they came."""

# ruff: noqa: RUF001
import io

import pytest

from catalog.duplicates.artists import join_artists
from catalog.identity.text import artist_key
from catalog.importing.service import import_tracks
from catalog.models import Artist, Track, TrackArtist
from feedback.preferences.models import ArtistPreference, Block
from feedback.tests.factories import UserFactory, make_track

pytestmark = pytest.mark.django_db
# A key that an earlier version made, and that no name leads to.
OLD_KEY = "0" * 32


def aged(name: str) -> Artist:
    artist = Artist.objects.create(name="Somebody else")
    Artist.objects.filter(pk=artist.pk).update(name=name, key=OLD_KEY)
    return artist


def test_the_next_import_joins_them_and_says_so() -> None:
    old = aged("ışık")
    song, both, mine = make_track("Song", artist="IŞIK"), make_track("Both", artist="IŞIK"), make_track("Mine")
    # MariaDB takes the two names for one.
    keep = next(artist for artist in Artist.objects.all() if artist.name == "IŞIK")
    TrackArtist.objects.create(track=both, artist=old, position=1)
    TrackArtist.objects.filter(track=mine).update(artist=old)
    Track.objects.filter(pk=mine.pk).update(artist_names="ışık")
    likes, likes_both = UserFactory(), UserFactory()
    for user, artists in ((likes, [old]), (likes_both, [old, keep])):
        for artist in artists:
            ArtistPreference.objects.create(user=user, artist=artist)
    Block.objects.create(user=likes, artist=old)
    table = io.BytesIO("title,artist\nNew,ışık\n".encode())
    report = import_tracks(source=table, name="songs.csv")
    assert "the artist ışık is IŞIK and was joined with it" in report.columns.notes
    assert list(Artist.objects.filter(pk__in=[old.pk, keep.pk])) == [keep]
    assert [track.title for track in Track.objects.filter(credits__artist=keep).order_by("title")] == [
        "Both", "Mine", "New", "Song",
    ]  # fmt: skip
    mine.refresh_from_db()
    assert mine.artist_names == "IŞIK"
    assert [row.artist_id for row in ArtistPreference.objects.order_by("user_id")] == [keep.pk, keep.pk]
    assert Block.objects.get().artist_id == keep.pk
    assert song.credits.get().artist_id == keep.pk
    assert join_artists() == []


def test_one_whose_key_nobody_has_gets_it() -> None:
    artist = aged("ışık")
    assert join_artists() == []
    artist.refresh_from_db()
    assert artist.key == artist_key("Işık")


def test_artists_told_by_signs_stay_two() -> None:
    import_tracks(
        source=io.BytesIO("title,artist\nOne,Zøe\nTwo,Zoé\nThree,ばば\nFour,はは\n".encode()), name="songs.csv"
    )
    before = list(Artist.objects.order_by("pk").values_list("name", "key"))
    assert len(before) == 4
    assert join_artists() == []
    assert list(Artist.objects.order_by("pk").values_list("name", "key")) == before
    aged("Zøé")
    assert join_artists() == []
    assert Artist.objects.count() == 5


def test_a_dry_run_joins_nobody() -> None:
    aged("ışık")
    make_track("Song", artist="IŞIK")
    import_tracks(source=io.BytesIO(b"title,artist\nNew,Ann\n"), name="songs.csv", is_dry_run=True)
    assert Artist.objects.filter(name__in=["ışık", "IŞIK"]).count() == 2
