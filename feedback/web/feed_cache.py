"""Cache of each listener's page "For you", so that the page stays as they left it.

The recommender decides what is stored. The cache is in this app because every change of the taste invalidates it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from django.core.cache import cache

from accounts.models import User

CACHE_SECONDS = 30 * 60
_TOKEN_KEY = "feedback:feed-token"  # noqa: S105
P = ParamSpec("P")
R = TypeVar("R")


def read_cached_feed(user_id: int) -> tuple[dict[str, Any] | None, str]:
    """Return the cached feed and its token, or ``None`` if there is none, it has expired or all of its kind were.

    One look into the cache.
    """
    values = cache.get_many([_key(user_id), _TOKEN_KEY])
    feed: dict[str, Any] | None = values.get(_key(user_id))
    token = "" if feed is None else feed.pop("token", "")
    return (None, "") if values.get(_TOKEN_KEY, token) != token else (feed, token)


def cache_feed(user_id: int, feed: dict[str, Any], *, token: str = "") -> None:
    """Cache a feed in place of the previous one; ``token``: what it depends on besides its listener."""
    cache.set(_key(user_id), feed | {"token": token}, CACHE_SECONDS)


def require_token(token: str) -> None:
    """Let no cached feed of another token be shown any more, whoever's it is."""
    # The feeds there are now expire before this does.
    cache.set(_TOKEN_KEY, token, 2 * CACHE_SECONDS)


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
