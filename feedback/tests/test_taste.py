"""Reads for the recommender."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Track
from feedback import taste
from feedback.plays.models import Play
from feedback.plays.services import record_play, remove_play
from feedback.preferences.models import TasteExclusion
from feedback.preferences.services import set_preferences
from feedback.ratings import services
from feedback.ratings.models import Rating
from feedback.taste import (
    Interaction,
    PlayedTrack,
    RatedTrack,
    feedback_events,
    feedback_fingerprint,
    feedback_of,
    interactions,
)
from feedback.tests.factories import ArtistFactory, GenreFactory, PlayFactory, RatingFactory, UserFactory, make_track

pytestmark = pytest.mark.django_db
EARLY, LATE = datetime(2026, 1, 1, 10, 30, 59, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def user() -> User:
    return UserFactory()


@pytest.fixture
def tracks() -> list[Track]:
    return [make_track(f"Song {number}") for number in range(3)]


def play(user: User, track: Track, outcome: str = "started", at: datetime = EARLY, is_counted: bool = True) -> Play:
    return PlayFactory(user=user, track=track, outcome=outcome, played_at=at, is_counted=is_counted)


def test_feedback_of_one_listener(
    user: User, tracks: list[Track], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first, second, third = tracks
    RatingFactory(user=user, track=second, updated_at=EARLY)
    RatingFactory(user=user, track=first, value=-1, updated_at=LATE)
    play(user, third, "completed", at=LATE)
    play(user, third, "skipped")
    play(user, third)
    play(user, first, is_counted=False)
    genre, artist = GenreFactory(), ArtistFactory()
    set_preferences(user=user, genres=[genre], artists=[artist])
    other = UserFactory()
    RatingFactory(user=other, track=third)
    play(other, second)
    with django_assert_num_queries(5):
        feedback = feedback_of(user)
    assert feedback.ratings == (
        RatedTrack(first.pk, -1, int(LATE.timestamp())),
        RatedTrack(second.pk, 1, int(EARLY.timestamp())),
    )
    assert feedback.plays == (PlayedTrack(third.pk, 3, 1, 1, int(LATE.timestamp())),)
    assert (feedback.genre_ids, feedback.artist_ids) == ((genre.pk,), (artist.pk,))
    assert not feedback.is_empty


def test_feedback_of_a_new_listener_is_empty(user: User) -> None:
    assert feedback_of(user).is_empty


def test_interactions_join_ratings_and_plays_of_all_listeners(user: User, tracks: list[Track]) -> None:
    first, second, third = tracks
    other = UserFactory()
    RatingFactory(user=other, track=first, value=-1, updated_at=EARLY)
    RatingFactory(user=user, track=second, updated_at=LATE)
    play(user, second, "completed", at=EARLY)
    play(user, third, "skipped", at=LATE)
    play(user, third, at=EARLY)
    play(user, first, is_counted=False)
    assert list(interactions()) == [
        Interaction(user.pk, second.pk, 1, 1, 1, 0, int(LATE.timestamp())),
        Interaction(user.pk, third.pk, 0, 2, 0, 1, int(LATE.timestamp())),
        Interaction(other.pk, first.pk, -1, 0, 0, 0, int(EARLY.timestamp())),
    ]


def test_interactions_take_few_queries(
    user: User, tracks: list[Track], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for track in tracks:
        RatingFactory(user=user, track=track)
        play(user, track)
    with django_assert_num_queries(4):
        assert len(list(interactions())) == 3


def test_interactions_of_nobody() -> None:
    assert list(interactions()) == []


def test_fingerprint_stays_while_nothing_happens(user: User, tracks: list[Track]) -> None:
    RatingFactory(user=user, track=tracks[0])
    assert feedback_fingerprint() == feedback_fingerprint()


def test_fingerprint_changes_with_everything_that_happens(user: User, tracks: list[Track]) -> None:
    first, second, third = tracks
    seen = [feedback_fingerprint()]

    def is_new() -> bool:
        seen.append(feedback_fingerprint())
        return seen[-1] not in seen[:-1]

    services.rate(user=user, track=first, value=1)
    services.rate(user=user, track=second, value=1)
    assert is_new()
    services.rate(user=user, track=first, value=-1)
    assert is_new()
    services.rate(user=user, track=first, value=None)
    assert is_new()
    Rating.objects.update(track=third)
    assert is_new()
    played, _ = record_play(user=user, track=first)
    latest, _ = record_play(user=user, track=second)
    assert is_new()
    Play.objects.filter(pk=latest.pk).update(is_counted=False)
    assert is_new()
    remove_play(play=played)
    assert is_new()
    set_preferences(user=user, genres=[GenreFactory()], artists=[])
    assert is_new()
    set_preferences(user=user, genres=[], artists=[ArtistFactory()])
    assert is_new()
    user.delete()
    assert feedback_fingerprint() == seen[0]


def test_fingerprint_sees_a_row_that_went_while_an_older_one_came(user: User, tracks: list[Track]) -> None:
    kept_song = RatingFactory(user=user, track=tracks[0], updated_at=LATE)
    RatingFactory(user=user, track=tracks[1], updated_at=EARLY)
    before = feedback_fingerprint()
    Rating.objects.exclude(pk=kept_song.pk).delete()
    RatingFactory(user=user, track=tracks[1], updated_at=EARLY)
    assert feedback_fingerprint() != before


def test_a_taste_is_read_from_the_newest_plays_alone(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taste, "TASTE_PLAYS", 3)
    tracks = [make_track(f"Song {number}") for number in range(5)]
    for age, track in enumerate(tracks):
        PlayFactory(user=user, track=track, played_at=LATE - timedelta(days=age))
    assert [played.track_id for played in taste.feedback_of(user).plays] == [track.pk for track in tracks[:3]]


def test_events_of_several_listeners_are_those_of_each(
    tracks: list[Track], monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(taste, "TASTE_PLAYS", 2)
    excluding, private, busy = UserFactory(), UserFactory(private_since=LATE), UserFactory()
    users = [busy, excluding, UserFactory(), private]
    genre, artist = GenreFactory(), ArtistFactory()
    for user in users[:3]:
        set_preferences(user=user, genres=[genre], artists=[artist])
    TasteExclusion.objects.create(user=excluding, track=tracks[0])
    TasteExclusion.objects.create(user=excluding, artist=artist)
    for user in (busy, excluding, private):
        RatingFactory(user=user, track=tracks[1], value=-1, updated_at=EARLY)
        RatingFactory(user=user, track=tracks[0], updated_at=LATE)
        play(user, tracks[0], "completed", at=LATE)
        play(user, tracks[2], "skipped")
    play(busy, tracks[1], at=LATE + timedelta(days=1))
    play(busy, tracks[1], is_counted=False)
    with django_assert_num_queries(6):
        events = feedback_events(users)
    for user in users:
        history, expected = events[user.pk].before((LATE + timedelta(days=9)).timestamp()), feedback_of(user)
        assert history.ratings == expected.ratings
        assert history.plays == expected.plays
        assert (history.genre_ids, history.artist_ids) == (expected.genre_ids, expected.artist_ids)
    assert [len(events[user.pk].rating_table) for user in users] == [2, 1, 0, 1]
    # The third newest play ends what is read, and a play of the same second with it.
    assert events[busy.pk].play_table[:, 0].tolist() == [tracks[0].pk, tracks[1].pk]
    assert events[excluding.pk].artist_ids == ()
