"""Heartbeats of workers that have nothing to do; those of running jobs are in the jobs' rows."""

from datetime import datetime

from django.core.cache import cache
from django.utils import timezone

_KEY = "jobs.worker.heartbeat"
_KEPT_SECONDS = 30 * 24 * 3600


def record_heartbeat() -> None:
    """Record that a worker is alive just now."""
    cache.set(_KEY, timezone.now(), _KEPT_SECONDS)


def last_heartbeat() -> datetime | None:
    """Return the time of the last heartbeat; ``None`` if there was none for a month or since the cache was emptied."""
    heartbeat = cache.get(_KEY)
    return heartbeat if isinstance(heartbeat, datetime) else None
