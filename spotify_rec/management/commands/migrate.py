"""Django's ``migrate``, one at a time: machines that start together would otherwise make the same tables."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

_PAUSE_SECONDS = 0.2
_NAME = "migrate"


class Command(MigrateCommand):
    """``manage.py migrate``."""

    def handle(self, *args: Any, **options: Any) -> None:
        is_reading = options["check_unapplied"] or options["plan"]
        with nullcontext() if is_reading else _alone(connections[options["database"]], self._say_waiting):
            super().handle(*args, **options)

    def _say_waiting(self) -> None:
        self.stderr.write("Another migrate is running. Waiting for it to finish.")


@contextmanager
def _alone(connection: BaseDatabaseWrapper, say_waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a lock that ends with this process or with its connection, however it ends; wait for another's."""
    with _lock(connection) as is_taken:
        if not is_taken():
            say_waiting()
            while not is_taken():
                time.sleep(_PAUSE_SECONDS)
        yield


@contextmanager
def _lock(connection: BaseDatabaseWrapper) -> Iterator[Callable[[], bool]]:
    """Yield what tries to take the lock and returns whether it did; it is given back at the end."""
    if connection.vendor == "sqlite":
        with _file_lock(str(connection.settings_dict["NAME"])) as is_taken:
            yield is_taken
        return
    raw: Any = connection.get_new_connection(connection.get_connection_params())
    if connection.vendor == "postgresql":
        # Of a transaction, and so in one session also behind a pool of connections.
        query, key = "SELECT pg_try_advisory_xact_lock(hashtext(%s))", _NAME
    else:
        # These are the server's and not the database's.
        query, key = "SELECT GET_LOCK(SHA1(%s), 0)", f"{_NAME} {connection.settings_dict['NAME']}"
    with closing(raw), closing(raw.cursor()) as cursor:

        def is_taken() -> bool:
            cursor.execute(query, [key])
            return bool(cursor.fetchone()[0])

        yield is_taken


@contextmanager
def _file_lock(name: str) -> Iterator[Callable[[], bool]]:
    if ":memory:" in name:
        yield lambda: True
        return
    path = Path(name)
    # Beside the database, because SQLite's own locks end when anybody in this process closes the file itself.
    with path.with_name(f".{path.name}.migrate").open("w") as file:

        def is_taken() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        yield is_taken
