"""Checks of the arrays that go into the engine; each raises InvalidDataError and names the array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data.arrays import FloatArray, IdArray, IntArray
from recommender.engine.errors import InvalidDataError


def require(condition: bool | np.bool_, message: str) -> None:
    """Raise InvalidDataError with `message` unless the condition holds."""
    if not condition:
        raise InvalidDataError(message)


def check_array(name: str, array: NDArray[np.generic], dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    """Raise InvalidDataError, naming `name`, unless `array` has this dtype and shape."""
    # Every request comes by here several times: words only where something is wrong.
    if not isinstance(array, np.ndarray):
        raise InvalidDataError(f"{name}: expected a numpy array, got {type(array).__name__}")
    if array.dtype != dtype:
        raise InvalidDataError(f"{name}: expected dtype {np.dtype(dtype)}, got {array.dtype}")
    if array.shape != shape:
        raise InvalidDataError(f"{name}: expected shape {shape}, got {array.shape}")


def check_range(name: str, array: NDArray[np.integer], low: int, high: int) -> None:
    """Raise InvalidDataError, naming `name`, unless all values lie in low..high-1."""
    if array.size:
        extremes = int(array.min()), int(array.max())
        require(
            low <= extremes[0] and extremes[1] < high, f"{name}: {extremes[0]}..{extremes[1]} outside {low}..{high - 1}"
        )


def check_rows(name: str, n: int, **arrays: NDArray[np.generic]) -> None:
    """Raise InvalidDataError, naming the array, unless each has n rows."""
    for array_name, array in arrays.items():
        require(array.ndim > 0 and len(array) == n, f"{name}.{array_name}: expected {n} rows, got {array.shape}")


def check_csr(name: str, indptr: IntArray, indices: IntArray, n_rows: int, n_columns: int) -> None:
    """Raise InvalidDataError unless the arrays are a CSR structure of that many rows and columns."""
    check_array(f"{name}_indptr", indptr, np.int32, (n_rows + 1,))
    require(indptr[0] == 0, f"{name}_indptr: must start with 0")
    require(bool(np.all(np.diff(indptr) >= 0)), f"{name}_indptr: must not decrease")
    check_array(f"{name}_indices", indices, np.int32, (int(indptr[-1]),))
    check_range(f"{name}_indices", indices, 0, n_columns)


def check_ids(name: str, ids: IdArray) -> None:
    """Raise InvalidDataError unless the ids are strictly increasing int64."""
    require(isinstance(ids, np.ndarray) and ids.ndim == 1, f"{name}: expected a one-dimensional numpy array")
    check_array(name, ids, np.int64, (len(ids),))
    require(bool(np.all(np.diff(ids) > 0)), f"{name}: must be strictly increasing")


def no_int32() -> IntArray:
    """Return an empty int32 array, as the default of a field."""
    return np.empty(0, dtype=np.int32)


def no_float32() -> FloatArray:
    """Return an empty float32 array, as the default of a field."""
    return np.empty(0, dtype=np.float32)
