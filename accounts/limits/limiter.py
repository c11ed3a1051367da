"""Rate limits, counted in one place so that they hold across workers and machines.

The count is the generic cell rate algorithm (ITU-T I.371): of a limit of N in a period, one more is allowed every
period / N, and up to N at once after a pause. One number per caller is stored, the theoretical arrival time (TAT) at
which the whole allowance is available again. One conditional UPDATE, or one script in Redis if ``REDIS_URL`` is set,
advances it, so that two workers cannot both take the last permit.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection
from django.db.models import F
from django.db.models.functions import Greatest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from redis.exceptions import RedisError

from accounts.compat import client_address
from accounts.digests import keyed_digest
from accounts.limits.redis_limiter import take_permit_in_redis
from accounts.models import RateCount
from jobs.patience import AWAY, impatient, reason_of_absence, reconnect_if_lost
from jobs.races import conflict_as_integrity_error

View = Callable[..., HttpResponseBase]
_logger = logging.getLogger(__name__)
_PERIOD_MS = 60_000
# One of so many new callers deletes expired rows, because only new callers add rows to the table.
_CLEAR_ONE_IN = 100
# How far the clocks of two machines may differ.
_CLOCK_TOLERANCE_MS = 5_000
# After a failed count the database is not tried again for this time.
_PAUSE_SECONDS = 5
# A listener may come from several addresses at once, and many listeners from one (a school, a carrier).
_ADDRESS_FACTOR = 4


@dataclass(frozen=True)
class Limit:
    """At most ``per_minute`` calls of the kind ``name``; 0 means no limit."""

    name: str
    per_minute: int


def limit_of(name: str) -> Limit:
    """Return the limit of that name in ``settings.RATE_LIMITS``."""
    return Limit(name, settings.RATE_LIMITS[name])


def wait_seconds(limit: Limit, caller: str) -> int:
    """Take one permit for ``caller``: return 0 if it was granted, else the seconds until the next one."""
    if not limit.per_minute:
        return 0
    step, key = _PERIOD_MS // limit.per_minute or 1, _key(limit, caller)
    if settings.REDIS_URL:
        try:
            return math.ceil(take_permit_in_redis(settings.REDIS_URL, key, period_ms=_PERIOD_MS, step_ms=step) / 1000)
        except RedisError as error:
            # Limits that hold per database are better than none.
            _logger.warning("REDIS_URL: rate limits count in the database: %s", error)
    return _take_permit(key, step)


def _take_permit(key: str, step: int) -> int:
    """Take a permit. If the database does not respond within a second, grant it and those of the next seconds."""
    if time.monotonic() < _paused.until:
        return 0
    try:
        with impatient():
            return _take_permit_in_database(key, step)
    except AWAY as error:
        if connection.in_atomic_block:
            raise
        _paused.until = time.monotonic() + _PAUSE_SECONDS
        _logger.warning("limits aren't counted for %d seconds: %s", _PAUSE_SECONDS, reason_of_absence(error))
        reconnect_if_lost()
        return 0


class _Paused:
    """Until when nothing is counted, by this process's monotonic clock."""

    until = 0.0


_paused = _Paused()


def _take_permit_in_database(key: str, step: int) -> int:
    now = round(time.time() * 1000)
    tat_limit = now + _PERIOD_MS - step
    # A TAT is at most a period ahead: a later one was stored while the clock was ahead.
    latest = now + _PERIOD_MS + _CLOCK_TOLERANCE_MS
    row = RateCount.objects.filter(pk=key)
    for _attempt in range(3):
        if row.filter(tat__lte=tat_limit).update(tat=Greatest(F("tat"), now) + step):
            return 0
        if row.filter(tat__gt=latest).update(tat=now + step):
            return 0
        tat = row.values_list("tat", flat=True).first()
        if tat is not None and tat > tat_limit:
            return math.ceil((tat - tat_limit) / 1000)
        if tat is not None:
            # Another worker has created the row in between, and there is room in it.
            continue
        try:
            with conflict_as_integrity_error():
                RateCount.objects.create(key=key, tat=now + step)
        except IntegrityError:
            continue
        if int(key, 16) % _CLEAR_ONE_IN == 0:
            RateCount.objects.filter(tat__lt=now - _PERIOD_MS).delete()
        return 0
    return 1


def wait_of(request: HttpRequest, name: str) -> int:
    """Take one permit for the request's listener and its address; return the seconds to wait, 0 if granted.

    An address may do four times as much as one listener; visitors count by address alone, like one listener.
    """
    limit, listener = limit_of(name), request.user.pk
    address = f"address {client_address(request)}"
    if listener is None:
        return wait_seconds(limit, address)
    wide = Limit(f"{name} by address", limit.per_minute * _ADDRESS_FACTOR)
    return wait_seconds(limit, f"listener {listener}") or wait_seconds(wide, address)


def limited(name: str) -> Callable[[View], View]:
    """Reject callers of a page who exceed the limit ``name`` with 429 and ``Retry-After``."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if seconds := wait_of(request, name):
                return too_many(request, seconds)
            return view(request, *args, **kwargs)

        return wrapper

    return decorate


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """Render the 429 page."""
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(seconds)
    return response


def _key(limit: Limit, caller: str) -> str:
    return keyed_digest(f"{limit.name}:{limit.per_minute}:{caller}")
