"""Blocks, adjustments, exclusions and private sessions: what is kept, and what then counts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from catalog.duplicates.merging import merge_tracks
from catalog.models import Artist, Genre, Track
from feedback.plays.services import record_play
from feedback.preferences import services as preference_services
from feedback.preferences.models import Block, TasteAdjustment, TasteExclusion
from feedback.preferences.services import set_preferences
from feedback.ratings import services
from feedback.ratings.models import Rating
from feedback.taste import (
    ListenerPreferences,
    PlayedTrack,
    RatedTrack,
    UncountedTrack,
    feedback_fingerprint,
    feedback_of,
    interactions,
    preferences_of,
)
from feedback.tests.factories import ArtistFactory, GenreFactory, PlayFactory, RatingFactory, UserFactory, make_track

pytestmark = pytest.mark.django_db
EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def user() -> User:
    return UserFactory()


def test_a_block_is_kept_once_and_the_last_word_wins(user: User) -> None:
    track, until = make_track(), timezone.now() + timedelta(days=3)
    preference_services.block(user=user, target=track)
    preference_services.block(user=user, target=track, until=until)
    assert list(Block.objects.values_list("user", "track", "until")) == [(user.pk, track.pk, until)]
    assert preference_services.unblock(user=user, target=track)
    assert not preference_services.unblock(user=user, target=track)
    with pytest.raises(preference_services.PeriodError):
        preference_services.block(user=user, target=track, until=timezone.now())


def test_blocks_in_force_are_read_by_kind(user: User) -> None:
    track, other, artist, genre = make_track(), make_track("Other"), ArtistFactory(), GenreFactory()
    for target in (track, artist, genre):
        preference_services.block(user=user, target=target)
    Block.objects.create(user=user, track=other, until=timezone.now() - timedelta(seconds=1))
    preference_services.block(user=UserFactory(), target=other)
    assert preferences_of(user) == ListenerPreferences((track.pk,), (artist.pk,), (genre.pk,))


def test_not_now_rests_for_thirty_days_and_shortens_no_block(user: User) -> None:
    track, blocked = make_track(), make_track("Blocked")
    before = timezone.now()
    row = preference_services.snooze(user=user, track=track)
    assert row.until is not None
    assert timedelta(days=30) <= row.until - before < timedelta(days=30, minutes=1)
    preference_services.block(user=user, target=blocked)
    assert preference_services.snooze(user=user, track=blocked).until is None


@pytest.mark.parametrize("columns", [{}, {"artist": True, "genre": True}])
def test_a_block_is_of_exactly_one_thing(user: User, columns: dict[str, bool]) -> None:
    targets = {"artist": ArtistFactory(), "genre": GenreFactory()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Block.objects.create(user=user, **{name: targets[name] for name in columns})


def test_lines_are_turned_up_down_off_and_back(user: User) -> None:
    artist, genre = ArtistFactory(), GenreFactory()
    assert preference_services.adjust(user=user, target=artist, level="up") == 2.0
    assert preference_services.adjust(user=user, target=artist, level="down") == 0.5
    assert preference_services.adjust(user=user, target=genre, level="off") == 0.0
    assert preference_services.adjust(user=user, target="tempo", level="up") == 2.0
    expected = ListenerPreferences(
        artist_factors={artist.pk: 0.5}, genre_factors={genre.pk: 0.0}, feature_factors={"tempo": 2.0}
    )
    assert preferences_of(user) == expected
    for line in (artist, genre, "tempo"):
        preference_services.adjust(user=user, target=line, level="normal")
    assert not TasteAdjustment.objects.exists()


@pytest.mark.parametrize(("line", "level"), [("tempo", "more"), ("smell", "up")])
def test_an_unknown_line_or_level_is_refused(user: User, line: str, level: str) -> None:
    with pytest.raises(ValueError, match=r"unknown|none of"):
        preference_services.adjust(user=user, target=line, level=level)


@pytest.mark.parametrize("factor", [-0.1, 4.1])
def test_a_factor_out_of_range_is_refused_by_the_database(user: User, factor: float) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        TasteAdjustment.objects.create(user=user, feature="tempo", factor=factor)


def test_an_excluded_song_counts_neither_for_the_listener_nor_for_all(user: User) -> None:
    song, other = make_track("Song"), make_track("Other")
    for track in (song, other):
        RatingFactory(user=user, track=track, updated_at=EARLY)
        PlayFactory(user=user, track=track, played_at=LATE)
    before = feedback_fingerprint()
    exclusion = preference_services.exclude(user=user, target=song)
    assert preference_services.exclude(user=user, target=song) == exclusion
    feedback = feedback_of(user)
    assert feedback.ratings == (RatedTrack(other.pk, 1, int(EARLY.timestamp())),)
    assert feedback.plays == (PlayedTrack(other.pk, 1, 0, 0, int(LATE.timestamp())),)
    assert feedback.uncounted == (
        UncountedTrack(song.pk, True, int(EARLY.timestamp())),
        UncountedTrack(song.pk, False, int(LATE.timestamp())),
    )
    assert [row.track_id for row in interactions()] == [other.pk]
    assert feedback_fingerprint() != before
    preference_services.remove_exclusion(exclusion=exclusion)
    assert len(feedback_of(user).ratings) == 2
    assert feedback_of(user).uncounted == ()


def test_an_excluded_artist_takes_songs_and_preference_out(user: User) -> None:
    artist, other = ArtistFactory(), ArtistFactory()
    song, kept_song = make_track("Song", artist), make_track("Kept", other)
    stranger = UserFactory()
    for track in (song, kept_song):
        RatingFactory(user=user, track=track)
        RatingFactory(user=stranger, track=track)
    set_preferences(user=user, genres=[], artists=[artist, other])
    preference_services.exclude(user=user, target=artist)
    feedback = feedback_of(user)
    assert [row.track_id for row in feedback.ratings] == [kept_song.pk]
    assert feedback.artist_ids == (other.pk,)
    assert len(feedback_of(stranger).ratings) == 2


def test_a_period_takes_out_what_was_done_in_it(user: User) -> None:
    songs = [make_track(f"Song {number}") for number in range(3)]
    for days, song in enumerate(songs):
        RatingFactory(user=user, track=song, updated_at=EARLY + timedelta(days=days))
        PlayFactory(user=user, track=song, played_at=EARLY + timedelta(days=days))
    preference_services.exclude_period(user=user, since=EARLY + timedelta(days=1), until=EARLY + timedelta(days=2))
    feedback = feedback_of(user)
    assert [row.track_id for row in feedback.ratings] == [songs[0].pk, songs[2].pk]
    assert [row.track_id for row in feedback.plays] == [songs[0].pk, songs[2].pk]
    with pytest.raises(preference_services.PeriodError):
        preference_services.exclude_period(user=user, since=LATE, until=LATE)


@pytest.mark.parametrize(
    "columns",
    [{}, {"since": EARLY}, {"since": LATE, "until": EARLY}, {"until": LATE}, {"since": EARLY, "until": EARLY}],
)
def test_a_period_without_sense_is_refused_by_the_database(user: User, columns: dict[str, datetime]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        TasteExclusion.objects.create(user=user, **columns)


def test_a_private_session_records_nothing_in_the_taste(user: User) -> None:
    before, during, after = (make_track(title) for title in ("Before", "During", "After"))
    services.rate(user=user, track=before, value=Rating.Value.LIKE)
    preference_services.start_private_session(user=user)
    started = user.private_since
    assert started is not None
    services.rate(user=user, track=during, value=Rating.Value.LIKE)
    record_play(user=user, track=during)
    preference_services.start_private_session(user=user)
    assert user.private_since == started
    assert [row.track_id for row in feedback_of(user).ratings] == [before.pk]
    assert feedback_of(user).plays == ()
    assert [row.track_id for row in interactions()] == [before.pk]
    exclusion = preference_services.end_private_session(user=user)
    assert exclusion is not None
    assert (exclusion.since, exclusion.is_private_session) == (started, True)
    services.rate(user=user, track=after, value=Rating.Value.LIKE)
    assert [row.track_id for row in feedback_of(user).ratings] == [before.pk, after.pk]
    preference_services.remove_exclusion(exclusion=exclusion)
    assert len(feedback_of(user).ratings) == 3
    assert preference_services.end_private_session(user=user) is None


def test_merging_songs_moves_blocks_and_exclusions(user: User) -> None:
    keep, duplicate, other = make_track("Keep"), make_track("Duplicate"), UserFactory()
    preference_services.block(user=user, target=keep)
    preference_services.block(user=user, target=duplicate, until=timezone.now() + timedelta(days=1))
    preference_services.block(user=other, target=duplicate)
    preference_services.exclude(user=other, target=duplicate)
    merge_tracks(keep=keep, duplicates=[duplicate])
    rows = Block.objects.order_by("user").values_list("user", "track", "until")
    assert list(rows) == [(user.pk, keep.pk, None), (other.pk, keep.pk, None)]
    assert list(TasteExclusion.objects.values_list("user", "track")) == [(other.pk, keep.pk)]


def test_targets_are_told_apart(user: User) -> None:
    for target in (make_track(), ArtistFactory(), GenreFactory()):
        assert preference_services.block(user=user, target=target).target == target
    assert {Track, Artist, Genre} == {type(row.target) for row in Block.objects.all()}
