"""Asking for work, how it ends, and what the schedule makes of it."""

import errno
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from jobs import running, services
from jobs.models import Job
from jobs.registry import Kind, Run
from jobs.running import JobFailedError, JobLostError, JobPostponedError
from jobs.tests.conftest import Register
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db
Queued = Callable[[], int]


def lines(job: Job) -> list[str]:
    """Return the log without the times."""
    return [line.split(" ", 2)[2] for line in job.log.splitlines()]


def test_a_job_runs_with_its_arguments_and_ends_done(kind: Register) -> None:
    def handler(run: Run) -> str:
        run.log("half-way")
        run.report("second half", 0.5)
        stored = Job.objects.get(pk=run.job.pk)
        assert (stored.state, stored.step, stored.share, stored.percent) == ("running", "second half", 0.5, 50)
        return f"counted to {run.job.arguments['to']}"

    kind(handler)
    job = services.enqueue(kind="try", arguments={"to": 3})
    assert (job.state, job.seconds) == (Job.State.WAITING, None)
    run_waiting()
    job.refresh_from_db()
    assert (job.state, job.share, job.attempt, job.worker) == (Job.State.DONE, 1.0, 1, "tests")
    assert lines(job) == ["attempt 1 by tests", "half-way", "counted to 3"]
    assert DBTaskResult.objects.get().status == "SUCCESSFUL"


def test_a_failure_is_recorded_and_the_next_job_runs(kind: Register) -> None:
    def handler(run: Run) -> str:
        if run.job.arguments["n"] == 1:
            raise JobFailedError("no such file")
        if run.job.arguments["n"] == 2:
            raise ZeroDivisionError("by nought")
        return "fine"

    kind(handler)
    jobs = [services.enqueue(kind="try", arguments={"n": n}) for n in (1, 2, 3)]
    run_waiting()
    for job in jobs:
        job.refresh_from_db()
    assert [job.state for job in jobs] == [Job.State.FAILED, Job.State.FAILED, Job.State.DONE]
    assert lines(jobs[0])[-1] == "failed: no such file"
    assert "failed: ZeroDivisionError('by nought')" in lines(jobs[1])
    assert jobs[0].active_subject is None


def test_what_has_to_wait_goes_on_then_and_a_stop_ends_it(kind: Register) -> None:
    until = timezone.now() + timedelta(minutes=10)
    kind(lambda _run: _postpone(until))
    job = services.enqueue(kind="try", subject="thing")
    run_waiting()
    job.refresh_from_db()
    assert (job.state, job.run_after, job.active_subject) == (Job.State.WAITING, until, "thing")
    assert DBTaskResult.objects.get(status="READY").run_after == until
    assert lines(job)[-1].endswith(": no calls wanted")

    Job.objects.update(state=Job.State.RUNNING, is_stop_wanted=True)
    job.refresh_from_db()
    services.requeue(job=job, line="", run_after=until)
    job.refresh_from_db()
    assert (job.state, job.active_subject) == (Job.State.STOPPED, None)


def _postpone(until: datetime) -> str:
    raise JobPostponedError("no calls wanted", until)


def test_a_full_disk_is_one_line_of_the_log(kind: Register) -> None:
    def handler(_run: Run) -> str:
        raise OSError(errno.ENOSPC, "No space left on device", "model/factors.npy")

    kind(handler)
    job = services.enqueue(kind="try")
    run_waiting()
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert lines(job) == ["attempt 1 by tests", "failed: can't write model/factors.npy: No space left on device"]


def test_an_unknown_kind_is_refused_and_one_that_went_fails(kind: Register) -> None:
    with pytest.raises(services.JobError, match="there is no job type called 'try'"):
        services.enqueue(kind="try")
    kind(lambda _run: "")
    job = services.enqueue(kind="try")
    Job.objects.update(kind="gone")
    run_waiting()
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert lines(job)[-1] == "failed: this version of the site doesn't know the job type 'gone'"


def test_one_subject_has_one_active_job(kind: Register) -> None:
    kind(lambda _run: "")
    first = services.enqueue(kind="try", subject="file:1")
    assert services.enqueue(kind="try", subject="file:1").pk == first.pk
    assert services.enqueue(kind="try", subject="file:2").pk != first.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.create(kind="try", subject="file:1", active_subject="file:1")
    run_waiting()
    assert services.enqueue(kind="try", subject="file:1").pk != first.pk


def test_stopped_while_waiting_it_never_runs(kind: Register, queued: Queued) -> None:
    ran = []

    def handler(run: Run) -> str:
        ran.append(run)
        return ""

    kind(handler)
    job = services.enqueue(kind="try", subject="file:1")
    services.request_stop(job=job)
    assert queued() == 0
    run_waiting()
    job.refresh_from_db()
    assert (job.state, job.active_subject, ran) == (Job.State.STOPPED, None, [])
    with pytest.raises(services.JobError, match="it has already finished"):
        services.request_stop(job=job)


