"""How often one caller may do something, counted in one place, so that it holds across workers and machines.

The count is the generic cell rate algorithm (ITU-T I.371): of a limit of N in a period, one more is allowed every
period / N, and up to N at once after a pause. One number per caller is kept: when the allowance is whole again. It is
moved by one conditional UPDATE, or by one script in Redis where ``REDIS_URL`` is set, so that two workers cannot both
take the last turn.
"""

import hashlib
import hmac
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
from accounts.limits.redis_turns import turn_in_redis
from accounts.models import RateCount
from jobs.patience import AWAY, impatient, reason_of_absence, reconnect_if_lost
from jobs.races import conflict_as_integrity_error

View = Callable[..., HttpResponseBase]
_logger = logging.getLogger(__name__)
_PERIOD_MS = 60_000
# One new caller of so many clears away the counts of those gone for long: the table grows by new callers alone.
_CLEAR_ONE_IN = 100
# How far the clocks of two machines may differ.
_CLOCK_TOLERANCE_MS = 5_000
# After a count that failed, none is tried for so long.
_PAUSE_SECONDS = 5
# A listener may come from several addresses at once, and many listeners from one (a school, a carrier).
_ADDRESS_FACTOR = 4


@dataclass(frozen=True)
class Limit:
    """At most ``per_minute`` calls of what ``name`` stands for; 0 stands for no limit."""

    name: str
    per_minute: int


def limit_of(name: str) -> Limit:
    """Return the limit of that name in ``settings.RATE_LIMITS``."""
    return Limit(name, settings.RATE_LIMITS[name])


def wait_seconds(limit: Limit, caller: str) -> int:
    """Take one turn of ``caller``: 0 when it was allowed, otherwise after how many seconds the next one will be."""
    if not limit.per_minute:
        return 0
    step, key = _PERIOD_MS // limit.per_minute or 1, _key(limit, caller)
    if settings.REDIS_URL:
        try:
            return math.ceil(turn_in_redis(settings.REDIS_URL, key, period_ms=_PERIOD_MS, step_ms=step) / 1000)
        except RedisError as error:
            # Limits that hold per database are better than none.
            _logger.warning("REDIS_URL: rate limits count in the database: %s", error)
    return _turn_if_it_answers(key, step)


def _turn_if_it_answers(key: str, step: int) -> int:
    """Take a turn; where the database does not take it within a second, it is allowed, and so are the next few."""
    if time.monotonic() < _paused.until:
        return 0
    try:
        with impatient():
            return _turn_in_database(key, step)
    except AWAY as error:
        if connection.in_atomic_block:
            raise
        _paused.until = time.monotonic() + _PAUSE_SECONDS
        _logger.warning("limits aren't counted for %d seconds: %s", _PAUSE_SECONDS, reason_of_absence(error))
        reconnect_if_lost()
        return 0


class _Paused:
    """Until when, by this process's own clock, nothing is counted."""

    until = 0.0


_paused = _Paused()


def _turn_in_database(key: str, step: int) -> int:
    now = round(time.time() * 1000)
    free_until = now + _PERIOD_MS - step
    # No count reaches further than a period: one that does was taken while the clock ran ahead.
    latest = now + _PERIOD_MS + _CLOCK_TOLERANCE_MS
    row = RateCount.objects.filter(pk=key)
    for _attempt in range(3):
        if row.filter(whole_at__lte=free_until).update(whole_at=Greatest(F("whole_at"), now) + step):
            return 0
        if row.filter(whole_at__gt=latest).update(whole_at=now + step):
            return 0
        whole_at = row.values_list("whole_at", flat=True).first()
        if whole_at is not None and whole_at > free_until:
            return math.ceil((whole_at - free_until) / 1000)
        if whole_at is not None:
            # Another worker has made the row in between: there is room in it.
            continue
        try:
            with conflict_as_integrity_error():
                RateCount.objects.create(key=key, whole_at=now + step)
        except IntegrityError:
            continue
        if int(key, 16) % _CLEAR_ONE_IN == 0:
            RateCount.objects.filter(whole_at__lt=now - _PERIOD_MS).delete()
        return 0
    return 1


def wait_of(request: HttpRequest, name: str) -> int:
    """Take one turn of the request's listener and of its address; return the seconds to wait, 0 when allowed.

    An address may do four times as much as one listener; visitors count by address alone, like one listener.
    """
    limit, listener = limit_of(name), request.user.pk
    address = f"address {client_address(request)}"
    if listener is None:
        return wait_seconds(limit, address)
    wide = Limit(f"{name} by address", limit.per_minute * _ADDRESS_FACTOR)
    return wait_seconds(limit, f"listener {listener}") or wait_seconds(wide, address)


def limited(name: str) -> Callable[[View], View]:
    """Answer a page of the site with 429 and ``Retry-After`` to whom is over the limit ``name``."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if seconds := wait_of(request, name):
                return too_many(request, seconds)
            return view(request, *args, **kwargs)

        return wrapper

    return decorate


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """Return the page for whom comes too often."""
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(seconds)
    return response


def _key(limit: Limit, caller: str) -> str:
    text = f"{limit.name}:{limit.per_minute}:{caller}"
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
