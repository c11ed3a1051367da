"""Runs the job of the blends as the worker does."""

from jobs.models import Job
from jobs.running import run
from jobs.services import enqueue


def run_waiting() -> list[str]:
    """Run every job of the blends that waits, until none does; return what each says at its end."""
    lines = []
    while job := Job.objects.filter(kind="blends", state=Job.State.WAITING, run_after=None).order_by("pk").first():
        assert job.task_id is not None
        run(job.pk, job.task_id, "worker")
        job.refresh_from_db()
        # It may have given way to another one.
        assert job.state in (Job.State.DONE, Job.State.WAITING), job.log
        if job.state == Job.State.DONE:
            lines.append(job.log.splitlines()[-1].partition(" ")[2].partition(" ")[2])
    return lines


def run_nightly() -> str:
    """Run the job as the schedule does; return what it says at its end."""
    enqueue(kind="blends")
    return run_waiting()[-1]
