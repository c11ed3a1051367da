"""How much of something a listener, or the whole site, may have; the operator's settings say so.

A cap is looked at where the lock on the listener is held, so that two requests at once cannot both take the last room.
"""

import sys

UNLIMITED = sys.maxsize


class CapError(Exception):
    """There is as much as a cap allows; the message says so to the listener, and names the cap."""


def room_below(cap: int, used: int) -> int:
    """Return how many more fit below ``cap``, of which 0 stands for no limit."""
    return max(0, cap - used) if cap else UNLIMITED
