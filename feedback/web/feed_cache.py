"""Cache of each listener's page "For you", so that the page stays as they left it.

The recommender decides what is stored. The cache is in this app because every change of the taste invalidates it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from django.core.cache import cache

from accounts.models import User

CACHE_SECONDS = 30 * 60
P = ParamSpec("P")
R = TypeVar("R")


def read_cached_feed(user_id: int) -> dict[str, Any] | None:
    """Return the cached feed, or ``None`` if there is none or it has expired."""
    feed: dict[str, Any] | None = cache.get(_key(user_id))
    return feed


def cache_feed(user_id: int, feed: dict[str, Any]) -> None:
    """Cache a feed in place of the previous one."""
    cache.set(_key(user_id), feed, CACHE_SECONDS)


def invalidate_feed(user_id: int) -> None:
    """Remove the cached feed, so that the page is computed again when it is next opened."""
    cache.delete(_key(user_id))


def invalidates_feed(service: Callable[P, R]) -> Callable[P, R]:
    """Invalidate the feed of the service's ``user`` after it has changed what they want recommended."""

    @wraps(service)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        result = service(*args, **kwargs)
        invalidate_feed(cast(User, kwargs["user"]).pk)
        return result

    return wrapper


def _key(user_id: int) -> str:
    return f"feedback:kept-feed:{user_id}"
