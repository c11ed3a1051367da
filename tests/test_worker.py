"""The worker as a process of its own: it works, survives being killed, and hands over when it is told to end."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from jobs import services
from jobs.models import Job
from jobs.tests.helpers import start_worker, wait_until
from recommender.models import ModelVersion
from recommender.tests.builders import make_catalogue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, Any]]:
    make_catalogue()
    yield {"MODEL_DIR": tmp_path, "JOB_STALE_SECONDS": 1, "LOG_LEVEL": "INFO", "RETRAIN_HOURS": 24}
    connection.close()


def state(job: Job) -> str:
    return Job.objects.values_list("state", flat=True).get(pk=job.pk)


@pytest.mark.parametrize("command", ["worker", "db_worker"])
def test_it_retrains_in_a_process_of_its_own(environment: dict[str, Any], command: str) -> None:
    job = services.enqueue(kind="retrain", subject="retrain")
    worker = start_worker("--batch", command=command, **environment)
    output, _ = worker.communicate(timeout=3000)
    assert worker.returncode == 0, output
    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.log
    version = ModelVersion.objects.get()
    assert job.log.splitlines()[-1].endswith(f"model {version.pk}: it is now active")
    assert " fit" in job.log
    scheduled = Job.objects.filter(subject="schedule:retrain", state=Job.State.WAITING)
    assert scheduled.count() == (1 if command == "worker" else 0)


def test_a_killed_workers_job_goes_on_in_the_next(environment: dict[str, Any]) -> None:
    job = services.enqueue(kind="retrain", subject="retrain")
    first = start_worker(**environment)
    wait_until(lambda: state(job) != Job.State.WAITING)
    first.kill()
    first.communicate()
    if state(job) == Job.State.DONE:
        pytest.fail("it was over before it was killed")
    second = start_worker("--interval", "0.1", **environment)
    try:
        wait_until(lambda: state(job) == Job.State.DONE)
    finally:
        second.terminate()
        second.communicate(timeout=300)
    assert second.returncode == 0
    job.refresh_from_db()
    assert job.attempt == 2
    assert "worker died; the job waits for another worker" in job.log
    assert ModelVersion.objects.count() == 1


def test_told_to_end_it_puts_its_job_back_at_once(environment: dict[str, Any]) -> None:
    job = services.enqueue(kind="retrain", subject="retrain")
    worker = start_worker(**environment)
    wait_until(lambda: state(job) != Job.State.WAITING)
    worker.send_signal(signal.SIGTERM)
    output, _ = worker.communicate(timeout=3000)
    assert worker.returncode == 0, output
    job.refresh_from_db()
    assert (job.state, job.attempt) == (Job.State.WAITING, 1), job.log
    assert job.log.splitlines()[-1].endswith("worker stopping; the job waits for another worker")
