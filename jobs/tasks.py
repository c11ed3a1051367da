"""The one task of the library's queue: it runs a job by its id."""

from uuid import UUID

from django_tasks import TaskContext, task

from jobs.running import run


@task(takes_context=True)
def run_job(context: TaskContext, job_id: int) -> None:
    """Run the job, if this row of the queue is still the one that stands for it."""
    result = context.task_result
    run(job_id, UUID(str(result.id)), result.worker_ids[-1] if result.worker_ids else "")
