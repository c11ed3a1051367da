"""Interactions as Parquet files in parts of about equal size, once by listener and once by item.

A half-step of the factorisation needs all entries of the rows that it solves. With both orders on disk, no worker needs
rows of another.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from recommender.engine import FloatArray, IdArray, Sparse, as_float32, as_int32, csr

Side = Literal["by_listener", "by_item"]
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Part:
    """Rows ``first`` to ``last`` (exclusive) of one side, in the file ``path``."""

    path: Path
    first: int
    last: int


def write_interactions(folder: Path, weights: Sparse, parts: int) -> None:
    """Write signed weights (listeners x items, float32) to ``folder`` in ``parts`` files for each side.

    Columns: ``listener`` and ``item``, int32, indices into the matrix; ``weight``, float32, -1..1. The manifest is
    written last, so that a folder with a manifest is complete; after an error nothing of it is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    sides = {"by_listener": weights, "by_item": weights.T.tocsr()}
    try:
        manifest = {side: _write_side(folder, side, matrix, parts) for side, matrix in sides.items()}
        (folder / MANIFEST).write_text(json.dumps({"shape": list(weights.shape), **manifest}))
    except BaseException:
        (folder / MANIFEST).unlink(missing_ok=True)
        for side in sides:
            shutil.rmtree(folder / side, ignore_errors=True)
        raise


def _write_side(folder: Path, side: str, matrix: Sparse, parts: int) -> list[list[int | str]]:
    (folder / side).mkdir(exist_ok=True)
    return [
        _write_part(folder, side, number, matrix, (int(first), int(last)))
        for number, (first, last) in enumerate(pairwise(_bounds(matrix.indptr.astype(np.int64), parts)))
    ]


def _bounds(indptr: IdArray, parts: int) -> list[int]:
    """Return the row boundaries of parts with about equal numbers of entries, ``parts`` + 1 of them."""
    cuts = np.searchsorted(indptr, np.linspace(0, indptr[-1], parts + 1)[1:-1])
    return [0, *np.maximum.accumulate(cuts).tolist(), len(indptr) - 1]


def _write_part(folder: Path, side: str, number: int, matrix: Sparse, bounds: tuple[int, int]) -> list[int | str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    first, last = bounds
    low, high = matrix.indptr[first], matrix.indptr[last]
    row = np.repeat(np.arange(first, last, dtype=np.int32), np.diff(matrix.indptr[first : last + 1]))
    names = ("listener", "item") if side == "by_listener" else ("item", "listener")
    columns = {names[0]: row, names[1]: as_int32(matrix.indices[low:high]), "weight": matrix.data[low:high]}
    name = f"{side}/part-{number:05}.parquet"
    pq.write_table(pa.table(columns), folder / name)
    return [name, first, last]


def read_side(folder: Path, side: Side) -> list[Part]:
    """Return the parts of one side. Raise FileNotFoundError if an export was killed before it wrote its manifest."""
    manifest = json.loads((folder / MANIFEST).read_text())
    return [Part(folder / name, first, last) for name, first, last in manifest[side]]


def read_part(part: Part, side: Side) -> Sparse:
    """Return the rows of one part as float32[last - first, columns]."""
    import pyarrow.parquet as pq

    table = pq.read_table(part.path)
    names = ("listener", "item") if side == "by_listener" else ("item", "listener")
    row, column = (table[name].to_numpy() for name in names)
    counts = np.bincount(row - part.first, minlength=part.last - part.first)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    width = int(column.max()) + 1 if len(column) else 0
    return csr(as_float32(table["weight"].to_numpy()), as_int32(column), as_int32(indptr), width)


def entries(folder: Path, side: Side) -> FloatArray:
    """Return the number of entries of every row of one side, float32[n]; only the row columns are read."""
    import pyarrow.parquet as pq

    name = "listener" if side == "by_listener" else "item"
    counted = []
    for part in read_side(folder, side):
        row = pq.read_table(part.path, columns=[name])[name].to_numpy()
        counted.append(np.bincount(row - part.first, minlength=part.last - part.first))
    return np.concatenate(counted).astype(np.float32)
