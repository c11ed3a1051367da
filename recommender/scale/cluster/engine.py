"""What ``retrain --engine dask`` hands to the cluster, and how it takes the factors back."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from recommender.engine import CollaborativeTerm, FactorConfig, Factorisation, Fit, Progress, Sparse
from recommender.scale.cluster.als import factorise_on_dask
from recommender.scale.cluster.parquet import write_interactions

PARTS = 8


@dataclass(frozen=True)
class DaskEngine:
    """Where the factors are fitted. ``scheduler``: its address, or empty for two workers on this machine.

    ``exchange``: an existing folder that this machine and every worker see under the same path; each fit has a folder
    of its own in it while it runs. ``parts``: files on each side; at least as many as there are workers.
    """

    exchange: Path
    scheduler: str = ""
    parts: int = PARTS

    def fits(self, progress: Progress) -> dict[str, Fit]:
        """Return what fits terms on the cluster, for ``fit_model``; it may raise ClusterError."""

        def factorise(
            weights: Sparse, credits_: Sparse, settings: FactorConfig, rng: np.random.Generator
        ) -> Factorisation:
            with tempfile.TemporaryDirectory(dir=self.exchange, prefix="interactions-") as name:
                write_interactions(Path(name), weights, self.parts)
                return factorise_on_dask(Path(name), credits_, settings, rng, self.scheduler, progress)

        return {CollaborativeTerm.name: partial(CollaborativeTerm.fit_with, factorise)}
