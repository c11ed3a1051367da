"""Test listeners, whom the measured models never learn from."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from recommender.engine import BoolArray

# One listener in so many is a test listener.
ONE_LISTENER_IN = 5


def is_test_listener(user_ids: NDArray[np.int64]) -> BoolArray:
    """Return which listeners are test listeners: by a digest of the id, the same for every version."""
    digests = (blake2b(str(user_id).encode(), digest_size=2).digest() for user_id in user_ids)
    return np.fromiter((int.from_bytes(digest) % ONE_LISTENER_IN == 0 for digest in digests), np.bool_, len(user_ids))
