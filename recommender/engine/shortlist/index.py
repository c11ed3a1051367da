"""What the engine wants of an approximate index. It has none of its own: the caller brings one from a library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from recommender.engine.arrays import FloatArray, IntArray

Vectors = Callable[[IntArray], FloatArray]
"""From some numbers, increasing, to their vectors: float32[len(numbers), d]."""


class NearestIndex(Protocol):
    """Vectors numbered from 0, found by their product with another. May be used by several threads at once."""

    def nearest(self, query: FloatArray, limit: int, effort: float) -> IntArray:
        """Numbers of the about `limit` vectors with the largest products with `query` (float32[d]), best first.

        effort: share of the index that is looked into, 0..1.
        """

    def write(self, path: Path) -> None:
        """Write it into the new file `path`. Raises OSError."""


BuildIndex = Callable[[Vectors, int, FloatArray, int], NearestIndex]
"""From vectors, their number (they are numbered from 0), a hundred usual queries (one a line) and a seed."""

OpenIndex = Callable[[Path], NearestIndex | None]
"""Opens what `write` wrote; None where its library is not there. Raises ValueError if the file is damaged."""
