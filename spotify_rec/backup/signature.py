"""Signs backups with a key that only this site has."""

import hashlib
import hmac
import json
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

_SALT = "spotify_rec.backup.manifest"
FIELD = "signature"


def sign(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return ``manifest`` with its signature, by a key that follows from ``SECRET_KEY``."""
    return {**manifest, FIELD: _signature(manifest, settings.SECRET_KEY)}


def is_signed(manifest: dict[str, Any]) -> bool:
    """Return whether this site signed ``manifest``, with its key of today or one of ``SECRET_KEY_FALLBACKS``."""
    signature = manifest.get(FIELD)
    if not isinstance(signature, str) or not signature.isascii() or not isinstance(manifest.get("sha256"), dict):
        return False
    keys = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return any(hmac.compare_digest(signature.encode(), _signature(manifest, key).encode()) for key in keys)


class Digest:
    """The SHA-256 of the parts passed to ``add``."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, chunk: bytes) -> None:
        """Add the next part."""
        self._hash.update(chunk)

    def text(self) -> str:
        """Return the digest so far, in hexadecimal."""
        return self._hash.hexdigest()


def _signature(manifest: dict[str, Any], key: str) -> str:
    signed = {name: value for name, value in manifest.items() if name != FIELD}
    return salted_hmac(_SALT, json.dumps(signed, sort_keys=True), secret=key, algorithm="sha256").hexdigest()
