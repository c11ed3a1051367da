"""Weekly lists: made once, never repeated, judged, and kept."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from catalog.duplicates.merging import merge_tracks
from catalog.models import Track
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from jobs.models import Job
from jobs.running import JobLostError, JobRun
from jobs.services import enqueue, schedule_all
from recommender.adapters.impressions import load_impressions
from recommender.adapters.requests import request_for_listener
from recommender.lifecycle.versions import active_model
from recommender.models import Recommendation, SiteServing, WeeklyList, WeeklySong
from recommender.tests.builders import make_user
from recommender.tests.weekly.runs import hear, run_job
from recommender.weekly.dates import DueWeek, due_week
from recommender.weekly.making import make_lists
from recommender.weekly.selectors import due_listeners, lists_of, track_ids, with_results

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def test_a_list_is_made_once_a_week_and_holds_no_song_of_an_earlier_one(
    user: User, clock: time_machine.Traveller
) -> None:
    assert run_job() == "1 lists made, 0 judged, 0 emails sent"
    first = WeeklyList.objects.get()
    assert (first.week, first.day, first.title) == (date(2026, 11, 30), date(2026, 11, 30), "Your week, 30 Nov")
    assert [song.position for song in first.songs.all()] == list(range(30))
    assert run_job() == "0 lists made, 0 judged, 0 emails sent"
    clock.shift(WEEK)
    assert run_job() == "1 lists made, 0 judged, 0 emails sent"
    clock.shift(WEEK)
    assert run_job() == "1 lists made, 1 judged, 0 emails sent"
    ids = [pk for row in WeeklyList.objects.all() for pk in track_ids(row)]
    assert len(ids) == len(set(ids)) == 90
    liked = set(Rating.objects.values_list("track_id", flat=True))
    assert not liked & set(ids)


def test_its_songs_are_logged_with_their_propensities_and_shown_when_they_are_seen(user: User) -> None:
    # As far as the dial goes: with less, one list in forty has only songs that every draw picks.
    user.adventure = 1.0
    user.save(update_fields=["adventure"])
    run_job()
    made = WeeklyList.objects.get()
    logged = list(Recommendation.objects.filter(page=made.page).order_by("position"))
    assert [row.track_id for row in logged] == track_ids(made)
    assert {(row.section, row.policy, row.is_shown) for row in logged} == {("week", "thompson", False)}
    assert all(0.0 < row.propensity <= 1.0 for row in logged)
    assert len({row.propensity for row in logged}) > 1


def test_what_an_experiment_left_for_the_site_holds_for_the_lists(user: User, tracks: list[Track]) -> None:
    other = make_user("own dial", adventure=0.8)
    rate(user=other, track=tracks[3], value=Rating.Value.LIKE)
    SiteServing.objects.create(token="adopted", dial=0.0, overrides={"page.max_per_artist": 1})
    assert run_job() == "2 lists made, 0 judged, 0 emails sent"
    policies = Recommendation.objects.order_by("user").values_list("user__username", "policy").distinct()
    assert dict(policies) == {user.username: "greedy", other.username: "thompson"}
    for made in WeeklyList.objects.all():
        artists = [song.artists for song in made.songs.all()]
        assert len(set(artists[:20])) == 20


def test_unheard_songs_teach_nothing_and_skips_do(user: User, tracks: list[Track]) -> None:
    run_job()
    made = WeeklyList.objects.get()
    Recommendation.objects.filter(page=made.page).update(is_shown=True)
    loaded = active_model()
    assert loaded is not None
    before = request_for_listener(user, loaded)
    assert len(before.request.shown.rows) == 0
    assert len(load_impressions(user, loaded.model.catalogue, before.feedback).rows) == 0
    hear(user, made, likes=lambda _track: False, songs=3)
    after = request_for_listener(user, loaded)
    assert len(after.feedback.rows) == len(before.feedback.rows) + 3


@pytest.mark.parametrize(
    ("day", "now", "due"),
    [
        ("monday", "2026-11-30 00:00", DueWeek(date(2026, 11, 30), date(2026, 11, 30))),
        ("monday", "2026-12-06 23:59", DueWeek(date(2026, 11, 30), date(2026, 11, 30))),
        ("friday", "2026-12-03 23:59", DueWeek(date(2026, 11, 23), date(2026, 11, 27))),
        ("friday", "2026-12-04 00:00", DueWeek(date(2026, 11, 30), date(2026, 12, 4))),
        ("", "2026-12-04 00:00", None),
    ],
)
def test_the_day_of_the_week_is_a_setting(settings: Settings, day: str, now: str, due: DueWeek | None) -> None:
    settings.WEEKLY_LIST_DAY = day
    assert due_week(timezone.make_aware(datetime.fromisoformat(now))) == due


def test_the_job_is_scheduled_for_the_night_and_not_where_lists_are_off(
    db: None, clock: time_machine.Traveller, settings: Settings
) -> None:
    schedule_all()
    job = Job.objects.get(kind="weekly-lists")
    assert job.run_after == datetime.fromisoformat("2026-12-01 03:00:00+00:00")
    clock.shift(timedelta(hours=5))
    schedule_all()
    job.refresh_from_db()
    assert job.run_after == datetime.fromisoformat("2026-12-01 03:00:00+00:00")
    settings.WEEKLY_LIST_DAY = ""
    schedule_all()
    assert not Job.objects.filter(kind="weekly-lists").exists()
    assert run_job() == "skipped, because weekly lists are off"


def test_a_clock_that_was_ahead_makes_no_second_list(user: User, clock: time_machine.Traveller) -> None:
    clock.shift(2 * WEEK)
    assert run_job().startswith("1 lists made")
    clock.shift(-2 * WEEK)
    assert run_job().startswith("0 lists made")
    assert WeeklyList.objects.count() == 1


def test_the_database_holds_one_list_per_listener_and_week(user: User) -> None:
    run_job()
    with pytest.raises(IntegrityError), transaction.atomic():
        WeeklyList.objects.create(user=user, week=date(2026, 11, 30), day=date(2026, 11, 30), expected=1, basis="prior")


def test_who_has_no_taste_or_has_been_away_for_long_gets_none(
    user: User, tracks: list[Track], clock: time_machine.Traveller
) -> None:
    make_user("tasteless")
    gone = make_user("gone", is_active=False)
    rate(user=gone, track=tracks[0], value=Rating.Value.LIKE)
    now = timezone.now()
    assert list(due_listeners(now.date(), now)) == [user]
    clock.shift(timedelta(days=61))
    assert list(due_listeners(timezone.now().date(), timezone.now())) == []
    Play.objects.create(user=user, track=tracks[5])
    assert list(due_listeners(timezone.now().date(), timezone.now())) == [user]


def test_a_job_that_is_stopped_half_way_goes_on_where_it_ended(user: User, tracks: list[Track]) -> None:
    for number in range(2):
        rate(user=make_user(f"listener{number}"), track=tracks[number], value=Rating.Value.LIKE)
    loaded, week, now = active_model(), due_week(timezone.now()), timezone.now()
    assert loaded is not None
    assert week is not None
    stopped = JobRun(enqueue(kind="weekly-lists"))
    with pytest.raises(JobLostError):
        make_lists(week, loaded, now, stopped)  # It was never claimed, so its first report finds it lost.
    assert WeeklyList.objects.count() == 1
    assert run_job() == "2 lists made, 0 judged, 0 emails sent"
    assert WeeklyList.objects.values("user").distinct().count() == 3


def test_how_a_list_went_is_counted_and_then_stays(
    user: User, tracks: list[Track], clock: time_machine.Traveller
) -> None:
    run_job()
    made = WeeklyList.objects.get()
    assert (made.basis, made.answers, made.expected) == ("prior", 0, 15.0)
    clock.shift(timedelta(days=1))
    songs = [song.track for song in made.songs.select_related("track") if song.track is not None]
    assert len(songs) == 30
    Play.objects.create(user=user, track=songs[0], outcome=Play.Outcome.COMPLETED)
    Play.objects.create(user=user, track=songs[1], outcome=Play.Outcome.SKIPPED)
    Play.objects.create(user=user, track=songs[2], outcome=Play.Outcome.STARTED)
    Play.objects.create(user=user, track=songs[3], outcome=Play.Outcome.COMPLETED)
    rate(user=user, track=songs[3], value=Rating.Value.DISLIKE)
    rate(user=user, track=songs[4], value=Rating.Value.LIKE)
    (line,) = with_results(lists_of(user))
    assert (line.result.heard, line.result.expected, line.result.succeeded) == (4, 2.0, 2)
    clock.shift(timedelta(days=6, seconds=1))
    Play.objects.create(user=user, track=songs[5], outcome=Play.Outcome.COMPLETED)
    run_job()
    made.refresh_from_db()
    assert (made.heard, made.expected_of_heard, made.succeeded) == (4, 2.0, 2)
    Play.objects.all().delete()
    (newest, oldest) = with_results(lists_of(user))
    assert (newest.result.heard, oldest.result.succeeded) == (0, 2)


def test_a_song_that_is_deleted_or_merged_keeps_its_name(user: User) -> None:
    run_job()
    made = WeeklyList.objects.get()
    first, second, third = made.songs.select_related("track")[:3]
    assert first.track is not None
    assert second.track is not None
    assert third.track is not None
    first.track.delete()
    merge_tracks(keep=third.track, duplicates=[second.track])
    rows = list(made.songs.values_list("name", "track_id")[:3])
    assert rows == [(first.name, None), (second.name, None), (third.name, third.track_id)]
    assert len(track_ids(made)) == 28
    assert WeeklySong.objects.count() == 30


def test_each_listener_costs_as_many_queries_as_every_other(user: User, tracks: list[Track]) -> None:
    loaded, week = active_model(), due_week(timezone.now())
    assert loaded is not None
    assert week is not None

    class Unwatched(JobRun):
        def report(self, step: str, share: float) -> None:
            """Say nothing."""

    def queries(listeners: range) -> int:
        for number in listeners:
            rate(user=make_user(f"row{number}"), track=tracks[number], value=Rating.Value.LIKE)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            made = make_lists(week, loaded, timezone.now(), Unwatched(Job(kind="weekly-lists")))
        assert made == len(listeners)
        return len(captured)

    make_lists(week, loaded, timezone.now(), Unwatched(Job(kind="weekly-lists")))
    first, more = queries(range(1)), queries(range(1, 21))
    each = (more - first) / 19
    assert each == int(each)
    assert each <= 20
