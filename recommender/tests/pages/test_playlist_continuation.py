"""Songs that go with a playlist."""

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from catalog.models import Track
from feedback.playlists.selectors import tracks_of
from feedback.playlists.services import create_playlist
from feedback.plays.models import Play
from feedback.preferences.services import block
from feedback.ratings.models import Rating
from recommender.pages.playlist_continuation import continue_playlist
from recommender.tests.builders import make_catalogue, make_track, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def listener(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


@pytest.fixture
def songs() -> list[Track]:
    tracks = make_catalogue()
    call_command("retrain", verbosity=0)
    return tracks


def test_songs_are_alike_new_and_not_in_it(user: User, songs: list[Track]) -> None:
    playlist = create_playlist(owner=user, name="Quiet", tracks=[songs[0], songs[4], songs[8]])
    Rating.objects.create(user=user, track=songs[1], value=1)
    Play.objects.create(user=user, track=songs[5])
    continuation = continue_playlist(playlist=playlist, k=6, is_new=True)
    assert continuation is not None
    assert len(continuation) == 6
    assert {track.genres.get().name for track in continuation} == {"folk"}
    assert not {track.pk for track in continuation} & {songs[number].pk for number in (0, 4, 8, 1, 5)}
    assert continue_playlist(playlist=playlist, k=6, is_new=True) == continuation


def test_known_songs_where_asked_for_but_never_disliked_ones(user: User, songs: list[Track]) -> None:
    playlist = create_playlist(owner=user, name="Quiet", tracks=[songs[0]])
    for track in songs[1:20]:
        Rating.objects.create(user=user, track=track, value=-1 if track == songs[1] else 1)
    new = continue_playlist(playlist=playlist, k=5, is_new=True)
    known = continue_playlist(playlist=playlist, k=5, is_new=False)
    assert new is not None
    assert known is not None
    assert not {track.pk for track in new} & {track.pk for track in songs[:20]}
    assert {track.genres.get().name for track in known} == {"folk"}
    assert songs[1] not in known


def test_what_the_owner_blocked_is_left_out(user: User, songs: list[Track]) -> None:
    playlist = create_playlist(owner=user, name="Quiet", tracks=[songs[0]])
    before = continue_playlist(playlist=playlist, k=5, is_new=False)
    assert before is not None
    block(user=user, target=before[0])
    block(user=user, target=before[1].artists.get())
    after = continue_playlist(playlist=playlist, k=5, is_new=False)
    assert after is not None
    assert len(after) == 5
    assert before[0] not in after
    assert before[1].artists.get() not in {track.artists.get() for track in after}
    block(user=user, target=songs[0].genres.get())
    assert "folk" not in {
        track.genres.get().name for track in continue_playlist(playlist=playlist, k=5, is_new=False) or []
    }


def test_the_owners_taste_has_no_say(user: User, songs: list[Track]) -> None:
    playlist = create_playlist(owner=user, name="Quiet", tracks=[songs[0]])
    before = continue_playlist(playlist=playlist, k=5, is_new=False)
    Rating.objects.create(user=user, track=songs[39], value=1)
    assert continue_playlist(playlist=playlist, k=5, is_new=False) == before


def test_the_page_adds_what_is_ticked_in_the_order_shown(listener: Client, user: User, songs: list[Track]) -> None:
    playlist = create_playlist(owner=user, name="Quiet", tracks=[songs[0]])
    page = listener.get(f"/playlists/{playlist.pk}/fill/", {"count": "10"})
    shown = page.context["tracks"]
    assert len(shown) == 10
    ticked = [shown[4].pk, shown[2].pk]
    answer = listener.post(f"/playlists/{playlist.pk}/fill/", {"track": ticked}, follow=True)
    assert "2 songs added." in answer.content.decode()
    assert list(tracks_of(playlist).values_list("pk", flat=True)) == [songs[0].pk, *ticked]


@pytest.mark.parametrize("query", [{}, {"count": "7", "songs": "?"}, {"count": "x"}])
def test_25_unknown_songs_unless_something_else_fits(
    listener: Client, user: User, songs: list[Track], query: dict[str, str]
) -> None:
    playlist = create_playlist(owner=user, name="Quiet", tracks=[songs[0]])
    page = listener.get(f"/playlists/{playlist.pk}/fill/", query)
    assert (page.context["count"], page.context["is_new"]) == (25, True)


def test_without_anything_to_go_by_it_says_so(listener: Client, user: User) -> None:
    playlist = create_playlist(owner=user, name="Quiet", tracks=[make_track("New")])
    assert "Add a song first" in listener.get(f"/playlists/{playlist.pk}/fill/").content.decode()


def test_songs_newer_than_the_model_are_nothing_to_go_by(listener: Client, user: User, songs: list[Track]) -> None:
    playlist = create_playlist(owner=user, name="New", tracks=[make_track("New")])
    assert "Add a song first" in listener.get(f"/playlists/{playlist.pk}/fill/").content.decode()


def test_bad_ids_and_others_playlists(listener: Client, user: User, songs: list[Track]) -> None:
    mine = create_playlist(owner=user, name="Mine", tracks=songs[:1])
    assert listener.post(f"/playlists/{mine.pk}/fill/", {"track": "x"}).status_code == 400
    theirs = create_playlist(owner=make_user("other"), name="Theirs", tracks=songs[:1])
    assert listener.get(f"/playlists/{theirs.pk}/fill/").status_code == 404
    assert listener.post(f"/playlists/{theirs.pk}/fill/", {"track": songs[1].pk}).status_code == 404
    assert tracks_of(theirs).count() == 1
