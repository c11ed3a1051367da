"""The site's cache, which holds allauth's rate limits too.

It fails no page that reads, and a clock that was wrong locks nobody out.
"""

import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends import db, redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.db import connection, transaction

from jobs.patience import AWAY, impatient, reconnect_if_lost

# allauth keeps the times of the attempts under such keys.
_RATE_LIMITS = "allauth:rl:"
_CLOCK_TOLERANCE = 5.0


def without_the_future(key: str, value: Any) -> Any:
    """Return ``value``; of a rate limit's times without those that lie ahead, when the clock was wrong."""
    if not key.startswith(_RATE_LIMITS) or not isinstance(value, list):
        return value
    latest = time.time() + _CLOCK_TOLERANCE
    return [moment for moment in value if moment <= latest]


class DatabaseCache(db.DatabaseCache):
    """The library's; what cannot be read within a second is not there, and what cannot be written is not kept."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return without_the_future(key, super().get(key, default, version))

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        # Reading deletes what has expired, which is a write.
        try:
            with impatient():
                return super().get_many(keys, version)
        except AWAY:
            reconnect_if_lost()
            return {}

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT) -> bool:
        failures: list[Exception] = []

        def note(execute: Callable[..., Any], *statement: Any) -> Any:
            try:
                return execute(*statement)
            except AWAY as error:
                # The library takes it for a row that is there already.
                failures.append(error)
                raise

        try:
            # In a transaction of ours, so that a commit that fails isn't taken for such a row either.
            with impatient(), transaction.atomic(), connection.execute_wrapper(note):
                is_kept = bool(super()._base_set(mode, key, value, timeout))  # type: ignore[misc]
        except AWAY as error:
            is_kept = False
            failures.append(error)
        if failures:
            reconnect_if_lost()
            if mode == "add":
                # "False" would say that there is one already: a lock that is held, a code that was used.
                raise failures[0]
        return is_kept

    def _base_delete_many(self, keys: Any) -> bool:
        try:
            with impatient():
                return bool(super()._base_delete_many(keys))  # type: ignore[misc]
        except AWAY:
            reconnect_if_lost()
            return False


class RedisCache(redis.RedisCache):
    """The library's."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return without_the_future(key, super().get(key, default, version))
