"""Run work in the background: imports, the periodic retrain."""

import logging
import socket
import threading
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands import db_worker

from jobs import running, services

logger = logging.getLogger(__name__)
_PRUNE_SECONDS = 3600.0


class _Worker(db_worker.Worker):
    """The library's worker; told to end, it interrupts the job it runs, which then waits for the next worker."""

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        running.ending.set()
        super().shutdown(signum, frame)


class _Keeper(threading.Thread):
    """Gives signs of life for the worker's jobs, brings back those of dead workers, and keeps the schedule."""

    def __init__(self, worker_id: str) -> None:
        super().__init__(name="keeper", daemon=True)
        self._worker_id = worker_id
        self._over = threading.Event()
        self._next_prune = 0.0

    def run(self) -> None:
        while not self._over.wait(settings.JOB_STALE_SECONDS / 6):
            self.round()

    def end(self) -> None:
        """End after the present round."""
        self._over.set()
        self.join(timeout=30)

    def round(self) -> None:
        """Do what is due; a database that cannot be reached just now is asked again in the next round."""
        try:
            running.give_signs_of_life(self._worker_id)
            if count := services.recover():
                logger.warning("%d jobs of dead workers wait again", count)
            services.schedule_all()
            if time.monotonic() >= self._next_prune:
                services.prune()
                self._next_prune = time.monotonic() + _PRUNE_SECONDS
        except DatabaseError:
            logger.exception("the database did not answer")
        finally:
            connection.close()


class Command(BaseCommand):
    """``manage.py worker``."""

    help = (
        "Run work in the background, one job at a time: imports, the periodic retrain. One is needed, several on any "
        "number of machines may run. Jobs of a worker that was killed are taken up again by the others, or by the next."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", action="store_true", help="End when nothing is left to do now.")
        parser.add_argument("--interval", type=float, default=1.0, help="Seconds between looks (default: %(default)s).")

    def handle(self, *args: Any, **options: Any) -> None:
        worker_id = f"{socket.gethostname()[:40]}-{get_random_string(12)}"
        keeper = _Keeper(worker_id)
        keeper.round()
        worker = _Worker(
            queue_names=["default"],
            interval=options["interval"],
            batch=options["batch"],
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=worker_id,
            excluded_queue_names=[],
        )
        worker.configure_signals()
        keeper.start()
        try:
            worker.run()
        finally:
            keeper.end()
