"""Keys of the cache for what must not stand in it readably: names, log-ins, and whose song it is."""

import hashlib
import hmac

from django.conf import settings


def cache_key(kind: str, text: str) -> str:
    """Return a key that tells nobody ``text`` who doesn't have ``SECRET_KEY``."""
    digest = hmac.new(settings.SECRET_KEY.encode(), text.encode("utf-8", "replace"), hashlib.sha256)
    return f"recommender:proxy:{kind}:{digest.hexdigest()}"
