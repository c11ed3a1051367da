"""Digests that nobody can make or undo who doesn't have the site's secret key."""

import hashlib
import hmac

from django.conf import settings


def keyed_digest(text: str) -> str:
    """Return HMAC-SHA-256 of ``text`` under ``SECRET_KEY``, 64 hexadecimal digits."""
    return hmac.new(settings.SECRET_KEY.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
