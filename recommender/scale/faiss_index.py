"""The approximate index of very large catalogues, by faiss (extra ``ann``); without it every song is scored."""

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

# Vectors looked at together.
CHUNK = 50_000
# Lists for each root of the number of vectors; vectors that the lists and codes are learned from, a list and at least.
LISTS, PER_LIST, LEARNED_FROM = 0.5, 40, 20_000
ROUNDS = 8
# One in so many vectors stands in front.
BEHIND_ONE = 8
# Below it, all do.
ALL_IN_FRONT = 10_000
PART_NAMES = ("front", "back")


class FaissIndex:
    """Inner products over inverted lists of 4-bit codes, which processors compare by the dozen; in two parts.

    In front stand the vectors that are large in the direction of some usual query: an eighth of them that holds most of
    what is ever found. All of it is looked into, and its codes are finer. Apart from that gain in memory and time, the
    codes of each part fit the lengths of its vectors (as in Yan et al., "Norm-Ranging LSH for Maximum Inner Product
    Search", NeurIPS 2018).
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = parts
        self._number = sum(part.ntotal for part in parts)

    def nearest(self, query: FloatArray, limit: int, probe_share: float) -> IntArray:
        """See ``NearestIndex``; ``probe_share`` is for the back."""
        import faiss

        if limit >= self._number:
            return np.arange(self._number, dtype=np.int32)
        products, numbers = [], []
        for part, share in zip(self._parts, (1.0, probe_share), strict=False):
            settings = faiss.SearchParametersIVF()
            settings.nprobe = max(1, round(share * part.nlist))
            hits = part.search(_even(query[None, :]), min(limit, part.ntotal), params=settings)
            products.append(hits[0][0])
            numbers.append(hits[1][0])
        every, product = np.concatenate(numbers), np.concatenate(products)
        order = np.argsort(-product, kind="stable")
        return np.asarray(every[order[every[order] >= 0]][:limit], dtype=np.int32)

    def write(self, path: Path) -> None:
        """See ``NearestIndex``."""
        import faiss

        with path.open("wb") as file:
            parts: dict[str, Any] = {
                name: faiss.serialize_index(part) for name, part in zip(PART_NAMES, self._parts, strict=False)
            }
            np.savez(file, allow_pickle=False, **parts)


def build_index(vectors: Vectors, number: int, queries: FloatArray, seed: int) -> FaissIndex:
    """Return an index of so many vectors; see ``BuildIndex``. Memory: some 3 bits a coordinate."""
    rng = np.random.default_rng(seed)
    if number < ALL_IN_FRONT:
        numbers = np.arange(number, dtype=np.int32)
        return FaissIndex([_part(vectors, numbers, 1, rng)])
    reach = np.concatenate([(vectors(rows) @ queries.T).max(axis=1) for rows in _chunks(number)])
    first_in_front = number - number // BEHIND_ONE
    in_front = np.zeros(number, dtype=np.bool_)
    in_front[np.argpartition(reach, first_in_front)[first_in_front:]] = True
    parts = [
        _part(vectors, np.flatnonzero(chosen).astype(np.int32), per_code, rng)
        for chosen, per_code in ((in_front, 1), (~in_front, 2))
    ]
    return FaissIndex(parts)


def _part(vectors: Vectors, numbers: IntArray, per_code: int, rng: np.random.Generator) -> Any:
    """Return an index of the vectors with these numbers; ``per_code`` coordinates share a code of 4 bits."""
    import faiss

    lists = max(1, min(round(LISTS * len(numbers) ** 0.5), len(numbers) // PER_LIST))
    wanted = min(len(numbers), max(PER_LIST * lists, LEARNED_FROM))
    sample = _even(vectors(np.sort(rng.choice(numbers, size=wanted, replace=False))))
    size = sample.shape[1]
    # Lists by distance: by product, the longest vectors' lists would draw all others.
    by_distance = faiss.IndexFlatL2(size)
    index = faiss.IndexIVFPQFastScan(by_distance, size, lists, size // per_code, 4, faiss.METRIC_INNER_PRODUCT)
    index.by_residual = True
    index.cp.niter, index.cp.seed, index.cp.spherical = ROUNDS, int(rng.integers(2**31)), False
    for settings in (index.cp, index.pq.cp):
        settings.min_points_per_centroid = 1
    # Codes have 16 values: fewer vectors are learned from again.
    index.train(np.resize(sample, (max(len(sample), 16), size)))
    for some in np.array_split(numbers, -(-len(numbers) // CHUNK)):
        index.add_with_ids(_even(vectors(some)), some.astype(np.int64))
    # What is looked into are the lists whose centres have the largest products with the query.
    by_product: Any = faiss.IndexFlatIP(size)
    by_product.add(by_distance.reconstruct_n(0, lists))
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
        with np.load(path, allow_pickle=False) as stored:
            return FaissIndex([faiss.deserialize_index(stored[name]) for name in PART_NAMES if name in stored])
    except (RuntimeError, ValueError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path.name}: {error}") from error


EVERY_SONG = "every song is scored for every page. Install the extra `ann` for an approximate index."


def is_wanted(model: Model) -> bool:
    """Return whether the model has so many songs that it should not score them all, and does."""
    return model.retriever is None and model.catalogue.n_tracks > model.config.retrieval.above


@cache
def say_once(message: str) -> None:
    """Log a warning, the first time only."""
    logger.warning(message)


def is_installed() -> bool:
    """Return whether faiss is installed."""
    return importlib.util.find_spec("faiss") is not None


def _even(vectors: FloatArray) -> FloatArray:
    """Return the vectors with one more coordinate, 0, if they have an odd number."""
    return np.pad(vectors, ((0, 0), (0, vectors.shape[1] % 2)))


def _chunks(number: int) -> Iterator[IntArray]:
    for start in range(0, number, CHUNK):
        yield np.arange(start, min(start + CHUNK, number), dtype=np.int32)
