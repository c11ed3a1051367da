"""The one task of the library's queue: it runs a job by its id."""

from uuid import UUID

from django_tasks import TaskContext, task

from jobs.registry import run_job_by_id


@task(takes_context=True)
def run_job(context: TaskContext, job_id: int) -> None:
    """Run the job if this row of the queue is still its current one."""
    result = context.task_result
    run_job_by_id(job_id, UUID(str(result.id)), result.worker_ids[-1] if result.worker_ids else "")
