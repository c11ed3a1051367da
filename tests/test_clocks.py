"""Clocks go wrong: two hours ahead and back, across a change to summer time, on 29 February. Nothing waits for them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from accounts.limits.cache import DatabaseCache
from accounts.limits.limiter import Limit, wait_seconds
from accounts.spotify.errors import Unavailable
from accounts.spotify.web_api import circuit_breaker
from feedback.plays.models import Play
from feedback.preferences.services import end_private_session, start_private_session
from jobs import running, services
from jobs.liveness import Watch
from jobs.models import Job
from jobs.tests.helpers import run_waiting
from recommender.lifecycle.versions import activate
from recommender.models import ModelVersion
from recommender.tests.builders import make_track, make_user
from spotify_rec.doctor.data import worker

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
AHEAD = NOW + timedelta(hours=2)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Give the hands of the clock, which is two hours ahead."""
    with time_machine.travel(AHEAD, tick=False) as traveller:
        yield traveller


def version(name: str) -> ModelVersion:
    return ModelVersion.objects.create(directory=name, fingerprint=name)


def order() -> list[str]:
    from recommender.lifecycle import versions

    tried: list[str] = []

    class Noting:
        def get(self, version: ModelVersion) -> None:
            tried.append(version.directory)

    loader = versions._loader
    versions._loader = Noting()  # type: ignore[assignment]
    try:
        versions.active_model()
    finally:
        versions._loader = loader
    return tried


def test_the_version_activated_last_serves_whatever_the_clock_said(clock: time_machine.Traveller) -> None:
    first, second, third = version("first"), version("second"), version("third")
    activate(version=first)
    activate(version=third)
    clock.move_to(NOW)
    activate(version=second)
    assert order() == ["second", "third", "first"]
    assert [item.activation for item in (first, third, second)] == [1, 2, 3]


def test_a_release_before_this_one_activates_without_a_number(clock: time_machine.Traveller) -> None:
    first, second = version("first"), version("second")
    activate(version=first)
    ModelVersion.objects.filter(pk=first.pk).update(state="retired", active_slot=None)
    ModelVersion.objects.filter(pk=second.pk).update(state="active", active_slot=True, activated_at=NOW)
    assert order() == ["second", "first"]


def test_limits_do_not_lock_out_for_as_long_as_the_clock_was_ahead(clock: time_machine.Traveller) -> None:
    limit = Limit("search", 2)
    assert [wait_seconds(limit, "someone") for _turn in range(3)] == [0, 0, 30]
    clock.move_to(NOW)
    assert [wait_seconds(limit, "someone") for _turn in range(3)] == [0, 0, 30]


def test_attempts_to_log_in_made_ahead_are_forgotten(clock: time_machine.Traveller) -> None:
    cache = DatabaseCache("site_cache", {})
    cache.set("allauth:rl:account:login:5/m:ip", [AHEAD.timestamp(), NOW.timestamp()], 300)
    assert cache.get("allauth:rl:account:login:5/m:ip") == [AHEAD.timestamp(), NOW.timestamp()]
    clock.move_to(NOW)
    assert cache.get("allauth:rl:account:login:5/m:ip") == [NOW.timestamp()]


def test_spotify_is_asked_again(clock: time_machine.Traveller) -> None:
    for _failure in range(circuit_breaker.FAILURES):
        circuit_breaker.failed("clock")
    with pytest.raises(Unavailable):
        circuit_breaker.check("clock")
    clock.move_to(NOW)
    circuit_breaker.check("clock")
    caches["default"].clear()


def test_work_asked_for_ahead_waits_as_long_as_it_was_meant_to(clock: time_machine.Traveller) -> None:
    later = services.enqueue(kind="tidy", run_after=AHEAD + timedelta(minutes=10))
    clock.move_to(NOW)
    services.recover()
    later.refresh_from_db()
    assert later.run_after == NOW + timedelta(minutes=10)
    clock.move_to(NOW + timedelta(minutes=11))
    run_waiting()
    later.refresh_from_db()
    assert later.state == Job.State.DONE


def test_a_worker_that_died_while_the_clock_was_ahead_is_taken_for_dead(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job.objects.create(kind="tidy", state=Job.State.RUNNING, attempt=1, heartbeat_at=AHEAD)
    clock.move_to(NOW)
    watch, seconds = Watch(), iter([0.0, 30.0, 61.0])
    monkeypatch.setattr("jobs.liveness.time.monotonic", lambda: next(seconds))
    assert [len(watch.dead([job])) for _round in range(3)] == [0, 0, 1]


def test_a_worker_that_lives_is_not_taken_for_dead_because_the_clock_jumped(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.move_to(NOW)
    job = Job.objects.create(kind="tidy", state=Job.State.RUNNING, attempt=1, heartbeat_at=NOW, worker="alive")
    watch, seconds = Watch(), iter([0.0, 10.0, 20.0, 30.0])
    monkeypatch.setattr("jobs.liveness.time.monotonic", lambda: next(seconds))
    running._at_work.add(job.pk)
    try:
        assert watch.dead([job]) == []
        clock.move_to(AHEAD)
        # Its heartbeat is two hours old at a glance, and new ten seconds later.
        assert watch.dead([job]) == []
        running.send_heartbeats("alive")
        job.refresh_from_db()
        assert [watch.dead([job]) for _round in range(2)] == [[], []]
    finally:
        running._at_work.discard(job.pk)


def test_a_sign_of_life_from_ahead_is_none(clock: time_machine.Traveller) -> None:
    from jobs.heartbeat import record_heartbeat

    record_heartbeat()
    assert worker().text.startswith("alive")
    clock.move_to(NOW)
    assert worker().text.startswith("none alive")


def test_a_private_session_that_began_ahead_stays_private(clock: time_machine.Traveller) -> None:
    user, song = make_user(), make_track("Rain")
    start_private_session(user=user)
    Play.objects.create(user=user, track=song, played_at=timezone.now() + timedelta(minutes=1))
    clock.move_to(NOW)
    excluded = end_private_session(user=user)
    assert excluded is not None
    assert excluded.since == AHEAD
    assert excluded.until == AHEAD + timedelta(minutes=1, seconds=1)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2028, 2, 29, 12, 0, tzinfo=UTC), id="29 February"),
        pytest.param(datetime(2026, 3, 29, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")), id="an hour that is not"),
        pytest.param(datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")), id="an hour twice"),
        pytest.param(datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC), id="the year's last second"),
    ],
)
def test_pages_are_made_at_odd_times(client: Client, moment: datetime) -> None:
    with time_machine.travel(moment):
        user = make_user(time_zone="Europe/Berlin")
        song = make_track("Rain")
        client.force_login(user)
        assert client.post(f"/songs/{song.pk}/rate/", {"value": "1"}).status_code == 302
        Play.objects.create(user=user, track=song, played_at=timezone.now() - timedelta(hours=1), ms_played=1000)
        pages = ["/", "/history/", "/statistics/", "/statistics/?period=year", "/ratings/", "/taste/"]
        assert {page: client.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)