def test_stopped_while_running_it_ends_at_its_next_report(kind: Register) -> None:
    def handler(run: Run) -> str:
        services.request_stop(job=Job.objects.get(pk=run.job.pk))
        run.check()
        raise AssertionError("went on")

    kind(handler)
    job = services.enqueue(kind="try")
    run_waiting()
    job.refresh_from_db()
    assert (job.state, job.is_stop_wanted) == (Job.State.STOPPED, False)
    again = services.run_again(job=job)
    assert (again.pk != job.pk, again.kind, again.state) == (True, "try", Job.State.WAITING)
    with pytest.raises(services.JobError, match="it is still running"):
        services.run_again(job=again)


def test_a_job_whose_worker_died_is_run_by_another(kind: Register, settings: Settings) -> None:
    kind(lambda _run: "done")
    job = services.enqueue(kind="try")
    old = timezone.now() - timedelta(seconds=settings.JOB_STALE_SECONDS + 1)
    Job.objects.update(state=Job.State.RUNNING, attempt=1, heartbeat_at=old, worker="dead")
    DBTaskResult.objects.update(status="RUNNING", started_at=old)
    run_waiting()
    assert Job.objects.get().state == Job.State.RUNNING
    assert services.recover() == 1
    assert services.recover() == 0
    run_waiting()
    job.refresh_from_db()
    assert (job.state, job.attempt) == (Job.State.DONE, 2)
    assert lines(job) == ["worker died; the job waits for another worker", "attempt 2 by tests", "done"]


def test_heartbeats_are_sent_for_what_is_run_alone(kind: Register, settings: Settings) -> None:
    old = timezone.now() - timedelta(seconds=settings.JOB_STALE_SECONDS + 1)
    seen = []

    def handler(run: Run) -> str:
        Job.objects.update(heartbeat_at=old)
        seen.append((running.send_heartbeats("another"), running.send_heartbeats("tests"), services.recover()))
        return "done"

    kind(handler)
    job = services.enqueue(kind="try")
    run_waiting()
    assert seen == [(0, 1, 0)]
    # Its end was never recorded, for the database was away: the worker lives, and the job is run again all the same.
    again = services.run_again(job=Job.objects.get(pk=job.pk))
    Job.objects.filter(pk=again.pk).update(state=Job.State.RUNNING, attempt=1, heartbeat_at=old, worker="tests")
    assert (running.send_heartbeats("tests"), services.recover()) == (0, 1)
    again.refresh_from_db()
    assert again.state == Job.State.WAITING


def test_the_dead_worker_that_was_only_asleep_writes_nothing_more(kind: Register, settings: Settings) -> None:
    def handler(run: Run) -> str:
        old = timezone.now() - timedelta(seconds=settings.JOB_STALE_SECONDS + 1)
        Job.objects.update(heartbeat_at=old)
        assert services.recover() == 1
        with pytest.raises(JobLostError):
            run.check()
        return "done twice"

    kind(handler)
    services.enqueue(kind="try")
    run_waiting_once()
    job = Job.objects.get()
    assert (job.state, lines(job)) == (Job.State.WAITING, ["worker died; the job waits for another worker"])


def run_waiting_once() -> None:
    queue = DBTaskResult.objects.get()
    queue.claim("asleep")
    running.run(queue.args_kwargs["args"][0], queue.pk, "asleep")


def test_a_job_that_kills_its_worker_is_given_up(kind: Register, settings: Settings) -> None:
    kind(lambda _run: "")
    services.enqueue(kind="try", subject="file:1")
    old = timezone.now() - timedelta(seconds=settings.JOB_STALE_SECONDS + 1)
    Job.objects.update(state=Job.State.RUNNING, attempt=services.MAX_ATTEMPTS, heartbeat_at=old)
    assert services.recover() == 1
    job = Job.objects.get()
    assert (job.state, job.active_subject) == (Job.State.FAILED, None)
    assert lines(job) == ["gave up after its worker died 10 times"]


def test_a_place_in_the_queue_lost_with_its_worker_is_given_back(
    kind: Register, settings: Settings, queued: Queued
) -> None:
    kind(lambda _run: "done")
    job = services.enqueue(kind="try")
    assert services.recover() == 0
    old = timezone.now() - timedelta(seconds=settings.JOB_STALE_SECONDS + 1)
    Job.objects.update(created_at=old)
    assert services.recover() == 0
    DBTaskResult.objects.update(status="RUNNING", started_at=old)
    assert (services.recover(), services.recover(), queued()) == (1, 0, 1)
    run_waiting()
    job.refresh_from_db()
    assert job.state == Job.State.DONE


def periodic(kind: Register, hours: list[int | None]) -> Kind:
    """Register a kind whose period is what ``hours`` holds at the moment."""
    return kind(lambda _run: "done", every=lambda: timedelta(hours=hours[0]) if hours[0] else None)


