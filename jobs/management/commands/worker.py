"""Run background jobs such as imports and the periodic retrain."""

import logging
import socket
import threading
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands import db_worker

from jobs import heartbeat, running, services
from jobs.liveness import Watch
from jobs.patience import AWAY, reason_of_absence

logger = logging.getLogger(__name__)
_PRUNE_SECONDS = 3600.0
_MIGRATION_SECONDS = 2.0
_AWAY_SECONDS = 5.0


class _Worker(db_worker.Worker):
    """The library's worker; when terminated, it interrupts its job, which then waits for the next worker."""

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        running.shutting_down.set()
        super().shutdown(signum, frame)


class _Keeper(threading.Thread):
    """Sends heartbeats for the worker's jobs, requeues those of dead workers, and keeps the schedule."""

    def __init__(self, worker_id: str, watch: Watch | None) -> None:
        super().__init__(name="keeper", daemon=True)
        self._worker_id = worker_id
        self._over = threading.Event()
        self._next_prune = 0.0
        self._watch = watch

    def run(self) -> None:
        while not self._over.wait(settings.JOB_STALE_SECONDS / 6):
            self.round()

    def end(self) -> None:
        """End after the current round."""
        self._over.set()
        self.join(timeout=30)

    def round(self) -> None:
        """Do what is due; a database that cannot be reached just now is asked again in the next round."""
        try:
            heartbeat.record_heartbeat()
            running.send_heartbeats(self._worker_id)
            if count := services.recover(self._watch):
                logger.warning("%d jobs of dead workers are back in the queue", count)
            services.schedule_all()
            if time.monotonic() >= self._next_prune:
                services.prune()
                self._next_prune = time.monotonic() + _PRUNE_SECONDS
        except DatabaseError as error:
            reason = reason_of_absence(error)
            logger.error("a round is left out: %s", reason or error, exc_info=None if reason else error)
        finally:
            connection.close()


def _run(worker: db_worker.Worker, *, is_batch: bool) -> None:
    """Work until told to end. While the disk is full or the database away, wait: who ends often ends all of `serve`."""
    while True:
        try:
            return worker.run()
        except AWAY as error:
            if is_batch:
                raise
            logger.error("waiting: %s", reason_of_absence(error))
            connection.close()
            time.sleep(_AWAY_SECONDS)


class Command(BaseCommand):
    """``manage.py worker``."""

    help = (
        "Run background jobs one at a time, such as imports and the scheduled retraining. The site needs at least "
        "one worker, and you can run more on any number of machines. If a worker is killed, another one picks up "
        "its jobs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", action="store_true", help="Exit when there is nothing left to do.")
        parser.add_argument(
            "--interval", type=float, default=1.0, help="Seconds between checks for new jobs (default: %(default)s)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._wait_for_migrations(is_batch=options["batch"])
        worker_id = f"{socket.gethostname()[:40]}-{get_random_string(12)}"
        # A batch ends too early to watch heartbeats.
        keeper = _Keeper(worker_id, None if options["batch"] else Watch())
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
            _run(worker, is_batch=options["batch"])
        finally:
            keeper.end()

    def _wait_for_migrations(self, *, is_batch: bool) -> None:
        """Wait until the database has the tables of this release, so that all may be started at once."""
        is_told = False
        while not self._is_migrated(is_batch=is_batch):
            if is_batch:
                raise CommandError("The database isn't migrated. Run `manage.py migrate` first.")
            if not is_told:
                logger.warning("waiting for `manage.py migrate`")
                is_told = True
            time.sleep(_MIGRATION_SECONDS)

    @staticmethod
    def _is_migrated(*, is_batch: bool) -> bool:
        try:
            executor = MigrationExecutor(connection)
            return not executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError as error:
            if is_batch:
                raise
            logger.warning("%s", reason_of_absence(error) or error)
            return False
        finally:
            connection.close()
