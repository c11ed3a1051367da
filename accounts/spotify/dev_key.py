"""The key for local use. It imports no Django: the settings need it."""

import base64
import hashlib


def local_key(secret_key: str) -> str:
    """Return the key for local use, where the operator gave none."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"spotify tokens:" + secret_key.encode()).digest()).decode()
