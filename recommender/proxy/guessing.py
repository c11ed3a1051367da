"""Guards the music server's passwords: wrong log-ins are counted by name and address, as at the site's own log-in."""

import re

from django.core.cache import cache

from accounts.limits.limiter import Limit, wait_seconds
from recommender.proxy.calls import Call
from recommender.proxy.keys import cache_key

LOCKED_SECONDS = 300
_BY_NAME = Limit("log-ins refused by the music server", 5)
_BY_ADDRESS = Limit("log-ins refused by the music server, by address", 60)
_HEAD = 2_000
_FAILED = re.compile(rb'\bstatus"?[:=] ?"failed')
WRONG_LOGIN_CODES = (40, 44)
_REFUSED = re.compile(rb'\bcode"?[:=] ?"?(?:%d|%d)\b' % WRONG_LOGIN_CODES)


def is_locked(call: Call) -> bool:
    """Return whether so many log-ins were refused that no more are looked at for a while."""
    return call.has_login and bool(cache.get_many([_key(caller) for caller in _callers(call)]))


def is_refusal(status: int, head: bytes) -> bool:
    """Return whether an answer, of which ``head`` is the beginning, refuses a log-in."""
    start = head[:_HEAD]
    return status == 401 or (_FAILED.search(start) is not None and _REFUSED.search(start) is not None)


def count_refusal(call: Call) -> None:
    """Count a refused log-in."""
    if not call.has_login:
        return
    for caller, limit in zip(_callers(call), (_BY_ADDRESS, _BY_NAME), strict=False):
        if wait_seconds(limit, caller):
            cache.set(_key(caller), True, LOCKED_SECONDS)


def _callers(call: Call) -> list[str]:
    """Return who is counted: the address, and the name from there."""
    name = call.value("u").strip().lower()[:200]
    return [f"address {call.address}", f"{name} from {call.address}"]


def _key(caller: str) -> str:
    return cache_key("locked", caller)
