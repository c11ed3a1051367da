"""Lists of blends: made for all members, anew each week, and gone with whoever leaves."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.services import delete_account
from catalog.duplicates.merging import merge_tracks
from catalog.models import Track
from feedback.preferences import services as preference_services
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from jobs.models import Job
from jobs.services import schedule_all
from recommender.blends import services
from recommender.blends.making import LIST_SIZE, renew
from recommender.blends.selectors import blends_of, is_current, songs_of, tracks_of
from recommender.lifecycle.versions import active_model
from recommender.models import Blend, BlendFit, BlendMember, BlendSong
from recommender.tests.blends.conftest import join, listener
from recommender.tests.blends.runs import run_nightly, run_waiting

pytestmark = pytest.mark.django_db


def names_of(blend: Blend) -> list[str]:
    return list(BlendSong.objects.filter(blend=blend).order_by("position").values_list("track__title", flat=True))


def mine(blend: Blend, user: User) -> Blend:
    return blends_of(user).get(pk=blend.pk)


def test_a_list_has_songs_for_each_member_and_no_artist_more_than_twice(blend: Blend, anna: User, ben: User) -> None:
    assert songs_of(mine(blend, anna)) == []
    assert run_waiting() == ["1 lists made"]
    songs = songs_of(mine(blend, anna))
    assert [song.position for song in songs] == list(range(LIST_SIZE))
    artists = [song.track.artist_names for song in songs]
    assert max(artists.count(name) for name in artists) == 2
    fits = {user: BlendFit.objects.filter(member__user=user).count() for user in (anna, ben)}
    assert min(fits.values()) >= 10
    assert all(song.fits.all() for song in songs)
    genres = [song.track.genres.get().name for song in songs]
    for user, genre in ((anna, "folk"), (ben, "techno")):
        theirs = [
            g for song, g in zip(songs, genres, strict=True) if any(f.member.user == user for f in song.fits.all())
        ]
        assert theirs.count(genre) > len(theirs) / 2
    sums = [sum(fit.score for fit in BlendFit.objects.filter(member__user=user)) for user in (anna, ben)]
    assert min(sums) > 0


def test_no_song_is_in_it_that_a_member_dislikes_or_blocked(blend: Blend, anna: User, ben: User) -> None:
    run_waiting()
    first = [song.track for song in songs_of(mine(blend, anna))]
    rate(user=ben, track=first[0], value=Rating.Value.DISLIKE)
    preference_services.block(user=anna, target=first[1])
    Track.objects.filter(pk=first[2].pk).update(is_active=False)
    Blend.objects.update(week=None)
    BlendSong.objects.all().delete()  # So that the songs of before may come again.
    assert run_nightly() == "1 lists made"
    titles = names_of(blend)
    assert len(titles) == LIST_SIZE
    assert not {track.title for track in first[:3]} & set(titles)


def test_it_is_made_anew_each_week_with_other_songs_and_once(blend: Blend, clock: time_machine.Traveller) -> None:
    run_waiting()
    first = names_of(blend)
    blend.refresh_from_db()
    assert (blend.week, blend.listed_members) == (date(2026, 11, 30), 2)
    assert run_nightly() == "0 lists made"
    clock.shift(timedelta(days=6, hours=20))
    assert run_nightly() == "0 lists made"
    clock.shift(timedelta(hours=2))
    assert run_nightly() == "1 lists made"
    assert run_nightly() == "0 lists made"
    assert len(names_of(blend)) == LIST_SIZE
    # Twenty artists with two songs each leave forty places: no song of the week before comes again where others fit.
    assert not set(first) & set(names_of(blend))


def test_a_clock_that_was_ahead_makes_no_list_twice(blend: Blend, clock: time_machine.Traveller) -> None:
    clock.shift(timedelta(days=21))
    run_waiting()
    before = names_of(blend)
    clock.shift(timedelta(days=-21))
    assert run_nightly() == "0 lists made"
    assert names_of(blend) == before


def test_where_weekly_renewal_is_off_only_members_change_the_list(
    blend: Blend, clock: time_machine.Traveller, settings: object
) -> None:
    settings.WEEKLY_LIST_DAY = ""  # type: ignore[attr-defined]
    assert run_waiting() == ["1 lists made"]
    clock.shift(timedelta(days=30))
    assert run_nightly() == "0 lists made"
    schedule_all()
    assert not Job.objects.filter(kind="blends", state=Job.State.WAITING).exists()


def test_the_job_is_scheduled_for_the_night(db: None, clock: time_machine.Traveller) -> None:
    schedule_all()
    assert Job.objects.get(kind="blends").run_after == datetime.fromisoformat("2026-12-01 03:00:00+00:00")


def test_who_joins_counts_and_the_list_before_is_gone_at_once(blend: Blend, anna: User, tracks: list[Track]) -> None:
    run_waiting()
    cara = listener("cara", tracks[40:44])
    join(blend, cara)
    assert not BlendSong.objects.exists()
    assert not is_current(mine(blend, anna))
    assert run_waiting() == ["1 lists made"]
    assert BlendFit.objects.filter(member__user=cara).count() >= 5
    assert mine(blend, anna).listed_members == 3


def test_leaving_takes_the_taste_out_at_once(blend: Blend, anna: User, ben: User, tracks: list[Track]) -> None:
    cara = listener("cara", tracks[40:44])
    member = join(blend, cara)
    run_waiting()
    services.leave(member=member)
    # In the same transaction: no list that was made with it, and nothing of theirs, before any job has run.
    assert not BlendSong.objects.filter(blend=blend).exists()
    assert not BlendFit.objects.exists()
    assert tracks_of(mine(blend, anna)).count() == 0
    assert run_waiting() == ["1 lists made"]
    with_two = names_of(blend)
    fresh = services.create_blend(user=anna, name="Other")
    join(fresh, ben)
    run_waiting()
    assert with_two == names_of(fresh)


def test_a_list_that_is_being_made_while_somebody_leaves_is_not_written(
    blend: Blend, tracks: list[Track], monkeypatch: pytest.MonkeyPatch
) -> None:
    member = join(blend, listener("cara", tracks[40:44]))
    loaded = active_model()
    assert loaded is not None
    from recommender.blends import making

    real = making.choose_songs

    def slow(*args: object) -> object:
        songs = real(*args)  # type: ignore[arg-type]
        if BlendMember.objects.filter(pk=member.pk).exists():
            services.leave(member=member)
        return songs

    monkeypatch.setattr(making, "choose_songs", slow)
    assert renew(blend, date(2026, 11, 30), loaded) is False
    assert not BlendSong.objects.exists()


def test_a_blend_of_one_ends(blend: Blend, anna: User) -> None:
    run_waiting()
    services.leave(member=BlendMember.objects.get(user=anna))
    assert not Blend.objects.exists()
    assert not BlendMember.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_deleted_account_is_in_no_list_and_its_blend_of_two_ends(
    blend: Blend, anna: User, ben: User, tracks: list[Track]
) -> None:
    cara = listener("cara", tracks[40:44])
    join(blend, cara)
    run_waiting()
    assert mine(blend, anna).song_count == LIST_SIZE  # type: ignore[attr-defined]
    delete_account(user=cara)
    assert not BlendSong.objects.exists()
    run_waiting()
    assert BlendSong.objects.count() == LIST_SIZE
    assert mine(blend, anna).listed_members == 2
    delete_account(user=ben)
    assert not Blend.objects.exists()


def test_an_account_that_is_turned_off_counts_no_more(blend: Blend, anna: User, ben: User, tracks: list[Track]) -> None:
    join(blend, listener("cara", tracks[40:44]))
    run_waiting()
    User.objects.filter(pk=ben.pk).update(is_active=False)
    assert songs_of(mine(blend, anna)) == []
    assert run_nightly() == "1 lists made"
    assert not BlendFit.objects.filter(member__user=ben).exists()
    assert [member.user.username for member in mine(blend, anna).members.all()] == ["anna", "cara"]


def test_the_database_holds_six_seats(blend: Blend, tracks: list[Track]) -> None:
    for seat in (1, 6):
        with pytest.raises(IntegrityError), transaction.atomic():
            BlendMember.objects.create(blend=blend, user=listener(f"late{seat}", []), seat=seat)


def test_merged_songs_are_in_a_list_once(blend: Blend, anna: User) -> None:
    run_waiting()
    first, second, third = [song.track for song in songs_of(mine(blend, anna))][:3]
    other = Track.objects.exclude(blend_songs__blend=blend).first()
    assert other is not None
    merge_tracks(keep=second, duplicates=[first])
    merge_tracks(keep=other, duplicates=[third])
    assert [song.track for song in songs_of(mine(blend, anna))][:2] == [second, other]
    assert mine(blend, anna).song_count == LIST_SIZE - 1  # type: ignore[attr-defined]


def test_a_small_catalogue_has_the_same_songs_again(blend: Blend, clock: time_machine.Traveller) -> None:
    run_waiting()
    left = names_of(blend)[:12]
    Track.objects.exclude(title__in=left).update(is_active=False)
    clock.shift(timedelta(days=7))
    assert run_nightly() == "1 lists made"
    assert sorted(names_of(blend)) == sorted(left)


def test_each_blend_costs_as_many_queries_as_every_other(blend: Blend, anna: User, ben: User) -> None:
    loaded = active_model()
    assert loaded is not None
    counts = []
    for number in range(2):
        other = services.create_blend(user=anna, name=f"Blend {number}")
        join(other, ben)
        with CaptureQueriesContext(connection) as captured:
            assert renew(other, date(2026, 11, 30), loaded)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 40
