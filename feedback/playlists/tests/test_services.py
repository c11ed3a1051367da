"""Playlists: making, filling, ordering."""

import pytest
from django.db import DataError, IntegrityError, transaction
from django.http import Http404
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from catalog.duplicates.merging import merge_tracks
from catalog.models import Track
from feedback.playlists import services
from feedback.playlists.models import Playlist, PlaylistItem
from feedback.playlists.selectors import items_of, playlists_of, playlists_with, tracks_of
from feedback.tests.factories import UserFactory, make_track


@pytest.fixture
def songs(db: None) -> list[Track]:
    return [make_track(title) for title in "ABCDE"]


@pytest.fixture
def playlist(user: User, songs: list[Track]) -> Playlist:
    return services.create_playlist(owner=user, name="Mine", tracks=songs)


def order(playlist: Playlist) -> str:
    return "".join(track.title for track in tracks_of(playlist))


def test_songs_stay_in_the_order_given_and_each_once(user: User, songs: list[Track]) -> None:
    a, b, c, *_ = songs
    playlist = services.create_playlist(owner=user, name="  For \t a walk ", tracks=[c, a, c, b])
    assert playlist.name == "For a walk"
    assert order(playlist) == "CAB"
    assert [item.position for item in playlist.items.all()] == [0, 1, 2]
    assert services.add_tracks(playlist=playlist, tracks=[a, songs[4], b]) == 1
    assert order(playlist) == "CABE"


def test_a_playlist_deleted_in_another_window_is_not_there(playlist: Playlist, songs: list[Track]) -> None:
    Playlist.objects.filter(pk=playlist.pk).delete()
    with pytest.raises(Http404):
        services.rename_playlist(playlist=playlist, name="Other")
    with pytest.raises(Http404):
        services.add_tracks(playlist=playlist, tracks=songs)
    assert not PlaylistItem.objects.exists()


def test_names(user: User) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        services.create_playlist(owner=user, name=" \n ")
    playlist = services.create_playlist(owner=user, name="x" * 150)
    assert playlist.name == "x" * 100
    services.rename_playlist(playlist=playlist, name="Other")
    playlist.refresh_from_db()
    assert playlist.name == "Other"
    with pytest.raises(ValueError, match="needs a name"):
        services.rename_playlist(playlist=playlist, name="")
    with pytest.raises(IntegrityError), transaction.atomic():
        Playlist.objects.create(owner=user, name="")


@pytest.mark.parametrize(
    ("title", "position", "expected"),
    [
        ("A", 1, "BACDE"), ("A", 4, "BCDEA"), ("A", 99, "BCDEA"), ("E", 0, "EABCD"), ("E", -3, "EABCD"),
        ("D", 1, "ADBCE"), ("B", 3, "ACDBE"), ("C", 2, "ABCDE"),
    ],
)  # fmt: skip
def test_moving(playlist: Playlist, title: str, position: int, expected: str) -> None:
    services.move_track(playlist=playlist, track=Track.objects.get(title=title), index=position)
    assert order(playlist) == expected


def test_moving_passes_over_hidden_songs_and_gaps(playlist: Playlist, songs: list[Track]) -> None:
    Track.objects.filter(title="B").update(is_active=False)
    services.remove_track(playlist=playlist, track=songs[2])
    assert order(playlist) == "ADE"
    services.move_track(playlist=playlist, track=songs[4], index=1)
    assert order(playlist) == "AED"
    services.move_track(playlist=playlist, track=songs[0], index=1)
    assert order(playlist) == "EAD"
    Track.objects.filter(title="B").update(is_active=True)
    assert order(playlist) == "BEAD"


def test_moving_costs_as_many_queries_however_long(
    playlist: Playlist, songs: list[Track], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for position in (1, 4):
        services.move_track(playlist=playlist, track=songs[0], index=0)
        with django_assert_num_queries(10):
            services.move_track(playlist=playlist, track=songs[0], index=position)


def test_moving_what_is_not_there_changes_nothing(playlist: Playlist, user: User) -> None:
    services.move_track(playlist=playlist, track=make_track("Z"), index=0)
    assert order(playlist) == "ABCDE"
    empty = services.create_playlist(owner=user, name="Empty")
    services.move_track(playlist=empty, track=Track.objects.get(title="A"), index=0)
    assert order(empty) == ""


def test_removing_and_putting_back(playlist: Playlist, songs: list[Track]) -> None:
    assert services.remove_track(playlist=playlist, track=songs[1]) == 1
    assert order(playlist) == "ACDE"
    assert services.remove_track(playlist=playlist, track=songs[1]) is None
    services.put_track(playlist=playlist, track=songs[1], position=1)
    services.put_track(playlist=playlist, track=songs[1], position=4)
    assert order(playlist) == "ABCDE"
    services.remove_track(playlist=playlist, track=songs[4])
    services.put_track(playlist=playlist, track=songs[4], position=2)
    assert order(playlist) == "ABECD"
    services.put_track(playlist=playlist, track=make_track("F"), position=10**9)
    assert order(playlist) == "ABECDF"


def test_the_database_keeps_places_and_songs_apart(playlist: Playlist, songs: list[Track]) -> None:
    for track, position in ((make_track("F"), 0), (songs[0], 9)):
        with pytest.raises(IntegrityError), transaction.atomic():
            PlaylistItem.objects.create(playlist=playlist, track=track, position=position)
    # MariaDB has a column without negative numbers, the others a constraint.
    with pytest.raises((IntegrityError, DataError)), transaction.atomic():
        playlist.items.filter(position=0).update(position=-1)


def test_limits(user: User, songs: list[Track], settings: Settings) -> None:
    settings.LISTENER_MAX_PLAYLIST_SONGS, settings.LISTENER_MAX_PLAYLISTS = 2, 1
    playlist = services.create_playlist(owner=user, name="Full", tracks=songs[:2])
    with pytest.raises(services.PlaylistFullError):
        services.add_tracks(playlist=playlist, tracks=songs[2:3])
    with pytest.raises(services.PlaylistFullError):
        services.put_track(playlist=playlist, track=songs[2], position=0)
    with pytest.raises(services.PlaylistFullError):
        services.create_playlist(owner=user, name="One more")
    assert order(playlist) == "AB"


def test_lists_are_the_owners_and_count_shown_songs(
    playlist: Playlist, user: User, songs: list[Track], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    services.create_playlist(owner=UserFactory(), name="Not mine", tracks=songs)
    later = services.create_playlist(owner=user, name="Later", tracks=songs[:1])
    Track.objects.filter(title="E").update(is_active=False)
    assert [(row.name, vars(row)["song_count"]) for row in playlists_of(user)] == [("Later", 1), ("Mine", 4)]
    held = [(row.name, vars(row)["has_track"]) for row in playlists_with(user, songs[1])]
    assert held == [("Later", False), ("Mine", True)]
    with django_assert_num_queries(4):
        assert [item.track.title for item in items_of(playlist)] == ["A", "B", "C", "D"]
    services.delete_playlist(playlist=playlist)
    assert list(Playlist.objects.filter(owner=user)) == [later]


def test_merged_songs_keep_their_place(playlist: Playlist, user: User, songs: list[Track]) -> None:
    double = make_track("Double")
    other = services.create_playlist(owner=user, name="Other", tracks=[songs[1], double, songs[2]])
    both = services.create_playlist(owner=user, name="Both", tracks=[double, songs[1], songs[0]])
    merge_tracks(keep=songs[0], duplicates=[double])
    assert order(other) == "BAC"
    assert order(both) == "BA"
    assert order(playlist) == "ABCDE"
