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
# Lists for each root of the number of vectors; vectors that the lists and codes are learned from, a list and at least.
LISTS, PER_LIST, LEARNED_FROM = 0.5, 40, 20_000
ROUNDS = 8
# Coordinates that share a code of 4 bits.
PER_CODE = 2


class FaissIndex:
    """Inner products over inverted lists of 4-bit codes, which processors compare by the dozen."""

    def __init__(self, index: Any) -> None:
        self._index = index

    def nearest(self, query: FloatArray, limit: int, effort: float) -> IntArray:
        """See ``NearestIndex``; at least one list is looked into."""
        if limit >= self._index.ntotal:
            return np.arange(self._index.ntotal, dtype=np.int32)
        import faiss

        settings = faiss.SearchParametersIVF()
        settings.nprobe = max(1, round(effort * self._index.nlist))
        _products, found = self._index.search(_padded(query[None, :]), limit, params=settings)
        return np.asarray(found[0][found[0] >= 0], dtype=np.int32)

    def write(self, path: Path) -> None:
        """See ``NearestIndex``."""
        import faiss

        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(f"{path}: {error}") from error


def build_index(vectors: Vectors, number: int, seed: int) -> FaissIndex:
    """Return an index of so many vectors; see ``BuildIndex``. Memory: 2 bits a coordinate, and what it learns from."""
    import faiss

    rng = np.random.default_rng(seed)
    lists = max(1, min(round(LISTS * number**0.5), number // PER_LIST))
    wanted = max(PER_LIST * lists, LEARNED_FROM)
    chosen = np.sort(rng.choice(number, size=min(number, wanted), replace=False)).astype(np.int32)
    sample = _padded(vectors(chosen))
    size = sample.shape[1]
    # Lists by distance: by product, the longest vectors' lists would draw all others.
    by_distance = faiss.IndexFlatL2(size)
    index = faiss.IndexIVFPQFastScan(by_distance, size, lists, size // PER_CODE, 4, faiss.METRIC_INNER_PRODUCT)
    index.by_residual = True
    index.cp.niter, index.cp.seed, index.cp.spherical = ROUNDS, seed % 2**31, False
    for settings in (index.cp, index.pq.cp):
        settings.min_points_per_centroid = 1
    # Codes have 16 values: fewer vectors are learned from again.
    index.train(np.resize(sample, (max(len(sample), 16), size)))
    for rows in _chunks(number):
        index.add(_padded(vectors(rows)))
    return FaissIndex(_searched_by_product(index, by_distance))


def _searched_by_product(index: Any, by_distance: Any) -> Any:
    """Have the lists looked into whose centres have the largest products with the query."""
    import faiss

    by_product = faiss.IndexFlatIP(index.d)
    by_product.add(by_distance.reconstruct_n(0, index.nlist))
    # The index frees it; Python must not.
    by_product.this.disown()
    index.quantizer, index.own_fields = by_product, True
    return index


def open_index(path: Path) -> FaissIndex | None:
    """Return the index in the file ``path``, read into memory; see ``OpenIndex``."""
    if not is_installed():
        return None
    import faiss

    try:
        return FaissIndex(faiss.read_index(str(path), faiss.IO_FLAG_READ_ONLY))
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


def _padded(vectors: FloatArray) -> FloatArray:
    """The vectors with a multiple of ``PER_CODE`` coordinates."""
    return np.pad(vectors, ((0, 0), (0, -vectors.shape[1] % PER_CODE)))


def _chunks(number: int) -> Iterator[IntArray]:
    for start in range(0, number, CHUNK):
        yield np.arange(start, min(start + CHUNK, number), dtype=np.int32)
