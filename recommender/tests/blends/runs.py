"""Runs the job of the blends as the worker does."""

from jobs.models import Job
from jobs.running import run
from jobs.services import enqueue


def run_waiting() -> list[str]:
    """Run every job of the blends that waits, in order; return what each says at its end."""
    lines = []
    for job in Job.objects.filter(kind="blends", state=Job.State.WAITING, run_after=None).order_by("pk"):
        assert job.task_id is not None
        run(job.pk, job.task_id, "worker")
        job.refresh_from_db()
        if job.state == Job.State.WAITING:  # It gave way to another job.
            continue
        assert job.state == Job.State.DONE, job.log
        lines.append(job.log.splitlines()[-1].partition(" ")[2].partition(" ")[2])
    return lines


def run_nightly() -> str:
    """Run the job as the schedule does; return what it says at its end."""
    enqueue(kind="blends")
    return run_waiting()[-1]
