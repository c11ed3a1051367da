"""Detects dead workers by the watcher's own clock.

The times in the database are other machines' and may be wrong, or the clock may have been set meanwhile. So a keeper
watches whether a job's heartbeat changes: one that stays the same for ``JOB_STALE_SECONDS`` is a dead worker's.
"""

import time
from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from django.conf import settings

from jobs.models import Job

Beat: TypeAlias = tuple[int, datetime | None]


class Watch:
    """What one keeper has seen of the heartbeats of running jobs."""

    def __init__(self) -> None:
        # For each job its last heartbeat, and since when, by the monotonic clock, it is that.
        self._seen: dict[int, tuple[Beat, float]] = {}

    def dead(self, running: Iterable[Job]) -> list[Job]:
        """Return the jobs whose workers are dead.

        A heartbeat that is already too old by its time counts as dead after a third of the seconds; it may only look
        old because the clock was set.
        """
        now, stale = time.monotonic(), float(settings.JOB_STALE_SECONDS)
        by_time = set(Job.objects.abandoned().values_list("pk", flat=True))
        jobs = list(running)
        before = self._seen
        self._seen = {}
        dead = []
        for job in jobs:
            beat = (job.attempt, job.heartbeat_at)
            last, since = before.get(job.pk, (beat, now))
            since = since if last == beat else now
            self._seen[job.pk] = (beat, since)
            if now - since >= (stale / 3 if job.pk in by_time else stale):
                dead.append(job)
        return dead
