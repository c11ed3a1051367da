"""The approximate index of very large catalogues, by faiss (extra ``ann``); without it every song is scored."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from recommender.engine import Model
    from recommender.engine.arrays import FloatArray, IntArray
    from recommender.engine.shortlist.index import Vectors

logger = logging.getLogger(__name__)

# Vectors looked at together.
CHUNK = 50_000
# Lists for each root of the number of vectors; vectors a list is learned from (faiss wants 39), and rounds of it.
LISTS, TRAINED, ROUNDS = 1.0, 40, 8


class FaissIndex:
    """Inner products over inverted lists, vectors in bytes: an eighth of the lists' memory, found songs scored anew."""

    def __init__(self, index: Any) -> None:
        self._index = index

    def nearest(self, query: FloatArray, limit: int, effort: float) -> IntArray:
        """See ``NearestIndex``; at least one list is looked into."""
        import faiss

        probed = max(1, round(effort * self._index.nlist))
        limit = min(limit, self._index.ntotal)
        if not limit:
            return np.empty(0, dtype=np.int32)
        settings = faiss.SearchParametersIVF()
        settings.nprobe = probed
        _products, found = self._index.search(query[None, :], limit, params=settings)
        return np.asarray(found[0][found[0] >= 0], dtype=np.int32)

    def write(self, path: Path) -> None:
        """See ``NearestIndex``."""
        import faiss

        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(f"{path}: {error}") from error


def build_index(vectors: Vectors, number: int, seed: int) -> FaissIndex:
    """Return an index of so many vectors; see ``BuildIndex``. Memory: a byte a coordinate, and what it learns from."""
    import faiss

    lists = max(1, min(round(LISTS * number**0.5), number // TRAINED))
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(number, size=min(number, TRAINED * lists), replace=False)).astype(np.int32)
    sample = np.ascontiguousarray(vectors(chosen))
    dimensions = sample.shape[1]
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimensions), dimensions, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter, index.cp.seed = ROUNDS, seed % 2**31
    index.train(sample)
    for rows in _chunks(number):
        index.add(np.ascontiguousarray(vectors(rows)))
    return FaissIndex(index)


def open_index(path: Path) -> FaissIndex | None:
    """Return the index in the file ``path``, mapped; see ``OpenIndex``."""
    if not is_installed():
        return None
    import faiss

    try:
        return FaissIndex(faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY))
    except RuntimeError as error:
        raise ValueError(f"{path.name}: {error}") from error


EVERY_SONG = "every song is scored for every page: install the extra `ann` for an approximate index"


def is_wanted(model: Model) -> bool:
    """Whether the model has so many songs that it should not score them all, and does."""
    return model.shortlist is None and model.catalogue.n_tracks > model.config.shortlist.above


@cache
def say_once(message: str) -> None:
    """Log a warning, the first time only."""
    logger.warning(message)


def is_installed() -> bool:
    """Whether faiss is there."""
    return importlib.util.find_spec("faiss") is not None


def _chunks(number: int) -> Iterator[IntArray]:
    for start in range(0, number, CHUNK):
        yield np.arange(start, min(start + CHUNK, number), dtype=np.int32)
