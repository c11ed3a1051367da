"""Writes that may conflict with another worker's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction

Result = TypeVar("Result")

_TRIES = 3
_POSTGRES_DEADLOCK = "40P01"
_MARIADB_DEADLOCK = 1213


@contextmanager
def conflict_as_integrity_error() -> Iterator[None]:
    """One transaction that raises ``IntegrityError`` when another worker wrote the same keys first.

    Databases say so in two ways: the key is taken, or, where each of two transactions waits for a key of the other,
    one of them is ended as a deadlock. To MariaDB two inserts of one key are that too, if a third has given it up or
    deleted it just before: both share the lock on what is left of its row. Inside another transaction a deadlock stays
    what it is, as all of that one is gone.
    """
    try:
        with transaction.atomic():
            yield
    except OperationalError as error:
        if connection.in_atomic_block or not _is_deadlock(error):
            raise
        raise IntegrityError(*error.args) from error


def retry_conflicts(write: Callable[[], Result], *, reset: Callable[[], None]) -> Result:
    """Return what ``write`` returns in a transaction of its own, tried again if another worker wrote the same first.

    ``reset`` is called after each try that failed: what was read before it no longer holds. Raise ``IntegrityError``
    when the last of three tries fails, too.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            with conflict_as_integrity_error():
                return write()
        except BaseException as error:
            reset()
            if not tries_left or not isinstance(error, IntegrityError):
                raise
    raise AssertionError("unreachable")


def _is_deadlock(error: OperationalError) -> bool:
    cause = error.__cause__
    return getattr(cause, "sqlstate", "") == _POSTGRES_DEADLOCK or error.args[:1] == (_MARIADB_DEADLOCK,)
