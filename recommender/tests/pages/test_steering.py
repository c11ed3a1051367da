"""What the listener blocked, adjusted or took out of the taste, as "For you" follows it."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from catalog.models import Artist, Genre, Track
from catalog.tests.factories import make_track
from feedback.plays.models import Play
from feedback.preferences import services as preference_services
from feedback.preferences.models import Block
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.adapters.feedback import load_listener
from recommender.lifecycle.versions import active_model
from recommender.pages.feed import recommend_feed
from recommender.pages.similar import similar_tracks
from recommender.pages.track_path import track_path
from recommender.tests.builders import make_catalogue, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def tracks() -> list[Track]:
    made = make_catalogue()
    call_command("retrain", verbosity=0)
    return made


@pytest.fixture
def user() -> User:
    return make_user(adventure=0.0)  # so that each page is certain


def shown(user: User, k: int = 40) -> list[str]:
    feed = recommend_feed(user=user, k=k)
    assert feed is not None
    return [item.track.title for item in feed.items]


def like(user: User, *tracks: Track) -> None:
    for track in tracks:
        rate(user=user, track=track, value=Rating.Value.LIKE)


def test_a_blocked_song_artist_or_genre_is_not_recommended_until_the_block_ends(
    tracks: list[Track], user: User
) -> None:
    before = shown(user)
    assert before[0] == "Song 9.3"
    preference_services.block(user=user, target=tracks[39])
    assert "Song 9.3" not in shown(user)
    preference_services.block(user=user, target=Artist.objects.get(name="Artist 8"))
    assert not any(title.startswith("Song 8.") for title in shown(user))
    preference_services.block(
        user=user, target=Genre.objects.get(name="techno"), until=timezone.now() + timedelta(days=1)
    )
    assert {title[5] for title in shown(user)} == set("01234")
    Block.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert shown(user)[0] == "Song 9.3"


def test_only_songs_with_a_recording_are_recommended_if_the_listener_wants_that(
    tracks: list[Track], user: User
) -> None:
    recorded = tracks[1::4]
    Track.objects.filter(pk__in=[track.pk for track in recorded]).update(has_file=True)
    assert len(shown(user)) == 20
    user.recordings_only = True
    titles = {track.title for track in recorded}
    assert set(shown(user)) == titles
    similar = similar_tracks(track=tracks[0], user=user)
    path = track_path(start=tracks[0], goal=tracks[39], between=5, user=user)
    assert similar
    assert path is not None
    assert {track.title for track in similar} <= titles
    assert len(path) == 7
    assert {track.title for track in path[1:-1]} <= titles
    Track.objects.update(has_file=False)
    assert shown(user) == []


def test_only_new_songs_are_recommended_if_the_listener_wants_that(tracks: list[Track], user: User) -> None:
    """Songs that were played or rated at any time stay away, also those that do not count towards the taste."""
    long_ago = timezone.now() - timedelta(days=900)
    for track in tracks[:10]:
        Play.objects.create(user=user, track=track, played_at=long_ago, outcome=Play.Outcome.SKIPPED)
    rate(user=user, track=tracks[10], value=Rating.Value.LIKE)
    preference_services.exclude(user=user, target=tracks[0])
    known = {track.title for track in tracks[:11]}
    assert known & set(shown(user))
    user.unheard_only = True
    fresh = {track.title for track in tracks} - known
    page = set(shown(user))
    assert page
    assert page <= fresh
    similar = similar_tracks(track=tracks[0], user=user)
    path = track_path(start=tracks[0], goal=tracks[39], between=5, user=user)
    assert similar
    assert path is not None
    assert {track.title for track in similar} <= fresh
    assert {track.title for track in path[1:-1]} <= fresh
    Track.objects.filter(pk__in=[tracks[5].pk, tracks[20].pk]).update(has_file=True)
    user.recordings_only = True
    assert shown(user) == [tracks[20].title]


def test_of_two_versions_the_one_with_a_recording_is_recommended(user: User) -> None:
    make_catalogue()
    twins = [make_track("Twin", "Artist 9", duration_ms=200_000, spotify_id=code * 22) for code in "ab"]
    assert twins[0].recording_key == twins[1].recording_key
    call_command("retrain", verbosity=0)
    Track.objects.filter(pk=twins[1].pk).update(has_file=True)
    user.recordings_only = True
    feed = recommend_feed(user=user, k=5)
    assert feed is not None
    assert [item.track.pk for item in feed.items] == [twins[1].pk]


def test_not_now_rests(tracks: list[Track], user: User) -> None:
    preference_services.snooze(user=user, track=tracks[39])
    assert "Song 9.3" not in shown(user)


def test_blocks_of_another_listener_do_not_matter(tracks: list[Track], user: User) -> None:
    preference_services.block(user=make_user("other"), target=tracks[39])
    assert shown(user)[0] == "Song 9.3"


def test_an_artist_turned_off_no_longer_leads(tracks: list[Track], user: User) -> None:
    like(user, tracks[0], tracks[1], tracks[20])
    assert set(shown(user)[:2]) == {"Song 0.2", "Song 0.3"}
    preference_services.adjust(user=user, target=Artist.objects.get(name="Artist 0"), level="off")
    assert not {"Song 0.2", "Song 0.3"} & set(shown(user)[:2])
    loaded = active_model()
    assert loaded is not None
    adjusted = load_listener(user, loaded).feedback.adjustments
    artist = int(loaded.model.catalogue.artist_ids[adjusted.artists[0]])
    assert (artist, adjusted.artist_factors.tolist()) == (Artist.objects.get(name="Artist 0").pk, [0.0])


def test_what_is_excluded_says_nothing_but_is_not_recommended_again(tracks: list[Track], user: User) -> None:
    like(user, tracks[0], tracks[1])
    assert set(shown(user)[:2]) == {"Song 0.2", "Song 0.3"}
    for track in tracks[:2]:
        preference_services.exclude(user=user, target=track)
    titles = shown(user)
    assert titles[0] == "Song 9.3"
    assert not {"Song 0.0", "Song 0.1"} & set(titles)


def test_a_private_session_leaves_the_feed_as_it_was(tracks: list[Track], user: User) -> None:
    before = shown(user)
    preference_services.start_private_session(user=user)
    like(user, tracks[0])
    assert shown(user) == [title for title in before if title != "Song 0.0"]
