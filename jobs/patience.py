"""Time limits for waiting on the database, and handling of its absence."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError, connection

# Errors of a database that is stopped, restarted, locked, full or read-only.
AWAY = (OperationalError, InterfaceError)
_CANNOT_WRITE = {errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EIO}
# What SQLite says of its file, without naming it.
_FILE_TROUBLES = ("disk I/O error", "unable to open database file", "readonly database", "disk is full")
# What the three databases say of a table or column that a migration has yet to make.
_NOT_MIGRATED = re.compile(
    r"no such (table|column)|(relation|column) \S{1,200} does not exist|Table '[^']{1,200}' doesn't exist|"
    r"Unknown column"
)
# How long a read waits for an optional write.
SECONDS = 1.0


@contextmanager
def impatient() -> Iterator[None]:
    """Let the statements within wait no longer than a second for another writer. Raises one of ``AWAY``."""
    connection.ensure_connection()
    _wait_for(SECONDS)
    try:
        yield
    finally:
        with suppress(DatabaseError, Exception):
            _wait_for(None)


def reason_of_absence(error: BaseException) -> str | None:
    """Return in one line why the database or the disk can't be used; ``None`` for another error."""
    if isinstance(error, (*AWAY, ProgrammingError)):
        lines = str(error).strip().splitlines()
        if _NOT_MIGRATED.search("".join(lines[:1])[:500]):
            return f"the database isn't ready for this release: {lines[0]}. Run: manage.py migrate"
    if isinstance(error, AWAY):
        return f"the database doesn't answer: {lines[0] if lines else type(error).__name__}{_where(lines)}"
    if isinstance(error, OSError) and error.errno in _CANNOT_WRITE:
        return f"can't write {error.filename or 'a file'}: {error.strerror}"
    return None


def _where(lines: list[str]) -> str:
    """Return the database's file, in brackets, where that is what can't be opened or written."""
    is_about_file = connection.vendor == "sqlite" and any(trouble in "".join(lines[:1]) for trouble in _FILE_TROUBLES)
    return f" ({connection.settings_dict['NAME']})" if is_about_file else ""


def reconnect_if_lost() -> None:
    """Drop a connection that the server has ended, so that the next statement makes a new one."""
    if not connection.in_atomic_block:
        with suppress(DatabaseError):
            connection.close_if_unusable_or_obsolete()


def _wait_for(seconds: float | None) -> None:
    # Without Django's cursor, so that it does not count as a query of the page.
    raw = connection.connection
    with closing(raw.cursor()) as cursor:
        for statement in _statements(seconds):
            cursor.execute(statement)


def _statements(seconds: float | None) -> list[str]:
    if connection.vendor == "sqlite":
        whole = float(connection.settings_dict["OPTIONS"].get("timeout", 5.0))
        return [f"PRAGMA busy_timeout = {round(1000 * (whole if seconds is None else seconds))}"]
    if connection.vendor == "postgresql":
        return ["SET lock_timeout = DEFAULT" if seconds is None else f"SET lock_timeout = {round(1000 * seconds)}"]
    if seconds is None:
        seconds = connection.settings_dict.get("LOCK_SECONDS", 50)
    names = ("innodb_lock_wait_timeout", "lock_wait_timeout")
    return [f"SET SESSION {', '.join(f'{name} = {round(seconds)}' for name in names)}"]
