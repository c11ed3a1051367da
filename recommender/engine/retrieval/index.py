"""The interface of an approximate nearest-neighbour index. The caller brings one from a library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from recommender.engine.data.arrays import FloatArray, IntArray

Vectors = Callable[[IntArray], FloatArray]
"""Returns the vectors of some increasing numbers: float32[len(numbers), d]."""


class NearestIndex(Protocol):
    """Finds the vectors with the largest products with a query. Several threads may use it at once."""

    def nearest(self, query: FloatArray, limit: int, probe_share: float) -> IntArray:
        """Return the numbers of about `limit` vectors with the largest products with `query` (float32[d]), best first.

        probe_share: share of the index that is searched, 0..1.
        """

    def write(self, path: Path) -> None:
        """Write the index into the new file `path`. Raise OSError."""


BuildIndex = Callable[[Vectors, int, FloatArray, int], NearestIndex]
"""Builds an index from vectors, their number (they are numbered from 0), sample queries (one per row) and a seed."""

OpenIndex = Callable[[Path], NearestIndex | None]
"""Opens what `write` wrote; None where its library is missing. Raise ValueError if the file is damaged."""
