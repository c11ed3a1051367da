"""Running what waits, as the worker would."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult


def run_waiting() -> None:
    """Run all jobs that are due, in this process.

    The library's own worker does, but for its loop, which would close the connection on the test's transaction.
    """
    worker = Worker(
        queue_names=["default"],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id="tests",
        excluded_queue_names=[],
    )
    while (queued := DBTaskResult.objects.ready().first()) is not None:
        queued.claim(worker.worker_id)
        worker.run_task(queued)


def start_worker(*arguments: str, command: str = "worker", **environment: Any) -> subprocess.Popen[str]:
    """Start a worker process of its own on the database of the tests."""
    return subprocess.Popen(
        [sys.executable, "manage.py", command, *arguments],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": database_url(), **{key: str(value) for key, value in environment.items()}},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def database_url() -> str:
    """Return the address of the database of the tests, for other processes."""
    arguments = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{arguments['NAME']}"
    scheme = {"postgresql": "postgres", "mysql": "mysql"}[connection.vendor]
    password = f":{arguments['PASSWORD']}" if arguments["PASSWORD"] else ""
    port = f":{arguments['PORT']}" if arguments["PORT"] else ""
    return f"{scheme}://{arguments['USER']}{password}@{arguments['HOST']}{port}/{arguments['NAME']}"


def busy(seconds: float) -> float:
    """Return ``seconds``, times how much longer all takes just now than on a machine with nothing else to do."""
    wall, own = time.perf_counter(), time.thread_time()
    while time.thread_time() - own < 0.05:
        pass
    return seconds * max(1.0, (time.perf_counter() - wall) / (time.thread_time() - own))


def wait_until(condition: Callable[[], bool], seconds: float = 300) -> None:
    """Wait for ``condition``; fail after ``seconds``, which are generous: they pass only where something is broken."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
