"""Approximate index for very large catalogues, with faiss (extra ``ann``). Without it every song is scored."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

if TYPE_CHECKING:
    from recommender.engine import FloatArray, IntArray, Model, Vectors

logger = logging.getLogger(__name__)

# Vectors that are processed together.
CHUNK = 50_000
# Number of lists, as a multiple of the square root of the number of vectors; training vectors per list, and at least.
LISTS, PER_LIST, LEARNED_FROM = 0.5, 40, 20_000
KMEANS_ITERATIONS = 8
# One in so many vectors is in the front part.
BEHIND_ONE = 8
# With fewer vectors, all are in the front part.
ALL_IN_FRONT = 10_000
PART_NAMES = ("front", "back")


class FaissIndex:
    """Maximum inner product search over inverted lists of 4-bit product-quantisation codes, in two parts.

    The front part holds the eighth of the vectors that have the largest inner products with typical queries, and so
    most of the results. It is searched exhaustively, with finer codes; of the back part a share of the lists is probed.
    Besides saving memory and time, this fits the codes of each part to the norms of its vectors (as in Yan et al.,
    "Norm-Ranging LSH for Maximum Inner Product Search", NeurIPS 2018).
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = parts
        self._number = sum(part.ntotal for part in parts)

    def nearest(self, query: FloatArray, limit: int, probe_share: float) -> IntArray:
        """Return the rows with the largest inner products (see ``NearestIndex``); ``probe_share``: of the back."""
        import faiss

        if limit >= self._number:
            return np.arange(self._number, dtype=np.int32)
        products, numbers = [], []
        for part, share in zip(self._parts, (1.0, probe_share), strict=False):
            settings = faiss.SearchParametersIVF()
            settings.nprobe = max(1, round(share * part.nlist))
            hits = part.search(_padded_to_even(query[None, :]), min(limit, part.ntotal), params=settings)
            products.append(hits[0][0])
            numbers.append(hits[1][0])
        every, product = np.concatenate(numbers), np.concatenate(products)
        order = np.argsort(-product, kind="stable")
        return np.asarray(every[order[every[order] >= 0]][:limit], dtype=np.int32)

    def write(self, path: Path) -> None:
        """Write the index to ``path`` (see ``NearestIndex``)."""
        import faiss

        with path.open("wb") as file:
            parts: dict[str, Any] = {
                name: faiss.serialize_index(part) for name, part in zip(PART_NAMES, self._parts, strict=False)
            }
            np.savez(file, allow_pickle=False, **parts)


def build_index(vectors: Vectors, number: int, queries: FloatArray, seed: int) -> FaissIndex:
    """Return an index of ``number`` vectors (see ``BuildIndex``). It needs some 3 bits of memory per coordinate."""
    rng = np.random.default_rng(seed)
    if number < ALL_IN_FRONT:
        numbers = np.arange(number, dtype=np.int32)
        return FaissIndex([_part(vectors, numbers, 1, rng)])
    largest_products = np.concatenate([(vectors(rows) @ queries.T).max(axis=1) for rows in _chunks(number)])
    first_in_front = number - number // BEHIND_ONE
    in_front = np.zeros(number, dtype=np.bool_)
    in_front[np.argpartition(largest_products, first_in_front)[first_in_front:]] = True
    parts = [
        _part(vectors, np.flatnonzero(chosen).astype(np.int32), per_code, rng)
        for chosen, per_code in ((in_front, 1), (~in_front, 2))
    ]
    return FaissIndex(parts)


def _part(vectors: Vectors, numbers: IntArray, per_code: int, rng: np.random.Generator) -> Any:
    """Return an index of the vectors ``numbers``; ``per_code`` coordinates share a 4-bit code."""
    import faiss

    lists = max(1, min(round(LISTS * len(numbers) ** 0.5), len(numbers) // PER_LIST))
    wanted = min(len(numbers), max(PER_LIST * lists, LEARNED_FROM))
    sample = _padded_to_even(vectors(np.sort(rng.choice(numbers, size=wanted, replace=False))))
    size = sample.shape[1]
    # Vectors are assigned to lists by distance: by inner product, the lists of the longest vectors would attract all.
    by_distance = faiss.IndexFlatL2(size)
    index = faiss.IndexIVFPQFastScan(by_distance, size, lists, size // per_code, 4, faiss.METRIC_INNER_PRODUCT)
    index.by_residual = True
    index.cp.niter, index.cp.seed, index.cp.spherical = KMEANS_ITERATIONS, int(rng.integers(2**31)), False
    for settings in (index.cp, index.pq.cp):
        settings.min_points_per_centroid = 1
    # Codes have 16 values, so fewer training vectors are repeated.
    index.train(np.resize(sample, (max(len(sample), 16), size)))
    for some in np.array_split(numbers, -(-len(numbers) // CHUNK)):
        index.add_with_ids(_padded_to_even(vectors(some)), some.astype(np.int64))
    # A search probes the lists whose centres have the largest inner products with the query.
    by_product: Any = faiss.IndexFlatIP(size)
    by_product.add(by_distance.reconstruct_n(0, lists))
    # The index owns it, so Python must not free it.
    by_product.this.disown()
    index.quantizer, index.own_fields = by_product, True
    return index


def open_index(path: Path) -> FaissIndex | None:
    """Return the index in the file ``path``, or ``None`` if faiss is not installed (see ``OpenIndex``).

    Raise ``ValueError`` if the file is damaged.
    """
    if not is_installed():
        return None
    import faiss

    try:
        with np.load(path, allow_pickle=False) as stored:
            return FaissIndex([faiss.deserialize_index(stored[name]) for name in PART_NAMES if name in stored])
    except (RuntimeError, ValueError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path.name}: {error}") from error


EVERY_SONG = "every song is scored for every page. Install the extra `ann` for an approximate index."


def is_wanted(model: Model) -> bool:
    """Return whether the model has no index, but more songs than it should score one by one."""
    return model.retriever is None and model.catalogue.n_tracks > model.config.retrieval.above


@cache
def say_once(message: str) -> None:
    """Log a warning once per message."""
    logger.warning(message)


def is_installed() -> bool:
    """Return whether faiss is installed."""
    return importlib.util.find_spec("faiss") is not None


def _padded_to_even(vectors: FloatArray) -> FloatArray:
    """Return the vectors, padded with a 0 if they have an odd number of coordinates."""
    return np.pad(vectors, ((0, 0), (0, vectors.shape[1] % 2)))


def _chunks(number: int) -> Iterator[IntArray]:
    for start in range(0, number, CHUNK):
        yield np.arange(start, min(start + CHUNK, number), dtype=np.int32)