def test_the_schedule_has_one_next_run_however_often_it_is_asked(kind: Register, queued: Queued) -> None:
    periodic(kind, [24])
    for _time in range(3):
        services.schedule_all()
    job = Job.objects.get()
    assert job.run_after is not None
    assert timedelta(hours=23) < job.run_after - timezone.now() <= timedelta(hours=24)
    run_waiting()
    assert (Job.objects.get().state, queued()) == (Job.State.WAITING, 1)


def test_a_periodic_run_asks_for_the_next_and_they_never_double(kind: Register, queued: Queued) -> None:
    periodic(kind, [24])
    services.schedule_all()
    for runs in (1, 2):
        DBTaskResult.objects.filter(status="READY").update(run_after=timezone.now())
        run_waiting()
        assert Job.objects.filter(state=Job.State.DONE).count() == runs
        assert Job.objects.filter(state=Job.State.WAITING).count() == queued() == 1
    services.schedule_all()
    assert queued() == 1


def test_even_a_failed_or_stopped_run_is_followed_by_the_next(kind: Register, queued: Queued) -> None:
    def handler(run: Run) -> str:
        raise JobFailedError("no luck")

    kind(handler, every=lambda: timedelta(hours=1))
    services.schedule_all()
    DBTaskResult.objects.update(run_after=timezone.now())
    run_waiting()
    services.request_stop(job=Job.objects.get(state=Job.State.WAITING))
    states = Job.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [Job.State.FAILED, Job.State.STOPPED, Job.State.WAITING]
    assert queued() == 1


def test_a_shorter_period_moves_the_next_run_and_none_removes_it(kind: Register, queued: Queued) -> None:
    hours: list[int | None] = [24]
    periodic(kind, hours)
    services.schedule_all()
    hours[0] = 1
    services.schedule_all()
    job = Job.objects.get()
    assert job.run_after is not None
    assert job.run_after - timezone.now() <= timedelta(hours=1)
    assert DBTaskResult.objects.get().run_after == job.run_after
    assert DBTaskResult.objects.get().pk == job.task_id
    hours[0] = None
    services.schedule_all()
    assert (Job.objects.count(), queued()) == (0, 0)


def test_old_records_go(kind: Register) -> None:
    kind(lambda _run: "")
    services.enqueue(kind="try")
    run_waiting()
    services.prune()
    assert (Job.objects.count(), DBTaskResult.objects.count()) == (1, 1)
    old = timezone.now() - timedelta(days=services.KEPT_DAYS + 1)
    Job.objects.update(finished_at=old)
    DBTaskResult.objects.update(finished_at=old)
    services.prune()
    assert (Job.objects.count(), DBTaskResult.objects.count()) == (0, 0)


def test_a_long_log_keeps_its_beginning_and_its_end() -> None:
    log = ""
    for number in range(500):
        log = services.with_line(log, f"line {number}")
    lines = log.splitlines()
    assert (len(lines) <= 400, lines[0].endswith("line 0"), lines[-1].endswith("line 499")) == (True, True, True)


@pytest.mark.django_db(transaction=True)
def test_long_work_gives_way_after_each_part_and_goes_on_where_it_was(kind: Register) -> None:
    order: list[str] = []

    def handler(run: Run) -> str:
        name, parts = run.job.arguments["name"], run.job.arguments["parts"]
        while order.count(name) < parts:
            order.append(name)
            run.report(f"{order.count(name)}", order.count(name) / parts)
            run.give_way()
        return "all of it"

    kind(handler)
    wanted = (("A", 3), ("B", 1), ("C", 3))
    jobs = [services.enqueue(kind="try", arguments={"name": name, "parts": parts}) for name, parts in wanted]
    run_waiting()
    assert order == ["A", "B", "C", "A", "C", "A", "C"]
    for job in jobs:
        job.refresh_from_db()
        # Giving way is no attempt of a worker that died, nor is it told each time.
        assert (job.state, job.attempt, job.share) == (Job.State.DONE, 1, 1.0)
        assert lines(job) == ["attempt 1 by tests", "all of it"]


@pytest.mark.django_db(transaction=True)
def test_nobody_gives_way_to_what_is_not_due_and_a_stop_holds(kind: Register) -> None:
    runs: list[int] = []

    def handler(run: Run) -> str:
        runs.append(run.job.pk)
        if run.job.arguments.get("stops"):
            Job.objects.filter(pk=run.job.pk).update(is_stop_wanted=True)
        run.give_way()
        return "done"

    kind(handler)
    services.enqueue(kind="try", run_after=timezone.now() + timedelta(hours=1))
    alone = services.enqueue(kind="try")
    run_waiting()
    assert runs == [alone.pk]
    stopped = services.enqueue(kind="try", arguments={"stops": True})
    services.enqueue(kind="try", arguments={"stops": True})
    run_waiting()
    stopped.refresh_from_db()
    assert (stopped.state, lines(stopped)) == (Job.State.STOPPED, ["attempt 1 by tests", "stopped"])
    assert runs.count(stopped.pk) == 1
