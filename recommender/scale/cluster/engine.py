"""Fitting of terms on a Dask cluster, for ``retrain --engine dask``."""

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
    """A Dask cluster that fits factors. ``scheduler``: its address, or empty for two workers on this machine.

    ``exchange``: an existing folder that this machine and every worker see under the same path. Each fit uses a
    temporary folder in it. ``parts``: files per side, at least as many as there are workers.
    """

    exchange: Path
    scheduler: str = ""
    parts: int = PARTS

    def fits(self, progress: Progress) -> dict[str, Fit]:
        """Return functions that fit terms on the cluster, by term name, for ``fit_model``; may raise ClusterError."""

        def factorise(
            weights: Sparse, credits_: Sparse, settings: FactorConfig, rng: np.random.Generator
        ) -> Factorisation:
            with tempfile.TemporaryDirectory(dir=self.exchange, prefix="interactions-") as name:
                write_interactions(Path(name), weights, self.parts)
                return factorise_on_dask(Path(name), credits_, settings, rng, self.scheduler, progress)

        return {CollaborativeTerm.name: partial(CollaborativeTerm.fit_with, factorise)}
