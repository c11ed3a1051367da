"""Keys of the cache for what must not stand in it readably: names, log-ins, and whose song it is."""

from accounts.digests import keyed_digest


def cache_key(kind: str, text: str) -> str:
    """Return a key that tells nobody ``text`` who doesn't have ``SECRET_KEY``."""
    return f"recommender:proxy:{kind}:{keyed_digest(text)}"
