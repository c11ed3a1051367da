"""Alternating least squares on a Dask cluster: every worker keeps its parts of the interactions and solves their rows.

Only factors are sent. Parts are pinned to their workers, and each half-step sends the other side's factors to every
worker once. Letting the scheduler move the parts took four times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.engine import (
    FactorConfig,
    Factorisation,
    FloatArray,
    GramEigen,
    Observations,
    Progress,
    Sparse,
    alternate,
    no_progress,
    regularisation,
    solve_rows,
)
from recommender.scale.cluster.parquet import Part, Side, entries, read_part, read_side

if TYPE_CHECKING:
    from distributed import Client

LOCAL_WORKERS = 2
CONNECT_SECONDS = 10


class ClusterError(Exception):
    """The cluster cannot be used, for the reason in the message."""


def factorise_on_dask(
    folder: Path,
    credits_: Sparse,
    config: FactorConfig,
    rng: np.random.Generator,
    scheduler: str = "",
    progress: Progress = no_progress,
) -> Factorisation:
    """Factorise the interactions that ``write_interactions`` wrote to ``folder``, which all workers can read.

    Computes the same as ``engine.fitting.factorise``, from the same initial factors. ``scheduler``: its address
    ("tcp://host:8786"), or empty to start two worker processes on this machine for a trial.

    Raises:
        ClusterError: Dask is not installed, or ``scheduler`` cannot be reached.
    """
    with _connected(scheduler) as client:
        sizes = (entries(folder, "by_listener"), entries(folder, "by_item"))
        listeners = _Rows.load(client, folder, "by_listener", sizes[0], config)
        items = _Rows.load(client, folder, "by_item", sizes[1], config)
        done = 0

        def solve_listeners(factors: FloatArray) -> FloatArray:
            nonlocal done
            progress("factors on the cluster", done / config.iterations)
            done += 1
            return listeners.solve(factors, None)

        return alternate(solve_listeners, items.solve, sizes, credits_, config, rng)


@dataclass(frozen=True)
class _Rows:
    """The parts of one side, each in a worker's memory: (worker, future of its observations, first row, last row)."""

    client: Client
    parts: list[tuple[str, Any, int, int]]
    strength: FloatArray

    @classmethod
    def load(cls, client: Client, folder: Path, side: Side, sizes: FloatArray, config: FactorConfig) -> _Rows:
        workers = sorted(client.scheduler_info(n_workers=-1)["workers"])
        parts = []
        for number, part in enumerate(read_side(folder, side)):
            worker = workers[number % len(workers)]
            held = client.submit(_load, part, side, config.alpha, workers=[worker], pure=False)
            parts.append((worker, held, part.first, part.last))
        client.gather([client.submit(_size, held, workers=[worker]) for worker, held, _, _ in parts])
        return cls(client, parts, regularisation(sizes, config))

    def solve(self, factors: FloatArray, prior: FloatArray | None) -> FloatArray:
        """Return the factors of all rows, float32[n, f], given those of the other side and prior means or None."""
        workers = sorted({worker for worker, _, _, _ in self.parts})
        sent = self.client.scatter(factors, workers=workers, broadcast=True, hash=False)
        solved = []
        for worker, held, first, last in self.parts:
            means = None if prior is None else self.client.scatter(prior[first:last], workers=[worker], hash=False)
            arguments = (held, sent, self.strength[first:last], means)
            solved.append(self.client.submit(_solve, *arguments, workers=[worker], pure=False))
        return np.concatenate(self.client.gather(solved))


def _load(part: Part, side: Side, alpha: float) -> Observations:
    return Observations.of(read_part(part, side), alpha)


def _size(observed: Observations) -> int:
    return len(observed.indices)


def _solve(observed: Observations, factors: FloatArray, strength: FloatArray, prior: FloatArray | None) -> FloatArray:
    return solve_rows(observed, GramEigen.of(factors), strength, prior)


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ClusterError("Dask isn't installed. Install the extra `cluster`.") from error
    if not scheduler:
        # One thread per worker, because the solver is multithreaded itself.
        with (
            LocalCluster(n_workers=LOCAL_WORKERS, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise ClusterError(f"can't reach the Dask scheduler at {scheduler}: {error}") from error
    with client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise ClusterError(f"the Dask scheduler at {scheduler} has no workers")
        yield client
