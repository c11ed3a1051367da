"""How much the lengths of one recording may differ."""

_CLEARLY_MS = 5000
_CLEARLY_SHARE = 0.1


def differ_clearly(duration_ms: int, other_ms: int) -> bool:
    """Return whether two songs are too different in length to be one recording."""
    return abs(duration_ms - other_ms) > max(_CLEARLY_MS, _CLEARLY_SHARE * max(duration_ms, other_ms))
