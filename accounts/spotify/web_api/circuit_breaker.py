"""What is remembered of Spotify between requests: until when it wants no calls, and whether it is down.

It is kept in the site's cache, so that all processes know; a lost entry costs one call.
"""

import math
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.utils import timezone

from accounts.spotify.errors import RateLimited, Unavailable

# So many failures in a row open the circuit for so long; then one failure more opens it again.
FAILURES = 3
OPEN_SECONDS = 30
_REMEMBER_SECONDS = 300
# Where Spotify does not say how long to wait; the longest wait that is believed.
_DEFAULT_WAIT = 30
_LONGEST_WAIT = 24 * 3600


def check(service: str) -> None:
    """Return if ``service`` may be called now; raise ``RateLimited`` or ``Unavailable`` without a call otherwise."""
    known = cache.get_many([_key(service, "until"), _key(service, "open")])
    now = timezone.now().timestamp()
    # What lies further ahead was remembered while the clock ran ahead.
    if now < (until := known.get(_key(service, "until"), 0.0)) <= now + _LONGEST_WAIT:
        raise RateLimited(datetime.fromtimestamp(until, UTC))
    if now < known.get(_key(service, "open"), 0.0) <= now + OPEN_SECONDS:
        raise Unavailable(f"{service}: not asked, it failed {FAILURES} times in a row")


def succeeded(service: str) -> None:
    """Forget the failures of ``service``."""
    if cache.get(_key(service, "failures")):
        cache.delete_many([_key(service, "failures"), _key(service, "open")])


def failed(service: str) -> None:
    """Count a failure, and let no more calls through when there were enough in a row."""
    count = (cache.get(_key(service, "failures")) or 0) + 1
    cache.set(_key(service, "failures"), count, _REMEMBER_SECONDS)
    if count >= FAILURES:
        cache.set(_key(service, "open"), timezone.now().timestamp() + OPEN_SECONDS, OPEN_SECONDS)


def limited(service: str, retry_after: str | None) -> RateLimited:
    """Remember that ``service`` wants no calls for ``retry_after`` seconds; return the error to raise."""
    try:
        seconds = math.ceil(float(retry_after or _DEFAULT_WAIT))
    except (ValueError, OverflowError):
        seconds = _DEFAULT_WAIT
    seconds = min(max(seconds, 1), _LONGEST_WAIT)
    until = timezone.now() + timedelta(seconds=seconds)
    cache.set(_key(service, "until"), until.timestamp(), seconds)
    return RateLimited(until)


def _key(service: str, what: str) -> str:
    return f"spotify:{service}:{what}"
