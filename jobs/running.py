"""Runs one job: the handler's interface, and how jobs end."""

import logging
import threading
import time
import traceback
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.utils import timezone

from jobs.models import Job
from jobs.patience import reason_of_absence
from jobs.registry import kind_of
from jobs.services import end, give_way, requeue, with_line

logger = logging.getLogger(__name__)

# Minimum interval in seconds between writes of progress.
REPORT_SECONDS = 0.5
# Set when the worker is terminated; jobs then stop at their next report and wait for the next worker.
shutting_down = threading.Event()
# Ids of the jobs that this process runs just now.
_at_work: set[int] = set()


class JobStoppedError(Exception):
    """Somebody asked the job to stop."""


class JobInterruptedError(Exception):
    """The worker is ending; the job continues in another."""


class JobGaveWayError(Exception):
    """Other jobs wait, so this one goes to the back of the queue and continues later from its position."""


class JobLostError(Exception):
    """Another worker has taken the job over, as this one was thought dead; nothing more may be written for it."""


class JobFailedError(Exception):
    """The work cannot be done; the message says why, to whoever asked for it."""


class JobPostponedError(Exception):
    """The work goes on at ``until`` (aware) and not before; the message says why."""

    def __init__(self, reason: str, until: datetime) -> None:
        super().__init__(reason)
        self.until = until


class JobRun:
    """One run of a job, given to its handler."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._next_report = 0.0

    def report(self, step: str, share: float) -> None:
        """Say how far the work is (``share``: 0..1). Written at most twice a second; call it often.

        Termination of the worker is checked at each call, so short jobs are handed over as well.

        Raise ``JobStoppedError``, ``JobInterruptedError`` or ``JobLostError``, for the handler to let through.
        """
        self.job.step, self.job.share = step[:200], min(1.0, max(0.0, share))
        self._hand_over_if_ending()
        now = time.monotonic()
        if now >= self._next_report:
            self._next_report = now + REPORT_SECONDS
            self.check()

    def give_way(self) -> None:
        """Yield to other waiting jobs. Call it when everything done so far is committed.

        Raise ``JobGaveWayError``, for the handler to let through: it is called again after the others.
        """
        if not connection.in_atomic_block and Job.objects.due().exclude(pk=self.job.pk).exists():
            raise JobGaveWayError

    def log(self, line: str) -> None:
        """Add a line to the job's log."""
        self.job.log = with_line(self.job.log, line)

    def check(self) -> None:
        """Write step, share and log, and see whether the job may go on. Raises as ``report`` does."""
        self._hand_over_if_ending()
        mine = Job.objects.filter(pk=self.job.pk, attempt=self.job.attempt, state=Job.State.RUNNING)
        columns = {"step": self.job.step, "share": self.job.share, "log": self.job.log}
        if not mine.update(**columns, heartbeat_at=timezone.now()):
            raise JobLostError
        if mine.filter(is_stop_wanted=True).exists():
            raise JobStoppedError

    @staticmethod
    def _hand_over_if_ending() -> None:
        if shutting_down.is_set() and not connection.in_atomic_block:
            raise JobInterruptedError


def run(job_id: int, task_id: UUID, worker: str) -> None:
    """Run the job if the row ``task_id`` of the queue is the one that stands for it; otherwise do nothing.

    Raise what the handler raised, after it was recorded.
    """
    job = _claim(job_id, task_id, worker)
    if job is None:
        return
    _at_work.add(job_id)
    try:
        _run_to_its_end(job, worker)
    finally:
        _at_work.discard(job_id)


def send_heartbeats(worker: str) -> int:
    """Send a heartbeat for every job running in this process; return how many there are.

    The database may call more jobs ours: if it could not be reached when a job ended, the end was never recorded, and
    that job must count as dead, so that it is run again.
    """
    mine = Job.objects.filter(pk__in=list(_at_work), worker=worker, state=Job.State.RUNNING)
    return mine.update(heartbeat_at=timezone.now())


def _run_to_its_end(job: Job, worker: str) -> None:
    current = JobRun(job)
    _log_beginning(current, f"attempt {job.attempt} by {worker or 'a worker'}")
    try:
        kind = kind_of(job.kind)
        if kind is None:
            raise JobFailedError(f"this version of the site doesn't know the job type {job.kind!r}")
        line = kind.handler(current)
    except JobLostError:
        logger.warning("job %s: taken over by another worker", job.pk)
    except JobInterruptedError:
        requeue(job=job, line="worker stopping; the job waits for another worker")
    except JobPostponedError as error:
        line = f"continues after {error.until:%Y-%m-%d %H:%M:%S}: {error}"
        requeue(job=job, line=line, run_after=error.until)
    except JobGaveWayError:
        give_way(job=job)
    except JobStoppedError:
        end(job=job, state=Job.State.STOPPED, line="stopped")
    except JobFailedError as error:
        end(job=job, state=Job.State.FAILED, line=f"failed: {error}")
    except BaseException as error:
        what = reason_of_absence(error) or f"{error!r}\n{traceback.format_exc()}"
        end(job=job, state=Job.State.FAILED, line=f"failed: {what}")
        raise
    else:
        end(job=job, state=Job.State.DONE, line=line)


def _log_beginning(run: JobRun, line: str) -> None:
    # Not again after each time that it gave way.
    if f" {line}\n" not in run.job.log:
        run.log(line)


def _claim(job_id: int, task_id: UUID, worker: str) -> Job | None:
    job = Job.objects.filter(pk=job_id, task_id=task_id, state=Job.State.WAITING).first()
    if job is None:
        return None
    now = timezone.now()
    same = Job.objects.filter(pk=job_id, task_id=task_id, state=Job.State.WAITING, attempt=job.attempt)
    columns = {
        "state": Job.State.RUNNING,
        "worker": worker,
        "started_at": now,
        "heartbeat_at": now,
        "share": 0.0,
        "step": "",
    }
    if not same.update(**columns, attempt=job.attempt + 1):
        return None
    job.refresh_from_db()
    return job
