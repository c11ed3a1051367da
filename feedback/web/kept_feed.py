"""The songs of a listener's page "For you", kept so that the page stays as they left it.

What is in there is the recommender's; here it is only put away, so that every change of the taste can let go of it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from django.core.cache import cache

from accounts.models import User

KEPT_SECONDS = 30 * 60
P = ParamSpec("P")
R = TypeVar("R")


def read_kept_feed(user_id: int) -> dict[str, Any] | None:
    """Return what was kept, if that was not too long ago."""
    feed: dict[str, Any] | None = cache.get(_key(user_id))
    return feed


def keep_feed(user_id: int, feed: dict[str, Any]) -> None:
    """Keep a feed in place of the one before."""
    cache.set(_key(user_id), feed, KEPT_SECONDS)


def forget_feed(user_id: int) -> None:
    """Let the page be made anew when it is next opened."""
    cache.delete(_key(user_id))


def changes_feed(service: Callable[P, R]) -> Callable[P, R]:
    """Let the feed of the service's ``user`` be made anew after it has changed what they want to be recommended."""

    @wraps(service)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        result = service(*args, **kwargs)
        forget_feed(cast(User, kwargs["user"]).pk)
        return result

    return wrapper


def _key(user_id: int) -> str:
    return f"feedback:kept-feed:{user_id}"
