"""Writes of the jobs app: enqueue, stop, recover after a worker's death."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from jobs.liveness import Watch
from jobs.models import Job
from jobs.races import conflict_as_integrity_error
from jobs.registry import Kind, all_kinds, kind_of
from jobs.tasks import run_job

# A job that crashes its worker every time must not be retried forever.
MAX_ATTEMPTS = 10
KEPT_DAYS = 90


class JobError(Exception):
    """The request cannot be fulfilled; the message says why."""


@transaction.atomic
def enqueue(
    *,
    kind: str,
    user_id: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    subject: str = "",
    run_after: datetime | None = None,
) -> Job:
    """Ask for work; return its record. Where a job of the same ``subject`` waits or runs, that one is returned.

    ``run_after``: not before then. Raise ``JobError`` for a kind that is not registered.
    """
    if kind_of(kind) is None:
        raise JobError(f"there is no job type called {kind!r}")
    job = Job(
        kind=kind,
        user_id=user_id,
        arguments=dict(arguments or {}),
        subject=subject,
        active_subject=subject or None,
        run_after=run_after,
    )
    try:
        with conflict_as_integrity_error():
            job.save(force_insert=True)
    except IntegrityError:
        active = Job.objects.filter(active_subject=subject).first() if subject else None
        if active is None:
            raise
        return active
    _put_in_queue(job)
    return job


@transaction.atomic
def request_stop(*, job: Job) -> None:
    """Stop a job: one that waits at once, one that runs when it next says how far it is.

    Raise ``JobError`` where it has ended.
    """
    locked = Job.objects.select_for_update().filter(pk=job.pk).first()
    if locked is None:
        raise JobError(_("it no longer exists"))
    if locked.state == Job.State.WAITING:
        _take_out_of_queue(locked)
        end(job=locked, state=Job.State.STOPPED, line="stopped before it started")
    elif locked.state == Job.State.RUNNING:
        Job.objects.filter(pk=job.pk).update(is_stop_wanted=True)
    else:
        raise JobError(_("it has already finished"))


def run_again(*, job: Job) -> Job:
    """Ask for the same work once more, on a new record. Raise ``JobError`` where it has not ended."""
    if job.is_active:
        raise JobError(_("it is still running"))
    return enqueue(kind=job.kind, user_id=job.user_id, arguments=job.arguments, subject=job.subject)


@transaction.atomic
def end(*, job: Job, state: str, line: str) -> bool:
    """Record how a job ended, and ask for the next run of a periodic one; return whether it was still ours to end."""
    now = timezone.now()
    columns: dict[str, Any] = {"state": state, "active_subject": None, "finished_at": now, "is_stop_wanted": False}
    if state == Job.State.DONE:
        columns["share"] = 1.0
    same = Job.objects.filter(pk=job.pk, attempt=job.attempt, task_id=job.task_id).active()
    if not same.update(**columns, log=with_line(job.log, line)):
        return False
    kind = kind_of(job.kind)
    if kind is not None and job.subject == schedule_subject(kind.name):
        _schedule(kind)
    return True


@transaction.atomic
def requeue(*, job: Job, line: str, run_after: datetime | None = None) -> bool:
    """Let a job that was running wait again, from its beginning; return whether it was still running.

    ``run_after``: not before then. A stop that was requested meanwhile ends it instead.
    """
    same = Job.objects.filter(pk=job.pk, attempt=job.attempt, state=Job.State.RUNNING)
    if run_after is not None and same.filter(is_stop_wanted=True).exists():
        return end(job=job, state=Job.State.STOPPED, line="stopped")
    if not same.update(state=Job.State.WAITING, worker="", run_after=run_after, log=with_line(job.log, line)):
        return False
    job.run_after = run_after
    _put_in_queue(job)
    return True


@transaction.atomic
def give_way(*, job: Job) -> bool:
    """Put a job that was running at the back of the queue, keeping how far it is; return whether it was still running.

    This does not count as another attempt. A stop that was requested meanwhile ends it instead.
    """
    same = Job.objects.filter(pk=job.pk, attempt=job.attempt, state=Job.State.RUNNING)
    if same.filter(is_stop_wanted=True).exists():
        return end(job=job, state=Job.State.STOPPED, line="stopped")
    columns = {"step": job.step, "share": job.share, "log": job.log, "attempt": job.attempt - 1}
    if not same.update(state=Job.State.WAITING, worker="", run_after=None, **columns):
        return False
    job.run_after = None
    _put_in_queue(job)
    return True


def recover(watch: Watch | None = None) -> int:
    """Let the jobs of dead workers wait again (or, stopped meanwhile, end); return how many there were.

    ``watch``: what the caller has seen of their heartbeats; without one their times alone decide.
    """
    _bring_back_from_the_future()
    recovered = 0
    running = Job.objects.filter(state=Job.State.RUNNING)
    for job in Job.objects.abandoned() if watch is None else watch.dead(running):
        if job.is_stop_wanted:
            recovered += end(job=job, state=Job.State.STOPPED, line="stopped because its worker died")
        elif job.attempt >= MAX_ATTEMPTS:
            recovered += end(job=job, state=Job.State.FAILED, line=f"gave up after its worker died {job.attempt} times")
        else:
            recovered += requeue(job=job, line="worker died; the job waits for another worker")
    return recovered + _requeue_lost()


def _bring_back_from_the_future() -> None:
    """Restart the waiting time of jobs that were requested while the clock was ahead."""
    now = timezone.now()
    ahead = Job.objects.filter(
        state=Job.State.WAITING, created_at__gt=now + timedelta(seconds=settings.JOB_STALE_SECONDS)
    )
    for pk in list(ahead.values_list("pk", flat=True)):
        with transaction.atomic():
            job = ahead.select_for_update().filter(pk=pk).first()
            if job is None:
                continue
            if job.run_after is not None:
                job.run_after -= job.created_at - now
            job.created_at = now
            job.save(update_fields=["run_after", "created_at"])
            _take_out_of_queue(job)
            _put_in_queue(job)


def _requeue_lost() -> int:
    """Requeue waiting jobs without a row in the queue: their worker died between taking the row and starting."""
    cutoff = timezone.now() - timedelta(seconds=settings.JOB_STALE_SECONDS)
    placed = DBTaskResult.objects.filter(Q(status=TaskResultStatus.READY) | Q(started_at__gte=cutoff))
    lost = Job.objects.filter(state=Job.State.WAITING, created_at__lt=cutoff).exclude(task_id__in=placed.values("pk"))
    count = 0
    for pk in list(lost.values_list("pk", flat=True)):
        with transaction.atomic():
            job = lost.select_for_update().filter(pk=pk).first()
            if job is not None:
                _put_in_queue(job)
                count += 1
    return count


def schedule_all() -> None:
    """Schedule the next run of every periodic kind of job, once, at the time its setting says."""
    for kind in all_kinds():
        if kind.every is not None:
            _schedule(kind)


def schedule_subject(kind: str) -> str:
    """Return the subject of the runs that the schedule asks for; those asked for by hand have another."""
    return f"schedule:{kind}"


@transaction.atomic
def _schedule(kind: Kind) -> None:
    every = kind.every() if kind.every else None
    subject = schedule_subject(kind.name)
    waiting = Job.objects.select_for_update().filter(active_subject=subject, state=Job.State.WAITING).first()
    if every is None:
        if waiting is not None:
            _take_out_of_queue(waiting)
            waiting.delete()
        return
    due = timezone.now() + every
    if waiting is None:
        enqueue(kind=kind.name, subject=subject, run_after=due)
    elif waiting.run_after is not None and waiting.run_after > due + timedelta(seconds=1):
        # The interval was shortened.
        Job.objects.filter(pk=waiting.pk).update(run_after=due)
        waiting.run_after = due
        _take_out_of_queue(waiting)
        _put_in_queue(waiting)


def prune() -> None:
    """Delete the records of work that ended long ago, ours and the queue's."""
    cutoff = timezone.now() - timedelta(days=KEPT_DAYS)
    Job.objects.filter(finished_at__lt=cutoff).delete()
    DBTaskResult.objects.finished().filter(finished_at__lt=cutoff).delete()


def with_line(log: str, line: str) -> str:
    """Return ``log`` with a line and its time at the end; of a long log the beginning and the end are kept."""
    lines = [*log.splitlines(), *(f"{timezone.now():%Y-%m-%d %H:%M:%S} {part}" for part in line.splitlines())]
    if len(lines) > 400:
        lines = [*lines[:100], "...", *lines[-250:]]
    return "\n".join(lines) + "\n"


def _put_in_queue(job: Job) -> None:
    queued = run_job.using(run_after=job.run_after).enqueue(job.pk)
    job.task_id = DBTaskResult.objects.get(pk=queued.id).pk
    Job.objects.filter(pk=job.pk).update(task_id=job.task_id)


def _take_out_of_queue(job: Job) -> None:
    DBTaskResult.objects.filter(pk__in=[job.task_id], status=TaskResultStatus.READY).delete()
